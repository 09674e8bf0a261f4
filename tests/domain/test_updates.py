"""What may follow what in an update's life, what a check and an approval need, which version closes which."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.acceptance import Answer, ItemState, NoteMissing
from ptdash.domain.updates import (
    TRANSITIONS,
    UNDECIDED,
    Checked,
    ChecksOpen,
    DayNotAhead,
    FailedPoints,
    FailureNoteMissing,
    Named,
    NotChecked,
    OwnTestApproved,
    PlaceMissing,
    ReasonMissing,
    Result,
    State,
    StepRefused,
    check_approval,
    check_deferral,
    check_finish,
    check_reason,
    check_step,
    closes,
    is_newer,
    key,
    state_on,
    version_parts,
)

TODAY = date(2026, 11, 17)
STATES = st.sampled_from(list(State))
DAYS = st.integers(-400, 400).map(lambda days: TODAY + timedelta(days=days))
ANSWERS = st.lists(
    st.builds(Answer, st.integers(1, 9), st.sampled_from(list(ItemState)), st.sampled_from(["", " ", "Notiz"])),
    max_size=8,
)
NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=5)
WORDS = st.text("aä KB1.-|", max_size=8)
NAMED = st.builds(Named, WORDS, WORDS, WORDS, WORDS, st.none() | DAYS)
CHECKED = st.builds(Checked, st.sampled_from(["1", "2"]), st.sampled_from(list(Result)), st.integers(1, 3))


@given(st.lists(STATES, min_size=1, max_size=12))
def test_no_way_through_the_states_leads_to_approval_but_through_the_test(path: list[State]) -> None:
    reached = [State.DETECTED]
    for target in path:
        try:
            check_step(reached[-1], target)
        except StepRefused:
            continue
        reached.append(target)
    for before, after in pairwise(reached):
        assert after in TRANSITIONS[before]
        assert after is not State.APPROVED or before is State.IN_TEST
        assert after is not State.WITHDRAWN or before is State.APPROVED


def test_what_is_rejected_superseded_or_withdrawn_is_at_its_end() -> None:
    ends = {state for state, further in TRANSITIONS.items() if not further}
    assert ends == {State.REJECTED, State.SUPERSEDED, State.WITHDRAWN}
    assert set(TRANSITIONS) == set(State)


@given(st.sampled_from(sorted(UNDECIDED - {State.DEFERRED})), DAYS, DAYS)
def test_what_was_deferred_is_back_where_it_was_from_its_day_on_and_not_before(
    was: State, until: date, today: date
) -> None:
    assert state_on(State.DEFERRED, was, until, today) is (was if today >= until else State.DEFERRED)


@given(STATES, DAYS)
def test_only_a_deferred_update_comes_back_by_itself(state: State, today: date) -> None:
    if state is not State.DEFERRED:
        assert state_on(state, None, None, today) is state


@given(st.none() | DAYS)
def test_an_update_is_deferred_until_a_day_that_is_still_to_come(until: date | None) -> None:
    if until is not None and until > TODAY:
        assert check_deferral(until, TODAY) == until
    else:
        with pytest.raises(DayNotAhead):
            check_deferral(until, TODAY)


def test_a_reason_is_more_than_room() -> None:
    assert check_reason("  Blauer Bildschirm ") == "Blauer Bildschirm"
    with pytest.raises(ReasonMissing):
        check_reason(" \n ")


@given(ANSWERS, st.sampled_from([Result.PASSED, Result.FAILED]), st.sampled_from(["", " ", "TEST-01"]))
def test_a_check_passes_only_with_every_point_answered_none_failed_and_a_place(
    answers: list[Answer], result: Result, tested_on: str
) -> None:
    states = {answer.state for answer in answers}
    try:
        check_finish(answers, result, tested_on=tested_on, note="Drucker stumm")
    except NoteMissing:
        assert any(a.state in (ItemState.FAILED, ItemState.NOT_APPLICABLE) and not a.note.strip() for a in answers)
    except PlaceMissing:
        assert result is Result.PASSED and not tested_on.strip()
    except ChecksOpen:
        assert result is Result.PASSED and (not answers or ItemState.OPEN in states)
    except FailedPoints:
        assert result is Result.PASSED and ItemState.FAILED in states
    else:
        if result is Result.PASSED:
            assert answers and tested_on.strip() and not states & {ItemState.OPEN, ItemState.FAILED}


def test_a_failed_check_says_what_went_wrong_even_with_points_still_open() -> None:
    half = [Answer(1, ItemState.PASSED), Answer(2, ItemState.OPEN)]
    check_finish(half, Result.FAILED, tested_on="", note="Bootet nicht mehr")
    with pytest.raises(FailureNoteMissing):
        check_finish(half, Result.FAILED, tested_on="TEST-01", note=" ")


@given(st.sampled_from(["1", "2"]), st.none() | CHECKED, st.integers(1, 3), st.booleans())
def test_an_approval_rests_on_a_passed_check_of_just_this_version_by_somebody_else(
    version: str, newest: Checked | None, approver: int, four_eyes: bool
) -> None:
    try:
        check_approval(version, newest, approver_id=approver, four_eyes=four_eyes)
    except NotChecked:
        assert newest is None or (newest.result, newest.version) != (Result.PASSED, version)
    except OwnTestApproved:
        assert newest is not None and four_eyes and newest.tester_id == approver
    else:
        assert newest is not None and (newest.result, newest.version) == (Result.PASSED, version)
        assert not four_eyes or newest.tester_id != approver


@given(NAMED, NAMED)
def test_an_update_closes_only_what_is_older_and_never_is_closed_by_it(one: Named, other: Named) -> None:
    assert not closes(one, one)
    assert not (closes(one, other) and closes(other, one))


@given(NUMBERS, NUMBERS, st.sampled_from(["", " ESR", "-beta"]))
def test_versions_are_compared_number_by_number(one: list[int], other: list[int], rest: str) -> None:
    mine, others = (".".join(map(str, numbers)) + rest for numbers in (one, other))
    width = max(len(one), len(other))
    padded = [numbers + [0] * (width - len(numbers)) for numbers in (one, other)]
    expected = None if padded[0] == padded[1] else padded[0] > padded[1]
    assert is_newer(mine, others) is expected


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("142.0.7444.163", "142.0.7444.59", True),
        ("v12.3.2-4165", "12.3.1-1139", True),
        ("140.5.0", "140.5", None),
        ("24H2", "25H2", False),
        ("24H2", "23H2", True),
        ("140.5 ESR", "141.0", None),
        ("KB5068861", "KB5066835", None),
        ("2026-11", "2026-10", True),
    ],
)
def test_versions_as_vendors_write_them(one: str, other: str, newer: bool | None) -> None:
    assert is_newer(one, other) is newer


def test_where_versions_cannot_be_compared_the_later_release_closes_the_earlier() -> None:
    old = Named("Microsoft", "Kumulatives Update", "KB1", released_on=date(2026, 10, 13))
    new = Named("microsoft", "Kumulatives  Update".replace("  ", " "), "KB2", released_on=date(2026, 11, 10))
    assert closes(new, old)
    assert not closes(old, new)
    assert not closes(Named("Mozilla", "Kumulatives Update", "KB2", released_on=date(2026, 11, 10)), old)


@given(NAMED)
def test_the_same_update_is_known_again_however_it_is_spelt(update: Named) -> None:
    shouted = Named(
        update.vendor.upper(), update.title.upper(), f" {update.version.upper()} ", update.kb_number.upper()
    )
    assert key(shouted) == key(update)


def test_a_version_without_a_number_cannot_be_compared() -> None:
    assert version_parts("Sammelupdate") is None
    assert version_parts("v1.2.0") == ((1, 2), "")
