"""Which support package would have been the cheapest for what a customer used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ptdash.domain.money import cents, line_cents
from ptdash.domain.settlement import Rates

MONTHS = 6


@dataclass(frozen=True)
class UsedMonth:
    """The minutes that would draw on a package in a whole month, and the prices of its first day."""

    minutes: int
    rates: Rates


@dataclass(frozen=True)
class Advice:
    """What each package (None: none at all, every minute at the separate rate) would have cost over the months, in
    cents net; `best` is the cheapest, of equal ones the smaller."""

    months: int
    costs: Mapping[str | None, int]

    @property
    def best(self) -> str | None:
        return min(self.costs, key=lambda package: self.costs[package])

    def saving(self, package: str | None) -> int:
        """Cents that the cheapest would have saved against this one; 0 where it is the cheapest."""
        return self.costs[package] - self.costs[self.best]


def advise(months: Sequence[UsedMonth]) -> Advice:
    """The sums over whole months (at least one): package price plus overage, or every minute at the separate rate,
    rounded each month as a bill would be. Only packages with a price in every month take part."""
    newest = months[-1].rates.packages
    by_size = sorted(newest, key=lambda package: newest[package].minutes)
    sums: dict[str | None, int] = {None: sum(line_cents(month.minutes, month.rates.separate) for month in months)}
    for package in by_size:
        if all(package in month.rates.packages for month in months):
            sums[package] = sum(_cost(month, package) for month in months)
    return Advice(len(months), sums)


def _cost(month: UsedMonth, package: str) -> int:
    price = month.rates.packages[package]
    overage = max(month.minutes - price.minutes, 0)
    return cents(price.net) + line_cents(overage, month.rates.overage)
