"""What an inspection may be signed as, what a re-inspection takes over, and in which state a device is."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.acceptance import (
    CARRIED_FOR,
    Answer,
    DeviceFacts,
    DeviceState,
    Gate,
    ItemsOpen,
    ItemState,
    NoteMissing,
    Outcome,
    OutcomeExcluded,
    Verdict,
    carried,
    check_answer,
    check_signature,
    device_state,
    gate,
    outcomes,
)

TODAY = date(2026, 11, 17)
STATES = st.sampled_from(list(ItemState))
DAYS = st.integers(-200, 0).map(lambda days: TODAY + timedelta(days=days))
ANSWERS = st.lists(st.builds(Answer, st.just(1), STATES, st.text(), DAYS | st.none()), max_size=20)
FACTS = st.builds(DeviceFacts, *[st.booleans()] * 5)


@given(ANSWERS, st.sampled_from(list(Outcome)))
def test_whatever_can_be_signed_has_no_open_item_and_no_fault_is_plainly_accepted(
    answers: list[Answer], outcome: Outcome
) -> None:
    states = {answer.state for answer in answers}
    try:
        check_signature(answers, outcome)
    except ItemsOpen:
        assert ItemState.OPEN in states
    except OutcomeExcluded:
        assert (outcome, ItemState.FAILED in states) == (Outcome.ACCEPTED, True)
    else:
        assert ItemState.OPEN not in states
        assert outcome is not Outcome.ACCEPTED or ItemState.FAILED not in states
        assert outcome in outcomes(answers)


@given(ANSWERS)
def test_what_is_offered_is_what_can_be_signed(answers: list[Answer]) -> None:
    for outcome in outcomes(answers):
        check_signature(answers, outcome)


@given(ANSWERS)
def test_a_reinspection_asks_for_every_fault_and_takes_over_nothing_old(answers: list[Answer]) -> None:
    kept = carried(answers, TODAY)
    assert all(answer in answers for answer in kept)
    for answer in kept:
        assert answer.state in (ItemState.PASSED, ItemState.NOT_APPLICABLE)
        assert answer.answered_on is not None
        assert TODAY - answer.answered_on <= CARRIED_FOR
    asked = [answer for answer in answers if answer not in kept]
    assert {ItemState.FAILED, ItemState.OPEN}.isdisjoint(answer.state for answer in kept)
    assert len(asked) + len([answer for answer in answers if answer in kept]) == len(answers)


@given(ANSWERS, st.integers(0, 120))
def test_what_is_not_taken_over_today_is_not_taken_over_later(answers: list[Answer], days: int) -> None:
    later = carried(answers, TODAY + timedelta(days=days))
    assert all(answer in carried(answers, TODAY) for answer in later)


@pytest.mark.parametrize(("days", "kept"), [(0, 1), (90, 1), (91, 0)])
def test_ninety_days_are_within(days: int, kept: int) -> None:
    passed = Answer(1, ItemState.PASSED, answered_on=TODAY - timedelta(days=days))
    assert len(carried([passed], TODAY)) == kept


@pytest.mark.parametrize("state", list(ItemState))
def test_only_failed_and_not_applicable_need_a_note(state: ItemState) -> None:
    check_answer(state, "weil")
    if state in (ItemState.FAILED, ItemState.NOT_APPLICABLE):
        with pytest.raises(NoteMissing):
            check_answer(state, " ")
    else:
        check_answer(state, "")


@given(FACTS)
def test_every_device_is_in_one_state_and_the_first_that_fits_counts(facts: DeviceFacts) -> None:
    state = device_state(facts)
    assert (state is DeviceState.RETIRED) == facts.retired
    if not facts.retired:
        assert (state is DeviceState.IN_CONTRACT) == facts.in_contract
        if not facts.in_contract and not facts.inspecting:
            opens = facts.bought_from_us or facts.gate_open
            assert state is (DeviceState.ELIGIBLE if opens else DeviceState.PROPOSED)


def test_the_newest_verdict_up_to_the_day_decides() -> None:
    old = Verdict(TODAY - timedelta(days=10), "accepted")
    newer = Verdict(TODAY - timedelta(days=5), "refused")
    future = Verdict(TODAY + timedelta(days=1), "accepted")
    assert gate(False, [newer, old, future], TODAY) == (Gate.REFUSED, newer)
    assert gate(False, [old, newer], TODAY - timedelta(days=6)) == (Gate.OPEN, old)
    assert gate(False, [future], TODAY) == (Gate.MISSING, None)
    assert gate(True, [newer], TODAY) == (Gate.OPEN, None)


def test_a_revoked_verdict_opens_until_the_day_before() -> None:
    verdict = Verdict(TODAY, "accepted", TODAY + timedelta(days=3))
    assert gate(False, [verdict], TODAY + timedelta(days=2))[0] is Gate.OPEN
    assert gate(False, [verdict], TODAY + timedelta(days=3))[0] is Gate.REVOKED
