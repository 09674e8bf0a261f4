"""Every start day from 2024 to 2040, against calculations that walk from day to day as on a calendar."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptdash.domain.terms import (
    ContractFacts,
    ContractState,
    Lifecycle,
    Notice,
    add_months,
    contract_end,
    lifecycle,
    notice_deadline,
    term_end,
    terms,
)

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2040, 12, 31)
START_DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]


# Slow, and obviously right


@cache
def first_of_month_after(day, months):
    """Turn the page of the calendar `months` times."""
    while months:
        day += DAY
        if day.day == 1:
            months -= 1
    return day


@cache
def slow_add_months(day, months):
    """Look on that page for the day of the same number; stop on the last day of the page."""
    found = first_of_month_after(day, months)
    while found.day < day.day and (found + DAY).month == found.month:
        found += DAY
    return found


@cache
def slow_term_end(starts_on, months):
    """The day whose next day has the number of the first one; where the page lacks that number, its last day."""
    found = first_of_month_after(starts_on, months) - DAY
    while (found + DAY).day != starts_on.day:
        found += DAY
        if (found + DAY).day == 1:
            break
    return found


@cache
def slow_deadline(term_ends_on, months):
    """Go back from the last day until a notice of that day is over in time."""
    day = term_ends_on
    while slow_add_months(day, months) > term_ends_on:
        day -= DAY
    return day


def slow_terms(facts, until):
    """(first, last, deadline) of each term up to the one with the day `until`; a last term without an end."""
    found = [(facts.starts_on, slow_term_end(facts.starts_on, facts.term_months))]
    while facts.renewal_months and found[-1][1] is not None and found[-1][1] < until:
        first = found[-1][1] + DAY
        found.append((first, None if facts.is_consumer else slow_term_end(first, facts.renewal_months)))
    return [(first, last, last and slow_deadline(last, facts.notice_months)) for first, last in found]


def slow_end(facts, notice):
    if notice.kind == "extraordinary":
        return notice.ends_on
    all_terms = slow_terms(facts, notice.received_on + timedelta(days=1000))
    if facts.is_consumer and facts.renewal_months:
        return max(all_terms[0][1], slow_add_months(notice.received_on, 1))
    in_time = [last for _, last, deadline in all_terms if notice.received_on <= deadline]
    return in_time[0] if in_time else all_terms[-1][1]


def slow_lifecycle(facts, on):
    standing = []
    for notice in facts.notices:
        withdrawn = notice.withdrawn_on is not None and notice.withdrawn_on <= on
        if notice.received_on <= on and not withdrawn:
            standing.append(notice)
    ends = [slow_end(facts, notice) for notice in standing]
    if facts.renewal_months is None:
        ends.append(slow_terms(facts, on)[0][1])
    ends_on = sorted(ends)[0] if ends else None
    if on < facts.starts_on:
        state = ContractState.DRAFT
    elif ends and on > ends_on:
        state = ContractState.ENDED
    else:
        state = ContractState.NOTICE_GIVEN if standing else ContractState.ACTIVE
    first, last, deadline = slow_terms(facts, min([on, *ends]))[-1]
    renews_on = None if ends or last is None else last + DAY
    return Lifecycle(state, first, last, deadline, renews_on, ends_on)


# Every day


@pytest.mark.parametrize("months", [1, 2, 3, 6, 12, 24])
def test_the_end_of_a_term_from_every_day(months):
    for day in START_DAYS:
        assert term_end(day, months) == slow_term_end(day, months), day


@pytest.mark.parametrize("months", [1, 2, 6])
def test_the_same_day_some_months_later_for_every_day(months):
    for day in START_DAYS:
        assert add_months(day, months) == slow_add_months(day, months), day


@pytest.mark.parametrize("months", [1, 2, 3, 6])
def test_the_deadline_before_every_last_day(months):
    for day in START_DAYS:
        assert notice_deadline(day, months) == slow_deadline(day, months), day


@pytest.mark.parametrize(
    ("term_months", "renewal_months"),
    [(1, 1), (3, 3), (6, 6), (12, 12), (24, 12), (12, 1), (1, 6)],
)
def test_the_first_six_terms_from_every_day(term_months, renewal_months):
    for day in START_DAYS:
        facts = ContractFacts(day, term_months, 1, renewal_months)
        found = [(term.starts_on, term.ends_on) for term in islice(terms(facts), 6)]
        assert found[0][0] == day
        for (first, last), months in zip(found, [term_months, *[renewal_months] * 5], strict=True):
            assert last == slow_term_end(first, months), (day, first)
        assert [last + DAY for _, last in found[:-1]] == [first for first, _ in found[1:]], day


@pytest.mark.parametrize(("renewal_months", "is_consumer"), [(6, False), (None, False), (6, True)])
def test_lifecycle_around_each_turn_for_every_start_day(renewal_months, is_consumer):
    for day in START_DAYS:
        facts = ContractFacts(day, 6, 1, renewal_months, is_consumer)
        turns = [day - DAY, day]
        for first, last, deadline in slow_terms(facts, day + timedelta(days=370)):
            turns += [first, *((deadline, last, last + DAY) if last else ())]
        for on in turns:
            assert lifecycle(facts, on) == slow_lifecycle(facts, on), (day, on)


@pytest.mark.parametrize(("renewal_months", "is_consumer"), [(6, False), (None, False), (6, True)])
def test_notice_around_each_deadline_for_every_start_day(renewal_months, is_consumer):
    for day in START_DAYS:
        facts = ContractFacts(day, 6, 1, renewal_months, is_consumer)
        for _, _, deadline in slow_terms(facts, day + timedelta(days=300)):
            for received_on in (deadline, deadline + DAY) if deadline else (day + timedelta(days=400),):
                notice = Notice(received_on, "ordinary")
                found = contract_end(replace(facts, notices=(notice,)))
                assert found == slow_end(facts, notice), (day, received_on)


@pytest.mark.parametrize(
    "starts_on", [date(2024, 2, 29), date(2025, 8, 31), date(2026, 1, 15), date(2027, 11, 30)]
)
@pytest.mark.parametrize(("renewal_months", "is_consumer"), [(6, False), (None, False), (6, True)])
def test_every_day_of_receipt_seen_on_every_day(starts_on, renewal_months, is_consumer):
    facts = ContractFacts(starts_on, 6, 1, renewal_months, is_consumer)
    for received in range(-20, 420, 3):
        notice = Notice(starts_on + received * DAY, "ordinary")
        given_notice = replace(facts, notices=(notice,))
        for on in range(-25, 700, 19):
            day = starts_on + on * DAY
            assert lifecycle(given_notice, day) == slow_lifecycle(given_notice, day), (received, day)


# Anything at all


@st.composite
def facts_with_notices(draw):
    starts_on = draw(st.sampled_from(START_DAYS))
    is_consumer = draw(st.booleans())
    given_notices = []
    for _ in range(draw(st.integers(0, 3))):
        received_on = starts_on + draw(st.integers(-60, 900)) * DAY
        withdrawn_on = draw(st.none() | st.integers(0, 90).map(lambda n, day=received_on: day + n * DAY))
        ends_on = draw(st.none() | st.integers(0, 300).map(lambda n, day=received_on: day + n * DAY))
        kind = "extraordinary" if ends_on else "ordinary"
        given_notices.append(Notice(received_on, kind, ends_on, withdrawn_on))
    return ContractFacts(
        starts_on=starts_on,
        term_months=draw(st.integers(1, 24)),
        notice_months=1 if is_consumer else draw(st.integers(1, 6)),
        renewal_months=draw(st.none() | st.integers(1, 24)),
        is_consumer=is_consumer,
        notices=tuple(given_notices),
    )


@settings(max_examples=400, deadline=None)
@given(facts_with_notices(), st.integers(-100, 1400))
def test_lifecycle_of_any_facts_on_any_day(facts, days_on):
    on = facts.starts_on + days_on * DAY
    assert lifecycle(facts, on) == slow_lifecycle(facts, on)
