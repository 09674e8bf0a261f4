"""A month's close on screen: the months with their state, and one row a customer with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.bills import PARKED, Blocker, Parked
from ptdash.domain.periods import format_month, month_of, next_month, previous_month
from ptdash.domain.settlement import LineKind
from ptdash.models import (
    Customer,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    Material,
    Period,
    Posting,
    TimeEntry,
)
from ptdash.services import books, prices
from ptdash.services.billing import CustomerBill, bill
from ptdash.services.books import PeriodState, Progress
from ptdash.services.close_document import not_billed

FEES = frozenset({LineKind.PACKAGE_FEE, LineKind.MAINTENANCE_FEE, LineKind.DEVICE_FEE})
Sums = dict[str, int]


@dataclass(frozen=True)
class MonthRow:
    """A month in the list; amounts in cents, None while nothing is posted."""

    month: date
    state: PeriodState
    parked: int
    invoices: int
    net_cents: int | None
    over: bool


@dataclass(frozen=True)
class ResultRow:
    """One customer: posted with an invoice, parked or set aside with the reason, or what would be posted."""

    customer: str
    name: str
    invoice: str | None
    parked: Parked | None
    by_kind: Sums
    overage_minutes: int
    net_cents: int
    vat_cents: int
    set_aside: str | None = None

    @property
    def fees_cents(self) -> int:
        return sum(self.by_kind.get(kind, 0) for kind in FEES)

    @property
    def overage_cents(self) -> int:
        return self.by_kind.get(LineKind.OVERAGE, 0)

    @property
    def other_cents(self) -> int:
        return self.net_cents - self.fees_cents - self.overage_cents


@dataclass(frozen=True)
class MonthResult:
    month: date
    state: PeriodState
    rows: Sequence[ResultRow]
    blockers: Sequence[Blocker] = field(default=())
    progress: Progress | None = None
    not_billed: Sequence[dict[str, Any]] = field(default=())

    @property
    def parked(self) -> list[ResultRow]:
        return [row for row in self.rows if row.parked]

    @property
    def set_aside(self) -> list[ResultRow]:
        return [row for row in self.rows if row.set_aside]

    @property
    def net_cents(self) -> int:
        return sum(row.net_cents for row in self.rows)

    @property
    def vat_cents(self) -> int:
        return sum(row.vat_cents for row in self.rows)

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.vat_cents

    @property
    def overage_minutes(self) -> int:
        return sum(row.overage_minutes for row in self.rows)

    def total(self, *kinds: str) -> int:
        """The sum of the lines of some kinds, in cents."""
        return sum(row.by_kind.get(kind, 0) for row in self.rows for kind in kinds)


def months(session: Session, today: date) -> list[MonthRow]:
    """Every month from the first with anything to bill to the current one, newest first."""
    first = books.begins_on(session) or _first_with_facts(session) or previous_month(today)
    posted = {
        row.period: row
        for row in session.execute(
            select(
                Invoice.period, func.count().label("invoices"), func.sum(Invoice.net_cents).label("net")
            ).group_by(Invoice.period)
        )
    }
    begun = set(session.execute(select(Period.month)).scalars())
    left = _unsettled(session)
    rows = []
    month = month_of(today)
    while month >= first:
        found = posted.get(month)
        open_left, parked = left.get(month, (0, 0))
        state = _state(month in begun, open_left)
        rows.append(
            MonthRow(
                month=month,
                state=state,
                parked=parked,
                invoices=found.invoices if found else 0,
                net_cents=int(found.net) if found else (0 if state is PeriodState.CLOSED else None),
                over=today >= next_month(month),
            )
        )
        month = previous_month(month)
    return rows


def result(session: Session, month: date, today: date) -> MonthResult:
    """The month as it stands: posted and parked customers; an open month as its close would give it."""
    state = books.state(session, month)
    if state is PeriodState.OPEN:
        valid = prices.valid_on(session, month)
        bills = [] if valid.missing else bill(session, _all_customers(session), month, valid)
        rows = [_drafted(item) for item in bills if item.parked or item.lines]
        blockers = books.blockers(session, month, today)
        return MonthResult(month, state, rows, blockers, not_billed=not_billed(session, month))
    rows = [*_parked_rows(session, month), *_posted_rows(session, month), *_set_aside_rows(session, month)]
    return MonthResult(month, state, rows, progress=books.progress(session, month))


def unsettled(session: Session, month: date, number: str) -> ResultRow:
    """A customer of a begun close whose month can be set aside; raises CustomerNotInClose, AlreadySettled."""
    found = session.execute(
        select(Customer, CustomerMonth)
        .join(CustomerMonth, CustomerMonth.customer_id == Customer.id)
        .where(CustomerMonth.month == month, Customer.number == number)
    ).one_or_none()
    if found is None:
        raise books.CustomerNotInClose(customer=number, month=format_month(month))
    customer, mine = found
    books.refuse_settled(session, mine, number)
    reason = PARKED[mine.park_code](**(mine.park_params or {})) if mine.park_code else None
    return ResultRow(customer.number, customer.name, None, reason, {}, 0, 0, 0)


def expected_net(session: Session, rows: Sequence[MonthRow], today: date) -> dict[date, int]:
    """What the two newest open months would come to, in cents; a month without all its prices is left out."""
    open_months = [row.month for row in rows[:2] if row.state is PeriodState.OPEN]
    results = [result(session, month, today) for month in open_months]
    return {found.month: found.net_cents for found in results if found.rows}


def net_of(session: Session, month: date) -> int | None:
    """The net sum of a month's invoices in cents; None where the month has not begun to close."""
    if session.get(Period, month) is None:
        return None
    total = select(func.coalesce(func.sum(Invoice.net_cents), 0)).where(Invoice.period == month)
    return int(session.execute(total).scalar_one())


