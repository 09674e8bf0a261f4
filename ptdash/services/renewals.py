"""What runs, renews and ends: every contract on a day with its decision, and the figures over all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import NotFound
from ptdash.domain.searching import fold
from ptdash.domain.terms import ONE_DAY, ContractState, term_end
from ptdash.models import Contract, ContractDecision
from ptdash.services import contracts
from ptdash.services.contracts import ContractOnDay

# A contract that renews itself asks before its notice deadline, one that does not before its end.
ASKS_BEFORE_DEADLINE = timedelta(days=30)
ASKS_BEFORE_END = timedelta(days=60)
SOON, LATER = timedelta(days=30), timedelta(days=90)
RUNNING = frozenset({ContractState.ACTIVE, ContractState.NOTICE_GIVEN})


@dataclass(frozen=True)
class Row:
    """A contract on the day `today`, what was decided about its term, and the contract that follows it."""

    known: ContractOnDay
    today: date
    decision: str | None = None
    successor: str | None = None

    @property
    def contract(self) -> Contract:
        return self.known.contract

    @property
    def number(self) -> str:
        return self.contract.number

    @property
    def name(self) -> str:
        return self.known.customer.name

    @property
    def state(self) -> ContractState:
        return self.known.life.state

    @property
    def renews_itself(self) -> bool:
        return self.contract.renewal_months is not None

    @property
    def net_cents(self) -> int | None:
        return self.known.monthly_net_cents

    @property
    def asks_on(self) -> date | None:
        """The day up to which something can still be decided: the notice deadline, or the end of a contract that
        does not renew itself. None where nothing is left to decide."""
        if self.state is not ContractState.ACTIVE:
            return None
        life = self.known.life
        day = life.notice_deadline if self.renews_itself else life.ends_on
        return day if day is not None and day >= self.today else None

    @property
    def days_left(self) -> int | None:
        return (self.asks_on - self.today).days if self.asks_on else None

    @property
    def next_term_ends_on(self) -> date | None:
        """The last day of the term that follows by itself; None where that is indefinite or nothing follows."""
        renews_on, months = self.known.life.renews_on, self.contract.renewal_months
        if renews_on is None or months is None or self.known.facts.is_consumer:
            return None
        return term_end(renews_on, months)

    @property
    def is_decided(self) -> bool:
        """A change is decided once the contract that follows is there."""
        return self.successor is not None or self.decision in ("renew", "let_end")

    @property
    def needs_decision(self) -> bool:
        ahead = ASKS_BEFORE_DEADLINE if self.renews_itself else ASKS_BEFORE_END
        return not self.is_decided and self.is_within(ahead)

    def is_within(self, span: timedelta) -> bool:
        """Whether its day to decide lies within so many days from today."""
        return self.asks_on is not None and self.asks_on <= self.today + span

    @property
    def order(self) -> tuple[int, date, str]:
        """What asks first comes first; then what runs on, then what was given notice of."""
        life = self.known.life
        if self.asks_on:
            return 0, self.asks_on, self.number
        if self.state is ContractState.NOTICE_GIVEN:
            return 2, life.ends_on or date.max, self.number
        return 1, life.term_ends_on or date.max, self.number


@dataclass(frozen=True)
class Figures:
    """Counts, and net cents a month. `lost_from` is the first day on which some of it is lost."""

    running: int
    soon: int
    soon_cents: int
    later: int
    later_cents: int
    notices: int
    lost_cents: int
    lost_from: date | None
    recurring_cents: int
    to_decide: int


def load(session: Session, today: date) -> list[Row]:
    """Every contract, in the order in which it asks for a decision; a constant number of queries."""
    decisions = {
        (row.contract_id, row.term_ends_on): row.decision
        for row in session.execute(select(ContractDecision)).scalars()
    }
    following = select(Contract.follows_id, Contract.number).where(Contract.follows_id.is_not(None))
    successors: dict[int | None, str] = dict(session.execute(following).all())
    rows = [
        Row(
            known,
            today,
            decisions.get((known.contract.id, known.life.term_ends_on or date.max)),
            successors.get(known.contract.id),
        )
        for known in contracts.on_day(session, today)
    ]
    return sorted(rows, key=_order)


def one(session: Session, number: str, today: date) -> Row:
    """One contract; raises NotFound."""
    found = contracts.on_day(session, today, Contract.number == number)
    if not found:
        raise NotFound(what=number)
    known = found[0]
    decided = session.get(ContractDecision, (known.contract.id, known.life.term_ends_on or date.max))
    following = select(Contract.number).where(Contract.follows_id == known.contract.id)
    successor = session.execute(following).scalar_one_or_none()
    return Row(known, today, decided.decision if decided else None, successor)


def figures(rows: Sequence[Row]) -> Figures:
    """The figures over all contracts."""
    running = [row for row in rows if row.state in RUNNING]
    soon = [row for row in running if row.is_within(SOON)]
    later = [row for row in running if row.is_within(LATER)]
    leaving = [row for row in running if row.state is ContractState.NOTICE_GIVEN]
    ends = [row.known.life.ends_on for row in leaving if row.known.life.ends_on]
    return Figures(
        running=len(running),
        soon=len(soon),
        soon_cents=_net(soon),
        later=len(later),
        later_cents=_net(later),
        notices=len(leaving),
        lost_cents=_net(leaving),
        lost_from=min(ends) + ONE_DAY if ends else None,
        recurring_cents=_net(running),
        to_decide=sum(row.needs_decision for row in running),
    )


def matching(rows: Iterable[Row], words: str = "", kind: str = "", within_days: int | None = None) -> list[Row]:
    """Those rows that hold every word (in contract number, customer's number or name), in their order."""
    wanted = fold(words).split()
    return [
        row
        for row in rows
        if (not kind or row.contract.kind == kind)
        and (within_days is None or row.is_within(timedelta(days=within_days)))
        and all(word in _text(row) for word in wanted)
    ]


def _order(row: Row) -> tuple[int, date, str]:
    return row.order


def _net(rows: Iterable[Row]) -> int:
    return sum(row.net_cents or 0 for row in rows)


def _text(row: Row) -> str:
    return fold(f"{row.number} {row.known.customer.number} {row.name}")
