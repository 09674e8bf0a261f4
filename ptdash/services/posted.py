"""Months that are posted: what a fact that becomes known later makes of what they owe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid
from ptdash.domain.periods import month_of, next_month
from ptdash.domain.settlement import owed
from ptdash.models import Posting
from ptdash.services import facts, prices

T = TypeVar("T")


class ReachNotSeen(Conflict):
    message = "This reaches into months that are posted. Look at the difference first, then save."


class ReachReasonMissing(Invalid):
    message = "This reaches into months that are posted. Say why it is recorded only now."


@dataclass(frozen=True)
class PostedMonth:
    """A posted month that a later fact changes: what it owed and would owe (net cents)."""

    month: date
    before_cents: int
    after_cents: int

    @property
    def difference_cents(self) -> int:
        return self.after_cents - self.before_cents


@dataclass(frozen=True)
class Confirmed:
    """What a person has seen and says about it: the sum of the differences (net cents) and the reason."""

    seen_cents: int | None = None
    reason: str = ""


UNSEEN = Confirmed()


def first_open(session: Session, customer_id: int) -> date | None:
    """The first month of a customer that no posting holds; None where nothing was posted yet."""
    newest = session.execute(
        select(func.max(Posting.month)).where(
            Posting.customer_id == customer_id, func.month_is_held(Posting.customer_id, Posting.month)
        )
    ).scalar_one()
    return next_month(newest) if newest else None


def is_held(session: Session, customer_id: int, day: date) -> bool:
    """Whether a posting holds the day's month or a later one: what was billed from there on stays."""
    until = first_open(session, customer_id)
    return until is not None and month_of(day) < until


def lock(session: Session, customer_id: int) -> None:
    """Nothing of this customer is posted until the transaction ends."""
    session.execute(select(func.lock_customer_shared(customer_id)))


def changing(
    session: Session, customer_id: int, since: date, until: date | None, write: Callable[[], T]
) -> tuple[T, tuple[PostedMonth, ...]]:
    """Write a fact, and tell what it changes in the posted months from one day to another (half-open)."""
    months = _held(session, customer_id, since, until)
    before = [_owed_cents(session, customer_id, month) for month in months]
    written = write()
    session.flush()
    after = [_owed_cents(session, customer_id, month) for month in months]
    return written, tuple(map(PostedMonth, months, before, after))


def confirm(months: Sequence[PostedMonth], confirmed: Confirmed) -> int:
    """The sum of the differences, where a person has seen it and says why. Raises ReachNotSeen,
    ReachReasonMissing."""
    difference = sum(month.difference_cents for month in months)
    if months:
        if confirmed.seen_cents != difference:
            raise ReachNotSeen()
        if not confirmed.reason.strip():
            raise ReachReasonMissing()
    return difference


def foreseen(
    session: Session, customer_id: int, since: date, until: date | None, write: Callable[[], object]
) -> tuple[PostedMonth, ...]:
    """The same as `changing`, without keeping what was written."""
    nested = session.begin_nested()
    try:
        return changing(session, customer_id, since, until, write)[1]
    finally:
        nested.rollback()


def _held(session: Session, customer_id: int, since: date, until: date | None) -> Sequence[date]:
    held = select(Posting.month).where(
        Posting.customer_id == customer_id,
        Posting.month >= month_of(since),
        func.month_is_held(Posting.customer_id, Posting.month),
    )
    if until is not None:
        held = held.where(Posting.month < until)
    return session.execute(held.distinct().order_by(Posting.month)).scalars().all()


def _owed_cents(session: Session, customer_id: int, month: date) -> int:
    (loaded,) = facts.load(session, [customer_id], month)
    return owed(loaded.month, prices.valid_on(session, month).rates).net_cents
