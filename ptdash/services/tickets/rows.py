"""A row of the queue as it is read, and the statements that read rows by their ids."""

from typing import Any

from sqlalchemy import Select, select

from ptdash.models import Customer, Ticket, User
from ptdash.services.tickets.asking import Asked, Conditions, Sort, after, direction

COLUMNS = (
    Ticket.id,
    Ticket.number,
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.due_at,
    Ticket.deadline_known,
    Ticket.created_at,
    Ticket.updated_at,
    Ticket.version,
    Ticket.customer_id,
    Ticket.assignee_id,
    Customer.name.label("customer"),
    Customer.sort_key,
    User.name.label("assignee"),
)


def ids_of(asked: Asked, conditions: Conditions) -> Select[Any]:
    """The ids of tickets for which conditions hold, joined to what the view's order needs."""
    found = select(Ticket.id).where(*conditions)
    return found.join(Customer, Customer.id == Ticket.customer_id) if asked.order is Sort.CUSTOMER else found


def first_of(asked: Asked, ids: Any, size: int, *more: Any) -> Select[Any]:
    """The first rows of these ids in the view's order, from its place on; `more` columns are read with them."""
    rows: Any = select(*COLUMNS, *more).select_from(ids)
    found = joined(rows.join(Ticket, Ticket.id == ids.c.id))
    return found.where(*after(asked)).order_by(*direction(asked)).limit(size)


def joined(found: Select[Any]) -> Select[Any]:
    return found.join(Customer, Customer.id == Ticket.customer_id).outerjoin(User, User.id == Ticket.assignee_id)
