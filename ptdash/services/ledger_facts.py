"""What the minutes ledger is told from: one customer's months, each kind of fact loaded with one query."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import ColumnElement, Date, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import Span, days_within, month_of, next_month
from ptdash.domain.settlement import DayMinutes, PackagePrice, Rates, Settled, SupportFacts, in_force
from ptdash.models import (
    Books,
    Contract,
    CustomerMonth,
    Invoice,
    PackageChange,
    Posting,
    Price,
    Run,
    Settlement,
    TimeEntry,
)
from ptdash.services.bulk import among
from ptdash.services.history import FIRST
from ptdash.services.prices import PACKAGES, MonthPrices

# No posting has a higher number.
EVER = literal(2**31 - 1)
RATES = ("overage_minute", "separate_minute")


class Begun(StrEnum):
    """A customer's month that was neither posted nor left alone."""

    PARKED = "parked"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True)
class IssuedInvoice:
    """An invoice of a month; a Storno has `storno`, a bill that one took back has `cancelled`."""

    number: str
    revision: int
    storno: bool
    cancelled: bool


@dataclass(frozen=True)
class Change:
    """What came to a posted month afterwards: signed minutes (those taken back are negative), the day and invoice
    that billed it and the difference in cents. Without a day it waits for its posting."""

    minutes: int
    billed_on: date | None = None
    invoice: str | None = None
    cents: int = 0
    again: bool = False


@dataclass(frozen=True)
class TakenMonth:
    """The n-th posting of a month: what it owed, when and on which invoice its difference was billed."""

    n: int
    owed_cents: int
    separate_minutes: int
    run_id: int
    billed_on: date
    invoice: str | None
    whole: bool


@dataclass(frozen=True)
class LedgerPrices:
    """A month's prices as far as they are set; what is missing counts as zero and makes them incomplete."""

    rates: Rates
    complete: bool

    def has(self, contract: SupportFacts, month: date) -> bool:
        """Whether the contract's package has a price in a month in which it runs."""
        span = days_within(month, contract.starts_on, contract.ends_before)
        package = in_force(contract.package, contract.changes, span.first) if span else None
        return package in self.rates.packages


@dataclass(frozen=True)
class LedgerFacts:
    """Everything about one customer's minutes in some months."""

    postings: dict[date, list[TakenMonth]]
    settled: dict[date, list[Settled]]
    support: list[SupportFacts]
    minutes: dict[date, list[DayMinutes]]
    invoices: dict[date, list[IssuedInvoice]]
    changes: dict[date, list[Change]]
    begun: dict[date, Begun]
    begins_on: date | None
    prices: list[Price]

    def newest(self, month: date) -> TakenMonth | None:
        return self.postings[month][-1] if month in self.postings else None

    def prices_of(self, month: date) -> LedgerPrices:
        """Those valid on the month's first day."""
        valid: dict[str, Price] = {}
        for price in self.prices:  # by date, so that the newest stays
            if price.valid_from <= month:
                valid[price.item] = price
        known = MonthPrices(valid)
        packages = {name: valid[f"package_{name}"] for name in PACKAGES if f"package_{name}" in valid}
        rate = {item: valid[item].net if item in valid else Decimal(0) for item in RATES}
        return LedgerPrices(
            Rates(
                {name: PackagePrice(price.net, price.included_minutes or 0) for name, price in packages.items()},
                overage=rate["overage_minute"],
                separate=rate["separate_minute"],
            ),
            complete=not set(known.missing) & {*RATES, *(f"package_{name}" for name in PACKAGES)},
        )


def load(session: Session, customer_id: int, first: date, last: date) -> LedgerFacts:
    """The facts of the months from `first` to `last`."""
    postings = _postings(session, customer_id, first, last)
    return LedgerFacts(
        postings=postings,
        settled=_settlements(session, customer_id, first, last, {m: p[-1].n for m, p in postings.items()}),
        support=_support(session, customer_id, first, last),
        minutes=_minutes(session, customer_id, first, last),
        invoices=_invoices(session, customer_id, first, last),
        changes=_changes(session, customer_id, first, last, postings),
        begun=_begun(session, customer_id, first, last),
        begins_on=session.execute(select(Books.begins_on)).scalar_one_or_none(),
        prices=list(session.execute(select(Price).order_by(Price.valid_from)).scalars()),
    )


