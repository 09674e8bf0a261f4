"""Archives: the invoices of some months in one ZIP, ordered on the page and packed by a worker."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import IO

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.domain.periods import format_month
from ptdash.models import Export, ExportPart, User
from ptdash.services import audit, exporting
from ptdash.services.bulk import among

PART_BYTES = 4 * 1024 * 1024
KEPT = timedelta(days=7)
# An archive that was handed to a worker and made no progress this long is handed to one again.
PATIENCE = timedelta(minutes=2)
UNFINISHED = ("waiting", "working")


class NothingToPack(Conflict):
    message = "No invoice was issued for %(months)s."


class NotPacked(Conflict):
    message = "This archive is not ready yet."


@dataclass(frozen=True)
class Listed:
    """An archive and who ordered it."""

    export: Export
    by: str | None


def order(session: Session, since: date, until: date, form: str, *, actor_id: int, now: datetime) -> Export:
    """Order the archive of the months from `since` to `until` (first days); raises NothingToPack."""
    total = len(exporting.issued(session, since, until))
    if not total:
        months = format_month(since) if since == until else f"{format_month(since)} – {format_month(until)}"
        raise NothingToPack(months=months)
    export = Export(
        since=since, until=until, format=form, total=total, ordered_at=now, ordered_by_id=actor_id, state="waiting"
    )
    session.add(export)
    session.flush()
    after = {"since": since.isoformat(), "until": until.isoformat(), "format": form, "invoices": total}
    audit.record(session, "order", "export", export.id, actor_id=actor_id, now=now, after=after)
    return export


def listed(session: Session) -> list[Listed]:
    """The archives that are kept, the newest first."""
    rows = session.execute(
        select(Export, User.name).outerjoin(User, User.id == Export.ordered_by_id).order_by(Export.id.desc())
    )
    return [Listed(export, name) for export, name in rows]


def load(session: Session, export_id: int) -> Export:
    """One archive; raises NotFound."""
    found = session.get(Export, export_id, populate_existing=True)
    if found is None:
        raise NotFound(what=str(export_id))
    return found


def due(session: Session, now: datetime) -> Sequence[int]:
    """The archives to hand to a worker now; they are not due again within PATIENCE."""
    waiting = (
        select(Export.id)
        .where(Export.state.in_(UNFINISHED), or_(Export.worked_at.is_(None), Export.worked_at < now - PATIENCE))
        .order_by(Export.id)
        .with_for_update(skip_locked=True)
    )
    ids = session.execute(waiting).scalars().all()
    session.execute(update(Export).where(among(Export.id, ids)).values(worked_at=now, state="waiting"))
    return ids


def start(session: Session, export_id: int, *, now: datetime) -> Export | None:
    """Begin to pack, from the start; None where it is done, gone, or another worker is at it."""
    found = select(Export).where(Export.id == export_id, Export.state.in_(UNFINISHED))
    found = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    export = session.execute(found).scalar_one_or_none()
    if export is None or export.state == "working":
        return None
    export.state, export.done, export.worked_at = "working", 0, now
    return export


def progress(session: Session, export_id: int, done: int, *, now: datetime) -> None:
    """Note how many invoices are packed: whoever looks sees it, and nobody else begins."""
    session.execute(update(Export).where(Export.id == export_id).values(done=done, worked_at=now))


def pack(session: Session, export: Export, target: IO[bytes], *, now: datetime) -> Iterator[int]:
    """Write the ZIP into a file; tells after each of its invoices how many are in it.

    What is missing, or was written otherwise than it is, is named in notes.txt.
    """
    ids = exporting.issued(session, export.since, export.until)
    notes: list[str] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        names: set[str] = set()
        for item in exporting.files(session, ids, export.format, at=now):
            if isinstance(item, exporting.Missing):
                names.add(item.number)
                notes.append(f"{item.number}: not set yet")
            else:
                names.add(item.name.rpartition(".")[0])
                notes += item.notes
                archive.writestr(_entry(item.name, now), item.content)
            yield min(len(names), len(ids))
        index = exporting.index(session, ids)
        archive.writestr(_entry(index.name, now), index.content)
        if notes:
            archive.writestr(_entry("notes.txt", now), "\n".join(notes).encode())


def keep(session: Session, export_id: int, target: IO[bytes], *, now: datetime) -> None:
    """Store the packed file, and that it is done; nothing where another worker was faster."""
    export = session.get_one(Export, export_id, with_for_update=True, populate_existing=True)
    if export.state not in UNFINISHED:
        return
    session.execute(delete(ExportPart).where(ExportPart.export_id == export_id))
    target.seek(0)
    pos = 0
    while content := target.read(PART_BYTES):
        session.add(ExportPart(export_id=export_id, pos=pos, content=content))
        session.flush()
        pos += 1
    export.state, export.done, export.finished_at = "done", export.total, now


def fail(session: Session, export_id: int, why: str, *, now: datetime) -> None:
    """Note why an archive could not be packed."""
    export = session.get_one(Export, export_id, with_for_update=True, populate_existing=True)
    if export.state not in UNFINISHED:
        return
    export.state, export.why, export.finished_at = "failed", why, now


def parts(session: Session, export_id: int) -> int:
    """In how many pieces a packed archive is stored; raises NotFound, NotPacked."""
    if load(session, export_id).state != "done":
        raise NotPacked()
    return session.execute(select(func.count()).where(ExportPart.export_id == export_id)).scalar_one()


def part(session: Session, export_id: int, pos: int) -> bytes:
    """A piece of a packed archive's bytes."""
    return session.execute(
        select(ExportPart.content).where(ExportPart.export_id == export_id, ExportPart.pos == pos)
    ).scalar_one()


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete the archives of a week ago; how many. Whatever was in them can be packed again."""
    old = delete(Export).where(Export.ordered_at < now - KEPT, Export.state.not_in(UNFINISHED))
    return len(session.execute(old.returning(Export.id)).all())


def _entry(name: str, now: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, now.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
