"""Deadlines in business hours: the rules as sentences, then against a clock that is asked minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptdash.domain.deadlines import BusinessHours, Clock, Deadline, NoBusinessHours, Pause, Target, deadline, due
from ptdash.domain.tickets import OPEN_STATUSES, Priority, Status

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR, WHIT_MONDAY = date(2026, 1, 1), date(2026, 5, 25)
OFFICE = BusinessHours(range(5), time(8), time(17), BERLIN, frozenset({NEW_YEAR, WHIT_MONDAY}))
TARGETS = {priority: Target(60, 240) for priority in Priority}
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def reached(start: str, minutes: int, *pauses: tuple[str, str], hours: BusinessHours = OFFICE) -> str:
    found = due(at(start), minutes, [(at(begin), at(end)) for begin, end in pauses], hours)
    return found.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def test_an_hour_of_business_hours_is_an_hour() -> None:
    assert reached("2026-11-17 09:00", 60) == "2026-11-17 10:00"


def test_what_does_not_fit_into_the_day_goes_on_in_the_next_morning() -> None:
    assert reached("2026-11-17 16:30", 60) == "2026-11-18 08:30"


def test_what_just_fits_into_the_day_is_due_when_the_office_closes() -> None:
    assert reached("2026-11-17 16:00", 60) == "2026-11-17 17:00"


def test_a_weekend_does_not_count() -> None:
    assert reached("2026-11-20 16:30", 60) == "2026-11-23 08:30"


def test_a_public_holiday_does_not_count() -> None:
    assert reached("2026-05-22 16:30", 60) == "2026-05-26 08:30"


@pytest.mark.parametrize("start", ["2026-11-17 05:00", "2026-11-16 17:00", "2026-11-16 23:59"])
def test_who_asks_outside_business_hours_waits_from_the_next_opening_on(start: str) -> None:
    assert reached(start, 60) == "2026-11-17 09:00"


def test_who_asks_on_saturday_waits_from_monday_on() -> None:
    assert reached("2026-11-21 11:00", 60) == "2026-11-23 09:00"


def test_no_time_at_all_is_due_at_once_or_at_the_next_opening() -> None:
    assert reached("2026-11-17 09:00", 0) == "2026-11-17 09:00"
    assert reached("2026-11-17 19:00", 0) == "2026-11-18 08:00"


def test_the_days_of_the_clock_change_have_as_many_business_hours_as_others() -> None:
    always = BusinessHours(range(7), time(8), time(17), BERLIN)
    assert reached("2026-03-28 16:30", 60, hours=always) == "2026-03-29 08:30"
    assert reached("2026-10-24 16:30", 60, hours=always) == "2026-10-25 08:30"


def test_hours_that_span_the_night_of_the_clock_change_are_elapsed_hours() -> None:
    early = BusinessHours(range(7), time(1), time(9), BERLIN)
    assert reached("2026-03-29 01:00", 120, hours=early) == "2026-03-29 04:00"
    assert reached("2026-10-25 01:00", 120, hours=early) == "2026-10-25 02:00"


def test_waiting_for_the_customer_moves_the_deadline_by_the_business_hours_waited() -> None:
    assert reached("2026-11-17 09:00", 60, ("2026-11-17 09:30", "2026-11-17 11:00")) == "2026-11-17 11:30"
    assert reached("2026-11-17 16:30", 60, ("2026-11-17 16:45", "2026-11-18 09:00")) == "2026-11-18 09:45"


@pytest.mark.parametrize(
    "pause",
    [
        ("2026-11-17 18:00", "2026-11-18 07:00"),
        ("2026-11-21 09:00", "2026-11-22 15:00"),
        ("2026-11-17 07:00", "2026-11-17 08:00"),
        ("2026-11-17 12:00", "2026-11-17 12:00"),
    ],
    ids=["at night", "on a weekend", "before opening", "for no time"],
)
def test_waiting_outside_business_hours_moves_nothing(pause: tuple[str, str]) -> None:
    assert reached("2026-11-17 09:00", 2700, pause) == reached("2026-11-17 09:00", 2700)


def test_pauses_that_overlap_count_once_in_any_order() -> None:
    pauses = [("2026-11-17 10:00", "2026-11-17 12:00"), ("2026-11-17 11:00", "2026-11-17 13:00")]
    assert reached("2026-11-17 09:00", 120, *pauses) == "2026-11-17 14:00"
    assert reached("2026-11-17 09:00", 120, *reversed(pauses)) == "2026-11-17 14:00"


def test_a_pause_inside_another_changes_nothing() -> None:
    pauses = [("2026-11-17 10:00", "2026-11-17 13:00"), ("2026-11-17 11:00", "2026-11-17 12:00")]
    assert reached("2026-11-17 09:00", 120, *pauses) == "2026-11-17 14:00"


def test_without_business_hours_there_is_no_deadline() -> None:
    for hours in (
        BusinessHours((), time(8), time(17), BERLIN),
        BusinessHours(range(5), time(17), time(8), BERLIN),
        BusinessHours(range(5), time(8), time(8), BERLIN),
    ):
        with pytest.raises(NoBusinessHours):
            due(at("2026-11-17 09:00"), 1, [], hours)


def clock(status: Status, **more: object) -> Clock:
    return Clock(Priority.HIGH, status, at("2026-11-17 09:00"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES - {Status.WAITING_CUSTOMER}))
def test_until_the_first_reply_the_reply_is_due_then_the_solution(status: Status) -> None:
    asked, solved = at("2026-11-17 10:00"), at("2026-11-17 13:00")
    assert deadline(clock(status), TARGETS, OFFICE) == Deadline(asked, solved, asked)
    answered = clock(status, responded_at=at("2026-11-17 09:20"))
    assert deadline(answered, TARGETS, OFFICE) == Deadline(asked, solved, solved)


def test_while_it_waits_for_the_customer_nothing_is_due() -> None:
    assert deadline(clock(Status.WAITING_CUSTOMER), TARGETS, OFFICE) == Deadline(None, None, None)


def test_waiting_for_the_vendor_does_not_stop_the_clock() -> None:
    assert deadline(clock(Status.WAITING_VENDOR), TARGETS, OFFICE).due_at == at("2026-11-17 10:00")


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED, Status.MERGED])
def test_what_is_done_is_no_longer_due_but_keeps_what_it_was_measured_by(status: Status) -> None:
    found = deadline(clock(status), TARGETS, OFFICE)
    assert found.due_at is None
    assert found.resolution_due_at == at("2026-11-17 13:00")


def test_the_priority_decides_the_target() -> None:
    targets = TARGETS | {Priority.HIGH: Target(30, 60)}
    assert deadline(clock(Status.OPEN), targets, OFFICE).due_at == at("2026-11-17 09:30")


# Against the slow clock: from minute to minute, is it a business minute in which nobody waits for the customer?

DAYS = st.sampled_from(
    [
        date(2026, 3, 26),  # Thursday before the clocks go forward
        date(2026, 10, 23),  # Friday before they go back
        date(2026, 5, 22),  # Friday before Whit Monday
        date(2025, 12, 30),  # before New Year
        date(2026, 11, 17),
    ]
)
OPENINGS = st.sampled_from(
    [
        (range(5), time(8), time(17)),
        (range(7), time(0), time(4)),
        (range(7), time(1), time(23, 59)),
        ({1, 3, 6}, time(9, 15), time(11, 45)),
        ({6}, time(2), time(3, 30)),
    ]
)
OFFSETS = st.integers(0, 4 * 24 * 60)


@st.composite
def cases(draw: st.DrawFn) -> tuple[datetime, int, list[tuple[datetime, datetime]], BusinessHours]:
    midnight = datetime.combine(draw(DAYS), time(), BERLIN).astimezone(UTC)
    weekdays, opens, closes = draw(OPENINGS)
    hours = BusinessHours(weekdays, opens, closes, BERLIN, draw(st.sampled_from([(), {NEW_YEAR, WHIT_MONDAY}])))
    pauses = []
    for begin, length in draw(st.lists(st.tuples(OFFSETS, st.integers(0, 2000)), max_size=4)):
        zone = draw(st.sampled_from([UTC, BERLIN]))
        ends = [midnight + begin * MINUTE, midnight + (begin + length) * MINUTE]
        pauses.append((ends[0].astimezone(zone), ends[1].astimezone(zone)))
    start = (midnight + draw(OFFSETS) * MINUTE).astimezone(draw(st.sampled_from([UTC, BERLIN])))
    return start, draw(st.integers(1, 700)), pauses, hours


def slow_due(
    start: datetime, minutes: int, pauses: list[tuple[datetime, datetime]], hours: BusinessHours
) -> datetime:
    resting = [(begin.astimezone(UTC), end.astimezone(UTC)) for begin, end in pauses]
    minute = start.astimezone(UTC)
    while True:
        wall = minute.astimezone(BERLIN)
        works = (
            wall.weekday() in hours.weekdays
            and wall.date() not in hours.closed
            and hours.opens <= wall.time() < hours.closes
        )
        if works and not any(begin <= minute < end for begin, end in resting):
            minutes -= 1
        minute += MINUTE
        if not minutes:
            return minute


@settings(max_examples=300, deadline=None)
@given(cases())
def test_every_deadline_is_the_one_that_counting_minute_by_minute_finds(case: tuple) -> None:
    assert due(*case) == slow_due(*case)


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 3000))
def test_who_asks_later_is_never_due_earlier(case: tuple, later: int) -> None:
    start, minutes, pauses, hours = case
    after = (start.astimezone(UTC) + later * MINUTE).astimezone(start.tzinfo)
    assert due(start, minutes, pauses, hours) <= due(after, minutes, pauses, hours)


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 500))
def test_a_longer_target_and_a_further_pause_are_never_due_earlier(case: tuple, more: int) -> None:
    start, minutes, pauses, hours = case
    found = due(start, minutes, pauses, hours)
    assert found <= due(start, minutes + more, pauses, hours)
    pause: Pause = (start, start + more * MINUTE)
    assert found <= due(start, minutes, [*pauses, pause], hours)
