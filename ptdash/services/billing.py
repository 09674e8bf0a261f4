"""What customers' months come to: the one calculation behind the preview and the posting."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from ptdash.domain.bills import (
    BillLine,
    DuplicatedFee,
    MissingAddress,
    MissingTreatment,
    Parked,
    RunningTimer,
    Totals,
    UnclearVat,
    totals,
)
from ptdash.domain.settlement import Owed, Settled, duplicated_fee, owed
from ptdash.domain.vat import Vat, vat_category, vat_for
from ptdash.models import Customer
from ptdash.services import facts
from ptdash.services.prices import MonthPrices
from ptdash.services.wording import describe

ADDRESS_FIELDS = ("name", "street", "postal_code", "city")
BUYER_FIELDS = ("number", "name", "contact", "email", "street", "postal_code", "city", "country", "vat_id")


@dataclass(frozen=True)
class CustomerBill:
    """One customer's month as it would be posted; or why it is parked."""

    customer: Customer
    settlements: tuple[Settled, ...] = ()
    lines: tuple[BillLine, ...] = ()
    parked: Parked | None = None

    @property
    def totals(self) -> Totals:
        return totals(self.lines)


def bill(session: Session, customer_ids: Collection[int], month: date, prices: MonthPrices) -> list[CustomerBill]:
    """The customers' bills of a month, ordered by customer number. Every price of the month must be there."""
    return [_bill_one(loaded, prices) for loaded in facts.load(session, customer_ids, month)]


def buyer(customer: Customer) -> dict[str, str]:
    """The copy of a customer that its invoice keeps."""
    return {field: getattr(customer, field) for field in BUYER_FIELDS}


def _bill_one(loaded: facts.CustomerFacts, prices: MonthPrices) -> CustomerBill:
    try:
        _refuse_obstacles(loaded)
        result = owed(loaded.month, prices.rates)
        lines = _on_the_invoice(loaded, result, prices) if result.lines else ()
        return CustomerBill(loaded.customer, result.settlements, lines)
    except Parked as reason:
        return CustomerBill(loaded.customer, parked=reason)


def _refuse_obstacles(loaded: facts.CustomerFacts) -> None:
    if timer := loaded.running:
        raise RunningTimer(technician=timer.technician, ticket=timer.ticket)
    if entries := loaded.untreated:
        raise MissingTreatment(entries=entries.entries, ticket=entries.ticket)


def _on_the_invoice(loaded: facts.CustomerFacts, result: Owed, prices: MonthPrices) -> tuple[BillLine, ...]:
    customer = loaded.customer
    if missing := [field for field in ADDRESS_FIELDS if not getattr(customer, field).strip()]:
        raise MissingAddress(fields=", ".join(missing))
    category = vat_category(customer.country, customer.vat_id, customer.is_consumer, customer.vat_decision)
    if category is None:
        raise UnclearVat(country=customer.country)
    if contract := duplicated_fee(result.lines):
        raise DuplicatedFee(contract=contract)
    vat: Vat = vat_for(category, prices.standard_vat)
    return tuple(BillLine(line, loaded.month.month, describe(line), vat) for line in result.lines)
