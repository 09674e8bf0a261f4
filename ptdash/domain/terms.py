"""How long contracts run: terms, notice deadlines, ends, and what a contract is on a day."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, date, timedelta
from enum import StrEnum
from typing import Literal

from ptdash.domain.errors import Invalid

ONE_DAY = timedelta(days=1)
CONSUMER_NOTICE_MONTHS = 1


class BeyondCalendar(Invalid):
    message = "%(months)s months from %(day)s lie outside the years 1 to 9999."


class ContractState(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    NOTICE_GIVEN = "notice_given"
    ENDED = "ended"


@dataclass(frozen=True)
class Notice:
    """`ends_on` (inclusive) is set for an extraordinary notice and only there."""

    received_on: date
    kind: Literal["ordinary", "extraordinary"]
    ends_on: date | None = None
    withdrawn_on: date | None = None


@dataclass(frozen=True)
class ContractFacts:
    """Everything that decides how long a contract runs. `renewal_months` None: it ends with its first term."""

    starts_on: date
    term_months: int
    notice_months: int
    renewal_months: int | None
    is_consumer: bool = False
    notices: tuple[Notice, ...] = ()

    @property
    def first_term_ends_on(self) -> date:
        return term_end(self.starts_on, self.term_months)

    def deadline(self, term_ends_on: date) -> date:
        """The notice deadline of a term that ends on this day; a consumer never has more than one month."""
        months = CONSUMER_NOTICE_MONTHS if self.is_consumer else self.notice_months
        return notice_deadline(term_ends_on, months)


@dataclass(frozen=True)
class Term:
    """Its first and last day; a consumer's renewal has no last day."""

    starts_on: date
    ends_on: date | None


@dataclass(frozen=True)
class Lifecycle:
    """What a contract is on a day. All days are inclusive; `ends_on` is known once something fixed it."""

    state: ContractState
    term_starts_on: date
    term_ends_on: date | None
    notice_deadline: date | None
    renews_on: date | None
    ends_on: date | None


def add_months(day: date, months: int) -> date:
    """The same day number `months` later, or that month's last day where it lacks it (BGB 188 (2)-(3)).

    Raises BeyondCalendar.
    """
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise BeyondCalendar(day=day, months=months)
    return date(year, month0 + 1, min(day.day, _days_of(year, month0 + 1)))


def term_end(starts_on: date, months: int) -> date:
    """The last day of a term: the day before the corresponding day, or the last day of a month that lacks one
    (BGB 187 (2), 188 (2)-(3)). Not the same as `add_months` less a day: from 31 Aug six months reach to 28 Feb.
    """
    corresponding = add_months(starts_on, months)
    return corresponding if corresponding.day < starts_on.day else corresponding - ONE_DAY


def notice_deadline(term_ends_on: date, notice_months: int) -> date:
    """The latest day of receipt whose notice period is over by the term's last day (BGB 187 (1), 188).

    Weekends and holidays do not move it (BGH III ZR 172/04).
    """
    same_number = add_months(term_ends_on, -notice_months)
    if (term_ends_on + ONE_DAY).day > 1:
        return same_number
    # The whole month fits: its 29th to 31st are clamped to the last day of a shorter month.
    return same_number.replace(day=_days_of(same_number.year, same_number.month))


def terms(facts: ContractFacts) -> Iterator[Term]:
    """The contract's terms in order, as if no notice were ever given; endless where it renews itself.

    A renewal is counted from the end of the term before, never from the start (BGB 190). A consumer's is for
    an indefinite time (BGB 309 no. 9).
    """
    starts_on, months = facts.starts_on, facts.term_months
    while True:
        ends_on = term_end(starts_on, months)
        yield Term(starts_on, ends_on)
        if facts.renewal_months is None:
            return
        starts_on, months = ends_on + ONE_DAY, facts.renewal_months
        if facts.is_consumer:
            yield Term(starts_on, None)
            return


def term_on(facts: ContractFacts, day: date) -> Term:
    """The term that a day belongs to: the first one for days before it, the last one for days after it."""
    for term in terms(facts):
        if term.ends_on is None or day <= term.ends_on:
            break
    return term


def end_by_notice(facts: ContractFacts, notice: Notice) -> date:
    """The last day that one notice alone leads to.

    An extraordinary one names it. An ordinary one, received by the deadline of a term, ends the contract with
    that term, else with the next; without renewal with the only one. After a consumer's first term one month
    after receipt is enough (BGB 309 no. 9).
    """
    if notice.ends_on is not None:
        return notice.ends_on
    for term in terms(facts):
        if term.ends_on is None:
            return add_months(notice.received_on, CONSUMER_NOTICE_MONTHS)
        if notice.received_on <= facts.deadline(term.ends_on):
            return term.ends_on
    return facts.first_term_ends_on


def contract_end(facts: ContractFacts) -> date | None:
    """The last day that the facts fix, the earliest of several; None for a contract that goes on."""
    ends = [end_by_notice(facts, notice) for notice in facts.notices if notice.withdrawn_on is None]
    if facts.renewal_months is None:
        ends.append(facts.first_term_ends_on)
    return min(ends, default=None)


def ends_before(facts: ContractFacts) -> date | None:
    """The day after `contract_end`, as half-open ranges keep it; None for a contract that goes on."""
    end = contract_end(facts)
    return None if end is None else end + ONE_DAY


def known_on(facts: ContractFacts, day: date) -> ContractFacts:
    """The facts as they were on a day: notices received and withdrawn later are not known yet."""
    notices = tuple(
        replace(notice, withdrawn_on=None) if notice.withdrawn_on and notice.withdrawn_on > day else notice
        for notice in facts.notices
        if notice.received_on <= day
    )
    return replace(facts, notices=notices)


def withdrawn_too_late(facts: ContractFacts, notice: Notice) -> bool:
    """Whether the contract was already over when this notice of it was withdrawn; its last day is in time."""
    if notice.withdrawn_on is None:
        return False
    day = notice.withdrawn_on
    notices = known_on(facts, day).notices
    still_given = tuple(replace(n, withdrawn_on=None) if n.withdrawn_on == day else n for n in notices)
    end = contract_end(replace(facts, notices=still_given))
    return end is not None and day > end


def lifecycle(facts: ContractFacts, on: date) -> Lifecycle:
    """State, term and deadlines on a day, by the facts known on that day.

    Before its start a contract is a draft with its first term, after its end it has ended with its last one.
    """
    known = known_on(facts, on)
    ends_on = contract_end(known)
    term = term_on(known, on if ends_on is None else min(on, ends_on))
    return Lifecycle(
        state=_state(known, on, ends_on),
        term_starts_on=term.starts_on,
        term_ends_on=term.ends_on,
        notice_deadline=known.deadline(term.ends_on) if term.ends_on else None,
        renews_on=term.ends_on + ONE_DAY if term.ends_on and ends_on is None else None,
        ends_on=ends_on,
    )


def _state(known: ContractFacts, on: date, ends_on: date | None) -> ContractState:
    if on < known.starts_on:
        return ContractState.DRAFT
    if ends_on is not None and on > ends_on:
        return ContractState.ENDED
    if any(notice.withdrawn_on is None for notice in known.notices):
        return ContractState.NOTICE_GIVEN
    return ContractState.ACTIVE


def _days_of(year: int, month: int) -> int:
    return monthrange(year, month)[1]
