"""How far a month's package is drawn, and what one more booking would cost. Minutes, net cents."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from ptdash.domain.minutes import Treatment
from ptdash.domain.money import line_cents
from ptdash.domain.periods import Span
from ptdash.domain.settlement import (
    DayMinutes,
    MonthFacts,
    PackagePrice,
    Rates,
    Settled,
    owed,
    settled_minutes,
)

Level = Literal[80, 100]
WARNS_AT: Level = 80
USED_UP: Level = 100


@dataclass(frozen=True)
class MonthRates:
    """The prices of a month as far as they are set: a meter needs the packages only, a cost its rate."""

    packages: dict[str, PackagePrice]
    overage: Decimal | None
    separate: Decimal | None


@dataclass(frozen=True)
class Meter:
    """One support contract's minutes of a month so far: `included = used + left - overage`."""

    contract_id: int
    contract: str
    package: str
    span: Span
    included: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.included - self.used)

    @property
    def overage(self) -> int:
        return max(0, self.used - self.included)

    @property
    def level(self) -> Level | None:
        """80 or 100: the highest share of the included minutes that is reached; None below 80 %."""
        if self.used and self.used >= self.included:
            return USED_UP
        return WARNS_AT if self.used and self.used * 100 >= self.included * WARNS_AT else None


@dataclass(frozen=True)
class MonthMeters:
    """A customer's month: a meter for each support contract in it, and the minutes billed outside of them."""

    facts: MonthFacts
    contracts: tuple[Meter, ...]
    separate_minutes: int
    rates: MonthRates

    def on(self, day: date) -> Meter | None:
        """The meter of the contract that runs on a day."""
        return next((meter for meter in self.contracts if day in meter.span), None)

    def nearest(self, day: date) -> Meter | None:
        """The one that runs on a day, else the last of the month."""
        return self.on(day) or (self.contracts[-1] if self.contracts else None)


@dataclass(frozen=True)
class Cost:
    """What one booking takes: `free` minutes of the package, `charged` minutes at `rate`, together `cents`.

    `cents` is None where the rate is not set yet. `without_package`: package minutes on a day without a package
    are billed as separate.
    """

    treatment: Treatment
    minutes: int
    free: int = 0
    charged: int = 0
    rate: Decimal | None = None
    cents: int | None = 0
    without_package: bool = False


def month_meters(facts: MonthFacts, rates: MonthRates) -> MonthMeters:
    """The meters of a customer's month, by the formula that settles it."""
    settlements, separate, uncovered = settled_minutes(facts, _known(rates))
    contracts = sorted((_meter(row) for row in settlements), key=lambda meter: meter.span.first)
    return MonthMeters(facts, tuple(contracts), separate + uncovered, rates)


def cost_of(meters: MonthMeters, treatment: Treatment, minutes: int, day: date) -> Cost:
    """What a booking on a day of this month adds to what the customer owes for it.

    As the growth of the rounded total, so that it is what the settlement grows by, to the cent.
    """
    meter = meters.on(day)
    if treatment is Treatment.PACKAGE and meter:
        free = min(meter.left, minutes)
        cents = _growth(meter.overage, minutes - free, meters.rates.overage)
        return Cost(treatment, minutes, free, minutes - free, meters.rates.overage, cents)
    if treatment in (Treatment.PACKAGE, Treatment.SEPARATE):
        cents = _growth(meters.separate_minutes, minutes, meters.rates.separate)
        uncovered = treatment is Treatment.PACKAGE
        return Cost(treatment, minutes, 0, minutes, meters.rates.separate, cents, without_package=uncovered)
    return Cost(treatment, minutes)


def growth(meters: MonthMeters, changes: Iterable[DayMinutes]) -> int | None:
    """What the month's debt grows by, in cents, where these minutes come to it (negative ones leave it).

    None where a rate is needed that is not set yet.
    """
    after = replace(meters.facts, minutes=(*meters.facts.minutes, *changes))
    if None in (meters.rates.overage, meters.rates.separate):
        return None
    known = _known(meters.rates)
    return owed(after, known).net_cents - owed(meters.facts, known).net_cents


def _known(rates: MonthRates) -> Rates:
    return Rates(rates.packages, rates.overage or Decimal(0), rates.separate or Decimal(0))


def _growth(so_far: int, more: int, rate: Decimal | None) -> int | None:
    if not more:
        return 0
    return None if rate is None else line_cents(so_far + more, rate) - line_cents(so_far, rate)


def _meter(row: Settled) -> Meter:
    return Meter(row.contract_id, row.contract, row.package, row.span, row.included_minutes, row.used_minutes)
