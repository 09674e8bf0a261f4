"""The life of a ticket: every pair of states, and every way between them."""

from itertools import pairwise, product

import pytest

from ptdash.domain.tickets import (
    OPEN_STATUSES,
    TRANSITIONS,
    Status,
    StepNotAllowed,
    reachable,
    steps,
)

NEW, OPEN, IN_PROGRESS, SCHEDULED = Status.NEW, Status.OPEN, Status.IN_PROGRESS, Status.SCHEDULED
WAITING = (Status.WAITING_CUSTOMER, Status.WAITING_VENDOR)
RESOLVED, CLOSED, MERGED = Status.RESOLVED, Status.CLOSED, Status.MERGED

# Which states a ticket can be led to, written down a second time: nothing is closed that was not resolved before.
MAY_BECOME: dict[Status, set[Status]] = {
    NEW: {OPEN, IN_PROGRESS, SCHEDULED, *WAITING, RESOLVED, MERGED},
    OPEN: {IN_PROGRESS, SCHEDULED, *WAITING, RESOLVED, MERGED},
    IN_PROGRESS: {SCHEDULED, *WAITING, RESOLVED, MERGED},
    SCHEDULED: {IN_PROGRESS, *WAITING, RESOLVED, MERGED},
    Status.WAITING_CUSTOMER: {IN_PROGRESS, SCHEDULED, Status.WAITING_VENDOR, RESOLVED, MERGED},
    Status.WAITING_VENDOR: {IN_PROGRESS, SCHEDULED, Status.WAITING_CUSTOMER, RESOLVED, MERGED},
    RESOLVED: {OPEN, CLOSED, MERGED},
    CLOSED: set(),
    MERGED: set(),
}
PAIRS = list(product(Status, Status))


@pytest.mark.parametrize(("start", "target"), PAIRS, ids=lambda status: status.value)
def test_a_state_leads_where_the_life_of_a_ticket_allows_it_and_nowhere_else(
    start: Status, target: Status
) -> None:
    if start is not target and target not in MAY_BECOME[start]:
        with pytest.raises(StepNotAllowed):
            steps(start, target)
        return
    way = steps(start, target)
    assert (way[-1] if way else start) is target
    for before, after in pairwise([start, *way]):
        assert after in TRANSITIONS[before]


@pytest.mark.parametrize(("start", "target"), PAIRS, ids=lambda status: status.value)
def test_on_the_way_only_open_states_are_passed_and_none_twice(start: Status, target: Status) -> None:
    try:
        way = [start, *steps(start, target)]
    except StepNotAllowed:
        return
    assert set(way[1:-1]) <= OPEN_STATUSES
    assert len(set(way)) == len(way)


@pytest.mark.parametrize("start", list(Status), ids=lambda status: status.value)
def test_the_choices_of_a_ticket_are_exactly_the_states_that_it_can_be_led_to(start: Status) -> None:
    """Merging is a verb of its own."""
    assert set(reachable(start)) == MAY_BECOME[start] - {MERGED}


def test_a_new_ticket_is_opened_and_begun_before_it_waits() -> None:
    assert steps(NEW, Status.WAITING_CUSTOMER) == [OPEN, IN_PROGRESS, Status.WAITING_CUSTOMER]


def test_a_customers_reply_opens_a_resolved_ticket_again() -> None:
    assert steps(RESOLVED, OPEN) == [OPEN]


@pytest.mark.parametrize("end", [CLOSED, MERGED])
def test_what_is_closed_or_merged_stays_so(end: Status) -> None:
    assert TRANSITIONS[end] == frozenset()
    assert reachable(end) == []


def test_staying_is_no_step() -> None:
    assert all(steps(status, status) == [] for status in Status)


def test_six_states_are_open() -> None:
    assert set(OPEN_STATUSES) == {NEW, OPEN, IN_PROGRESS, SCHEDULED, *WAITING}
