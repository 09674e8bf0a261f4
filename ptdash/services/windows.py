"""The maintenance window of a month, with the company's public holidays."""

from datetime import date, datetime
from functools import cache
from typing import Any

from holidays import HolidayBase, country_holidays
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain import windows
from ptdash.domain.periods import format_month
from ptdash.domain.windows import Window, WindowRule
from ptdash.models import MaintenanceWindow, RolloutTask
from ptdash.services import settings


def window(session: Session, month: date) -> dict[str, Any]:
    """The window's days in the month of this first day, Berlin time, and the holidays left out of them."""
    found = of_month(session, month)
    return {
        "month": format_month(found.month),
        "days": [day.isoformat() for day in found.days],
        "from": found.opens_at.isoformat("minutes"),
        "until": found.closes_at.isoformat("minutes"),
        "left_out": [{"day": day.isoformat(), "reason": reason} for day, reason in found.left_out],
    }


def of_month(session: Session, month: date) -> Window:
    """The window with the days it was stored with once work is planned in it, else as the setting and the holidays
    of the company's federal state give it; while that is not set, those of all Germany."""
    work = select(RolloutTask.id).where(RolloutTask.window_month == MaintenanceWindow.month).exists()
    kept = session.execute(select(MaintenanceWindow).where(MaintenanceWindow.month == month, work)).scalar()
    if kept is not None:
        return stored(kept)
    rule = WindowRule(settings.get(session, "window_rule") or WindowRule.THIRD_MONDAY)
    return windows.window(month, rule, public_holidays(settings.get(session, "company.federal_state")))


def stored(row: MaintenanceWindow) -> Window:
    left_out = tuple((date.fromisoformat(day), reason) for day, reason in row.left_out)
    return Window(row.month, tuple(row.days), left_out, row.opens_at, row.closes_at)


def keep(session: Session, month: date, *, now: datetime) -> Window:
    """Store a month's window because work is to be planned in it: from the first task on it keeps its days."""
    found = of_month(session, month)
    facts = {
        "days": list(found.days),
        "opens_at": found.opens_at,
        "closes_at": found.closes_at,
        "left_out": [[day.isoformat(), reason] for day, reason in found.left_out],
    }
    row = session.get(MaintenanceWindow, month)
    if row is None:
        new = insert(MaintenanceWindow).values(month=month, stored_at=now, **facts)
        session.execute(new.on_conflict_do_nothing())
    elif stored(row) != found:
        session.execute(update(MaintenanceWindow).where(MaintenanceWindow.month == month).values(**facts))
        session.refresh(row)
    return found


@cache
def public_holidays(state: str) -> HolidayBase:
    """The public holidays of a federal state by their German names; of all Germany where it is empty."""
    return country_holidays("DE", subdiv=state or None, language="de")
