"""The release of a month's result: a person looked at it, so its invoices may be sent."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict
from ptdash.domain.periods import format_month
from ptdash.models import Books, Run, User
from ptdash.services import audit, books, dispatch
from ptdash.services.books import POSTING_RUNS, PeriodState


class MonthNotClosed(Conflict):
    message = "The result of %(month)s cannot be released yet: not every customer is posted or set aside."


@dataclass(frozen=True)
class Release:
    """Who released a month's result, and when its last run was released."""

    at: datetime
    by: str


def release(session: Session, month: date, *, actor_id: int, now: datetime) -> int:
    """Release the result of a closed month for dispatch; how many runs were released, 0 if it was before.

    Raises MonthNotClosed, also while a run has not marked its end yet.
    """
    session.execute(select(Books.id).with_for_update())
    runs = session.execute(
        select(Run).where(Run.month == month, Run.kind.in_(POSTING_RUNS)).order_by(Run.id)
    ).scalars()
    unreleased = [run for run in runs if run.released_at is None]
    if books.state(session, month) is not PeriodState.CLOSED or any(run.finished_at is None for run in unreleased):
        raise MonthNotClosed(month=format_month(month))
    for run in unreleased:
        run.released_at, run.released_by_id = now, actor_id
    if unreleased:
        after = {"runs": [run.id for run in unreleased]}
        audit.record(session, "release", "period", format_month(month), actor_id=actor_id, now=now, after=after)
        session.flush()
        dispatch.let_go(session, now=now)
    return len(unreleased)


def released(session: Session, month: date) -> Release | None:
    """The release of a month's result; None while a run of it is not released.

    A later order for one customer is released by whoever gave it; it does not count as the month's release.
    """
    rows = session.execute(
        select(Run.kind, Run.released_at, User.name)
        .outerjoin(User, User.id == Run.released_by_id)
        .where(Run.month == month, Run.kind.in_(POSTING_RUNS))
    ).all()
    if not rows or any(row.released_at is None for row in rows):
        return None
    newest = max((row for row in rows if row.kind == "month"), key=lambda row: row.released_at)
    return Release(newest.released_at, newest.name)


def unreleased(session: Session) -> set[date]:
    """The months with a run that is not released."""
    waiting = select(Run.month).where(Run.kind.in_(POSTING_RUNS), Run.released_at.is_(None))
    return set(session.execute(waiting).scalars())
