"""What the overview shows: what needs a person now, the next window."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from ptdash.domain.periods import month_of, next_month
from ptdash.services import close_results, releases, windows
from ptdash.services.books import PeriodState
from ptdash.services.close_results import MonthRow


@dataclass(frozen=True)
class LeftOut:
    day: date
    reason: str


@dataclass(frozen=True)
class NextWindow:
    days: tuple[date, ...]
    left_out: tuple[LeftOut, ...]

    def is_open(self, today: date) -> bool:
        return today in self.days


def next_window(session: Session, today: date) -> NextWindow:
    """This month's maintenance window, next month's once its last day is over."""
    this = _window(session, month_of(today))
    return this if this.days and this.days[-1] >= today else _window(session, next_month(month_of(today)))


def months_to_do(session: Session, today: date) -> list[MonthRow]:
    """Months with parked customers, closed ones whose result is not released, and the first month that is over
    and not closed yet, oldest first."""
    unreleased = releases.unreleased(session)
    rows = (row for row in close_results.months(session, today) if _needs_a_person(row, row.month in unreleased))
    waiting = sorted(rows, key=_by_month)
    first_open = next((row for row in waiting if row.state == PeriodState.OPEN), None)
    return [row for row in waiting if row.state != PeriodState.OPEN or row is first_open]


def _needs_a_person(row: MonthRow, unreleased: bool) -> bool:
    to_release = unreleased and row.state == PeriodState.CLOSED
    return row.over and (row.state == PeriodState.OPEN or row.parked > 0 or to_release)


def _by_month(row: MonthRow) -> date:
    return row.month


def _window(session: Session, month: date) -> NextWindow:
    found = windows.window(session, month)
    return NextWindow(
        days=tuple(map(date.fromisoformat, found["days"])),
        left_out=tuple(LeftOut(date.fromisoformat(row["day"]), row["reason"]) for row in found["left_out"]),
    )
