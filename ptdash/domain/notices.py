"""What a notice does to a contract, said before it is recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import islice

from ptdash.domain.errors import Conflict, DomainError, Invalid
from ptdash.domain.terms import (
    CONSUMER_NOTICE_MONTHS,
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
    withdrawn_too_late,
)


class EndMissing(Invalid):
    message = "An extraordinary notice needs the contract's last day."


class EndNotAllowed(Invalid):
    message = "The end of an ordinary notice follows from the term. Leave this empty."


class EndBeforeReceipt(Invalid):
    message = "%(ends_on)s is before the notice was received."


class EndBeforeContract(Invalid):
    message = "Contract %(contract)s starts on %(starts_on)s; it cannot end on %(ends_on)s."


class WithdrawnTooLate(Conflict):
    message = "Contract %(contract)s had ended by %(day)s. Only while it runs can it be withdrawn."


class Timing(StrEnum):
    """How a notice's receipt lies to the deadline of the term it falls into."""

    IN_TIME = "in_time"
    TOO_LATE = "too_late"
    ANY_TIME = "any_time"
    EXTRAORDINARY = "extraordinary"
    ENDS_ANYWAY = "ends_anyway"


@dataclass(frozen=True)
class Window:
    """Received between these days, a notice ends the contract on `ends_on`. `first` None: on any earlier day, too;
    `last` None: on any later day, a month after which the contract ends (`ends_on` is the earliest of these)."""

    first: date | None
    last: date | None
    ends_on: date

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Verdict:
    """`ends_on` is the contract's last day with this notice; `by_this` is the one that this notice alone leads to,
    later where another notice in force ends the contract first. `deadline` is that of the term of the receipt;
    `days_late` counts from it. `number` counts the terms from 1, `last_number` is that of the contract's last
    term. `alternatives` are the two ways that this term leaves."""

    timing: Timing
    ends_on: date
    by_this: date
    term: Term
    number: int
    last_number: int
    deadline: date | None
    days_late: int
    alternatives: tuple[Window, ...]


class StepKind(StrEnum):
    """What a step of the reckoning says; after it what its count means."""

    START = "start"  # months of the first term
    TERM = "term"  # number of the term
    DEADLINE = "deadline"  # months of notice
    RECEIPT = "receipt"  # days after the deadline, -1 for well in time
    FIRST_TERM_OVER = "first_term_over"
    MONTH_LATER = "month_later"  # months after the receipt
    ONLY_TERM = "only_term"
    NAMED_END = "named_end"
    EARLIER = "earlier"


@dataclass(frozen=True)
class Step:
    kind: StepKind
    day: date
    count: int = 0


def faults(notice: Notice) -> Iterator[DomainError]:
    """What is wrong with a notice by itself: EndMissing, EndNotAllowed, EndBeforeReceipt."""
    if notice.kind == "extraordinary" and notice.ends_on is None:
        yield EndMissing()
    if notice.kind == "ordinary" and notice.ends_on is not None:
        yield EndNotAllowed()
    if notice.ends_on and notice.ends_on < notice.received_on:
        yield EndBeforeReceipt(ends_on=notice.ends_on)


def faults_with(notice: Notice, contract: str, facts: ContractFacts) -> Iterator[DomainError]:
    """What does not fit between a notice and its contract, whose facts hold it where it is withdrawn:
    EndBeforeContract, WithdrawnTooLate."""
    if notice.ends_on and notice.ends_on < facts.starts_on:
        yield EndBeforeContract(contract=contract, starts_on=facts.starts_on, ends_on=notice.ends_on)
    if withdrawn_too_late(facts, notice):
        yield WithdrawnTooLate(contract=contract, day=notice.withdrawn_on)


def assess(facts: ContractFacts, notice: Notice) -> Verdict:
    """What this notice, not yet among the contract's facts, would do, with the reckoning step by step."""
    ends_on = contract_end(replace(facts, notices=(*facts.notices, notice)))
    assert ends_on is not None  # a notice always leads to an end
    term = term_on(facts, max(notice.received_on, facts.starts_on))
    deadline = facts.deadline(term.ends_on) if term.ends_on else None
    late = max((notice.received_on - deadline).days, 0) if deadline else 0
    timing = _timing(facts, notice, deadline)
    return Verdict(
        timing=timing,
        ends_on=ends_on,
        by_this=end_by_notice(facts, notice),
        term=term,
        number=_place(facts, term),
        last_number=_place(facts, term_on(facts, ends_on)),
        deadline=deadline,
        days_late=late,
        alternatives=_alternatives(facts, notice, timing),
    )


