"""What a contract's fees come to in a month, by the formula that bills them."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from ptdash.domain.periods import month_of, next_month
from ptdash.domain.settlement import (
    DeviceFacts,
    MaintenanceFacts,
    MonthFacts,
    PackagePrice,
    Rates,
    SupportFacts,
    in_force,
    owed,
)
from ptdash.models import Contract
from ptdash.services.contracts import PackagePrices, device_ends_before

NOTHING = Decimal(0)


def fees_cents(contract: Contract, month: date, ends_before: date | None, prices: PackagePrices) -> int:
    """The net fees of a month, pro rata by its days, were the contract to end so; its changes and devices must be
    loaded. A package without a price yet counts as nothing."""
    life = (contract.id, contract.number, contract.starts_on, ends_before)
    if contract.package is not None:
        changes = tuple((row.effective_on, row.package) for row in contract.package_changes)
        facts = MonthFacts(month, support=(SupportFacts(*life, contract.package, changes),))
    else:
        fees = tuple((row.effective_on, row.monthly_fee) for row in contract.fee_changes)
        devices = tuple(
            DeviceFacts(
                row.device_id,
                str(row.device_id),
                row.included_from,
                device_ends_before(row.included_until, ends_before),
                row.monthly_fee,
            )
            for row in contract.devices
        )
        fee = contract.monthly_fee or NOTHING
        facts = MonthFacts(month, maintenance=(MaintenanceFacts(*life, fee, fees, devices),))
    return owed(facts, _rates(month, prices)).net_cents


def months(first: date, last: date) -> Iterator[date]:
    """The calendar months that the days from `first` to `last` (inclusive) touch."""
    month = month_of(first)
    while month <= last:
        yield month
        month = next_month(month)


def _rates(month: date, prices: PackagePrices) -> Rates:
    """Fees only: no minutes are rated here."""
    packages = {name: PackagePrice(in_force(NOTHING, dated, month), 0) for name, dated in prices.items()}
    return Rates(packages, NOTHING, NOTHING)
