"""What a notice does to a contract, said before it is recorded."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Literal

from ptdash.domain.terms import (
    ONE_DAY,
    ContractFacts,
    Notice,
    Term,
    add_months,
    contract_end,
    end_by_notice,
    known_on,
    term_on,
    terms,
)


class Timing(StrEnum):
    """How a notice's receipt lies to the deadline of the term it falls into."""

    IN_TIME = "in_time"
    TOO_LATE = "too_late"
    ANY_TIME = "any_time"
    EXTRAORDINARY = "extraordinary"
    ENDS_ANYWAY = "ends_anyway"


@dataclass(frozen=True)
class Window:
    """Received between these days (last None: on any later day, too), a notice ends the contract on `ends_on`."""

    first: date
    last: date | None
    ends_on: date


@dataclass(frozen=True)
class Verdict:
    """`ends_on` is the contract's last day with this notice; `by_this` is the one that this notice alone leads to,
    later where another notice in force ends the contract first. `deadline` is that of the term of the receipt;
    `days_late` counts from it. `number` counts the terms from 1."""

    timing: Timing
    ends_on: date
    by_this: date
    term: Term
    number: int
    deadline: date | None
    days_late: int
    alternatives: tuple[Window, ...]


def assess(facts: ContractFacts, notice: Notice) -> Verdict:
    """What this notice, not yet among the contract's facts, would do, with the reckoning step by step."""
    with_it = replace(facts, notices=(*facts.notices, notice))
    ends_on = contract_end(with_it)
    assert ends_on is not None  # a notice always leads to an end
    term = term_on(facts, max(notice.received_on, facts.starts_on))
    number = 1 + next(place for place, found in enumerate(terms(facts)) if found == term)
    deadline = facts.deadline(term.ends_on) if term.ends_on else None
    late = max((notice.received_on - deadline).days, 0) if deadline else 0
    return Verdict(
        timing=_timing(facts, notice, deadline),
        ends_on=ends_on,
        by_this=end_by_notice(facts, notice),
        term=term,
        number=number,
        deadline=deadline,
        days_late=late,
        alternatives=() if notice.kind == "extraordinary" else _alternatives(facts, term),
    )


def end_without(facts: ContractFacts, notice: Notice) -> date | None:
    """The contract's last day without this notice, as its withdrawal leaves it; None where it goes on."""
    return contract_end(replace(facts, notices=tuple(known for known in facts.notices if known != notice)))


def withdrawable(facts: ContractFacts, on: date) -> bool:
    """A notice can be withdrawn while the contract still runs: its last day is in time."""
    end = contract_end(known_on(facts, on))
    return end is None or on <= end


def _timing(facts: ContractFacts, notice: Notice, deadline: date | None) -> Timing:
    kind: Literal["ordinary", "extraordinary"] = notice.kind
    if kind == "extraordinary":
        return Timing.EXTRAORDINARY
    if facts.renewal_months is None:
        return Timing.ENDS_ANYWAY
    if deadline is None:
        return Timing.ANY_TIME
    return Timing.IN_TIME if notice.received_on <= deadline else Timing.TOO_LATE


def _alternatives(facts: ContractFacts, term: Term) -> tuple[Window, ...]:
    """Received by this term's deadline, and after it until the next one's: when the contract would end."""
    if term.ends_on is None or facts.renewal_months is None:
        return ()
    following = next(found for found in terms(facts) if found.starts_on > term.starts_on)
    deadline = facts.deadline(term.ends_on)
    late_from = deadline + ONE_DAY
    if following.ends_on is None:
        first_late = max(add_months(late_from, 1), term.ends_on)
        return (Window(term.starts_on, deadline, term.ends_on), Window(late_from, None, first_late))
    return (
        Window(term.starts_on, deadline, term.ends_on),
        Window(late_from, facts.deadline(following.ends_on), following.ends_on),
    )