def bounds(session: Session, customer_id: int, today: date) -> tuple[date | None, date]:
    """The first month with a support contract or time, and the last: this one, or a later entry's."""
    mine = TimeEntry.customer_id == customer_id
    row = session.execute(
        select(
            select(func.min(TimeEntry.service_month)).where(mine).scalar_subquery(),
            select(func.max(TimeEntry.service_month)).where(mine).scalar_subquery(),
            select(func.min(Contract.starts_on)).where(_supports(customer_id)).scalar_subquery(),
        )
    ).one()
    starts = [month_of(day) for day in (row[0], row[2]) if day and month_of(day) <= month_of(today)]
    return min(starts, default=None), max(month_of(today), row[1] or month_of(today))


def _supports(customer_id: int) -> ColumnElement[bool]:
    return and_(Contract.customer_id == customer_id, Contract.kind == "support")


def _postings(session: Session, customer_id: int, first: date, last: date) -> dict[date, list[TakenMonth]]:
    """Every posting of these months, the newest of each last."""
    rows = session.execute(
        select(Posting, Run.business_day, Invoice.number, Invoice.period)
        .join(Run, Run.id == Posting.run_id)
        .outerjoin(Invoice, Invoice.id == Posting.invoice_id)
        .where(Posting.customer_id == customer_id, Posting.month.between(first, last))
        .order_by(Posting.month, Posting.n)
    )
    found: dict[date, list[TakenMonth]] = defaultdict(list)
    for row, day, number, period in rows:
        whole = period == row.month
        found[row.month].append(
            TakenMonth(row.n, row.owed_cents, row.separate_minutes, row.run_id, day, number, whole)
        )
    return found


def _settlements(
    session: Session, customer_id: int, first: date, last: date, newest: dict[date, int]
) -> dict[date, list[Settled]]:
    rows = session.execute(
        select(Settlement, Contract.number)
        .join(Contract, Contract.id == Settlement.contract_id)
        .where(Settlement.customer_id == customer_id, Settlement.month.between(first, last))
        .order_by(Settlement.covered_from)
    )
    found: dict[date, list[Settled]] = defaultdict(list)
    own = [name for name in Settled.__dataclass_fields__ if name not in ("contract", "span")]
    for row, number in rows:
        if row.n == newest[row.month]:
            span = Span(row.covered_from, row.covered_days)
            found[row.month].append(
                Settled(contract=number, span=span, **{name: getattr(row, name) for name in own})
            )
    return found


def _support(session: Session, customer_id: int, first: date, last: date) -> list[SupportFacts]:
    rows = session.execute(
        select(Contract, PackageChange.effective_on, PackageChange.package)
        .outerjoin(PackageChange, PackageChange.contract_id == Contract.id)
        .where(
            _supports(customer_id),
            Contract.starts_on < next_month(last),
            or_(Contract.ends_before.is_(None), Contract.ends_before > first),
        )
        .order_by(Contract.starts_on, Contract.id, PackageChange.effective_on)
    ).all()
    changes: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for contract, effective_on, package in rows:
        if effective_on:
            changes[contract.id].append((effective_on, package))
    return [
        SupportFacts(c.id, c.number, c.starts_on, c.ends_before, c.package or "", tuple(changes[c.id]))
        for c in {contract.id: contract for contract, *_ in rows}.values()
    ]


def _minutes(session: Session, customer_id: int, first: date, last: date) -> dict[date, list[DayMinutes]]:
    """The entries that count, by day and treatment: in a posted month those that its newest posting took."""
    newest = newest_postings(customer_id)
    taken = func.coalesce(newest.c.n, EVER)
    reversal = aliased(TimeEntry)
    day = func.cast(func.timezone("Europe/Berlin", TimeEntry.started_at), Date).label("day")
    rows = session.execute(
        select(TimeEntry.service_month, day, TimeEntry.treatment, func.sum(TimeEntry.minutes))
        .outerjoin(newest, newest.c.month == TimeEntry.service_month)
        .where(
            TimeEntry.customer_id == customer_id,
            TimeEntry.service_month.between(first, last),
            TimeEntry.reverses_id.is_(None),
            TimeEntry.ended_at.is_not(None),
            TimeEntry.treatment.is_not(None),
            TimeEntry.posting_n <= taken,
            ~select(reversal.id).where(reversal.reverses_id == TimeEntry.id, reversal.posting_n <= taken).exists(),
        )
        .group_by(TimeEntry.service_month, "day", TimeEntry.treatment)
    )
    found: dict[date, list[DayMinutes]] = defaultdict(list)
    for m, on, treatment, minutes in rows:
        found[m].append(DayMinutes(on, Treatment(treatment), int(minutes)))
    return found


