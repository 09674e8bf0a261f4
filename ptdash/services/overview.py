"""What the overview shows: what needs a person now, the next window, the next deadlines."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.periods import month_of, next_month
from ptdash.models import Customer
from ptdash.services import close_results, contracts, releases, windows
from ptdash.services.books import PeriodState
from ptdash.services.close_results import MonthRow

HORIZON = timedelta(days=60)
DEADLINES = 8


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


@dataclass(frozen=True)
class Deadline:
    """`kind` is notice (last day to receive one) or end (the contract's last day)."""

    day: date
    kind: str
    contract: str
    customer: str
    monthly_net_cents: int | None


def next_window(session: Session, today: date) -> NextWindow:
    """This month's maintenance window, next month's once its last day is over."""
    this = _window(session, month_of(today))
    return this if this.days and this.days[-1] >= today else _window(session, next_month(month_of(today)))


def deadlines(session: Session, today: date) -> list[Deadline]:
    """The next notice deadlines and ends of contracts within 60 days, the nearest first."""
    rows = contracts.renewals(session, today)
    found = [(day, kind, row) for row in rows for day, kind in _days(row) if today <= day <= today + HORIZON]
    found.sort(key=lambda item: (item[0], item[2]["contract"]))
    names = _names(session, {row["customer"] for _, _, row in found[:DEADLINES]})
    return [
        Deadline(day, kind, row["contract"], names[row["customer"]], row["monthly_net_cents"])
        for day, kind, row in found[:DEADLINES]
    ]


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


def _days(row: dict[str, Any]) -> list[tuple[date, str]]:
    """Only what a decision still changes, or what is about to happen: a contract that ended has neither."""
    if row["state"] == "ended":
        return []
    deadline = row["notice_deadline"] if row["state"] == "active" and row["renews_on"] else None
    days = [(deadline, "notice"), (row["ends_on"], "end")]
    return [(date.fromisoformat(day), kind) for day, kind in days if day]


def _names(session: Session, numbers: set[str]) -> dict[str, str]:
    rows = session.execute(select(Customer.number, Customer.name).where(Customer.number.in_(numbers)))
    return {row.number: row.name for row in rows}


def _window(session: Session, month: date) -> NextWindow:
    found = windows.window(session, month)
    return NextWindow(
        days=tuple(map(date.fromisoformat, found["days"])),
        left_out=tuple(LeftOut(date.fromisoformat(row["day"]), row["reason"]) for row in found["left_out"]),
    )
