"""time_entries.csv and materials.csv: the work on tickets, and what was used for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, null, select

from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import berlin_day
from ptdash.models import Material, Ticket, TimeEntry, User
from ptdash.services.importing.cells import (
    Column,
    day,
    instant,
    key,
    number,
    one_of,
    reference,
    text,
    user_email,
    whole,
    words,
)
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import CUSTOMER_OF_TICKET, File, Ids, Stored, Table
from ptdash.services.standing import taken

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

A_DAY = timedelta(hours=24)
MOST_EUROS = 10_000_000


@dataclass(slots=True)
class TimeEntryRow:
    """`minutes` is only another way to say `ended_at`."""

    external_id: str
    ticket: str
    technician: str
    started_at: datetime
    ended_at: datetime | None
    minutes: int | None = field(compare=False)
    treatment: str | None
    note: str


@dataclass(slots=True)
class MaterialRow:
    external_id: str
    ticket: str
    day: date
    description: str
    quantity: Decimal
    net: Decimal


def finish_time(row: TimeEntryRow, tell: Tell) -> None:
    """An entry has an end or whole minutes, not both; goodwill has its reason."""
    if row.ended_at is None:
        if row.minutes is None:
            tell("ended_at", "end_missing", "Give the end or the minutes.")
        else:
            row.ended_at = row.started_at + timedelta(minutes=row.minutes)
    elif row.minutes is not None:
        tell("minutes", "end_given_twice", "Give either the end or the minutes, not both.")
    elif row.ended_at <= row.started_at:
        tell("ended_at", "ends_before_start", "The end must be after the start.")
    if row.treatment == Treatment.GOODWILL and not row.note:
        tell("note", "goodwill_without_reason", "Goodwill needs its reason: write it into the note.")


def finish_material(row: MaterialRow, tell: Tell) -> None:
    """Something was used, and it has a price; a credit is no import's business."""
    if row.quantity <= 0:
        tell("quantity", "quantity_not_positive", "The quantity must be more than 0.")
    if row.net < 0:
        message = "A price is not negative. A credit is granted in ptdash by a manager, with a reason."
        tell("net", "negative_price", message)
    if row.quantity * row.net > MOST_EUROS:
        tell("net", "too_large", f"Quantity times price is more than {MOST_EUROS} EUR.")


def check(world: "World") -> None:
    _check_posted(world, world.time_entries)
    _check_posted(world, world.materials)
    _warn_of_odd_times(world)
    _warn_of_overlaps(world)
    _warn_of_late(world, world.time_entries, lambda row: berlin_day(row.started_at))
    _warn_of_late(world, world.materials, lambda row: row.day)
    for row in world.materials.rows.values():
        world.warn_of_future(MATERIALS.name, world.materials.origin[row.external_id], "day", row.day)


def _check_posted(world: "World", table: Table[Any]) -> None:
    """What a posting took stays as it is; a correction is a reversal and a new entry."""
    for row_key in table.taken:
        row, old = table.rows[row_key], table.stored[row_key]
        changed = next((name for name in table.file.columns if _differs(row, old, name)), None)
        if changed:
            message = (
                f"{row_key} is posted already and cannot change. Reverse it (Storno) and enter the correct one "
                "under a new external_id."
            )
            world.report.error(table.file.name, table.origin[row_key], changed, "already_posted", message)


def _differs(row: Any, old: Any, name: str) -> bool:
    return name != "minutes" and getattr(row, name) != getattr(old, name)


def _warn_of_odd_times(world: "World") -> None:
    origin, name, warn = world.time_entries.origin, TIME_ENTRIES.name, world.report.warn
    for row_key, row in world.time_entries.rows.items():
        ticket = world.tickets.get(row.ticket)
        if ticket and row.started_at < ticket.created_at:
            message = f"The work began before ticket {row.ticket} was created."
            warn(name, origin[row_key], "started_at", "before_ticket", message)
        if row.started_at.date() >= world.today:
            world.warn_of_future(name, origin[row_key], "started_at", berlin_day(row.started_at))
        if row.ended_at and row.ended_at - row.started_at > A_DAY:
            warn(name, origin[row_key], "ended_at", "longer_than_a_day", "This entry is longer than 24 hours.")


