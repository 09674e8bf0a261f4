"""What customers' months come to: the one calculation behind the preview and the posting.

Owed by the facts minus all issued lines: a month that was never posted, or whose invoice is cancelled, gets its
whole lines on an invoice of its own period; the difference of any other month rides on the newest invoice as an
adjustment line.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from ptdash.domain.adjustments import Adjustment, Amounts, differences, take
from ptdash.domain.bills import (
    BillLine,
    DuplicatedFee,
    EarlierMonthBlocked,
    MissingAddress,
    MissingTreatment,
    MissingVatId,
    Parked,
    RunningTimer,
    Totals,
    UnclearVat,
    totals,
)
from ptdash.domain.money import euros
from ptdash.domain.periods import format_month, last_day
from ptdash.domain.settlement import Line, LineKind, Owed, Rates, Settled, duplicated_fee, owed
from ptdash.domain.vat import Vat, VatCategory, vat_category, vat_for
from ptdash.services import facts, history
from ptdash.services.facts import Buyer
from ptdash.services.history import History, minutes_of
from ptdash.services.prices import MonthPrices, valid_on
from ptdash.services.wording import describe

ADDRESS_FIELDS = ("name", "street", "postal_code", "city")
BUYER_FIELDS = (
    *("number", "name", "contact", "email", "street", "postal_code", "city", "country", "vat_id"),
    *("invoice_format", "routing_id", "wants_xml"),
)


@dataclass(frozen=True)
class Document:
    """An invoice to be issued for a period."""

    period: date
    revision: int
    lines: tuple[BillLine, ...]

    @cached_property
    def totals(self) -> Totals:
        return totals(self.lines)


@dataclass(frozen=True)
class MonthTaken:
    """A posting to be written: what a month owes now, and the document (by its place) that bills it."""

    month: date
    n: int
    result: Owed
    vat: Vat | None
    document: int | None


@dataclass(frozen=True)
class CustomerBill:
    """One customer's share of a run as it would be posted; or why it is parked."""

    customer: Buyer
    month: date
    documents: tuple[Document, ...] = ()
    taken: tuple[MonthTaken, ...] = ()
    parked: Parked | None = None

    @property
    def settlements(self) -> tuple[Settled, ...]:
        """Those of the month itself."""
        return next((taken.result.settlements for taken in self.taken if taken.month == self.month), ())

    @property
    def lines(self) -> tuple[BillLine, ...]:
        return tuple(line for document in self.documents for line in document.lines)

    @property
    def totals(self) -> Totals:
        """Of all documents together; VAT is rounded on each."""
        each = [document.totals for document in self.documents]
        return Totals(sum(t.net_cents for t in each), sum(t.vat_cents for t in each))


@dataclass(frozen=True)
class MonthGround:
    """What a customer's bill of one month is calculated from: its facts, the prices, the standard VAT rate."""

    facts: facts.CustomerFacts
    rates: Rates
    standard_vat: Decimal


@dataclass(frozen=True)
class Ground:
    """Everything that a customer's bill is calculated from. Equal grounds make equal bills."""

    month: date
    past: History
    months: Mapping[date, MonthGround]

    @property
    def customer(self) -> Buyer:
        return self.months[self.month].facts.customer

    def bill(self) -> CustomerBill:
        return _Biller(self).bill()


def grounds(session: Session, customer_ids: Collection[int], month: date, prices: MonthPrices) -> list[Ground]:
    """What the customers' bills of a month are calculated from, ordered by customer number. Every price of the
    month must be there."""
    histories = history.load(session, customer_ids, month)
    needed: dict[date, set[int]] = {month: set(customer_ids)}
    for customer_id, past in histories.items():
        for m in (*past.to_bill_whole(month), *past.to_adjust(month)):
            needed.setdefault(m, set()).add(customer_id)
    months: dict[int, dict[date, MonthGround]] = {customer_id: {} for customer_id in histories}
    for m, ids in needed.items():
        valid = prices if m == month else valid_on(session, m)
        for found in facts.load(session, ids, m):
            months[found.customer.id][m] = MonthGround(found, valid.rates, valid.standard_vat)
    made = [Ground(month, past, months[customer_id]) for customer_id, past in histories.items()]
    return sorted(made, key=lambda ground: ground.customer.number)


def bill(session: Session, customer_ids: Collection[int], month: date, prices: MonthPrices) -> list[CustomerBill]:
    """The customers' bills of a month by today's facts, ordered by customer number."""
    return [ground.bill() for ground in grounds(session, customer_ids, month, prices)]


def buyer(customer: Buyer) -> dict[str, Any]:
    """The copy of a customer that its invoice keeps."""
    return {field: getattr(customer, field) for field in BUYER_FIELDS}


