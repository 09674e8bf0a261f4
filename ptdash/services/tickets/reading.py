"""A ticket as its page shows it: in a number of queries that does not grow with what was said."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    ScalarSelect,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from ptdash.domain.errors import NotFound
from ptdash.models import Contact, Customer, Device, Material, Role, Ticket, TimeEntry, User
from ptdash.models.tickets import IS_OPEN
from ptdash.services.tickets.changing import refuse_stranger

NEVER: ColumnElement[Any] = literal_column("'infinity'::timestamptz")
DUE = func.coalesce(Ticket.due_at, NEVER)


@dataclass(frozen=True)
class Shown:
    """A ticket with whom and what it names. `into` is the number it was merged into, `merged` those that were
    merged into it by their ids; `minutes` are booked on it, `materials` is how many it has."""

    ticket: Ticket
    customer: Customer
    contact: Contact | None
    device: Device | None
    assignee: str | None
    into: str | None
    merged: dict[int, str]
    minutes: int
    materials: int

    @property
    def family(self) -> dict[int, str]:
        """The ticket and those merged into it: id -> number."""
        return {self.ticket.id: self.ticket.number, **self.merged}


def find(session: Session, number: str) -> int:
    """The id behind a ticket's number. Raises NotFound."""
    found = session.execute(select(Ticket.id).where(Ticket.number == number)).scalar_one_or_none()
    if found is None:
        raise NotFound(what=f"#{number}")
    return found


def show(session: Session, number: str, user: User) -> Shown:
    """The ticket of a number, with everything but its thread: one query. Raises NotFound, NotYourTicket."""
    target, source = aliased(Ticket), aliased(Ticket)
    merged = select(func.jsonb_object_agg(source.id, source.number)).where(source.merged_into_id == Ticket.id)
    # What was reversed and what reverses it make up for each other.
    sign: ColumnElement[int] = literal_column("CASE WHEN time_entries.reverses_id IS NULL THEN 1 ELSE -1 END")
    minutes = select(func.coalesce(func.sum(TimeEntry.minutes * sign), 0)).where(TimeEntry.ticket_id == Ticket.id)
    materials = select(func.count()).where(Material.ticket_id == Ticket.id)
    parts = (part.scalar_subquery() for part in (merged, minutes, materials))
    row = session.execute(
        select(Ticket, Customer, Contact, Device, User.name, target.number, *parts)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Device, Device.id == Ticket.device_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(target, target.id == Ticket.merged_into_id)
        .where(Ticket.number == number)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound(what=f"#{number}")
    refuse_stranger(row[0], user)
    ticket, customer, contact, device, assignee, into, sources, booked, used = row
    family = {int(ticket_id): known for ticket_id, known in (sources or {}).items()}
    return Shown(ticket, customer, contact, device, assignee, into, family, booked, used)


def neighbours(session: Session, ticket: Ticket, user: User) -> tuple[str | None, str | None]:
    """The numbers of the tickets before and after this one in the queue's own order: by deadline, then age. A
    technician's are the own and the unassigned ones."""
    here = tuple_(func.coalesce(cast(literal(ticket.due_at), DateTime(timezone=True)), NEVER), literal(ticket.id))
    place = tuple_(DUE, Ticket.id)
    before = _nearest(user, place < here, (DUE.desc(), Ticket.id.desc()))
    after = _nearest(user, place > here, (DUE, Ticket.id))
    found = session.execute(select(before, after)).one()
    return found[0], found[1]


def _nearest(user: User, beyond: ColumnElement[bool], order: tuple[Any, ...]) -> ScalarSelect[str]:
    """The number of the first open ticket beyond a place; of a technician's two kinds each from its own index."""
    mine: list[ColumnElement[bool]] = [true()]
    if user.role == Role.TECHNICIAN:
        mine = [Ticket.assignee_id == user.id, Ticket.assignee_id.is_(None)]
    first = [
        select(Ticket.id).where(text(IS_OPEN), beyond, whose).order_by(*order).limit(1).scalar_subquery()
        for whose in mine
    ]
    return select(Ticket.number).where(Ticket.id.in_(first)).order_by(*order).limit(1).scalar_subquery()
