"""The maintenance window with the company's settings and public holidays."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from holidays import country_holidays

from ptdash.domain.windows import WindowRule
from ptdash.domain.windows import window as derive
from ptdash.services import settings, windows
from ptdash.services.windows import window

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


def set_to(session, **values):
    for key, value in values.items():
        settings.change(session, key.replace("company_", "company."), value, actor_id=None, now=NOW)


def test_december_2026_as_the_interface_shows_it(session):
    set_to(session, company_federal_state="NW")
    assert window(session, date(2026, 12, 1)) == {
        "month": "2026-12",
        "days": ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24"],
        "from": "07:00",
        "until": "15:00",
        "left_out": [{"day": "2026-12-25", "reason": "Erster Weihnachtstag"}],
    }


def test_the_holidays_are_those_of_the_federal_state(session):
    set_to(session, company_federal_state="SN")  # Repentance Day is a holiday in Saxony alone
    assert window(session, date(2026, 11, 1))["left_out"] == [{"day": "2026-11-18", "reason": "Buß- und Bettag"}]
    set_to(session, company_federal_state="NW")
    assert window(session, date(2026, 11, 1))["left_out"] == []


def test_without_a_federal_state_the_holidays_of_all_germany_count(session):
    assert [day["day"] for day in window(session, date(2025, 4, 1))["left_out"]] == ["2025-04-21"]
    assert window(session, date(2025, 6, 1))["left_out"] == []


def test_the_rule_is_a_setting(session):
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-21"
    set_to(session, window_rule="week_of_15th")
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-14"
    set_to(session, window_rule="")
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-21"


STATES = sorted(country_holidays("DE").subdivisions)
MONTHS = [date(year, month, 1) for year in range(2025, 2031) for month in range(1, 13)]


@pytest.mark.parametrize("state", STATES)
def test_the_windows_of_2025_to_2030_in_every_federal_state(state):
    """Against a reckoning of its own: the third Monday counted day by day, holidays asked one by one."""
    for month in MONTHS:
        found = derive(month, WindowRule.THIRD_MONDAY, windows.public_holidays(state))
        mondays = [day for n in range(31) if (day := month + timedelta(days=n)).weekday() == 0]
        week = [mondays[2] + timedelta(days=n) for n in range(5)]
        calendar = country_holidays("DE", subdiv=state, years=month.year)
        assert found.days, "a window always has a day"
        assert all(day.weekday() < 5 and day not in calendar and day.month == month.month for day in found.days)
        assert list(found.days) == [day for day in week if day not in calendar], month
        assert [day for day, _ in found.left_out] == [day for day in week if day in calendar]
        assert (found.opens_at, found.closes_at) == (time(7), time(15))


def test_the_week_before_christmas_2026_ends_on_the_24th_everywhere():
    for state in STATES:
        found = derive(date(2026, 12, 1), WindowRule.THIRD_MONDAY, windows.public_holidays(state))
        assert [day.day for day in found.days] == [21, 22, 23, 24], state
