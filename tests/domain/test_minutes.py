from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.minutes import billable_minutes, draw_minutes, included_minutes

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(1, 1), (59, 1), (60, 1), (61, 2), (178, 3), (759, 13), (3600, 60), (86_401, 1441)]
)
def test_a_begun_minute_counts_as_one(seconds, minutes):
    start = berlin("2026-09-22 09:23:35")
    assert (
        billable_minutes(start, (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(BERLIN)) == minutes
    )


def test_the_hour_that_exists_twice_is_worked_twice():
    assert billable_minutes(berlin("2026-10-25 01:30"), berlin("2026-10-25 03:30")) == 180


def test_the_hour_that_does_not_exist_is_not_worked():
    assert billable_minutes(berlin("2026-03-29 01:30"), berlin("2026-03-29 03:30")) == 60


def test_between_the_two_same_times_of_the_long_night_lies_an_hour():
    assert billable_minutes(berlin("2026-10-25 02:30", fold=0), berlin("2026-10-25 02:30", fold=1)) == 60


def test_a_time_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        billable_minutes(datetime(2026, 9, 1, 8), datetime(2026, 9, 1, 9))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("package", "days", "of", "minutes"), [(30, 21, 30, 21), (60, 21, 30, 42), (10, 1, 31, 1), (10, 31, 31, 10)]
)
def test_included_minutes_are_pro_rata_and_rounded_up(package, days, of, minutes):
    assert included_minutes(package, days, of) == minutes


def test_the_entry_that_crosses_the_limit_is_split():
    start = datetime(2026, 10, 2, 9, tzinfo=UTC)
    entries = [(start + timedelta(days=i), i, minutes) for i, minutes in enumerate((8, 15, 12, 9))]
    assert [(d.free, d.charged, d.left, d.charged_so_far) for d in draw_minutes(entries, 30)] == [
        (8, 0, 22, 0),
        (15, 0, 7, 0),
        (7, 5, 0, 5),
        (0, 9, 0, 14),
    ]


moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
entries = st.lists(st.tuples(moments, st.integers(1, 10_000), st.integers(1, 300)), unique_by=lambda e: e[1])


@given(entries, st.integers(0, 500), st.randoms())
def test_no_minute_is_lost_and_order_of_arrival_does_not_matter(drawn, included, random):
    draws = draw_minutes(drawn, included)
    total = sum(e[2] for e in drawn)
    assert sum(d.free for d in draws) == min(total, included)
    assert sum(d.free + d.charged for d in draws) == total
    assert sum(1 for d in draws if d.free and d.charged) <= 1
    shuffled = list(drawn)
    random.shuffle(shuffled)
    assert draw_minutes(shuffled, included) == draws


@given(moments, st.integers(1, 10**7))
def test_minutes_are_the_smallest_number_that_holds_the_seconds(start, seconds):
    minutes = billable_minutes(start, start + timedelta(seconds=seconds))
    assert (minutes - 1) * 60 < seconds <= minutes * 60
