"""The overview's next deadlines: what happens on a day to come, the nearest first."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.periods import berlin_day, month_of, next_month
from ptdash.domain.rollout import TaskStatus
from ptdash.models import Contract, Customer, Device, Inspection, RolloutTask
from ptdash.services import contracts, windows

HORIZON = timedelta(days=60)
SHOWN = 8
NAMED = 2


class Kind(StrEnum):
    """An inspection that is planned, the last day of the maintenance window, the last day to receive a notice, the
    first day on which a month can be closed, a contract's last day. In this order on one day."""

    ACCEPTANCE = "acceptance"
    WINDOW = "window"
    NOTICE = "notice"
    CLOSE = "close"
    END = "end"


@dataclass(frozen=True)
class Deadline:
    """`number` is the device's or the contract's, `name` the customer's, `id` the inspection's, `at` the instant
    on it, `month` the one that can be closed; `count`: the window's open tasks, the month's
    customers, or the contracts (`number` is the first one's)."""

    day: date
    kind: Kind
    number: str = ""
    name: str = ""
    id: int | None = None
    at: datetime | None = None
    month: date | None = None
    count: int = 0
    monthly_net_cents: int | None = None


def deadlines(session: Session, today: date) -> list[Deadline]:
    """The next eight within 60 days, the nearest first: a number of queries that does not grow."""
    found = [*_acceptances(session, today), *_window(session, today), *_contracts(session, today)]
    found.append(_close(session, today))
    order = list(Kind)
    near = [row for row in found if today <= row.day <= today + HORIZON]
    return sorted(near, key=lambda row: (row.day, order.index(row.kind)))[:SHOWN]


def _acceptances(session: Session, today: date) -> list[Deadline]:
    """Inspections that are planned and not begun."""
    rows = session.execute(
        select(Inspection.id, Inspection.scheduled_at, Device.inventory_number, Customer.name)
        .join(Device, Device.id == Inspection.device_id)
        .join(Customer, Customer.id == Device.customer_id)
        .where(Inspection.scheduled_at >= datetime.combine(today, time(), BERLIN))
        .where(Inspection.started_at.is_(None), Device.retired_on.is_(None))
        .order_by(Inspection.scheduled_at, Inspection.id)
        .limit(SHOWN)
    )
    return [
        Deadline(berlin_day(at), Kind.ACCEPTANCE, number, customer, inspection_id, at)
        for inspection_id, at, number, customer in rows
        if at is not None
    ]


def _window(session: Session, today: date) -> list[Deadline]:
    """The end of the running or the next window, with its tasks that nobody has done yet."""
    for month in (month_of(today), next_month(month_of(today))):
        window = windows.of_month(session, month)
        if window.days and window.days[-1] >= today:
            still_open = select(func.count()).where(
                RolloutTask.window_month == month,
                RolloutTask.status == TaskStatus.PLANNED,
                RolloutTask.stopped_at.is_(None),
            )
            count = session.execute(still_open).scalar_one()
            closes = datetime.combine(window.days[-1], window.closes_at, BERLIN)
            return [Deadline(window.days[-1], Kind.WINDOW, at=closes, count=count)]
    return []


def _close(session: Session, today: date) -> Deadline:
    """The running month can be closed from the first day after it; its customers have a contract in it."""
    month = month_of(today)
    billed = select(func.count(Contract.customer_id.distinct())).where(
        Contract.starts_on < next_month(month), or_(Contract.ends_before.is_(None), Contract.ends_before > month)
    )
    return Deadline(next_month(month), Kind.CLOSE, month=month, count=session.execute(billed).scalar_one())


def _contracts(session: Session, today: date) -> list[Deadline]:
    """Contracts with the same last day to receive a notice stand together."""
    rows = contracts.renewals(session, today)
    found = [(day, kind, row) for row in rows for day, kind in _days(row) if today <= day <= today + HORIZON]
    names = _names(session, {row["customer"] for _, _, row in found})
    together: dict[tuple[date, Kind, str], list[dict[str, Any]]] = defaultdict(list)
    for day, kind, row in found:
        together[day, kind, "" if kind is Kind.NOTICE else row["contract"]].append(row)
    return [_of_contracts(day, kind, rows, names) for (day, kind, _), rows in together.items()]


def _of_contracts(day: date, kind: Kind, rows: list[dict[str, Any]], names: dict[str, str]) -> Deadline:
    whose = list(dict.fromkeys(names[row["customer"]] for row in rows))
    prices = [row["monthly_net_cents"] for row in rows]
    return Deadline(
        day,
        kind,
        rows[0]["contract"],
        ", ".join(whose[:NAMED]) + (" …" if len(whose) > NAMED else ""),
        count=len(rows),
        monthly_net_cents=None if None in prices else sum(prices),
    )


def _days(row: dict[str, Any]) -> list[tuple[date, Kind]]:
    """Only what a decision still changes, or what is about to happen: a contract that ended has neither."""
    if row["state"] == "ended":
        return []
    deadline = row["notice_deadline"] if row["state"] == "active" and row["renews_on"] else None
    days = [(deadline, Kind.NOTICE), (row["ends_on"], Kind.END)]
    return [(date.fromisoformat(day), kind) for day, kind in days if day]


def _names(session: Session, numbers: set[str]) -> dict[str, str]:
    rows = session.execute(select(Customer.number, Customer.name).where(Customer.number.in_(numbers)))
    return {row.number: row.name for row in rows}
