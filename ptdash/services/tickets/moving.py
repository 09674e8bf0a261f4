"""Moving a ticket to another customer with its time and material."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.models import Customer, CustomerBook, Material, Ticket, TimeEntry
from ptdash.services import audit, thresholds
from ptdash.services.books import ReasonMissing
from ptdash.services.facts import standing_entries
from ptdash.services.time_entries import is_posted


class MaterialPosted(Conflict):
    message = "%(description)s of this ticket is billed already. Cancel its invoice, or grant a credit."


def move(
    session: Session, ticket_id: int, customer_id: int, reason: str, *, actor_id: int | None, now: datetime
) -> None:
    """Give a ticket to another customer: what no posting has taken moves along; what one took is reversed there
    and replaced here, with the reason.

    Raises NotFound, ReasonMissing, MaterialPosted.
    """
    found = select(Ticket).where(Ticket.id == ticket_id).with_for_update()
    ticket = session.execute(found).scalar_one_or_none()
    if ticket is None or session.get(Customer, customer_id) is None:
        raise NotFound(what=str(ticket_id if ticket is None else customer_id))
    if not reason.strip():
        raise ReasonMissing()
    if ticket.customer_id == customer_id:
        return
    before = {"customer_id": ticket.customer_id}
    _lock(session, ticket.customer_id, customer_id)
    ticket.customer_id, ticket.contact_id, ticket.device_id = customer_id, None, None
    ticket.version += 1
    session.flush()
    entries = session.execute(standing_entries().where(TimeEntry.ticket_id == ticket_id)).scalars().all()
    months = {entry.service_month for entry in entries}
    for entry in entries:
        if is_posted(session, entry):
            _reverse_and_replace(session, entry, customer_id, reason.strip())
        else:
            entry.customer_id = customer_id
    for material in session.execute(select(Material).where(Material.ticket_id == ticket_id)).scalars().all():
        if is_posted(session, material):
            raise MaterialPosted(description=material.description)
        material.customer_id = customer_id
    session.flush()
    for month in sorted(months):
        thresholds.note(session, [before["customer_id"], customer_id], month, now)
    after = {"customer_id": customer_id, "reason": reason.strip(), "version": ticket.version}
    audit.record(session, "move", "ticket", ticket.number, actor_id=actor_id, now=now, before=before, after=after)


def _lock(session: Session, *customer_ids: int) -> None:
    """Both customers in id order, shared: postings of either wait, and two moves cannot wait for each other."""
    books = select(CustomerBook.customer_id).where(CustomerBook.customer_id.in_(customer_ids))
    session.execute(books.order_by(CustomerBook.customer_id).with_for_update(read=True))


def _reverse_and_replace(session: Session, entry: TimeEntry, customer_id: int, reason: str) -> None:
    same = {
        "ticket_id": entry.ticket_id,
        "technician_id": entry.technician_id,
        "started_at": entry.started_at,
        "ended_at": entry.ended_at,
        "treatment": entry.treatment,
    }
    session.add(TimeEntry(customer_id=entry.customer_id, reverses_id=entry.id, note=reason, **same))
    note = "; ".join(part for part in (entry.note, reason) if part)
    session.add(TimeEntry(customer_id=customer_id, note=note, **same))
