"""The list of customers: search, order, and a page of it with packages, minutes left, open tickets and income."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from ptdash.domain.meters import Meter
from ptdash.domain.periods import month_of
from ptdash.domain.tickets import OPEN_STATUSES
from ptdash.models import Customer, Ticket
from ptdash.services import customer_contracts
from ptdash.services.customer_contracts import ContractRow
from ptdash.services.meters import meters
from ptdash.services.searching import matches

PAGE_ROWS = 50


class Order(StrEnum):
    NAME = "name"
    NUMBER = "number"
    TICKETS = "tickets"


@dataclass(frozen=True)
class CustomerRow:
    """`meter` is this month's, None without a package; `recurring_cents` is a month of the running contracts."""

    number: str
    name: str
    city: str
    open_tickets: int
    contracts: Sequence[ContractRow]
    meter: Meter | None
    recurring_cents: int


@dataclass(frozen=True)
class CustomerPage:
    """`before` and `after`: the customers at whom the neighbouring pages begin, None where there is none."""

    rows: Sequence[CustomerRow]
    total: int
    before: str | None
    after: str | None


def page(
    session: Session,
    today: date,
    *,
    text: str = "",
    order: Order = Order.NAME,
    after: str | None = None,
    before: str | None = None,
) -> CustomerPage:
    """Fifty customers that match what was typed, behind (or before) a customer of the page that is left."""
    keys = _keys(order)
    edge = _edge(session, keys, after or before)
    backwards = bool(before) and edge is not None
    found = select(Customer, _open_tickets()).where(matches(Customer.search, text))
    if edge is not None:
        key, there = tuple_(*keys), tuple_(*(literal(value) for value in edge))
        found = found.where(key < there if backwards else key > there)
    found = found.order_by(*(key.desc() for key in keys) if backwards else keys)
    rows = list(session.execute(found.limit(PAGE_ROWS + 1)).all())
    more, rows = len(rows) > PAGE_ROWS, rows[:PAGE_ROWS]
    if backwards:
        rows.reverse()
    is_first = edge is None or (backwards and not more)
    is_last = not backwards and not more
    total = select(func.count()).select_from(Customer).where(matches(Customer.search, text))
    return CustomerPage(
        rows=_with_figures(session, [(customer, tickets) for customer, tickets in rows], today),
        total=session.execute(total).scalar_one(),
        before=None if is_first or not rows else rows[0][0].number,
        after=None if is_last or not rows else rows[-1][0].number,
    )


def _keys(order: Order) -> list[ColumnElement[Any]]:
    """What a page is ordered by; the id last, so that every customer has one place."""
    if order is Order.NUMBER:
        return [Customer.number.expression, Customer.id.expression]
    named: list[ColumnElement[Any]] = [Customer.sort_key.expression, Customer.id.expression]
    return [-_open_tickets(), *named] if order is Order.TICKETS else named


def _edge(session: Session, keys: list[ColumnElement[Any]], number: str | None) -> Sequence[Any] | None:
    """The keys of the customer that a page begins behind; None for the first page, or one that is gone."""
    if not number:
        return None
    row = session.execute(select(*keys).select_from(Customer).where(Customer.number == number)).one_or_none()
    return None if row is None else tuple(row)


def _open_tickets() -> ColumnElement[int]:
    count = select(func.count()).where(Ticket.customer_id == Customer.id, Ticket.status.in_(OPEN_STATUSES))
    return count.correlate(Customer).scalar_subquery()


def _with_figures(session: Session, rows: Sequence[tuple[Customer, int]], today: date) -> list[CustomerRow]:
    ids = [customer.id for customer, _ in rows]
    contracts = customer_contracts.of_customers(session, ids, today) if ids else {}
    of_month = meters(session, ids, month_of(today), on=today) if ids else {}
    return [
        CustomerRow(
            number=customer.number,
            name=customer.name,
            city=customer.city,
            open_tickets=tickets,
            contracts=[row for row in contracts.get(customer.id, ()) if row.runs],
            meter=of_month.get(customer.id),
            recurring_cents=customer_contracts.recurring_cents(contracts.get(customer.id, ())),
        )
        for customer, tickets in rows
    ]