class _Biller:
    """One customer's bill in the making."""

    def __init__(self, ground: Ground) -> None:
        self.customer = ground.customer
        self.month = ground.month
        self.past = ground.past
        self.months = ground.months
        self.documents: list[Document] = []
        self.taken: list[MonthTaken] = []

    def bill(self) -> CustomerBill:
        try:
            for month in self.past.to_bill_whole(self.month):
                self._bill_whole(month)
            return CustomerBill(self.customer, self.month, tuple(self.documents), tuple(self.taken))
        except Parked as reason:
            return CustomerBill(self.customer, self.month, parked=reason)

    def _bill_whole(self, month: date) -> None:
        """The month's whole lines; what already stands for it on other invoices is taken off again."""
        try:
            result, vat = self._calculate(month, None)
        except Parked as reason:
            if month == self.month:
                raise
            raise EarlierMonthBlocked(
                month=format_month(month), cause=reason.code, because=reason.params
            ) from reason
        newcomer = month != self.month and month in self.past.unposted and not self.past.unposted[month]
        if newcomer and not result.lines and not result.settlements:
            return  # The customer was not there yet.
        lines = [BillLine(line, month, describe(line), _sure(vat)) for line in result.lines]
        place = len(self.documents)
        adjustments = differences(month, {}, self.past.issued_in(month))
        others: list[MonthTaken] = []
        if month == self.month and month not in self.past.posted:
            for earlier in self.past.to_adjust(month):
                found, taken = self._difference(earlier)
                adjustments += found
                others.append(taken)
        lines += self._adjustment_lines(month, adjustments, lines, others)
        if lines:
            self._refuse_incomplete_address()
            revision = 1 + self.past.cancelled.get(month, 0)
            self.documents.append(Document(month, revision, tuple(lines)))
        riding = {line.service_month for line in lines if line.line.kind is LineKind.ADJUSTMENT}
        self.taken += [
            MonthTaken(t.month, t.n, t.result, t.vat, place if t.month in riding else None)
            for t in others
            if t.month in riding or self.past.changed(t.month)
        ]
        self.taken.append(MonthTaken(month, self._next_n(month), result, vat, place if lines else None))

    def _difference(self, month: date) -> tuple[list[Adjustment], MonthTaken]:
        """What a held month owes by today's facts, at its posted VAT, minus what was issued for it."""
        result, vat = self._calculate(month, self.past.posted[month].vat)
        due: Amounts = {_sure(vat): result.net_cents} if result.net_cents else {}
        found = differences(month, due, self.past.issued_in(month))
        return found, MonthTaken(month, self._next_n(month), result, vat, None)

    def _calculate(self, month: date, posted_vat: Vat | None) -> tuple[Owed, Vat | None]:
        """What the month owes and its VAT (None where it has no line); raises Parked."""
        ground = self.months[month]
        _refuse_obstacles(ground.facts)
        result = owed(ground.facts.month, ground.rates)
        if contract := duplicated_fee(result.lines):
            raise DuplicatedFee(contract=contract)
        vat = posted_vat or (self._vat(month) if result.lines else None)
        return result, vat

    def _vat(self, month: date) -> Vat:
        customer = self.customer
        category = vat_category(customer.country, customer.vat_id, customer.is_consumer, customer.vat_decision)
        if category is None:
            raise UnclearVat(country=customer.country)
        if category is VatCategory.REVERSE_CHARGE and not customer.vat_id.strip():
            raise MissingVatId()
        return vat_for(category, self.months[month].standard_vat)

    def _adjustment_lines(
        self, month: date, found: list[Adjustment], own: list[BillLine], taken: list[MonthTaken]
    ) -> list[BillLine]:
        if not found and all(item.line.net_cents > 0 for item in own):
            return []
        room: dict[Vat, int] = {}
        for item in own:
            room[item.vat] = room.get(item.vat, 0) + item.line.net_cents
        results = {t.month: t.result for t in taken}
        ride = take(found, room, month=month, correction=not self.past.has_contract)
        return [self._adjustment_line(item, results.get(item.month)) for item in ride if item.cents]

    def _adjustment_line(self, item: Adjustment, result: Owed | None) -> BillLine:
        invoices = self.past.invoices.get(item.month, [])
        line = Line(
            kind=LineKind.ADJUSTMENT,
            quantity=Decimal(1),
            unit="piece",
            unit_price=euros(item.cents),
            service_from=item.month,
            service_until=last_day(item.month),
            explanation={
                "month": format_month(item.month),
                "invoices": invoices,
                "issued_cents": self.past.issued_in(item.month).get(item.vat, 0),
                "owed_cents": result.net_cents if result else 0,
                "waits_cents": item.waits,
                "before": self.past.settled.get(item.month, []),
                "after": [minutes_of(settled, settled.contract) for settled in result.settlements]
                if result
                else [],
                "late": self.past.late.get(item.month, []),
            },
        )
        return BillLine(line, item.month, describe(line), item.vat)

    def _refuse_incomplete_address(self) -> None:
        if missing := [field for field in ADDRESS_FIELDS if not getattr(self.customer, field).strip()]:
            raise MissingAddress(fields=", ".join(missing))

    def _next_n(self, month: date) -> int:
        return self.past.posted[month].n + 1 if month in self.past.posted else 1


def _sure(vat: Vat | None) -> Vat:
    assert vat is not None  # a month with lines has its VAT, or is parked
    return vat


def _refuse_obstacles(loaded: facts.CustomerFacts) -> None:
    if timer := loaded.running:
        raise RunningTimer(technician=timer.technician, ticket=timer.ticket)
    if entries := loaded.untreated:
        raise MissingTreatment(entries=entries.entries, ticket=entries.ticket)
