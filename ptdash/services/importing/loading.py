"""What the database holds of what the files talk about; read after the customers are locked."""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import String, any_, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from ptdash.models import (
    Acceptance,
    Contract,
    Customer,
    Device,
    Material,
    Period,
    Posting,
    Ticket,
    TimeEntry,
    User,
)
from ptdash.services import standing
from ptdash.services.facts import standing_entries
from ptdash.services.importing.tables import Table
from ptdash.services.importing.world import Span, World

CHUNK = 10_000

# In one statement and in id order, as postings take them: nobody waits in a circle.
LOCK = text("""
    SELECT customer_id FROM customer_books WHERE customer_id IN (
        SELECT id FROM customers WHERE number = ANY(:customers)
        UNION SELECT customer_id FROM devices WHERE inventory_number = ANY(:devices)
        UNION SELECT customer_id FROM contracts WHERE number = ANY(:contracts)
        UNION SELECT customer_id FROM tickets WHERE number = ANY(:tickets)
        UNION SELECT customer_id FROM time_entries WHERE external_id = ANY(:entries)
        UNION SELECT customer_id FROM materials WHERE external_id = ANY(:materials))
    ORDER BY customer_id FOR SHARE
""")


def lock(session: Session, world: World) -> None:
    """Hold off the posting of every customer that the files touch, and with prices the start of a run.

    What is read in later statements stays true until the end of the transaction.
    """
    if world.prices.given:
        session.execute(text("SELECT 1 FROM books FOR SHARE"))
    named = {file: _named(world, file) for file in ("customers", "devices", "contracts", "tickets")}
    entries, materials = list(world.time_entries.rows), list(world.materials.rows)
    session.execute(LOCK, {**named, "entries": entries, "materials": materials})


def load(session: Session, world: World) -> None:
    """Read what is stored into the world's tables."""
    for table in world.tables.values():
        if table.file.by is None:
            _load_all(session, table)
    _load_some(session, world.tickets, _named(world, "tickets"))
    for table in (world.time_entries, world.materials):
        _load_some(session, table, list(table.rows))
    for table in world.tables.values():
        table.fill_absent()
    _load_books(session, world)
    _load_acceptances(session, world)
    _load_moved_tickets(session, world)
    _load_other_work(session, world)


def _named(world: World, file: str) -> list[Any]:
    """Every key of a file that the files name, in that file or in one that refers to it."""
    target = world.tables[f"{file}.csv"]
    keys: set[Hashable] = set(target.origin)
    for table in world.tables.values():
        for name, column in table.file.columns.items():
            if column.refers_to == target.file.name:
                keys.update(getattr(row, name) for row in table.rows.values())
                keys.update(key for _, loose, key in table.loose if loose == name)
    return list(keys - {None})


def _load_all(session: Session, table: Table[Any]) -> None:
    for id_, *fields in session.execute(table.file.stored()):
        _keep(table, table.file.row(*fields), id_)


def _load_some(session: Session, table: Table[Any], keys: Iterable[Hashable]) -> None:
    assert table.file.by is not None
    for chunk in chunks(keys, CHUNK):
        for id_, *fields, taken in session.execute(
            table.file.stored().where(table.file.by == any_(literal(chunk, ARRAY(String))))
        ):
            row = table.file.row(*fields)
            key = _keep(table, row, id_)
            if taken:
                table.taken.add(key)


def _keep(table: Table[Any], row: Any, id_: int | None) -> Hashable:
    key: Hashable = table.file.key_of(row)
    # The same object for a row that does not change: a million of them fit into memory once, not twice.
    table.stored[key] = table.rows[key] if table.rows.get(key) == row else row
    if id_ is not None:
        table.ids[key] = id_
    return key


def _load_books(session: Session, world: World) -> None:
    world.begun = frozenset(session.execute(select(Period.month)).scalars())
    newest = (
        select(Customer.number, func.max(Posting.month))
        .join(Posting, Posting.customer_id == Customer.id)
        .group_by(Customer.number)
    )
    world.posted = dict(session.execute(newest).all())
    world.last_days = dict(session.execute(select(Contract.number, Contract.ends_before)).all())


def _load_acceptances(session: Session, world: World) -> None:
    """What the files do not say of an acceptance: whether it was signed here, and since when it is revoked."""
    rows = session.execute(
        select(Device.inventory_number, Acceptance.inspected_on, Acceptance.inspection_id, Acceptance.revoked_on)
        .join(Device, Device.id == Acceptance.device_id)
        .where(or_(Acceptance.inspection_id.is_not(None), Acceptance.revoked_on.is_not(None)))
    )
    for device, inspected_on, inspection_id, revoked_on in rows:
        if inspection_id is not None:
            world.signed.add((device, inspected_on))
        if revoked_on is not None:
            world.revoked[device, inspected_on] = revoked_on


def _load_moved_tickets(session: Session, world: World) -> None:
    """Which of the tickets that change their customer have time or material that a posting has taken."""
    moved = [
        world.tickets.ids[row.number]
        for _, row, old in world.tickets.touched()
        if old and old.customer != row.customer
    ]
    for table in (TimeEntry, Material) if moved else ():
        posted = (
            select(Ticket.number)
            .join(table, table.ticket_id == Ticket.id)
            .where(Ticket.id.in_(moved), standing.taken(table))
        )
        world.tickets.taken.update(session.execute(posted).scalars())


def _load_other_work(session: Session, world: World) -> None:
    rows = world.time_entries.rows.values()
    if not rows:
        return
    first, last = min(row.started_at for row in rows), max(row.ended_at or row.started_at for row in rows)
    work = (
        standing_entries()
        .join(User, User.id == TimeEntry.technician_id)
        .where(
            func.lower(User.email).in_({row.technician for row in rows}),
            TimeEntry.started_at < last,
            TimeEntry.ended_at > first,
        )
        .with_only_columns(func.lower(User.email), TimeEntry.started_at, TimeEntry.ended_at, TimeEntry.external_id)
    )
    found: Iterable[Span] = (tuple(row) for row in session.execute(work))
    world.other_work = [span for span in found if span[3] not in world.time_entries.rows]


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