def newest_postings(customer_id: int) -> Subquery:
    """The number of the newest posting of each of a customer's months."""
    newest = select(Posting.month, func.max(Posting.n).label("n")).where(Posting.customer_id == customer_id)
    return newest.group_by(Posting.month).subquery()


def _invoices(session: Session, customer_id: int, first: date, last: date) -> dict[date, list[IssuedInvoice]]:
    """What was issued for these months, in the order of their numbers."""
    storno = aliased(Invoice)
    rows = session.execute(
        select(Invoice.period, Invoice.number, Invoice.revision, Invoice.kind, storno.id)
        .outerjoin(storno, storno.cancels_id == Invoice.id)
        .where(Invoice.customer_id == customer_id, Invoice.period.between(first, last))
        .order_by(Invoice.series_year, Invoice.series_number)
    )
    found: dict[date, list[IssuedInvoice]] = defaultdict(list)
    for period, number, revision, kind, cancelled in rows:
        found[period].append(IssuedInvoice(number, revision, kind == "storno", cancelled is not None))
    return found


def _changes(
    session: Session, customer_id: int, first: date, last: date, postings: dict[date, list[TakenMonth]]
) -> dict[date, list[Change]]:
    """What came to posted months afterwards, in the order of the postings that took it; what waits stands last."""
    signed = case((TimeEntry.reverses_id.is_(None), TimeEntry.minutes), else_=-TimeEntry.minutes)
    late = select(TimeEntry.service_month, TimeEntry.posting_n, func.coalesce(func.sum(signed), 0)).where(
        TimeEntry.customer_id == customer_id,
        TimeEntry.posting_n > FIRST,
        TimeEntry.service_month.between(first, last),
    )
    rows = session.execute(late.group_by(TimeEntry.service_month, TimeEntry.posting_n))
    minutes = {(month, n): int(total) for month, n, total in rows}
    runs = [taken.run_id for all_taken in postings.values() for taken in all_taken[1:]]
    riding = _invoices_of(session, customer_id, runs) if runs else {}
    found: dict[date, list[Change]] = defaultdict(list)
    for month, all_taken in postings.items():
        for before, taken in pairwise(all_taken):
            found[month].append(
                Change(
                    minutes=minutes.pop((month, taken.n), 0),
                    billed_on=taken.billed_on,
                    invoice=taken.invoice or riding.get(taken.run_id),
                    cents=taken.owed_cents - before.owed_cents,
                    again=taken.whole,
                )
            )
    for (month, _n), total in sorted(minutes.items()):
        found[month].append(Change(total))
    return found


def _invoices_of(session: Session, customer_id: int, run_ids: Collection[int]) -> dict[int, str]:
    """The invoice that each of these runs issued to the customer, its last."""
    rows = session.execute(
        select(Invoice.run_id, Invoice.number)
        .where(Invoice.customer_id == customer_id, Invoice.kind == "bill", among(Invoice.run_id, run_ids))
        .order_by(Invoice.series_year, Invoice.series_number)
    )
    return {row.run_id: row.number for row in rows}


def _begun(session: Session, customer_id: int, first: date, last: date) -> dict[date, Begun]:
    rows = session.execute(
        select(CustomerMonth.month, CustomerMonth.set_aside_reason, CustomerMonth.park_code).where(
            CustomerMonth.customer_id == customer_id, CustomerMonth.month.between(first, last)
        )
    )
    return {
        month: Begun.SET_ASIDE if reason is not None else Begun.PARKED
        for month, reason, code in rows
        if reason is not None or code is not None
    }
