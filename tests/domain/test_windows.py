"""The maintenance window: every month from 2024 to 2040 against a calendar page, and its holidays."""

from calendar import monthcalendar
from datetime import date, timedelta

import pytest

from ptdash.domain.windows import CLOSES_AT, OPENS_AT, WindowRule, window

MONTHS = [date(year, month, 1) for year in range(2024, 2041) for month in range(1, 13)]


def slow_third_monday(month):
    mondays = [week[0] for week in monthcalendar(month.year, month.month) if week[0]]
    return month.replace(day=mondays[2])


def slow_monday_of_the_15ths_week(month):
    return next(month.replace(day=week[0]) for week in monthcalendar(month.year, month.month) if 15 in week)


@pytest.mark.parametrize(
    ("rule", "monday_of"),
    [(WindowRule.THIRD_MONDAY, slow_third_monday), (WindowRule.WEEK_OF_15TH, slow_monday_of_the_15ths_week)],
)
def test_the_window_is_monday_to_friday_of_its_week_in_every_month(rule, monday_of):
    for month in MONTHS:
        monday = monday_of(month)
        found = window(month, rule, {})
        assert found.days == tuple(monday + timedelta(days=n) for n in range(5)), month
        assert found.left_out == ()
        assert {day.month for day in found.days} == {month.month}


def test_the_window_is_open_from_seven_until_three():
    assert (OPENS_AT.isoformat("minutes"), CLOSES_AT.isoformat("minutes")) == ("07:00", "15:00")


def test_the_week_begins_with_the_third_monday_not_with_the_third_row_of_the_calendar():
    assert window(date(2026, 8, 1), WindowRule.THIRD_MONDAY, {}).days[0] == date(2026, 8, 17)
    assert window(date(2026, 9, 1), WindowRule.THIRD_MONDAY, {}).days[0] == date(2026, 9, 21)
    assert window(date(2026, 6, 1), WindowRule.THIRD_MONDAY, {}).days[0] == date(2026, 6, 15)


def test_a_15th_on_a_weekend_belongs_to_the_week_before_it():
    saturday, sunday = date(2026, 8, 1), date(2026, 2, 1)
    assert window(saturday, WindowRule.WEEK_OF_15TH, {}).days[-1] == date(2026, 8, 14)
    assert window(sunday, WindowRule.WEEK_OF_15TH, {}).days[-1] == date(2026, 2, 13)


def test_holidays_of_the_week_are_left_out_with_their_names():
    holidays = {
        date(2026, 12, 25): "Christmas",
        date(2026, 12, 26): "a Saturday",
        date(2026, 12, 1): "another week",
    }
    found = window(date(2026, 12, 1), WindowRule.THIRD_MONDAY, holidays)
    assert found.days == tuple(date(2026, 12, day) for day in (21, 22, 23, 24))
    assert found.left_out == ((date(2026, 12, 25), "Christmas"),)
