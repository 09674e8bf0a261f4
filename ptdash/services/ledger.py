"""The minutes ledger: what one customer's packages held, used and cost, month by month.

A posted month is told from the newest version of its settlement, every other one is calculated by the same formula
from the facts as they are. The number of queries does not grow with the months.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy.orm import Session

from ptdash.domain.minutes import Treatment
from ptdash.domain.money import line_cents
from ptdash.domain.periods import next_month, previous_month
from ptdash.domain.settlement import MonthFacts, Settled, owed
from ptdash.services import ledger_facts
from ptdash.services.ledger_facts import Begun, Change, IssuedInvoice

PAGE_MONTHS = 12


class MonthState(StrEnum):
    """What became of a customer's month."""

    RUNNING = "running"
    OPEN = "open"
    POSTED = "posted"
    PARKED = "parked"
    SET_ASIDE = "set_aside"
    NOT_BILLED = "not_billed"  # before the books begin


@dataclass(frozen=True)
class LedgerRow:
    """One month. `net_cents` is what its time cost: package, overage and separate minutes; None without prices."""

    month: date
    state: MonthState
    posting_n: int | None = None
    contracts: tuple[Settled, ...] = ()
    separate_minutes: int = 0
    separate_rate: Decimal | None = None
    goodwill_minutes: int = 0
    priced: bool = True
    invoices: tuple[IssuedInvoice, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def included(self) -> int:
        return sum(contract.included_minutes for contract in self.contracts)

    @property
    def used(self) -> int:
        return sum(contract.used_minutes for contract in self.contracts)

    @property
    def covered(self) -> int:
        return sum(contract.covered_minutes for contract in self.contracts)

    @property
    def overage(self) -> int:
        return sum(contract.overage_minutes for contract in self.contracts)

    @property
    def expired(self) -> int | None:
        """None while the month runs: nothing has expired yet."""
        if self.state is MonthState.RUNNING:
            return None
        return sum(contract.expired_minutes for contract in self.contracts)

    @property
    def separate_cents(self) -> int:
        return line_cents(self.separate_minutes, self.separate_rate or Decimal(0))

    @property
    def net_cents(self) -> int | None:
        packages = sum(contract.base_cents + contract.overage_cents for contract in self.contracts)
        return packages + self.separate_cents if self.priced else None

    @property
    def in_force(self) -> IssuedInvoice | None:
        return next((i for i in reversed(self.invoices) if not i.storno and not i.cancelled), None)


@dataclass(frozen=True)
class Ledger:
    """A page of months, the newest first. `older`: the page that begins below this month, None at the end."""

    rows: Sequence[LedgerRow]
    first: date | None
    older: date | None

    @property
    def longest(self) -> int:
        """The most minutes of a month, to which the bars are drawn."""
        return max((max(row.included, row.used) for row in self.rows), default=0)

    @property
    def overage_rate(self) -> Decimal | None:
        """The newest rate that a package of these months has."""
        return next((contract.overage_rate for row in self.rows for contract in row.contracts), None)

    @property
    def packages(self) -> list[tuple[str, date, date | None]]:
        """Where the package changed within these months: each with its first and (None: still) its last."""
        found: list[tuple[str, date, date | None]] = []
        for row in reversed(self.rows):
            for contract in row.contracts:
                if not found or found[-1][0] != contract.package:
                    if found:
                        found[-1] = (*found[-1][:2], previous_month(row.month))
                    found.append((contract.package, row.month, None))
        return found if len(found) > 1 else []


def months(session: Session, customer_id: int, today: date, *, upto: date | None = None) -> Ledger:
    """Twelve months of a customer from `upto` (the newest) down; none before its first contract or entry."""
    first, newest = ledger_facts.bounds(session, customer_id, today)
    if first is None:
        return Ledger((), None, None)
    newest = min(upto, newest) if upto else newest
    shown = [newest]
    while len(shown) < PAGE_MONTHS and shown[-1] > first:
        shown.append(previous_month(shown[-1]))
    if newest < first:
        return Ledger((), first, None)
    older = previous_month(shown[-1]) if shown[-1] > first else None
    return Ledger(_rows(session, customer_id, shown[-1], shown, today), first, older)


def month(session: Session, customer_id: int, asked: date, today: date) -> LedgerRow | None:
    """One month of a customer; None before its first and after its last."""
    first, newest = ledger_facts.bounds(session, customer_id, today)
    if first is None or not first <= asked <= newest:
        return None
    return _rows(session, customer_id, asked, [asked], today)[0]


def _rows(session: Session, customer_id: int, first: date, shown: Sequence[date], today: date) -> list[LedgerRow]:
    """The months `shown` (the newest first, without a gap, down to `first`)."""
    known = ledger_facts.load(session, customer_id, first, shown[0])
    return [_row(known, month, today) for month in shown]


def _row(known: ledger_facts.LedgerFacts, month: date, today: date) -> LedgerRow:
    prices = known.prices_of(month)
    minutes = known.minutes.get(month, [])
    row = LedgerRow(
        month=month,
        state=_state(known, month, today),
        separate_rate=prices.rates.separate,
        goodwill_minutes=sum(day.minutes for day in minutes if day.treatment is Treatment.GOODWILL),
        priced=prices.complete,
        invoices=tuple(known.invoices.get(month, ())),
        changes=tuple(known.changes.get(month, ())),
    )
    if posting := known.newest(month):
        contracts = tuple(known.settled.get(month, ()))
        return replace(
            row, posting_n=posting.n, contracts=contracts, separate_minutes=posting.separate_minutes, priced=True
        )
    support = tuple(contract for contract in known.support if prices.has(contract, month))
    found = owed(MonthFacts(month, support, minutes=tuple(minutes)), prices.rates)
    return replace(row, contracts=found.settlements, separate_minutes=found.separate_minutes)


def _state(known: ledger_facts.LedgerFacts, month: date, today: date) -> MonthState:
    if known.newest(month):
        return MonthState.POSTED
    if known.begins_on and month < known.begins_on:
        return MonthState.NOT_BILLED
    begun = known.begun.get(month)
    if begun is Begun.SET_ASIDE:
        return MonthState.SET_ASIDE
    if begun is Begun.PARKED:
        return MonthState.PARKED
    return MonthState.RUNNING if today < next_month(month) else MonthState.OPEN
