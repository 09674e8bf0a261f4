"""Where days lie on a timeline, in percent of its width."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from ptdash.domain.notices import Timing
from ptdash.domain.periods import month_of, next_month
from ptdash.domain.terms import ONE_DAY, ContractState, term_end
from ptdash.services.notices import Entered, Preview
from ptdash.services.renewals import ASKS_BEFORE_DEADLINE, Row

MONTHS = 12
LABELS_MOST = 6
HALF = 50
LABEL = 30


@dataclass(frozen=True)
class Mark:
    """A month's first day."""

    x: float
    month: date
    labelled: bool
    new_year: bool


@dataclass(frozen=True)
class Bar:
    x: float
    width: float


@dataclass(frozen=True)
class Scale:
    """The days from `first` up to but not including `until`."""

    first: date
    until: date

    def x(self, day: date) -> float:
        """Where a day begins; what lies outside is at the edge."""
        inside = min(max(day, self.first), self.until)
        return round(100 * (inside - self.first).days / (self.until - self.first).days, 2)

    def bar(self, first: date, until: date) -> Bar | None:
        """From the beginning of one day to that of another; None where nothing of it is seen."""
        start, end = self.x(first), self.x(until)
        return Bar(start, round(end - start, 2)) if end > start else None

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.until

    @property
    def marks(self) -> list[Mark]:
        months, month = [], self.first
        while month < self.until:
            months.append(month)
            month = next_month(month)
        every = ceil(len(months) / LABELS_MOST) if len(months) > MONTHS else 1
        return [
            Mark(self.x(month), month, place % every == 0, month.month == 1) for place, month in enumerate(months)
        ]


@dataclass(frozen=True)
class Strip:
    """One contract's row: its term, what follows by itself, the last days before the deadline, the marks.
    `window` is hot where its last thirty days have begun."""

    term: Bar | None
    following: Bar | None
    window: Bar | None
    hot: bool
    leaving: bool
    end: float | None
    deadline: float | None
    ends_label: bool


def year(today: date) -> Scale:
    """Twelve months from this one on."""
    first = month_of(today)
    return Scale(first, first.replace(year=first.year + 1))


def strip(row: Row, scale: Scale) -> Strip:
    life, today = row.known.life, row.today
    ends_on = life.ends_on or life.term_ends_on
    until = ends_on + ONE_DAY if ends_on else scale.until
    deadline = row.asks_on if row.renews_itself else None
    leaving = row.state is ContractState.NOTICE_GIVEN
    return Strip(
        term=scale.bar(life.term_starts_on, until),
        following=scale.bar(until, scale.until) if life.renews_on else None,
        window=scale.bar(deadline - timedelta(days=29), deadline + ONE_DAY) if deadline else None,
        hot=deadline is not None and deadline <= today + ASKS_BEFORE_DEADLINE,
        leaving=leaving,
        end=scale.x(until) if ends_on and scale.holds(until) else None,
        deadline=scale.x(deadline + ONE_DAY) if deadline and scale.holds(deadline) else None,
        ends_label=life.ends_on is not None,
    )


@dataclass(frozen=True)
class NoticeLine:
    """The timeline of a notice: the term, what comes or would have come after it, deadline, receipt and end."""

    marks: Sequence[Mark]
    term: Bar | None
    beyond: Bar | None
    goes_on: bool
    window: Bar | None
    deadline: float | None
    receipt: float
    end: float

    @property
    def receipt_left(self) -> bool:
        """Whether the label of the receipt stands on its left."""
        return self.receipt > HALF + 10

    @property
    def end_left(self) -> bool:
        return self.end > HALF

    @property
    def deadline_left(self) -> bool:
        """The label keeps clear of the receipt's pin, unless there is no room on the other side."""
        if self.deadline is None:
            return False
        return self.deadline > HALF + 20 or (self.receipt >= self.deadline and self.deadline > HALF - 25)

    @property
    def deadline_label(self) -> float | None:
        """Where the label of the deadline is tied: on the left of the receipt whose pin would run through it."""
        if self.deadline is None or not self.deadline_left or self.deadline - self.receipt > LABEL:
            return self.deadline
        return min(self.deadline, self.receipt)


def notice_line(found: Preview, entered: Entered) -> NoticeLine:
    verdict, term = found.verdict, found.verdict.term
    last = max(verdict.ends_on, _next_end(found), entered.received_on)
    first = term.starts_on if term.ends_on else month_of(entered.received_on) - timedelta(days=70)
    scale = Scale(month_of(min(first, entered.received_on)), next_month(last))
    until = min(term.ends_on or verdict.ends_on, max(verdict.ends_on, term.starts_on)) + ONE_DAY
    deadline = verdict.deadline if verdict.timing in (Timing.IN_TIME, Timing.TOO_LATE) else None
    goes_on = verdict.ends_on >= until
    return NoticeLine(
        marks=scale.marks,
        term=scale.bar(term.starts_on, until),
        beyond=scale.bar(until, verdict.ends_on + ONE_DAY if goes_on else last + ONE_DAY),
        goes_on=goes_on,
        window=scale.bar(deadline - timedelta(days=29), deadline + ONE_DAY) if deadline else None,
        deadline=scale.x(deadline + ONE_DAY) if deadline else None,
        receipt=scale.x(entered.received_on + ONE_DAY),
        end=scale.x(verdict.ends_on + ONE_DAY),
    )


def _next_end(found: Preview) -> date:
    """The end of the term after the one of the receipt, which a timely notice avoids."""
    facts, term = found.row.facts, found.verdict.term
    if term.ends_on is None or facts.renewal_months is None or facts.is_consumer:
        return found.verdict.ends_on
    return term_end(term.ends_on + ONE_DAY, facts.renewal_months)
