"""What the pages about time show: an entry with what decides what may be done with it; who can be booked for."""

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.errors import NotFound
from ptdash.domain.sorting import sort_key
from ptdash.models import Customer, Role, Ticket, TimeEntry, User
from ptdash.services.standing import taken
from ptdash.services.time_entries import refuse_somebody_elses


@dataclass(frozen=True)
class Shown:
    """`reversal` is the id of what reverses it, with the reason; `posted` whether a posting has taken it."""

    entry: TimeEntry
    ticket: Ticket
    customer: Customer
    technician: str
    posted: bool
    reversal_id: int | None
    reason: str | None


def entry(session: Session, entry_id: int, *, actor_id: int) -> Shown:
    """One time entry, in one query. Raises NotFound, SomebodyElsesTime."""
    reversal = aliased(TimeEntry)
    row = session.execute(
        select(TimeEntry, Ticket, Customer, User.name, taken(TimeEntry), reversal.id, reversal.note)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .join(Customer, Customer.id == TimeEntry.customer_id)
        .join(User, User.id == TimeEntry.technician_id)
        .outerjoin(reversal, and_(reversal.reverses_id == TimeEntry.id))
        .where(TimeEntry.id == entry_id)
    ).one_or_none()
    if row is None:
        raise NotFound(what=str(entry_id))
    found, ticket, customer, technician, posted, reversal_id, reason = row
    refuse_somebody_elses(session, found.technician_id, actor_id)
    return Shown(found, ticket, customer, technician, posted, reversal_id, reason)


def colleagues(session: Session) -> list[tuple[int, str]]:
    """Everybody who books time, by name."""
    rows = session.execute(select(User.id, User.name).where(User.active, User.role != Role.ADMIN))
    return sorted(((row.id, row.name) for row in rows), key=lambda pair: sort_key(pair[1]))
