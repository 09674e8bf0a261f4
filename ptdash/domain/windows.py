"""The monthly maintenance window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from ptdash.domain.periods import BERLIN

OPENS_AT = time(7)
CLOSES_AT = time(15)


class WindowRule(StrEnum):
    """Which week of the month it is: the one that begins with the third Monday, or the one around the 15th."""

    THIRD_MONDAY = "third_monday"
    WEEK_OF_15TH = "week_of_15th"


@dataclass(frozen=True)
class Window:
    """The working days of a month's window, each open from and until a Berlin time; `left_out` names the holidays
    among them."""

    month: date
    days: tuple[date, ...]
    left_out: tuple[tuple[date, str], ...]
    opens_at: time = OPENS_AT
    closes_at: time = CLOSES_AT

    def is_open(self, at: datetime) -> bool:
        """Whether the window is open at an instant."""
        local = at.astimezone(BERLIN)
        return local.date() in self.days and self.opens_at <= local.time() < self.closes_at

    def is_over(self, at: datetime) -> bool:
        """Whether its last day has closed."""
        local = at.astimezone(BERLIN)
        return (local.date(), local.time()) >= (self.days[-1], self.closes_at)

    def still_ahead(self, first: date) -> tuple[date, ...]:
        """Its days from this one on."""
        return tuple(day for day in self.days if day >= first)


def window(month: date, rule: WindowRule, holidays: Mapping[date, str]) -> Window:
    """Monday to Friday of the rule's week in the month of this first day, less the holidays (day -> name)."""
    monday = first_day(month, rule)
    week = [monday + timedelta(days=n) for n in range(5)]
    return Window(
        month=month,
        days=tuple(day for day in week if day not in holidays),
        left_out=tuple((day, holidays[day]) for day in week if day in holidays),
    )


def first_plannable(today: date, now: datetime) -> date:
    """The first day on which work can be planned: today before the window opens, else tomorrow."""
    return today if now.astimezone(BERLIN).time() < OPENS_AT else today + timedelta(days=1)


def first_day(month: date, rule: WindowRule) -> date:
    """The Monday on which the window's week begins. The third Monday is the only one from the 15th to the 21st;
    a 15th on a weekend belongs to the week before it (ISO 8601)."""
    fifteenth = month.replace(day=15)
    if rule is WindowRule.WEEK_OF_15TH:
        return fifteenth - timedelta(days=fifteenth.weekday())
    return fifteenth + timedelta(days=-fifteenth.weekday() % 7)
