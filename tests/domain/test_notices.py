"""What a notice does, said before it is recorded, held against the rules of terms."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ptdash.domain.notices import (
    EndBeforeContract,
    EndBeforeReceipt,
    EndMissing,
    EndNotAllowed,
    Timing,
    Window,
    assess,
    faults,
    faults_with,
    windows,
    withdrawable,
    without,
)
from ptdash.domain.terms import (
    ContractFacts,
    Notice,
    contract_end,
    end_by_notice,
    known_on,
    lifecycle,
    term_on,
    terms,
    withdrawn_too_late,
)

DAY = timedelta(days=1)
SUPPORT = ContractFacts(date(2024, 1, 1), term_months=6, notice_months=1, renewal_months=6)
YEARLY = ContractFacts(date(2026, 1, 1), term_months=12, notice_months=1, renewal_months=12)
WITHOUT_RENEWAL = replace(YEARLY, renewal_months=None)
CONSUMER = replace(SUPPORT, is_consumer=True)

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
MONTHS = st.integers(1, 26)
FACTS = st.builds(
    lambda starts_on, term, notice, renewal, is_consumer: ContractFacts(
        starts_on, term, 1 if is_consumer else notice, renewal, is_consumer
    ),
    DAYS,
    MONTHS,
    MONTHS,
    st.none() | MONTHS,
    st.booleans(),
)


def ordinary(received_on):
    return Notice(received_on, "ordinary")


@st.composite
def notice(draw, facts):
    received_on = facts.starts_on + timedelta(days=draw(st.integers(-60, 1500)))
    if draw(st.booleans()):
        return ordinary(received_on)
    ends_on = max(received_on, facts.starts_on) + timedelta(days=draw(st.integers(0, 400)))
    return Notice(received_on, "extraordinary", ends_on)


@st.composite
def contracts(draw, most_notices=3):
    """A contract with some notices, one a day, of which some are withdrawn while it runs."""
    facts = draw(FACTS)
    for _ in range(draw(st.integers(0, most_notices))):
        given_notice = draw(notice(facts))
        if any(known.received_on == given_notice.received_on for known in facts.notices):
            continue
        with_it = replace(facts, notices=(*facts.notices, given_notice))
        if draw(st.booleans()):
            on = given_notice.received_on + timedelta(days=draw(st.integers(0, 90)))
            if withdrawable(with_it, on):
                taken_back = replace(given_notice, withdrawn_on=on)
                with_it = replace(facts, notices=(*facts.notices, taken_back))
        facts = with_it
    return facts


# Examples


def test_on_the_deadline_it_ends_with_the_term():
    verdict = assess(SUPPORT, ordinary(date(2026, 5, 31)))
    assert (verdict.timing, verdict.ends_on) == (Timing.IN_TIME, date(2026, 6, 30))
    assert (verdict.number, verdict.last_number, verdict.deadline) == (5, 5, date(2026, 5, 31))
    assert verdict.days_late == 0


def test_a_day_late_it_ends_with_the_next_term():
    verdict = assess(SUPPORT, ordinary(date(2026, 6, 1)))
    assert (verdict.timing, verdict.ends_on) == (Timing.TOO_LATE, date(2026, 12, 31))
    assert (verdict.number, verdict.last_number, verdict.days_late) == (5, 6, 1)


@pytest.mark.parametrize("received_on", [date(2026, 5, 31), date(2026, 6, 1)])
def test_both_ways_of_a_term_are_told(received_on):
    assert assess(SUPPORT, ordinary(received_on)).alternatives == (
        Window(date(2025, 12, 1), date(2026, 5, 31), date(2026, 6, 30)),
        Window(date(2026, 6, 1), date(2026, 11, 30), date(2026, 12, 31)),
    )


def test_in_the_first_term_every_earlier_day_is_in_time():
    assert assess(SUPPORT, ordinary(date(2023, 12, 5))).alternatives[0].first is None


def test_a_notice_period_longer_than_the_terms_names_the_days_that_lead_there():
    facts = ContractFacts(date(2026, 1, 1), term_months=1, notice_months=3, renewal_months=1)
    verdict = assess(facts, ordinary(date(2026, 1, 15)))
    assert (verdict.timing, verdict.ends_on) == (Timing.TOO_LATE, date(2026, 4, 30))
    assert verdict.alternatives == (
        Window(date(2025, 12, 1), date(2025, 12, 31), date(2026, 3, 31)),
        Window(date(2026, 1, 1), date(2026, 1, 31), date(2026, 4, 30)),
    )


def test_a_consumer_may_leave_at_any_time_after_the_first_term():
    assert assess(CONSUMER, ordinary(date(2024, 5, 31))).ends_on == date(2024, 6, 30)
    late = assess(CONSUMER, ordinary(date(2024, 6, 1)))
    assert (late.timing, late.ends_on) == (Timing.TOO_LATE, date(2024, 7, 1))
    assert late.alternatives[1] == Window(date(2024, 6, 1), None, date(2024, 7, 1))
    later = assess(CONSUMER, ordinary(date(2026, 8, 31)))
    assert (later.timing, later.ends_on, later.deadline) == (Timing.ANY_TIME, date(2026, 9, 30), None)


def test_without_renewal_it_ends_anyway():
    verdict = assess(WITHOUT_RENEWAL, ordinary(date(2026, 3, 1)))
    assert (verdict.timing, verdict.ends_on) == (Timing.ENDS_ANYWAY, date(2026, 12, 31))
    assert verdict.alternatives == ()


def test_a_notice_with_a_later_end_than_another_changes_nothing():
    first = Notice(date(2026, 2, 1), "extraordinary", date(2026, 3, 15))
    verdict = assess(replace(SUPPORT, notices=(first,)), ordinary(date(2026, 2, 10)))
    assert (verdict.ends_on, verdict.by_this) == (date(2026, 3, 15), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("given_notice", "found"),
    [
        (Notice(date(2024, 3, 1), "ordinary"), []),
        (Notice(date(2024, 3, 1), "extraordinary", date(2024, 3, 1)), []),
        (Notice(date(2024, 3, 1), "extraordinary"), [EndMissing]),
        (Notice(date(2024, 3, 1), "ordinary", date(2024, 3, 2)), [EndNotAllowed]),
        (Notice(date(2024, 3, 1), "extraordinary", date(2024, 2, 29)), [EndBeforeReceipt]),
    ],
)
def test_what_is_wrong_with_a_notice_by_itself(given_notice, found):
    assert [type(fault) for fault in faults(given_notice)] == found


def test_a_contract_does_not_end_before_it_starts():
    given_notice = Notice(date(2023, 3, 1), "extraordinary", date(2023, 12, 31))
    assert [type(fault) for fault in faults_with(given_notice, "SV-1", SUPPORT)] == [EndBeforeContract]
    on_its_first_day = replace(given_notice, ends_on=SUPPORT.starts_on)
    assert not list(faults_with(on_its_first_day, "SV-1", SUPPORT))


# Properties


@given(st.data())
def test_the_assessed_end_is_the_contracts_end_with_the_notice(data):
    facts = data.draw(contracts())
    given_notice = data.draw(notice(facts))
    assume(all(known.received_on != given_notice.received_on for known in facts.notices))
    verdict = assess(facts, given_notice)
    assert verdict.ends_on == contract_end(replace(facts, notices=(*facts.notices, given_notice)))
    assert verdict.by_this == end_by_notice(facts, given_notice) >= verdict.ends_on
    assert list(terms(facts) if facts.renewal_months is None else islice(terms(facts), verdict.number))[
        verdict.number - 1
    ] == (verdict.term)


@given(FACTS, st.integers(-200, 3000))
def test_the_alternatives_hold_the_receipt_and_say_its_end(facts, days):
    received_on = facts.starts_on + timedelta(days=days)
    verdict = assess(facts, ordinary(received_on))
    if verdict.alternatives:
        one, two = verdict.alternatives
        mine = two if verdict.timing is Timing.TOO_LATE else one
        assert received_on in mine
        assert mine.ends_on == verdict.by_this or mine.last is None
        assert two.first == one.last + DAY


@given(FACTS)
def test_windows_part_the_days_of_receipt_and_each_day_ends_where_its_window_says(facts):
    found = list(islice(windows(facts), 5))
    assert found[0].first is None
    for one, two in pairwise(found):
        assert two.first == one.last + DAY
        assert one.ends_on < two.ends_on
    for window in found:
        first = window.first or facts.starts_on - timedelta(days=900)
        last = window.last or first + timedelta(days=900)
        for day in {first, min(first + DAY, last), first + (last - first) / 2, last}:
            ends_on = end_by_notice(facts, ordinary(day))
            assert ends_on == window.ends_on or (window.last is None and ends_on >= window.ends_on)
        assert end_by_notice(facts, ordinary(first)) == window.ends_on


@given(st.data())
def test_withdrawing_a_notice_restores_what_was_before(data):
    before = data.draw(contracts())
    given_notice = data.draw(notice(before))
    assume(all(known.received_on != given_notice.received_on for known in before.notices))
    with_it = replace(before, notices=(*before.notices, given_notice))
    assert contract_end(without(with_it, given_notice)) == contract_end(before)
    on = given_notice.received_on + timedelta(days=data.draw(st.integers(0, 120)))
    taken_back = replace(given_notice, withdrawn_on=on)
    withdrawn = replace(before, notices=(*before.notices, taken_back))
    assert contract_end(withdrawn) == contract_end(before)
    for later in (0, 1, 30, 400):
        day = on + timedelta(days=later)
        assert lifecycle(withdrawn, day) == lifecycle(before, day)


@given(st.data())
def test_withdrawable_says_what_the_import_holds(data):
    facts = data.draw(contracts(most_notices=2))
    given_notice = data.draw(notice(facts))
    assume(all(known.received_on != given_notice.received_on for known in facts.notices))
    on = given_notice.received_on + timedelta(days=data.draw(st.integers(0, 500)))
    still_given = replace(facts, notices=(*facts.notices, given_notice))
    taken_back = replace(given_notice, withdrawn_on=on)
    withdrawn = replace(facts, notices=(*facts.notices, taken_back))
    assume(all(known.withdrawn_on != on for known in facts.notices))
    assert withdrawable(still_given, on) != withdrawn_too_late(withdrawn, taken_back)


@given(FACTS, st.integers(0, 4000))
def test_every_day_of_a_life_is_in_exactly_one_term_and_a_deadline_before_its_terms_end(facts, days):
    day = facts.starts_on + timedelta(days=days)
    found = []
    for term in terms(facts):
        if term.starts_on > day:
            break
        if term.ends_on is None or day <= term.ends_on:
            found.append(term)
        if term.ends_on is None:
            break
    over = facts.renewal_months is None and day > facts.first_term_ends_on
    assert found == ([] if over else [term_on(facts, day)])
    shown = lifecycle(facts, day)
    if shown.term_ends_on:
        assert shown.notice_deadline < shown.term_ends_on
        if facts.notice_months < facts.term_months and facts.notice_months < (facts.renewal_months or 99):
            assert shown.term_starts_on <= shown.notice_deadline


@given(st.data())
def test_a_notice_that_is_not_received_yet_changes_nothing(data):
    facts = data.draw(contracts())
    given_notice = data.draw(notice(facts))
    with_it = replace(facts, notices=(*facts.notices, given_notice))
    day = given_notice.received_on - DAY
    assert known_on(with_it, day) == known_on(facts, day)
