"""Taking a ticket: from a call, a mail or the portal."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Invalid, NotFound
from ptdash.domain.tickets import Category, Channel, Concern, Priority, Status
from ptdash.models import Contact, Customer, Device, Ticket
from ptdash.models.tickets import ticket_numbers
from ptdash.services import audit, deadlines
from ptdash.services.tickets.changing import refuse_unassignable


class SubjectMissing(Invalid):
    message = "Say in a few words what it is about."


class NotTheCustomers(Invalid):
    message = "This contact or device belongs to another customer."


@dataclass(frozen=True)
class NewTicket:
    """What is known when a ticket is taken; a telephone call needs no more than customer and subject."""

    customer_id: int
    subject: str
    body: str = ""
    channel: Channel = Channel.PHONE
    category: Category = Category.SOFTWARE
    priority: Priority = Priority.NORMAL
    concern: Concern | None = None
    product: str = ""
    contact_id: int | None = None
    device_id: int | None = None
    assignee_id: int | None = None


def create(session: Session, new: NewTicket, *, actor_id: int | None, now: datetime) -> Ticket:
    """A ticket under the next free number: new, or open where somebody is on it at once.

    Raises NotFound, SubjectMissing, NotTheCustomers, AssigneeUnknown.
    """
    if session.get(Customer, new.customer_id) is None:
        raise NotFound(what=str(new.customer_id))
    if not new.subject.strip():
        raise SubjectMissing()
    refuse_foreign(session, new.customer_id, new.contact_id, new.device_id)
    if new.assignee_id is not None:
        refuse_unassignable(session, new.assignee_id)
    facts = {
        **vars(new),
        "subject": new.subject.strip(),
        "body": new.body.strip(),
        "product": new.product.strip(),
        "channel": new.channel.value,
        "category": new.category.value,
        "priority": new.priority.value,
        "concern": new.concern.value if new.concern else None,
        "status": (Status.OPEN if new.assignee_id else Status.NEW).value,
    }
    ticket = Ticket(number=_next_number(session), created_at=now, updated_at=now, **facts)
    session.add(ticket)
    session.flush()
    deadlines.refresh(session, [ticket.id])
    session.refresh(ticket)
    known = {name: value for name, value in facts.items() if value and name != "body"}
    audit.record(session, "create", "ticket", ticket.number, actor_id=actor_id, now=now, after=known)
    return ticket


def refuse_foreign(session: Session, customer_id: int, contact_id: int | None, device_id: int | None) -> None:
    """A ticket's contact and device are its customer's. Raises NotTheCustomers."""
    for model, row_id in ((Contact, contact_id), (Device, device_id)):
        if row_id is None:
            continue
        owner = select(model.customer_id).where(model.id == row_id)
        if session.execute(owner).scalar_one_or_none() != customer_id:
            raise NotTheCustomers()


def _next_number(session: Session) -> str:
    """The next of the sequence that no imported ticket has."""
    while True:
        number = str(session.execute(select(func.nextval(ticket_numbers.name))).scalar_one())
        if session.execute(select(Ticket.id).where(Ticket.number == number)).scalar_one_or_none() is None:
            return number
