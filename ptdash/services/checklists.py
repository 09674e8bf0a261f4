"""Checklists by type of device, in versions: a change is a new version, a running inspection keeps its own.

The first version of a type that the house knows comes with it (`checklist_defaults`) and is written when it is
first needed; a type without a checklist uses the general one.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import Section
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.models import ChecklistItem, ChecklistTemplate, User
from ptdash.services import audit
from ptdash.services.checklist_defaults import DEFAULTS, GENERAL

MOST_ITEMS = 60


class ChecklistEmpty(Invalid):
    message = "A checklist needs at least one item."


class ChecklistTooLong(Invalid):
    message = "A checklist has at most %(most)s items."


class ItemTwice(Invalid):
    message = "'%(text)s' stands twice in the checklist."


class ChecklistChanged(Conflict):
    message = "Somebody saved version %(version)s of this checklist in the meantime. Compare and save again."


@dataclass(frozen=True)
class Item:
    section: Section
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Checklist:
    """One version. `created_at` is None for the first version of a type that is not in use yet."""

    device_type: str
    version: int
    items: tuple[Item, ...]
    created_at: datetime | None = None
    created_by: str | None = None


def types(session: Session) -> list[str]:
    """Every type with a checklist of its own: the house's first, then those that were added, then the general."""
    added = session.execute(select(ChecklistTemplate.device_type).distinct()).scalars()
    return [*(name for name in DEFAULTS if name != GENERAL), *sorted(set(added) - set(DEFAULTS)), GENERAL]


def current(session: Session, device_type: str) -> Checklist:
    """What an inspection of this type would start with: its newest version, else the general one's."""
    stored = _newest(session, device_type)
    if stored is not None:
        return _loaded(session, stored)
    if device_type in DEFAULTS:
        return Checklist(device_type, 1, tuple(Item(*line) for line in DEFAULTS[device_type]))
    return current(session, GENERAL)


def versions(session: Session, device_type: str) -> list[Checklist]:
    """Every version of a type, the newest first. Raises NotFound."""
    rows = session.execute(
        select(ChecklistTemplate)
        .where(ChecklistTemplate.device_type == device_type)
        .order_by(ChecklistTemplate.version.desc())
    ).scalars()
    found = [_loaded(session, row) for row in rows]
    if not found and device_type not in DEFAULTS:
        raise NotFound(what=device_type)
    return found or [current(session, device_type)]


def in_force(session: Session, device_type: str, *, now: datetime) -> ChecklistTemplate:
    """The stored version that an inspection of this type begins with; the first of a type is written here."""
    stored = _newest(session, device_type)
    if stored is None and device_type not in DEFAULTS:
        return in_force(session, GENERAL, now=now)
    if stored is None:
        _write(session, device_type, 1, [Item(*line) for line in DEFAULTS[device_type]], None, now)
        stored = _newest(session, device_type)
        assert stored is not None  # written just now, here or by somebody else
    return stored


def save(
    session: Session,
    device_type: str,
    items: Sequence[Item],
    *,
    seen: int,
    actor_id: int | None,
    now: datetime,
) -> int:
    """Save a checklist as its next version; `seen` is the version that the person changed (0: there was none).

    Returns the version; where nothing differs, the one there is. Raises ChecklistEmpty, ChecklistTooLong,
    ItemTwice, ChecklistChanged.
    """
    order = list(Section)
    rows = [Item(Section(item.section), item.text.strip(), item.hint.strip()) for item in items]
    rows = sorted((row for row in rows if row.text), key=lambda row: order.index(row.section))
    _check(rows)
    known = device_type in DEFAULTS or _newest(session, device_type) is not None
    before = current(session, device_type) if known else None
    if before and seen != before.version:
        raise ChecklistChanged(version=before.version)
    if before and before.items == tuple(rows):
        return before.version
    if before and before.created_at is None:
        in_force(session, device_type, now=now)
    version = before.version + 1 if before else 1
    if not _write(session, device_type, version, rows, actor_id, now):
        raise ChecklistChanged(version=version)
    return version


def _check(rows: Sequence[Item]) -> None:
    if not rows:
        raise ChecklistEmpty()
    if len(rows) > MOST_ITEMS:
        raise ChecklistTooLong(most=MOST_ITEMS)
    texts = [row.text for row in rows]
    for text in texts:
        if texts.count(text) > 1:
            raise ItemTwice(text=text)


def _write(
    session: Session,
    device_type: str,
    version: int,
    items: Sequence[Item],
    actor_id: int | None,
    now: datetime,
) -> bool:
    """Whether this version was still free."""
    values = {"device_type": device_type, "version": version, "created_at": now, "created_by_id": actor_id}
    written = session.execute(
        insert(ChecklistTemplate)
        .values(values)
        .on_conflict_do_nothing(index_elements=["device_type", "version"])
        .returning(ChecklistTemplate.id)
    ).scalar_one_or_none()
    if written is None:
        return False
    session.add_all(
        ChecklistItem(template_id=written, pos=pos, section=item.section, text=item.text, hint=item.hint)
        for pos, item in enumerate(items, 1)
    )
    session.flush()
    after = {"version": version, "items": [asdict(item) for item in items]}
    audit.record(session, "add", "checklist", device_type, actor_id=actor_id, now=now, after=after)
    return True


def _newest(session: Session, device_type: str) -> ChecklistTemplate | None:
    newest = (
        select(func.max(ChecklistTemplate.version))
        .where(ChecklistTemplate.device_type == device_type)
        .scalar_subquery()
    )
    return session.execute(
        select(ChecklistTemplate).where(
            ChecklistTemplate.device_type == device_type, ChecklistTemplate.version == newest
        )
    ).scalar_one_or_none()


def _loaded(session: Session, row: ChecklistTemplate) -> Checklist:
    items = session.execute(
        select(ChecklistItem).where(ChecklistItem.template_id == row.id).order_by(ChecklistItem.pos)
    ).scalars()
    author = session.get(User, row.created_by_id) if row.created_by_id else None
    return Checklist(
        device_type=row.device_type,
        version=row.version,
        items=tuple(Item(Section(item.section), item.text, item.hint) for item in items),
        created_at=row.created_at,
        created_by=author.name if author else None,
    )
