"""A ticket's thread: what was said, the time booked and the files, in one order."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from ptdash.models import Contact, StoredFile, Ticket, TicketAttachment, TicketMessage, TimeEntry, User
from ptdash.services.bulk import among
from ptdash.services.standing import taken


@dataclass(frozen=True)
class Attached:
    """A file as a link needs it; `size` in bytes."""

    id: int
    name: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One entry of a thread. `kind` is opened, inbound, reply, note, time or file; `number` is the ticket that it
    stands on where that is one merged into this. Of time: `minutes` (None: it runs), `treatment`, whether a
    posting has taken it, what it reverses, and whether it was reversed."""

    kind: str
    id: int
    at: datetime
    number: str | None
    who: str | None
    author_id: int | None
    channel: str | None
    text: str
    minutes: int | None
    treatment: str | None
    posted: bool
    reverses_id: int | None
    reversed: bool
    files: tuple[Attached, ...]


def thread(session: Session, ticket_id: int, family: Mapping[int, str]) -> list[Entry]:
    """All that happened on the tickets of a family (this one and those merged into it: id -> number), the oldest
    first: one query."""
    rows = session.execute(_all(), {"family": list(family)}).all()
    files: dict[int | None, list[Attached]] = defaultdict(list)
    for row in rows:
        if row.kind == "file":
            files[row.belongs_to].append(Attached(row.id, row.text, row.minutes))
    with_message = {row.id for row in rows if row.kind in ("inbound", "reply", "note")}
    entries = [
        _entry(row, ticket_id, family, files)
        for row in rows
        if row.kind != "file" or row.belongs_to not in with_message
    ]
    # Time can be booked for a call before its ticket was written: what it is about still comes first.
    return sorted(entries, key=lambda entry: entry.kind != "opened" or entry.number is not None)


@cache
def _all() -> CompoundSelect[Any]:
    return union_all(_opened(), _messages(), _time(), _files()).order_by("at", "rank", "id")


def _entry(
    row: Any, ticket_id: int, family: Mapping[int, str], files: Mapping[int | None, list[Attached]]
) -> Entry:
    told = {name: getattr(row, name) for name in COLUMNS if name in Entry.__dataclass_fields__}
    is_file, is_time = row.kind == "file", row.kind == "time"
    said = row.kind in ("inbound", "reply", "note")
    hangs = (Attached(row.id, row.text, row.minutes),) if is_file else tuple(files.get(row.id, ()) if said else ())
    return Entry(
        **told,
        number=family[row.ticket_id] if row.ticket_id != ticket_id else None,
        reverses_id=row.belongs_to if is_time else None,
        files=hangs,
    )


# In this order each part gives its columns; what a part does not name is empty.
COLUMNS: dict[str, Any] = {
    "kind": String,
    "rank": Integer,
    "id": Integer,
    "ticket_id": Integer,
    "at": None,
    "who": String,
    "author_id": Integer,
    "channel": String,
    "text": String,
    "minutes": Integer,
    "treatment": String,
    "posted": Boolean,
    "belongs_to": Integer,
    "reversed": Boolean,
}


def _part(kind: Any, rank: int, **columns: Any) -> Select[Any]:
    given = {"kind": literal(kind) if isinstance(kind, str) else kind, "rank": literal(rank), **columns}
    empty = {"posted": literal(False), "reversed": literal(False), "text": literal("")}
    chosen = []
    for name, kind_of in COLUMNS.items():
        value = given.get(name, empty.get(name, null()))
        chosen.append((cast(value, kind_of) if kind_of else value).label(name))
    return select(*chosen)


def _opened() -> Select[Any]:
    """The ticket's first words; one merged into another says its subject, too."""
    merged = Ticket.merged_into_id.is_not(None)
    words = case((and_(merged, Ticket.body != ""), func.concat(Ticket.subject, "\n\n", Ticket.body)))
    part = _part(
        "opened",
        0,
        id=Ticket.id,
        ticket_id=Ticket.id,
        at=Ticket.created_at,
        who=Contact.name,
        channel=Ticket.channel,
        text=func.coalesce(words, case((merged, Ticket.subject), else_=Ticket.body)),
    )
    return part.outerjoin(Contact, Contact.id == Ticket.contact_id).where(among(Ticket.id, "family"))


def _messages() -> Select[Any]:
    inbound = TicketMessage.kind == "inbound"
    part = _part(
        TicketMessage.kind,
        1,
        id=TicketMessage.id,
        ticket_id=TicketMessage.ticket_id,
        at=TicketMessage.at,
        who=case((inbound, TicketMessage.sender), else_=User.name),
        author_id=TicketMessage.author_id,
        channel=TicketMessage.channel,
        text=TicketMessage.body,
    )
    return part.outerjoin(User, User.id == TicketMessage.author_id).where(among(TicketMessage.ticket_id, "family"))


def _time() -> Select[Any]:
    reversal = aliased(TimeEntry)
    part = _part(
        "time",
        2,
        id=TimeEntry.id,
        ticket_id=TimeEntry.ticket_id,
        at=TimeEntry.started_at,
        who=User.name,
        author_id=TimeEntry.technician_id,
        text=TimeEntry.note,
        minutes=TimeEntry.minutes,
        treatment=TimeEntry.treatment,
        posted=taken(TimeEntry),
        belongs_to=TimeEntry.reverses_id,
        reversed=select(reversal.id).where(reversal.reverses_id == TimeEntry.id).exists(),
    )
    return part.join(User, User.id == TimeEntry.technician_id).where(among(TimeEntry.ticket_id, "family"))


def _files() -> Select[Any]:
    part = _part(
        "file",
        3,
        id=StoredFile.id,
        ticket_id=TicketAttachment.ticket_id,
        at=StoredFile.created_at,
        who=User.name,
        author_id=StoredFile.created_by_id,
        text=StoredFile.name,
        minutes=StoredFile.size,
        belongs_to=TicketAttachment.message_id,
    )
    hanging = part.join(TicketAttachment, TicketAttachment.file_id == StoredFile.id)
    named = hanging.join(User, User.id == StoredFile.created_by_id)
    return named.where(among(TicketAttachment.ticket_id, "family"))
