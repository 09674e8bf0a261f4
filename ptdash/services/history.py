"""What the books already hold of customers: postings, issued amounts, and facts that came later."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from ptdash.domain.adjustments import Amounts
from ptdash.domain.periods import last_day
from ptdash.domain.vat import Vat, VatCategory
from ptdash.models import (
    Contract,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    Material,
    Period,
    Posting,
    Settlement,
    StaleCustomer,
    Ticket,
    TimeEntry,
)
from ptdash.services.bulk import among

# In the statement itself and not as a parameter, so that it meets the condition of the index.
FIRST: ColumnElement[int] = literal_column("1", Integer)
_ANYTHING_POSTED = select(exists(select(Posting.n)))


@dataclass(frozen=True)
class Posted:
    """The newest posting of a customer's month. `held` is false once its invoice is cancelled."""

    n: int
    owed_cents: int
    vat: Vat | None
    held: bool


@dataclass
class History:
    """One customer's books up to a month."""

    posted: dict[date, Posted] = field(default_factory=dict)
    # Begun months before the one to be billed that were never posted; whether they were set aside.
    unposted: dict[date, bool] = field(default_factory=dict)
    issued: dict[date, dict[Vat, int]] = field(default_factory=lambda: defaultdict(dict))
    invoices: dict[date, list[str]] = field(default_factory=lambda: defaultdict(list))
    cancelled: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    late: dict[date, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    settled: dict[date, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    stale_since: date | None = None
    has_contract: bool = False

    def issued_in(self, month: date) -> Amounts:
        """All issued lines of a service month by VAT, Stornos included, in cents; zero left out."""
        return {vat: cents for vat, cents in self.issued.get(month, {}).items() if cents}

    def is_held(self, month: date) -> bool:
        return month in self.posted and self.posted[month].held

    def to_bill_whole(self, month: date) -> list[date]:
        """The months up to `month` that were never posted or whose invoice is cancelled, oldest first."""
        cancelled = [m for m, posted in self.posted.items() if not posted.held]
        return sorted({m for m in (*self.unposted, *cancelled) if m < month} | {month})

    def to_adjust(self, month: date) -> list[date]:
        """The held months other than `month` whose facts changed, or of which a difference still waits."""
        return sorted(
            m for m, posted in self.posted.items() if m != month and posted.held and self._moved(m, posted)
        )

    def changed(self, month: date) -> bool:
        """Whether facts of a posted month came or changed after its newest posting."""
        return bool(self.late.get(month)) or (self.stale_since is not None and month >= self.stale_since)

    def _moved(self, month: date, posted: Posted) -> bool:
        owed = {posted.vat: posted.owed_cents} if posted.vat and posted.owed_cents else {}
        return self.changed(month) or owed != self.issued_in(month)


def load(session: Session, customer_ids: Collection[int], month: date) -> dict[int, History]:
    """The customers' histories, in a number of queries that does not grow with them."""
    histories: dict[int, History] = {customer_id: History() for customer_id in customer_ids}
    if session.execute(_ANYTHING_POSTED).scalar_one():
        _load_invoices(session, histories)
        _load_postings(session, histories)
        _load_late_facts(session, histories)
        _load_settlements(session, histories)
    _load_unposted(session, histories, month)
    _load_contracts(session, histories, month)
    return histories


def _load_invoices(session: Session, histories: dict[int, History]) -> None:
    for customer_id, period, kind, number in session.execute(_invoices(), {"ids": histories}):
        if kind == "storno":
            histories[customer_id].cancelled[period] += 1
        else:
            histories[customer_id].invoices[period].append(number)
    for customer_id, service_month, category, rate, cents in session.execute(_issued(), {"ids": histories}):
        histories[customer_id].issued[service_month][Vat(VatCategory(category), rate)] = int(cents)


@cache
def _invoices() -> Select[*tuple[Any, ...]]:
    invoices = select(Invoice.customer_id, Invoice.period, Invoice.kind, Invoice.number)
    return invoices.where(among(Invoice.customer_id, "ids")).order_by(Invoice.id)


@cache
def _issued() -> Select[*tuple[Any, ...]]:
    keys = (Invoice.customer_id, InvoiceLine.service_month, InvoiceLine.vat_category, InvoiceLine.vat_rate)
    return (
        select(*keys, func.sum(InvoiceLine.net_cents))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(among(Invoice.customer_id, "ids"))
        .group_by(*keys)
    )


def _load_postings(session: Session, histories: dict[int, History]) -> None:
    for row in session.execute(_newest_postings(), {"ids": histories}).scalars():
        history = histories[row.customer_id]
        bills, cancelled = len(history.invoices.get(row.month, ())), history.cancelled.get(row.month, 0)
        vat = (
            Vat(VatCategory(row.vat_category), row.vat_rate)
            if row.vat_category and row.vat_rate is not None
            else None
        )
        held = not bills or bills > cancelled
        history.posted[row.month] = Posted(row.n, row.owed_cents, vat, held)


@cache
def _newest_postings() -> Select[Posting]:
    return (
        select(Posting)
        .where(among(Posting.customer_id, "ids"))
        .order_by(Posting.customer_id, Posting.month, Posting.n.desc())
        .ext(distinct_on(Posting.customer_id, Posting.month))
    )


def _load_late_facts(session: Session, histories: dict[int, History]) -> None:
    """Time and material that the newest posting of its month has not taken, as an explanation keeps it."""
    for row, on, ticket in session.execute(_late_entries(), {"ids": histories}):
        _add_late(
            histories[row.customer_id],
            row,
            {
                "day": on.isoformat(),
                "ticket": ticket,
                "minutes": row.minutes,
                "treatment": row.treatment,
                "reversal": row.reverses_id is not None,
            },
        )
    for item in session.execute(_late_materials(), {"ids": histories}).scalars():
        _add_late(
            histories[item.customer_id], item, {"day": item.day.isoformat(), "description": item.description}
        )
    for customer in session.execute(_stale(), {"ids": histories}).scalars():
        histories[customer.customer_id].stale_since = customer.since


@cache
def _late_entries() -> Select[*tuple[Any, ...]]:
    day = cast(func.timezone("Europe/Berlin", TimeEntry.started_at), Date)
    return (
        select(TimeEntry, day, Ticket.number)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .where(among(TimeEntry.customer_id, "ids"), TimeEntry.posting_n > FIRST)
        .order_by(TimeEntry.started_at, TimeEntry.id)
    )


@cache
def _late_materials() -> Select[Material]:
    late = select(Material).where(among(Material.customer_id, "ids"), Material.posting_n > FIRST)
    return late.order_by(Material.day, Material.id)


@cache
def _stale() -> Select[StaleCustomer]:
    return select(StaleCustomer).where(among(StaleCustomer.customer_id, "ids"))


def _add_late(history: History, row: TimeEntry | Material, facts: dict[str, Any]) -> None:
    posted = history.posted.get(row.service_month)
    if posted and row.posting_n > posted.n:
        history.late[row.service_month].append(facts)


def _load_settlements(session: Session, histories: dict[int, History]) -> None:
    """The minutes as they were last posted, for the months that have changed since."""
    changed = [c for c, history in histories.items() if history.late or history.stale_since]
    versions = (
        select(Settlement, Contract.number)
        .join(Contract, Contract.id == Settlement.contract_id)
        .where(among(Settlement.customer_id, changed))
        .order_by(Settlement.contract_id, Settlement.month)
    )
    for row, number in session.execute(versions) if changed else ():
        history = histories[row.customer_id]
        if row.n == history.posted[row.month].n:
            history.settled[row.month].append(minutes_of(row, number))


def minutes_of(row: Any, contract: str) -> dict[str, Any]:
    """A settlement's minutes as an explanation keeps them."""
    names = ("included_minutes", "used_minutes", "overage_minutes", "expired_minutes")
    return {"contract": contract} | {name: getattr(row, name) for name in names}


def _load_unposted(session: Session, histories: dict[int, History], month: date) -> None:
    begun = session.execute(select(Period.month).where(Period.month < month)).scalars().all()
    if not begun:
        return
    aside = set(
        session.execute(
            select(CustomerMonth.customer_id, CustomerMonth.month).where(
                among(CustomerMonth.customer_id, histories), CustomerMonth.set_aside_reason.is_not(None)
            )
        ).all()
    )
    for customer_id, history in histories.items():
        missing = (m for m in begun if m not in history.posted)
        history.unposted = {m: (customer_id, m) in aside for m in missing}


def _load_contracts(session: Session, histories: dict[int, History], month: date) -> None:
    """Whether a contract of the customer runs on the month's last day."""
    running = session.execute(_under_contract(), {"ids": histories, "last_day": last_day(month)})
    for customer_id in running.scalars():
        histories[customer_id].has_contract = True


@cache
def _under_contract() -> Select[int]:
    day = bindparam("last_day", type_=Date)
    return select(Contract.customer_id).where(
        among(Contract.customer_id, "ids"),
        Contract.starts_on <= day,
        or_(Contract.ends_before.is_(None), Contract.ends_before > day),
    )
