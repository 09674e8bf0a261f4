"""The maintenance window of a month, with the company's public holidays."""

from datetime import date
from functools import cache
from typing import Any

from holidays import HolidayBase, country_holidays
from sqlalchemy.orm import Session

from ptdash.domain import windows
from ptdash.domain.periods import format_month
from ptdash.domain.windows import CLOSES_AT, OPENS_AT, WindowRule
from ptdash.services import settings


def window(session: Session, month: date) -> dict[str, Any]:
    """The window's days in the month of this first day, Berlin time, and the holidays left out of them.

    The holidays are those of the company's federal state; while that is not set, the ones of all Germany.
    """
    rule = WindowRule(settings.get(session, "window_rule") or WindowRule.THIRD_MONDAY)
    found = windows.window(month, rule, public_holidays(settings.get(session, "company.federal_state")))
    return {
        "month": format_month(found.month),
        "days": [day.isoformat() for day in found.days],
        "from": OPENS_AT.isoformat("minutes"),
        "until": CLOSES_AT.isoformat("minutes"),
        "left_out": [{"day": day.isoformat(), "reason": reason} for day, reason in found.left_out],
    }


@cache
def public_holidays(state: str) -> HolidayBase:
    """The public holidays of a federal state by their German names; of all Germany where it is empty."""
    return country_holidays("DE", subdiv=state or None, language="de")
