"""What a cell of the matrix says, where an update is found, and how customers are called."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.matrix import NOTHING, Cell, Kind, Tab, Tally, cell, short_names, tab_of
from ptdash.domain.updates import ENDED, UNDECIDED, Result, State

DAY = date(2026, 11, 18)
TALLIES = st.builds(Tally, *[st.integers(0, 5)] * 3, st.just(DAY))
STATES = st.sampled_from(list(State))


@given(STATES, TALLIES, st.integers(0, 5), st.integers(0, 5))
def test_a_failure_is_never_hidden_and_nothing_is_called_done_that_is_not(
    state: State, tasks: Tally, affected: int, without_task: int
) -> None:
    made = cell(state, tasks, affected, without_task)
    if state is State.APPROVED and tasks.failed:
        assert (made.kind, made.n) == (Kind.FAILED, tasks.failed)
    elif state is State.APPROVED and without_task:
        assert (made.kind, made.n) == (Kind.NEW, without_task)
    if made.kind is Kind.DONE and state is State.APPROVED:
        assert tasks.done == tasks.total > 0
    if made.kind is Kind.PARTLY:
        assert 0 < made.n < made.of
    if made.kind in (Kind.WAITING, Kind.CLOSED):
        assert state is not State.APPROVED and made.n == affected > 0


@given(STATES, st.integers(1, 5))
def test_whom_an_update_concerns_shows_in_every_state(state: State, devices: int) -> None:
    assert cell(state, Tally(), devices, devices) != NOTHING


def test_where_nothing_runs_it_the_cell_is_empty() -> None:
    assert all(cell(state, Tally(), 0, 0) is NOTHING for state in State)


def test_a_planned_day_and_a_share_are_told() -> None:
    assert cell(State.APPROVED, Tally(3, 0, 0, DAY), 3, 0) == Cell(Kind.PLANNED, 3, 3, DAY)
    assert cell(State.APPROVED, Tally(2, 1, 0, DAY), 3, 0) == Cell(Kind.PARTLY, 1, 3, DAY)


@given(STATES, st.none() | st.sampled_from(list(Result)), st.booleans(), TALLIES)
def test_every_update_is_found_under_one_heading(
    state: State, newest: Result | None, testing: bool, tasks: Tally
) -> None:
    tab = tab_of(state, newest, testing, tasks)
    assert (tab is Tab.ALL) == (state is State.DEFERRED)
    assert (tab in (Tab.TO_TEST, Tab.TO_APPROVE)) == (state in UNDECIDED - {State.DEFERRED})
    if tab is Tab.TO_APPROVE:
        assert newest is Result.PASSED and not testing
    if state in ENDED:
        assert tab is Tab.DONE
    if tab is Tab.FAILED:
        assert tasks.failed


def test_customers_are_called_by_what_tells_them_apart() -> None:
    names = [
        "Müller Maschinenbau",
        "Bäckerei Brandt",
        "Autohaus Kessler KG",
        "Praxis Dr. Thaler",
        "Müller & Söhne",
    ]
    short = short_names((str(n), name) for n, name in enumerate(names))
    assert list(short.values()) == ["MÜL", "BRA", "KES", "THA", "MÜE"]


@given(st.lists(st.text("ABab ä&.1", max_size=6), max_size=30))
def test_no_two_customers_have_the_same_letters(names: list[str]) -> None:
    short = short_names((str(n), name) for n, name in enumerate(names))
    assert len(set(short.values())) == len(names)
    assert all(short.values())
