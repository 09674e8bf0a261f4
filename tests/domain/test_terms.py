"""Terms, deadlines and ends: the examples of the rules, and what follows from them."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.terms import (
    BeyondCalendar,
    ContractFacts,
    ContractState,
    Lifecycle,
    Notice,
    add_months,
    contract_end,
    end_by_notice,
    known_on,
    lifecycle,
    notice_deadline,
    term_end,
    terms,
    withdrawn_too_late,
)

DAY = timedelta(days=1)
SUPPORT = ContractFacts(date(2026, 1, 1), term_months=6, notice_months=1, renewal_months=6)
YEARLY = ContractFacts(date(2026, 1, 1), term_months=12, notice_months=1, renewal_months=12)
WITHOUT_RENEWAL = replace(YEARLY, renewal_months=None)
CONSUMER = replace(SUPPORT, is_consumer=True)


def ordinary(received_on, withdrawn_on=None):
    return Notice(received_on, "ordinary", None, withdrawn_on)


def extraordinary(received_on, ends_on, withdrawn_on=None):
    return Notice(received_on, "extraordinary", ends_on, withdrawn_on)


def noticed(facts, *notices):
    return replace(facts, notices=notices)


# Terms


@pytest.mark.parametrize(
    ("starts_on", "months", "ends"),
    [
        (date(2025, 8, 31), 6, [date(2026, 2, 28), date(2026, 8, 31), date(2027, 2, 28)]),
        (date(2026, 1, 15), 6, [date(2026, 7, 14), date(2027, 1, 14)]),
        (date(2027, 3, 1), 12, [date(2028, 2, 29)]),
        (date(2024, 2, 29), 12, [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]),
        (date(2025, 11, 30), 3, [date(2026, 2, 28), date(2026, 5, 31), date(2026, 8, 31)]),
        (date(2026, 3, 30), 6, [date(2026, 9, 29), date(2027, 3, 29)]),
    ],
)
def test_each_term_is_counted_from_the_end_of_the_one_before(starts_on, months, ends):
    facts = ContractFacts(starts_on, months, 1, months)
    assert [term.ends_on for term in islice(terms(facts), len(ends))] == ends


def test_a_term_from_the_31st_is_longer_than_months_less_a_day():
    assert add_months(date(2025, 8, 31), 6) - DAY == date(2026, 2, 27)
    assert term_end(date(2025, 8, 31), 6) == date(2026, 2, 28)


def test_a_renewal_may_be_of_another_length_than_the_first_term():
    facts = ContractFacts(date(2026, 1, 31), 1, 1, 12)
    assert [term.ends_on for term in islice(terms(facts), 2)] == [date(2026, 2, 28), date(2027, 2, 28)]


@pytest.mark.parametrize(("day", "months"), [(date(9999, 6, 1), 7), (date(1, 3, 1), -3)])
def test_the_calendar_has_ends(day, months):
    with pytest.raises(BeyondCalendar):
        add_months(day, months)


# Deadlines


@pytest.mark.parametrize(
    ("term_ends_on", "deadline"),
    [
        (date(2026, 6, 30), date(2026, 5, 31)),
        (date(2026, 2, 28), date(2026, 1, 31)),
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2028, 2, 29), date(2028, 1, 31)),
        (date(2028, 2, 28), date(2028, 1, 28)),
        (date(2026, 3, 30), date(2026, 2, 28)),
        (date(2026, 7, 14), date(2026, 6, 14)),
    ],
)
def test_the_deadline_of_one_month(term_ends_on, deadline):
    assert notice_deadline(term_ends_on, 1) == deadline


def test_a_sunday_and_a_holiday_do_not_move_the_deadline():
    assert notice_deadline(date(2026, 6, 30), 1) == date(2026, 5, 31)  # a Sunday
    assert notice_deadline(date(2027, 1, 30), 1) == date(2026, 12, 30)
    assert notice_deadline(date(2027, 1, 25), 1) == date(2026, 12, 25)  # Christmas


# What a notice leads to


def test_notice_received_on_the_deadline_ends_with_the_term():
    assert end_by_notice(SUPPORT, ordinary(date(2026, 5, 31))) == date(2026, 6, 30)


def test_notice_received_a_day_late_ends_with_the_next_term():
    assert end_by_notice(SUPPORT, ordinary(date(2026, 6, 1))) == date(2026, 12, 31)


def test_notice_received_before_the_start_ends_with_the_first_term():
    assert end_by_notice(SUPPORT, ordinary(date(2025, 11, 3))) == date(2026, 6, 30)


def test_notice_of_a_period_longer_than_the_terms_ends_with_the_first_term_whose_deadline_it_meets():
    facts = ContractFacts(date(2026, 1, 1), term_months=1, notice_months=3, renewal_months=1)
    assert end_by_notice(facts, ordinary(date(2026, 1, 31))) == date(2026, 4, 30)
    assert end_by_notice(facts, ordinary(date(2026, 2, 1))) == date(2026, 5, 31)


def test_extraordinary_notice_ends_on_its_day_in_the_middle_of_a_term():
    facts = noticed(SUPPORT, extraordinary(date(2026, 10, 12), date(2026, 10, 20)))
    assert contract_end(facts) == date(2026, 10, 20)


def test_of_several_notices_the_earliest_end_counts():
    facts = noticed(SUPPORT, ordinary(date(2026, 3, 2)), extraordinary(date(2026, 4, 1), date(2026, 4, 15)))
    assert contract_end(facts) == date(2026, 4, 15)
    facts = noticed(SUPPORT, ordinary(date(2026, 3, 2)), extraordinary(date(2026, 4, 1), date(2026, 8, 15)))
    assert contract_end(facts) == date(2026, 6, 30)


def test_a_withdrawn_notice_leaves_the_others_in_force():
    facts = noticed(SUPPORT, ordinary(date(2026, 3, 2), date(2026, 3, 9)), ordinary(date(2026, 6, 2)))
    assert contract_end(facts) == date(2026, 12, 31)


def test_a_contract_without_notice_goes_on():
    assert contract_end(SUPPORT) is None
    assert contract_end(noticed(SUPPORT, ordinary(date(2026, 3, 2), date(2026, 3, 2)))) is None


def test_without_renewal_a_contract_ends_with_its_term():
    assert contract_end(WITHOUT_RENEWAL) == date(2026, 12, 31)
    assert contract_end(noticed(WITHOUT_RENEWAL, ordinary(date(2026, 12, 24)))) == date(2026, 12, 31)
    ended_early = noticed(WITHOUT_RENEWAL, extraordinary(date(2026, 4, 1), date(2026, 4, 15)))
    assert contract_end(ended_early) == date(2026, 4, 15)


@pytest.mark.parametrize(
    ("received_on", "ends_on"),
    [
        (date(2026, 2, 10), date(2026, 6, 30)),
        (date(2026, 5, 31), date(2026, 6, 30)),
        (date(2026, 6, 1), date(2026, 7, 1)),
        (date(2026, 6, 30), date(2026, 7, 30)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 3, 31), date(2028, 4, 30)),
    ],
)
def test_a_consumer_leaves_after_the_first_term_one_month_after_receipt(received_on, ends_on):
    assert end_by_notice(CONSUMER, ordinary(received_on)) == ends_on


def test_a_consumer_without_renewal_ends_with_the_first_term():
    facts = replace(WITHOUT_RENEWAL, is_consumer=True)
    assert contract_end(noticed(facts, ordinary(date(2026, 12, 24)))) == date(2026, 12, 31)


# Withdrawals


def test_a_notice_can_be_withdrawn_on_the_last_day_and_not_after_it():
    in_time, late = (ordinary(date(2026, 3, 2), day) for day in (date(2026, 6, 30), date(2026, 7, 1)))
    assert not withdrawn_too_late(noticed(SUPPORT, in_time), in_time)
    assert withdrawn_too_late(noticed(SUPPORT, late), late)


def test_a_notice_cannot_be_withdrawn_once_another_has_ended_the_contract():
    ended = extraordinary(date(2026, 4, 1), date(2026, 4, 15))
    late = ordinary(date(2026, 3, 2), date(2026, 5, 1))
    assert withdrawn_too_late(noticed(SUPPORT, ended, late), late)
    withdrawn = replace(ended, withdrawn_on=date(2026, 4, 10))
    assert not withdrawn_too_late(noticed(SUPPORT, withdrawn, late), late)


def test_without_renewal_a_notice_cannot_be_withdrawn_after_the_term():
    late = ordinary(date(2026, 3, 2), date(2027, 1, 1))
    assert withdrawn_too_late(noticed(WITHOUT_RENEWAL, late), late)
    standing = ordinary(date(2026, 3, 2))
    assert not withdrawn_too_late(noticed(WITHOUT_RENEWAL, standing), standing)


# Lifecycles


def in_the_first_term(state, **changes):
    known = Lifecycle(
        state=state,
        term_starts_on=date(2026, 1, 1),
        term_ends_on=date(2026, 6, 30),
        notice_deadline=date(2026, 5, 31),
        renews_on=date(2026, 7, 1),
        ends_on=None,
    )
    return replace(known, **changes)


def test_before_its_start_a_contract_is_a_draft_with_its_first_term():
    assert lifecycle(SUPPORT, date(2025, 12, 31)) == in_the_first_term(ContractState.DRAFT)


def test_a_running_contract_shows_its_current_term():
    assert lifecycle(SUPPORT, date(2026, 6, 30)) == in_the_first_term(ContractState.ACTIVE)
    assert lifecycle(SUPPORT, date(2026, 7, 1)) == Lifecycle(
        ContractState.ACTIVE, date(2026, 7, 1), date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 1), None
    )


def test_with_a_notice_nothing_renews_even_if_one_more_term_follows():
    facts = noticed(SUPPORT, ordinary(date(2026, 6, 10)))
    assert lifecycle(facts, date(2026, 6, 9)) == in_the_first_term(ContractState.ACTIVE)
    given = {"renews_on": None, "ends_on": date(2026, 12, 31)}
    assert lifecycle(facts, date(2026, 6, 10)) == in_the_first_term(ContractState.NOTICE_GIVEN, **given)
    assert lifecycle(facts, date(2026, 12, 31)).state is ContractState.NOTICE_GIVEN


def test_an_ended_contract_shows_its_last_term():
    facts = noticed(SUPPORT, extraordinary(date(2026, 10, 12), date(2026, 10, 20)))
    assert lifecycle(facts, date(2026, 10, 20)).state is ContractState.NOTICE_GIVEN
    assert lifecycle(facts, date(2029, 1, 1)) == Lifecycle(
        ContractState.ENDED,
        date(2026, 7, 1),
        date(2026, 12, 31),
        date(2026, 11, 30),
        None,
        date(2026, 10, 20),
    )


def test_a_notice_for_a_draft_leaves_it_a_draft_that_ends():
    facts = noticed(SUPPORT, ordinary(date(2025, 12, 1)))
    given = {"renews_on": None, "ends_on": date(2026, 6, 30)}
    assert lifecycle(facts, date(2025, 12, 24)) == in_the_first_term(ContractState.DRAFT, **given)


def test_a_withdrawal_is_not_known_before_its_day():
    facts = noticed(SUPPORT, ordinary(date(2026, 3, 2), date(2026, 3, 9)))
    assert lifecycle(facts, date(2026, 3, 8)).state is ContractState.NOTICE_GIVEN
    assert lifecycle(facts, date(2026, 3, 9)) == in_the_first_term(ContractState.ACTIVE)


def test_without_renewal_the_end_is_known_and_the_deadline_still_told():
    term = {"term_ends_on": date(2026, 12, 31), "notice_deadline": date(2026, 11, 30)}
    ends = {"renews_on": None, "ends_on": date(2026, 12, 31), **term}
    assert lifecycle(WITHOUT_RENEWAL, date(2026, 12, 31)) == in_the_first_term(ContractState.ACTIVE, **ends)
    assert lifecycle(WITHOUT_RENEWAL, date(2027, 1, 1)) == in_the_first_term(ContractState.ENDED, **ends)
    facts = noticed(WITHOUT_RENEWAL, ordinary(date(2026, 3, 2)))
    assert lifecycle(facts, date(2026, 3, 2)) == in_the_first_term(ContractState.NOTICE_GIVEN, **ends)


def test_a_consumers_first_term_renews_into_one_without_an_end():
    assert lifecycle(CONSUMER, date(2026, 6, 30)) == in_the_first_term(ContractState.ACTIVE)
    assert lifecycle(CONSUMER, date(2031, 6, 30)) == Lifecycle(
        ContractState.ACTIVE, date(2026, 7, 1), None, None, None, None
    )


def test_a_consumer_who_left_shows_the_term_without_an_end_as_the_last():
    facts = noticed(CONSUMER, ordinary(date(2027, 1, 31)))
    ended = Lifecycle(ContractState.ENDED, date(2026, 7, 1), None, None, None, date(2027, 2, 28))
    assert lifecycle(facts, date(2027, 3, 1)) == ended
    assert lifecycle(facts, date(2027, 2, 28)) == replace(ended, state=ContractState.NOTICE_GIVEN)


# What always holds

days = st.dates(date(2024, 1, 1), date(2040, 12, 31))
months = st.integers(1, 36)


@st.composite
def contracts(draw):
    facts = ContractFacts(
        starts_on=draw(days),
        term_months=draw(months),
        notice_months=draw(st.integers(1, 6)),
        renewal_months=draw(st.none() | months),
        is_consumer=draw(st.booleans()),
    )
    return replace(facts, notices=tuple(draw(st.lists(notices(facts.starts_on), max_size=3))))


@st.composite
def notices(draw, starts_on):
    received_on = starts_on + timedelta(days=draw(st.integers(-100, 1500)))
    withdrawn_on = draw(st.none() | st.integers(0, 200).map(lambda n: received_on + timedelta(days=n)))
    if draw(st.booleans()):
        return ordinary(received_on, withdrawn_on)
    ends_on = max(received_on, starts_on) + timedelta(days=draw(st.integers(0, 400)))
    return extraordinary(received_on, ends_on, withdrawn_on)


@given(contracts())
def test_terms_follow_each_other_without_gap_or_overlap(facts):
    first, *later = islice(terms(facts), 8)
    assert first.starts_on == facts.starts_on
    before = first
    for term in later:
        assert term.starts_on == before.ends_on + DAY
        before = term


@given(days, months)
def test_the_deadline_is_the_latest_day_whose_notice_period_fits(term_ends_on, notice_months):
    deadline = notice_deadline(term_ends_on, notice_months)
    assert add_months(deadline, notice_months) <= term_ends_on < add_months(deadline + DAY, notice_months)


@given(contracts(), days)
def test_an_ordinary_notice_that_comes_later_never_ends_a_contract_earlier(facts, received_on):
    end, later = (end_by_notice(facts, ordinary(day)) for day in (received_on, received_on + DAY))
    assert end <= later


@given(contracts(), st.randoms())
def test_the_order_of_notices_does_not_matter(facts, random):
    shuffled = replace(facts, notices=tuple(random.sample(facts.notices, len(facts.notices))))
    assert contract_end(shuffled) == contract_end(facts)


@given(contracts(), days)
def test_what_is_dated_after_the_day_does_not_change_what_is_known_on_it(facts, on):
    standing = [notice for notice in known_on(facts, on).notices if not notice.withdrawn_on]
    withdrawn_later = (replace(notice, withdrawn_on=on + DAY) for notice in standing)
    later = (ordinary(on + DAY), extraordinary(on + DAY, on + DAY), *withdrawn_later)
    kept = tuple(notice for notice in facts.notices if notice.withdrawn_on and notice.withdrawn_on <= on)
    assert lifecycle(replace(facts, notices=(*kept, *later)), on) == lifecycle(known_on(facts, on), on)


@given(contracts())
def test_without_withdrawals_a_contract_only_goes_forward(facts):
    facts = replace(facts, notices=tuple(replace(notice, withdrawn_on=None) for notice in facts.notices))
    order = list(ContractState)
    seen = [order.index(lifecycle(facts, facts.starts_on + timedelta(days=n)).state) for n in range(-50, 2000, 23)]
    assert seen == sorted(seen)


@given(contracts(), days)
def test_an_end_and_a_renewal_exclude_each_other(facts, on):
    known = lifecycle(facts, on)
    assert known.ends_on is None or known.renews_on is None
    if known.renews_on is not None:
        assert lifecycle(replace(facts, notices=()), known.renews_on).term_starts_on == known.renews_on