def _state(begun: bool, unsettled: int) -> PeriodState:
    if not begun:
        return PeriodState.OPEN
    return PeriodState.CLOSING if unsettled else PeriodState.CLOSED


def _drafted(item: CustomerBill) -> ResultRow:
    by_kind: Sums = {}
    for row in item.lines:
        by_kind[row.line.kind] = by_kind.get(row.line.kind, 0) + row.line.net_cents
    return ResultRow(
        customer=item.customer.number,
        name=item.customer.name,
        invoice=None,
        parked=item.parked,
        by_kind=by_kind,
        overage_minutes=sum(settled.overage_minutes for settled in item.settlements),
        net_cents=item.totals.net_cents,
        vat_cents=item.totals.vat_cents,
    )


def _parked_rows(session: Session, month: date) -> list[ResultRow]:
    rows = session.execute(
        select(Customer, CustomerMonth.park_code, CustomerMonth.park_params)
        .join(CustomerMonth, CustomerMonth.customer_id == Customer.id)
        .where(CustomerMonth.month == month, CustomerMonth.park_code.is_not(None))
        .order_by(Customer.sort_key)
    )
    return [
        ResultRow(customer.number, customer.name, None, PARKED[code or ""](**(params or {})), {}, 0, 0, 0)
        for customer, code, params in rows
    ]


def _set_aside_rows(session: Session, month: date) -> list[ResultRow]:
    rows = session.execute(
        select(Customer.number, Customer.name, CustomerMonth.set_aside_reason)
        .join(CustomerMonth, CustomerMonth.customer_id == Customer.id)
        .where(CustomerMonth.month == month, CustomerMonth.set_aside_reason.is_not(None))
        .order_by(Customer.sort_key)
    )
    return [ResultRow(number, name, None, None, {}, 0, 0, 0, set_aside=reason) for number, name, reason in rows]


def _posted_rows(session: Session, month: date) -> list[ResultRow]:
    """The newest invoice first, so that results appear at the top as they come."""
    kinds: dict[int, Sums] = {}
    minutes: dict[int, int] = {}
    lines = (
        select(
            InvoiceLine.invoice_id,
            InvoiceLine.kind,
            func.sum(InvoiceLine.net_cents),
            func.sum(InvoiceLine.quantity),
        )
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.period == month)
        .group_by(InvoiceLine.invoice_id, InvoiceLine.kind)
    )
    for invoice_id, kind, net, quantity in session.execute(lines):
        kinds.setdefault(invoice_id, {})[kind] = int(net)
        if kind == LineKind.OVERAGE:
            minutes[invoice_id] = int(quantity)
    invoices = session.execute(
        select(Invoice)
        .where(Invoice.period == month)
        .order_by(Invoice.series_year.desc(), Invoice.series_number.desc())
    ).scalars()
    return [
        ResultRow(
            customer=invoice.buyer["number"],
            name=invoice.buyer["name"],
            invoice=invoice.number,
            parked=None,
            by_kind=kinds.get(invoice.id, {}),
            overage_minutes=minutes.get(invoice.id, 0),
            net_cents=invoice.net_cents,
            vat_cents=invoice.vat_cents,
        )
        for invoice in invoices
    ]


def _unsettled(session: Session) -> dict[date, tuple[int, int]]:
    """By month: customers neither posted nor set aside, and how many of them are parked."""
    posted = select(Posting.n).where(
        Posting.customer_id == CustomerMonth.customer_id, Posting.month == CustomerMonth.month
    )
    rows = session.execute(
        select(
            CustomerMonth.month,
            func.count().filter(CustomerMonth.set_aside_reason.is_(None)),
            func.count().filter(CustomerMonth.park_code.is_not(None)),
        )
        .where(~posted.exists())
        .group_by(CustomerMonth.month)
    )
    return {month: (unsettled, parked) for month, unsettled, parked in rows}


def _all_customers(session: Session) -> Sequence[int]:
    return session.execute(select(Customer.id).order_by(Customer.sort_key)).scalars().all()


def _first_with_facts(session: Session) -> date | None:
    """The month of the first time entry or material."""
    entry = session.execute(select(func.min(TimeEntry.service_month))).scalar_one()
    material = session.execute(select(func.min(Material.service_month))).scalar_one()
    return min((month for month in (entry, material) if month), default=None)