def reckoning(facts: ContractFacts, notice: Notice, verdict: Verdict) -> tuple[Step, ...]:
    """How the end follows from the contract and the receipt, step by step."""
    late = verdict.days_late if verdict.deadline and notice.received_on >= verdict.deadline else -1
    start, receipt = Step(StepKind.START, facts.starts_on, facts.term_months), notice.received_on
    steps = [start]
    match verdict.timing:
        case Timing.EXTRAORDINARY:
            steps += [Step(StepKind.RECEIPT, receipt, -1), Step(StepKind.NAMED_END, verdict.by_this)]
        case Timing.ENDS_ANYWAY:
            steps += [Step(StepKind.ONLY_TERM, verdict.by_this), Step(StepKind.RECEIPT, receipt, -1)]
        case Timing.ANY_TIME:
            steps += [
                Step(StepKind.FIRST_TERM_OVER, facts.first_term_ends_on),
                Step(StepKind.RECEIPT, receipt, -1),
                Step(StepKind.MONTH_LATER, verdict.by_this, CONSUMER_NOTICE_MONTHS),
            ]
        case _:
            assert verdict.term.ends_on and verdict.deadline  # in time or too late for a term with an end
            months = CONSUMER_NOTICE_MONTHS if facts.is_consumer else facts.notice_months
            steps += [
                Step(StepKind.TERM, verdict.term.ends_on, verdict.number),
                Step(StepKind.DEADLINE, verdict.deadline, months),
                Step(StepKind.RECEIPT, receipt, late),
            ]
            last = term_on(facts, verdict.by_this)
            if last.ends_on is None:
                steps.append(Step(StepKind.MONTH_LATER, verdict.by_this, CONSUMER_NOTICE_MONTHS))
            elif verdict.timing is Timing.TOO_LATE:
                steps.append(Step(StepKind.TERM, verdict.by_this, _place(facts, last)))
    if verdict.ends_on < verdict.by_this:
        steps.append(Step(StepKind.EARLIER, verdict.ends_on))
    return tuple(steps)


def windows(facts: ContractFacts) -> Iterator[Window]:
    """Every day of receipt, parted by where an ordinary notice received on it would end the contract."""
    first: date | None = None
    if facts.renewal_months is None:
        yield Window(None, None, facts.first_term_ends_on)
        return
    for term in terms(facts):
        if term.ends_on is None:
            assert first is not None  # an indefinite term follows one with an end
            yield Window(first, None, add_months(first, CONSUMER_NOTICE_MONTHS))
            return
        last = facts.deadline(term.ends_on)
        yield Window(first, last, term.ends_on)
        first = last + ONE_DAY


def without(facts: ContractFacts, notice: Notice) -> ContractFacts:
    """The facts as the withdrawal of this notice leaves them."""
    return replace(facts, notices=tuple(known for known in facts.notices if known != notice))


def withdrawable(facts: ContractFacts, on: date) -> bool:
    """A notice can be withdrawn while the contract still runs: its last day is in time."""
    end = contract_end(known_on(facts, on))
    return end is None or on <= end


def _timing(facts: ContractFacts, notice: Notice, deadline: date | None) -> Timing:
    if notice.kind == "extraordinary":
        return Timing.EXTRAORDINARY
    if facts.renewal_months is None:
        return Timing.ENDS_ANYWAY
    if deadline is None:
        return Timing.ANY_TIME
    return Timing.IN_TIME if notice.received_on <= deadline else Timing.TOO_LATE


def _place(facts: ContractFacts, term: Term) -> int:
    return 1 + next(place for place, found in enumerate(terms(facts)) if found == term)


def _alternatives(facts: ContractFacts, notice: Notice, timing: Timing) -> tuple[Window, ...]:
    """The window that the receipt lies in and the one beside it: the next one, or the one that was missed."""
    if timing not in (Timing.IN_TIME, Timing.TOO_LATE):
        return ()
    found = next(place for place, window in enumerate(windows(facts)) if notice.received_on in window)
    start = found - 1 if timing is Timing.TOO_LATE else found
    return tuple(islice(windows(facts), start, start + 2))
