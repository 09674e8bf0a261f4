"""Material on a ticket: hardware swapped on request, licences, and credits that a manager grants."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Forbidden, Invalid, NotFound
from ptdash.models import Customer, Material, Ticket
from ptdash.services import audit
from ptdash.services.standing import taken


class DescriptionMissing(Invalid):
    message = "Say what it is; it stands on the invoice."


class QuantityNotPositive(Invalid):
    message = "The quantity has to be more than zero."


class CreditWithoutReason(Invalid):
    message = "A credit needs a reason."


class CreditNeedsManager(Forbidden):
    message = "A credit is granted by a manager."


def of_customer(session: Session, customer_number: str) -> list[Row[tuple[Material, str, bool]]]:
    """A customer's material, newest day first, with its ticket's number and whether a posting has taken it."""
    found = (
        select(Material, Ticket.number, taken(Material))
        .join(Ticket, Ticket.id == Material.ticket_id)
        .join(Customer, Customer.id == Material.customer_id)
        .where(Customer.number == customer_number)
    )
    return list(session.execute(found.order_by(Material.day.desc(), Material.id.desc())))


def of_ticket(session: Session, ticket_id: int) -> list[Row[tuple[Material, bool]]]:
    """A ticket's material, newest day first, and whether a posting has taken it."""
    found = select(Material, taken(Material)).where(Material.ticket_id == ticket_id)
    return list(session.execute(found.order_by(Material.day.desc(), Material.id.desc())))


def add(
    session: Session,
    ticket_id: int,
    *,
    day: date,
    description: str,
    quantity: Decimal,
    net: Decimal,
    reason: str,
    may_credit: bool,
    actor_id: int | None,
    now: datetime,
) -> Material:
    """Record material at a net price (EUR each), billed in the month of its day; a negative price is a credit.

    Raises NotFound, DescriptionMissing, QuantityNotPositive, CreditWithoutReason, CreditNeedsManager.
    """
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFound(what=str(ticket_id))
    if not description.strip():
        raise DescriptionMissing()
    if quantity <= 0:
        raise QuantityNotPositive()
    if net < 0 and not may_credit:
        raise CreditNeedsManager()
    if net < 0 and not reason.strip():
        raise CreditWithoutReason()
    facts = {
        "day": day,
        "description": description.strip(),
        "quantity": quantity,
        "net": net,
        "reason": reason.strip(),
    }
    material = Material(ticket_id=ticket.id, customer_id=ticket.customer_id, **facts)
    session.add(material)
    session.flush()
    audit.record(session, "add", "material", material.id, actor_id=actor_id, now=now, after=facts)
    return material