def _warn_of_late(world: "World", table: Table[Any], day_of: Callable[[Any], date]) -> None:
    """What is new in a posted month is billed with the next posting."""
    if not world.posted:
        return
    for row_key, row in table.rows.items():
        ticket = world.tickets.get(row.ticket)
        if ticket and row_key not in table.stored and world.is_posted(ticket.customer, day_of(row)):
            message = f"The month of {day_of(row)} is posted already; the difference is billed as an adjustment."
            world.warn(table.place(row_key), "ticket", "late", message)


def _warn_of_overlaps(world: "World") -> None:
    """Nobody does two things at once, but it is written down like that; the later entry is told."""
    spans = [
        (row.technician, row.started_at, row.ended_at, row_key)
        for row_key, row in world.time_entries.rows.items()
        if row.ended_at
    ]
    spans += [span for span in world.other_work if span[3] not in world.time_entries.rows]
    spans.sort(key=lambda span: (span[0], span[1], span[3] or ""))
    busy: tuple[str, datetime, datetime, Any] | None = None
    for span in spans:
        if busy and busy[0] == span[0] and span[1] < busy[2]:
            keys = (span[3], busy[3]) if span[3] in world.time_entries.origin else (busy[3], span[3])
            message = f"{span[0]} worked on {keys[1] or 'another entry'} at the same time."
            world.warn(world.time_entries.place(keys[0]), "started_at", "overlapping", message)
        if not busy or busy[0] != span[0] or span[2] > busy[2]:
            busy = span


def _stored_time() -> Stored:
    e = TimeEntry
    return (
        select(
            *(e.id, e.external_id, Ticket.number, func.lower(User.email), e.started_at, e.ended_at, null()),
            *(e.treatment, e.note, taken(e)),
        )
        .join(Ticket, Ticket.id == e.ticket_id)
        .join(User, User.id == e.technician_id)
    )


def _time_values(row: TimeEntryRow, ids: Ids) -> dict[str, Any]:
    return {
        "external_id": row.external_id,
        "ticket_id": ids["tickets.csv"][row.ticket],
        "customer_id": ids[CUSTOMER_OF_TICKET][row.ticket],
        "technician_id": ids["users.csv"][row.technician],
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "treatment": row.treatment,
        "note": row.note,
    }


def _stored_materials() -> Stored:
    m = Material
    return select(m.id, m.external_id, Ticket.number, m.day, m.description, m.quantity, m.net, taken(m)).join(
        Ticket, Ticket.id == m.ticket_id
    )


def _material_values(row: MaterialRow, ids: Ids) -> dict[str, Any]:
    return {
        "external_id": row.external_id,
        "ticket_id": ids["tickets.csv"][row.ticket],
        "customer_id": ids[CUSTOMER_OF_TICKET][row.ticket],
        "day": row.day,
        "description": row.description,
        "quantity": row.quantity,
        "net": row.net,
    }


TIME_ENTRIES = File(
    name="time_entries.csv",
    row=TimeEntryRow,
    key=("external_id",),
    columns={
        "external_id": key(),
        "ticket": reference("tickets.csv"),
        "technician": reference("users.csv", parse=user_email),
        "started_at": Column(instant, required=True),
        "ended_at": Column(instant),
        "minutes": Column(whole(1)),
        "treatment": Column(one_of(*Treatment)),
        "note": words(10_000),
    },
    finish=finish_time,
    paired=frozenset({"ended_at", "minutes"}),
    model=TimeEntry,
    stored=_stored_time,
    values=_time_values,
    by=TimeEntry.external_id,
)
MATERIALS = File(
    name="materials.csv",
    row=MaterialRow,
    key=("external_id",),
    columns={
        "external_id": key(),
        "ticket": reference("tickets.csv"),
        "day": Column(day, required=True),
        "description": Column(text(500), required=True),
        "quantity": Column(number(3, least=-1_000_000), required=True),
        "net": Column(number(4, least=-1_000_000), required=True),
    },
    finish=finish_material,
    model=Material,
    stored=_stored_materials,
    values=_material_values,
    by=Material.external_id,
)
