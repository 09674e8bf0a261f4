"""What a ticket's forms offer: who may be on it, whose it is, what it is about."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, Select, func, literal, or_, select, text
from sqlalchemy.orm import Session

from ptdash.domain.errors import NotFound
from ptdash.domain.periods import month_of
from ptdash.domain.searching import fold
from ptdash.models import Contact, Customer, Device, Role, Ticket, User
from ptdash.models.tickets import IS_OPEN
from ptdash.services.meters import meters
from ptdash.services.searching import matches

SUGGESTED = 8


@dataclass(frozen=True)
class Suggestion:
    """A customer with what the person on the telephone should know at once. Minutes of this month; None: no
    package."""

    id: int
    number: str
    name: str
    city: str
    open_tickets: int
    included: int | None
    used: int | None


def customers(session: Session, typed: str, *, today: date, limit: int = SUGGESTED) -> list[Suggestion]:
    """The customers that fit what was typed, the likeliest first; none where nothing was typed."""
    if not typed.strip():
        return []
    likeness = func.word_similarity(literal(fold(typed)), Customer.search)
    best = (Customer.number == typed.strip()).desc(), likeness.desc(), Customer.sort_key, Customer.id
    return _told(
        session, _with_tickets().where(matches(Customer.search, typed)).order_by(*best).limit(limit), today
    )


def customer(session: Session, number: str, *, today: date) -> Suggestion:
    """The customer of a number. Raises NotFound."""
    found = _told(session, _with_tickets().where(Customer.number == number.strip()), today)
    if not found:
        raise NotFound(what=number)
    return found[0]


def assignees(session: Session) -> list[Row[tuple[int, str]]]:
    """Who can be on a ticket: id and name, by name."""
    people = select(User.id, User.name).where(User.active, User.role != Role.ADMIN)
    return list(session.execute(people.order_by(func.lower(User.name), User.id)))


def contacts(session: Session, customer_id: int, keep: int | None = None) -> list[Row[tuple[int, str]]]:
    """The customer's contacts, id and name; those who left only where the ticket has them."""
    people = select(Contact.id, Contact.name).where(Contact.customer_id == customer_id)
    return list(
        session.execute(people.where(or_(Contact.active, Contact.id == keep)).order_by(Contact.name, Contact.id))
    )


def devices(session: Session, customer_id: int) -> list[Row[tuple[int, str, str]]]:
    """The customer's devices: id, inventory number, name."""
    owned = select(Device.id, Device.inventory_number, Device.name).where(Device.customer_id == customer_id)
    return list(session.execute(owned.order_by(Device.inventory_number)))


def open_tickets(session: Session, customer_id: int, limit: int = 5) -> list[tuple[str, str, str]]:
    """The customer's open tickets, number, subject, status; the newest first: perhaps it was reported already."""
    found = select(Ticket.number, Ticket.subject, Ticket.status).where(
        Ticket.customer_id == customer_id, text(IS_OPEN)
    )
    rows = session.execute(found.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(limit))
    return [(row.number, row.subject, row.status) for row in rows]


def _with_tickets() -> Select[Customer, int]:
    still_open = select(func.count()).where(Ticket.customer_id == Customer.id, text(f"tickets.{IS_OPEN}"))
    return select(Customer, still_open.correlate(Customer).scalar_subquery())


def _told(session: Session, found: Select[Customer, int], today: date) -> list[Suggestion]:
    rows = [(row[0], row[1]) for row in session.execute(found)]
    drawn = meters(session, [row.id for row, _ in rows], month_of(today), on=today)
    return [
        Suggestion(
            id=row.id,
            number=row.number,
            name=row.name,
            city=row.city,
            open_tickets=still_open,
            included=drawn[row.id].included if row.id in drawn else None,
            used=drawn[row.id].used if row.id in drawn else None,
        )
        for row, still_open in rows
    ]
