"""From what a customer owes to an invoice's sums, and what keeps a customer's month from being posted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ptdash.domain.errors import DomainError
from ptdash.domain.money import vat_cents
from ptdash.domain.settlement import Line
from ptdash.domain.vat import Vat, VatCategory


@dataclass(frozen=True)
class BillLine:
    """A line as it stands on the invoice: which month it is for, its words and its VAT."""

    line: Line
    service_month: date
    description: str
    vat: Vat


@dataclass(frozen=True)
class VatShare:
    """The sum of the net lines of one VAT category and rate, and the VAT on it, in cents."""

    category: VatCategory
    rate: Decimal
    net_cents: int
    vat_cents: int


@dataclass(frozen=True)
class Totals:
    net_cents: int
    vat_cents: int

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.vat_cents


def vat_shares(lines: Iterable[tuple[VatCategory, Decimal, int]]) -> list[VatShare]:
    """Net cents (category, rate, net) added up by category and rate, with the VAT rounded once on each sum."""
    sums: dict[tuple[VatCategory, Decimal], int] = {}
    for category, rate, net in lines:
        sums[category, rate] = sums.get((category, rate), 0) + net
    return [VatShare(category, rate, net, vat_cents(net, rate)) for (category, rate), net in sorted(sums.items())]


def totals(lines: Iterable[BillLine]) -> Totals:
    """Net, VAT and gross of an invoice in cents (EN 16931 BR-CO-10, BR-CO-14, BR-CO-15)."""
    shares = vat_shares((item.vat.category, item.vat.rate, item.line.net_cents) for item in lines)
    return Totals(sum(share.net_cents for share in shares), sum(share.vat_cents for share in shares))


class Parked(DomainError):
    """Why one customer's month cannot be posted yet; nobody else is stopped by it."""


class RunningTimer(Parked):
    message = "A timer of %(technician)s is still running in this month (ticket %(ticket)s). Stop it first."


class MissingTreatment(Parked):
    message = "Time entries without a treatment: %(entries)s, the first on ticket %(ticket)s. Choose one for each."


class MissingAddress(Parked):
    message = "The invoice address is not complete: %(fields)s missing."


class UnclearVat(Parked):
    message = "It is not clear which VAT applies to a customer in %(country)s. Decide and give the reason."


class MissingVatId(Parked):
    message = "Reverse charge needs the customer's VAT id, it has to stand on the invoice. Enter it."


class DuplicatedFee(Parked):
    message = "Contract %(contract)s would be billed its monthly fee twice."


class EarlierMonthBlocked(Parked):
    """`cause` and `because`: the code and the params of what blocks the earlier month."""

    message = "An earlier month (%(month)s) of this customer has to be billed first, and it cannot be yet."

    @property
    def blocked_by(self) -> Parked | None:
        known = PARKED.get(str(self.params.get("cause")))
        return known(**self.params["because"]) if known else None

    def __str__(self) -> str:
        return " ".join(map(str, filter(None, (super().__str__(), self.blocked_by))))


class InvalidInvoice(Parked):
    message = "The invoice would break rules of e-invoicing. %(findings)s"


class PostingFailed(Parked):
    message = "An unexpected error stopped this customer's month. The log has it as %(reference)s."


PARKED: dict[str, type[Parked]] = {
    fact.code: fact
    for fact in (
        RunningTimer,
        MissingTreatment,
        MissingAddress,
        UnclearVat,
        MissingVatId,
        DuplicatedFee,
        EarlierMonthBlocked,
        InvalidInvoice,
        PostingFailed,
    )
}


class Blocker(DomainError):
    """Why a month's run is refused as a whole before it starts; `subject` names the thing to mend."""

    status = 409


class MonthNotOver(Blocker):
    message = "%(subject)s is not over yet. It can be closed from %(from_on)s on."


class EarlierMonthOpen(Blocker):
    message = "%(subject)s is still open. Months close in order, without a gap."


class BeforeTheBooks(Blocker):
    message = "The books begin with %(subject)s. Earlier months are not closed."


class MissingRate(Blocker):
    message = "There is no price for %(subject)s that is valid in this month. Enter one in the price list."


class MissingCompanyData(Blocker):
    message = "The company's %(subject)s is missing. An invoice needs it."
