"""What one customer owes for one month: a pure function of the facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar

from ptdash.domain.minutes import Treatment, included_minutes
from ptdash.domain.money import euros, line_cents, pro_rata_cents
from ptdash.domain.periods import Span, days_in, days_within, last_day

T = TypeVar("T")


class LineKind(StrEnum):
    PACKAGE_FEE = "package_fee"
    OVERAGE = "overage"
    SEPARATE = "separate"
    MAINTENANCE_FEE = "maintenance_fee"
    DEVICE_FEE = "device_fee"
    MATERIAL = "material"
    ADJUSTMENT = "adjustment"
    CANCELLATION = "cancellation"


@dataclass(frozen=True)
class PackagePrice:
    net: Decimal
    minutes: int


@dataclass(frozen=True)
class Rates:
    """The prices valid on the month's first day: EUR a month, EUR a minute."""

    packages: dict[str, PackagePrice]
    overage: Decimal
    separate: Decimal


@dataclass(frozen=True)
class SupportFacts:
    id: int
    number: str
    starts_on: date
    ends_before: date | None
    package: str
    changes: tuple[tuple[date, str], ...] = ()


@dataclass(frozen=True)
class DeviceFacts:
    id: int
    inventory_number: str
    included_from: date
    ends_before: date | None
    monthly_fee: Decimal


@dataclass(frozen=True)
class MaintenanceFacts:
    id: int
    number: str
    starts_on: date
    ends_before: date | None
    monthly_fee: Decimal
    changes: tuple[tuple[date, Decimal], ...] = ()
    devices: tuple[DeviceFacts, ...] = ()


@dataclass(frozen=True)
class DayMinutes:
    """The minutes of one day and treatment."""

    day: date
    treatment: Treatment
    minutes: int


@dataclass(frozen=True)
class MaterialFacts:
    id: int
    day: date
    description: str
    quantity: Decimal
    net: Decimal


@dataclass(frozen=True)
class MonthFacts:
    """Everything of one customer that decides what it owes for a month."""

    month: date
    support: tuple[SupportFacts, ...] = ()
    maintenance: tuple[MaintenanceFacts, ...] = ()
    minutes: tuple[DayMinutes, ...] = ()
    materials: tuple[MaterialFacts, ...] = ()


@dataclass(frozen=True)
class Settled:
    """One support contract's month. `used = covered + overage`, `included = covered + expired`."""

    contract_id: int
    contract: str
    package: str
    package_price: Decimal
    overage_rate: Decimal
    span: Span
    month_days: int
    included_minutes: int
    used_minutes: int
    covered_minutes: int
    overage_minutes: int
    expired_minutes: int
    base_cents: int
    overage_cents: int


@dataclass(frozen=True)
class Line:
    """One line of what is owed. `net_cents` is quantity times unit price, rounded half up."""

    kind: LineKind
    quantity: Decimal
    unit: str
    unit_price: Decimal
    service_from: date
    service_until: date
    contract_id: int | None = None
    contract: str | None = None
    explanation: dict[str, Any] = field(default_factory=dict)
    net_cents: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "net_cents", line_cents(self.quantity, self.unit_price))


@dataclass(frozen=True)
class Owed:
    settlements: tuple[Settled, ...]
    lines: tuple[Line, ...]
    separate_minutes: int = 0

    @property
    def net_cents(self) -> int:
        return sum(line.net_cents for line in self.lines)


def owed(facts: MonthFacts, rates: Rates) -> Owed:
    """A customer's settlements and lines of one month; lines of zero are left out."""
    settlements, separate, uncovered = settled_minutes(facts, rates)
    lines: list[Line] = []
    for settled in settlements:
        lines += _package_lines(settled)
    if separate or uncovered:
        lines.append(_separate_line(facts.month, separate, uncovered, rates))
    for contract in facts.maintenance:
        lines += _maintenance_lines(contract, facts.month)
    lines += [_material_line(material) for material in facts.materials]
    return Owed(settlements, tuple(line for line in lines if line.net_cents), separate + uncovered)


def settled_minutes(facts: MonthFacts, rates: Rates) -> tuple[tuple[Settled, ...], int, int]:
    """A customer's support contracts of one month, its separate minutes, and those on days without a package."""
    running = [(c, span) for c in facts.support if (span := days_within(facts.month, c.starts_on, c.ends_before))]
    settlements = tuple(settle(contract, span, facts, rates) for contract, span in running)
    return settlements, *_separate_minutes(facts, [span for _, span in running])


def settle(contract: SupportFacts, span: Span, facts: MonthFacts, rates: Rates) -> Settled:
    """Included, used, covered, overage and expired minutes of one support contract, and their price in cents.

    The package in force on the first covered day counts for the whole month.
    """
    month_days = days_in(facts.month)
    package = in_force(contract.package, contract.changes, span.first)
    price = rates.packages[package]
    included = included_minutes(price.minutes, span.days, month_days)
    used = sum(m.minutes for m in facts.minutes if m.treatment == Treatment.PACKAGE and m.day in span)
    covered = min(used, included)
    return Settled(
        contract_id=contract.id,
        contract=contract.number,
        package=package,
        package_price=price.net,
        overage_rate=rates.overage,
        span=span,
        month_days=month_days,
        included_minutes=included,
        used_minutes=used,
        covered_minutes=covered,
        overage_minutes=used - covered,
        expired_minutes=included - covered,
        base_cents=pro_rata_cents(price.net, span.days, month_days),
        overage_cents=line_cents(used - covered, rates.overage),
    )


