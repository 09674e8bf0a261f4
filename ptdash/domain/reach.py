"""Which contracts a price reaches."""

from collections.abc import Sequence
from datetime import date

from ptdash.domain.periods import next_month


def reached_from(
    package: str,
    initial: str,
    changes: Sequence[tuple[date, str]],
    life: tuple[date, date | None],
    valid: tuple[date, date | None],
) -> date | None:
    """The first day that a contract is billed with a package's price, or None where it never is.

    `changes` (effective day, package) in order; `life` and `valid` are half-open, None is for ever. The package
    of a month is the one in force on its first covered day, so a change within a month reaches the next one.
    """
    starts_on, ends_before = life
    steps = [(date.min, initial), *changes]
    ends = [day for day, _ in steps[1:]] + [date.max]
    for (begins, name), until in zip(steps, ends, strict=True):
        first = max(begins, starts_on, valid[0])
        if first != starts_on and first.day != 1:
            first = next_month(first)
        if name == package and first < min(until, ends_before or date.max, valid[1] or date.max):
            return first
    return None
