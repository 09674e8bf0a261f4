"""A ticket as its page shows it: in a number of queries that does not grow with what was said."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Label,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from ptdash.domain.errors import NotFound
from ptdash.models import Contact, Customer, Device, Material, Role, Ticket, TimeEntry, User
from ptdash.services.tickets.asking import NEVER, OPEN
from ptdash.services.tickets.changing import refuse_stranger


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
    row = session.execute(_whole(), {"number": number}).one_or_none()
    if row is None:
        raise NotFound(what=f"#{number}")
    refuse_stranger(row[0], user)
    ticket, customer, contact, device, assignee, into, sources, booked, used = row
    family = {int(ticket_id): known for ticket_id, known in (sources or {}).items()}
    return Shown(ticket, customer, contact, device, assignee, into, family, booked, used)


@cache
def _whole() -> Select[*tuple[Any, ...]]:
    target, source = aliased(Ticket), aliased(Ticket)
    merged = select(func.jsonb_object_agg(source.id, source.number)).where(source.merged_into_id == Ticket.id)
    # What was reversed and what reverses it make up for each other.
    sign: ColumnElement[int] = literal_column("CASE WHEN time_entries.reverses_id IS NULL THEN 1 ELSE -1 END")
    minutes = select(func.coalesce(func.sum(TimeEntry.minutes * sign), 0)).where(TimeEntry.ticket_id == Ticket.id)
    materials = select(func.count()).where(Material.ticket_id == Ticket.id)
    parts = (part.scalar_subquery() for part in (merged, minutes, materials))
    return (
        select(Ticket, Customer, Contact, Device, User.name, target.number, *parts)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Device, Device.id == Ticket.device_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(target, target.id == Ticket.merged_into_id)
        .where(Ticket.number == bindparam("number"))
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True)
class Neighbours:
    """The numbers of two tickets, and what else was asked for with them, by its label."""

    before: str | None
    after: str | None
    beside: dict[str, Any]


def neighbours(
    session: Session, ticket: Ticket, user: User, *, beside: tuple[Label[Any], ...] = (), **more: Any
) -> Neighbours:
    """The tickets before and after this one in the queue's own order, by deadline, then age; a technician's are
    the own and the unassigned ones. Other figures can be asked for `beside`, with `more` as their parameters."""
    values = {"due": ticket.due_at or NEVER, "id": ticket.id, "whose": user.id} | more
    found = session.execute(_neighbours(user.role == Role.TECHNICIAN, beside), values).one()
    return Neighbours(found[0], found[1], {column.name: found._mapping[column.name] for column in beside})


@cache
def _neighbours(own: bool, beside: tuple[Label[Any], ...]) -> Select[*tuple[Any, ...]]:
    here = tuple_(bindparam("due", type_=DateTime(timezone=True)), bindparam("id", type_=Integer()))
    place = tuple_(Ticket.due_key, Ticket.id)
    before = _nearest(own, place < here, (Ticket.due_key.desc(), Ticket.id.desc()))
    return select(before, _nearest(own, place > here, (Ticket.due_key, Ticket.id)), *beside)


def _nearest(own: bool, beyond: ColumnElement[bool], order: tuple[Any, ...]) -> ScalarSelect[str]:
    """The number of the first open ticket beyond a place; of a technician's two kinds each from its own index."""
    mine: list[ColumnElement[bool]] = [true()]
    if own:
        mine = [Ticket.assignee_id == bindparam("whose"), Ticket.assignee_id.is_(None)]
    first = [
        select(Ticket.id).where(OPEN, beyond, whose).order_by(*order).limit(1).scalar_subquery() for whose in mine
    ]
    return select(Ticket.number).where(Ticket.id.in_(first)).order_by(*order).limit(1).scalar_subquery()
