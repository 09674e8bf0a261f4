"""Calendar months of the business, as dates: a month is the date of its first day."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ptdash.domain.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
# Days outside are slips of the pen; far from the ends of the calendar nothing has to be checked for them.
YEARS = range(1900, 2201)


class MonthUnreadable(Invalid):
    message = "'%(text)s' is not a month. Write it as year and month, for example 2026-09."


class MonthOutOfReach(Invalid):
    message = "%(text)s is not between the years %(first)s and %(last)s."


@dataclass(frozen=True)
class Span:
    """The days of one month on which something runs: the first and how many."""

    first: date
    days: int

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    def __contains__(self, day: date) -> bool:
        return 0 <= (day - self.first).days < self.days


def parse_month(text: str) -> date:
    """The month written as YYYY-MM; raises MonthUnreadable, MonthOutOfReach."""
    try:
        if len(text) != 7:
            raise ValueError(text)
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise MonthUnreadable(text=text) from None
    if month.year not in YEARS:
        raise MonthOutOfReach(text=text, first=YEARS[0], last=YEARS[-1])
    return month


def format_month(month: date) -> str:
    return f"{month:%Y-%m}"


def month_of(day: date) -> date:
    """The month a day belongs to."""
    return day.replace(day=1)


@cache
def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def previous_month(month: date) -> date:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


@cache
def days_in(month: date) -> int:
    return monthrange(month.year, month.month)[1]


@cache
def last_day(month: date) -> date:
    return month.replace(day=days_in(month))


def berlin_day(instant: datetime) -> date:
    """The business day an instant falls on: a time entry belongs wholly to the day it starts."""
    return instant.astimezone(BERLIN).date()


def days_within(month: date, starts_on: date, ends_before: date | None) -> Span | None:
    """The days of the month that lie in [starts_on, ends_before), or None where there are none."""
    first = max(month, starts_on)
    until = min(next_month(month), ends_before) if ends_before else next_month(month)
    return Span(first, (until - first).days) if first < until else None