def in_force(initial: T, changes: Sequence[tuple[date, T]], day: date) -> T:
    """The value that holds on a day: the newest change up to it, else the one agreed at the start."""
    return max((c for c in changes if c[0] <= day), key=lambda c: c[0], default=(day, initial))[1]


def duplicated_fee(lines: Iterable[Line]) -> str | None:
    """The contract that would be billed its package or maintenance fee twice in one month; None where all is well.

    A safety bound: it cannot happen while this module is right, and no invoice leaves where it does.
    """
    seen: set[tuple[str, int | None]] = set()
    for line in lines:
        if line.kind in (LineKind.PACKAGE_FEE, LineKind.MAINTENANCE_FEE):
            if (line.kind, line.contract_id) in seen:
                return line.contract
            seen.add((line.kind, line.contract_id))
    return None


def _package_lines(settled: Settled) -> list[Line]:
    facts = {
        "package": settled.package,
        "package_price": str(settled.package_price),
        "covered_days": settled.span.days,
        "month_days": settled.month_days,
        "included_minutes": settled.included_minutes,
        "used_minutes": settled.used_minutes,
        "covered_minutes": settled.covered_minutes,
        "overage_minutes": settled.overage_minutes,
        "expired_minutes": settled.expired_minutes,
    }
    contract, span, over = (settled.contract_id, settled.contract), settled.span, settled.overage_minutes
    base, rate = euros(settled.base_cents), settled.overage_rate
    lines = [_contract_line(LineKind.PACKAGE_FEE, contract, span, 1, "month", base, facts)]
    if over:
        lines.append(_contract_line(LineKind.OVERAGE, contract, span, over, "minute", rate, facts))
    return lines


def _contract_line(
    kind: LineKind,
    contract: tuple[int, str],
    span: Span,
    quantity: int,
    unit: str,
    unit_price: Decimal,
    explanation: dict[str, Any],
) -> Line:
    return Line(
        kind=kind,
        quantity=Decimal(quantity),
        unit=unit,
        unit_price=unit_price,
        service_from=span.first,
        service_until=span.last,
        contract_id=contract[0],
        contract=contract[1],
        explanation=explanation,
    )


def _separate_minutes(facts: MonthFacts, covered: list[Span]) -> tuple[int, int]:
    """The separate minutes, and the package minutes on days without a package."""
    separate = sum(m.minutes for m in facts.minutes if m.treatment == Treatment.SEPARATE)
    uncovered = sum(
        m.minutes
        for m in facts.minutes
        if m.treatment == Treatment.PACKAGE and not any(m.day in span for span in covered)
    )
    return separate, uncovered


def _separate_line(month: date, separate: int, uncovered: int, rates: Rates) -> Line:
    """One line for all separate minutes; package minutes on a day without a package count here and say so."""
    return Line(
        kind=LineKind.SEPARATE,
        quantity=Decimal(separate + uncovered),
        unit="minute",
        unit_price=rates.separate,
        service_from=month,
        service_until=last_day(month),
        explanation={"separate_minutes": separate, "without_package_minutes": uncovered},
    )


def _maintenance_lines(contract: MaintenanceFacts, month: date) -> list[Line]:
    """The contract's fee, then its devices' fees grouped where the amount is the same; each pro rata by itself."""
    span = days_within(month, contract.starts_on, contract.ends_before)
    if span is None:
        return []
    month_days = days_in(month)
    fee = in_force(contract.monthly_fee, contract.changes, span.first)
    amount = euros(pro_rata_cents(fee, span.days, month_days))
    explanation = {"monthly_fee": str(fee), "covered_days": span.days, "month_days": month_days}
    which = (contract.id, contract.number)
    lines = [_contract_line(LineKind.MAINTENANCE_FEE, which, span, 1, "month", amount, explanation)]
    for amount_cents, group in groupby(_device_shares(contract, month), key=lambda share: share.amount_cents):
        shares = list(group)
        first = min(share.span.first for share in shares)
        days = (max(share.span.last for share in shares) - first).days + 1
        devices = [
            {
                "device": share.device.inventory_number,
                "monthly_fee": str(share.device.monthly_fee),
                "covered_days": share.span.days,
            }
            for share in shares
        ]
        amount = euros(amount_cents)
        explanation = {"devices": devices, "month_days": month_days}
        lines.append(
            _contract_line(
                LineKind.DEVICE_FEE, which, Span(first, days), len(shares), "piece", amount, explanation
            )
        )
    return lines


@dataclass(frozen=True)
class _DeviceShare:
    device: DeviceFacts
    span: Span
    amount_cents: int


def _device_shares(contract: MaintenanceFacts, month: date) -> list[_DeviceShare]:
    """What each device costs for its days in the month, ordered by amount, then inventory number."""
    shares = []
    for device in contract.devices:
        starts_on = max(device.included_from, contract.starts_on)
        ends = [day for day in (device.ends_before, contract.ends_before) if day]
        if span := days_within(month, starts_on, min(ends, default=None)):
            amount_cents = pro_rata_cents(device.monthly_fee, span.days, days_in(month))
            shares.append(_DeviceShare(device, span, amount_cents))
    return sorted(shares, key=lambda s: (s.amount_cents, s.device.inventory_number, s.span.first))


def _material_line(material: MaterialFacts) -> Line:
    return Line(
        kind=LineKind.MATERIAL,
        quantity=material.quantity,
        unit="piece",
        unit_price=material.net,
        service_from=material.day,
        service_until=material.day,
        explanation={"material_id": material.id, "description": material.description},
    )
