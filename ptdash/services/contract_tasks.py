"""What contracts need of a manager now: decisions whose day comes near, and messages that are held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from sqlalchemy.orm import Session

from ptdash.services import outbox, renewals
from ptdash.services.renewals import Row

NEEDS_A_PERSON = (outbox.State.HELD, outbox.State.UNCLEAR, outbox.State.REFUSED)


@dataclass(frozen=True)
class Deadline:
    """The contracts that share a notice deadline."""

    day: date
    days_left: int
    rows: Sequence[Row]

    @property
    def net_cents(self) -> int:
        return sum(row.net_cents or 0 for row in self.rows)


@dataclass(frozen=True)
class ContractTasks:
    """`ending`: contracts without renewal that nobody decided about; `held`: messages that wait for a person."""

    ending: Sequence[Row]
    deadlines: Sequence[Deadline]
    held: int

    @property
    def count(self) -> int:
        return len(self.ending) + len(self.deadlines) + bool(self.held)


def needed(session: Session, today: date) -> ContractTasks:
    """What waits for a manager on a day, the nearest first."""
    asking = [row for row in renewals.load(session, today) if row.needs_decision]
    renewing = [row for row in asking if row.renews_itself]
    counts = outbox.counts(session)
    return ContractTasks(
        ending=[row for row in asking if not row.renews_itself],
        deadlines=[
            Deadline(day, (day - today).days, list(rows))
            for day, rows in groupby(renewing, key=lambda row: row.asks_on)
            if day is not None
        ],
        held=sum(counts.get(state, 0) for state in NEEDS_A_PERSON),
    )
