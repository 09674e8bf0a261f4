from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.minutes import billable_minutes
from ptdash.domain.periods import BERLIN
from ptdash.domain.walltime import (
    EndBeforeStart,
    EndGivenTwice,
    LongerThanADay,
    StartMissing,
    WallTimeNever,
    WallTimeTwice,
    WorkInFuture,
    WorkTimeMissing,
    berlin_instant,
    check_span,
    work_span,
)

WALL = datetime.fromisoformat  # wall times have no zone
NOW = datetime(2026, 11, 17, 10, 42, tzinfo=BERLIN)
TODAY = date(2026, 11, 17)


@given(st.datetimes(WALL("2020-01-01"), WALL("2030-01-01")), st.booleans())
def test_the_clock_shows_what_was_entered(wall, second):
    try:
        instant = berlin_instant(wall, second=second)
    except WallTimeNever:
        return
    assert instant.astimezone(BERLIN).replace(tzinfo=None) == wall


def test_a_time_that_exists_twice_asks_which_one():
    wall = WALL("2026-10-25T02:30")
    with pytest.raises(WallTimeTwice):
        berlin_instant(wall)
    first, second = (berlin_instant(wall, second=answer) for answer in (False, True))
    assert second - first == timedelta(hours=1)


def test_a_time_that_does_not_exist_is_refused():
    with pytest.raises(WallTimeNever):
        berlin_instant(WALL("2026-03-29T02:30"))


def test_work_over_the_night_of_the_clocks_counts_what_really_passed():
    start, end = work_span(date(2026, 10, 25), time(1, 30), time(3, 30), None, now=NOW)
    assert billable_minutes(start, end) == 180
    start, end = work_span(date(2026, 3, 29), time(1, 30), time(3, 30), None, now=NOW)
    assert billable_minutes(start, end) == 60


def test_minutes_alone_end_now():
    assert work_span(TODAY, None, None, 13, now=NOW) == (NOW - timedelta(minutes=13), NOW)


def test_minutes_from_a_start():
    start, end = work_span(TODAY, time(9), None, 90, now=NOW)
    assert (start, end) == (datetime(2026, 11, 17, 8, tzinfo=UTC), datetime(2026, 11, 17, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "minutes", "error"),
    [
        (None, None, None, WorkTimeMissing),
        (time(9), None, None, WorkTimeMissing),
        (None, time(9), None, StartMissing),
        (time(9), time(10), 30, EndGivenTwice),
    ],
)
def test_what_is_missing_or_too_much_is_said(start, end, minutes, error):
    with pytest.raises(error):
        work_span(TODAY, start, end, minutes, now=NOW)


def test_minutes_of_another_day_need_their_start():
    with pytest.raises(StartMissing):
        work_span(date(2026, 11, 16), None, None, 13, now=NOW)


def test_a_span_ends_after_its_start_and_not_in_the_future():
    with pytest.raises(EndBeforeStart):
        check_span(NOW, NOW, now=NOW)
    with pytest.raises(WorkInFuture):
        check_span(NOW, NOW + timedelta(minutes=6), now=NOW)
    check_span(NOW - timedelta(minutes=1), NOW + timedelta(minutes=4), now=NOW)


def test_more_than_a_day_has_to_be_confirmed():
    start = NOW - timedelta(hours=24, minutes=1)
    with pytest.raises(LongerThanADay):
        check_span(start, NOW, now=NOW)
    check_span(start, NOW, now=NOW, long_confirmed=True)
