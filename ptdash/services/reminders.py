"""Reminders before deadlines: once each, to every manager, and as open tasks until something is decided."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, ScalarSelect, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.documents import reminders as words
from ptdash.models import ContractReminder, Role, Setting, User
from ptdash.services import advice, outbox, renewals
from ptdash.services.outbox import Kind
from ptdash.services.renewals import Row

DAYS_BEFORE_DEADLINE = (30, 14, 3)
DAYS_BEFORE_END = (60, 30, 14, 3)
LOOKED_ON = "reminders.looked_on"


def due(session: Session, today: date, now: datetime) -> int:
    """Write the reminders that are due on a day and were not written yet; how many.

    Of several that were missed only the nearest is written. What needs no decision any more is done.
    """
    rows = [row for row in renewals.load(session, today) if row.asks_on]
    asking = [(row, days) for row in rows if not row.is_decided and (days := step(row))]
    _finish_all_but(session, [row.contract.id for row, _ in asking], today, now)
    fresh = [(row, days) for row, days in asking if _first(session, row, days, now)]
    advices = advice.of_customers(session, {row.contract.customer_id for row, _ in fresh}) if fresh else {}
    managers = _managers(session) if fresh else []
    for row, days in fresh:
        for manager in managers:
            _tell(session, row, days, manager, advices.get(row.contract.customer_id), now)
    return len(fresh)


def look_once_a_day(session: Session, today: date, now: datetime) -> int:
    """`due`, the first time it is asked on a day; whoever asks at the same time waits and finds it done."""
    looked = select(Setting.value).where(Setting.key == LOOKED_ON)
    if session.execute(looked).scalar_one_or_none() == today.isoformat():
        return 0
    taken = insert(Setting).values(key=LOOKED_ON, value=today.isoformat())
    claimed = session.execute(
        taken.on_conflict_do_update(
            index_elements=["key"],
            set_={"value": today.isoformat()},
            where=Setting.value != today.isoformat(),
        ).returning(Setting.key)
    ).scalar_one_or_none()
    return due(session, today, now) if claimed else 0


def step(row: Row) -> int | None:
    """The nearest reminder whose day has come: so many days before the deadline or the end."""
    days_left = row.days_left
    steps = DAYS_BEFORE_DEADLINE if row.renews_itself else DAYS_BEFORE_END
    return None if days_left is None else min((days for days in steps if days_left <= days), default=None)


def undecided(today: date | BindParameter[date]) -> ScalarSelect[int]:
    """Asks how many contracts wait for a decision that managers were reminded of."""
    waiting = select(func.count(ContractReminder.contract_id.distinct())).where(
        ContractReminder.done_at.is_(None), ContractReminder.deadline >= today
    )
    return waiting.scalar_subquery()


def finish(session: Session, contract_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Nothing is left to decide about a contract: its reminders are done."""
    session.execute(
        update(ContractReminder)
        .where(ContractReminder.contract_id == contract_id, ContractReminder.done_at.is_(None))
        .values(done_at=now, done_by_id=actor_id)
    )


def reopen(session: Session, contract_id: int, today: date) -> None:
    """What was settled by a notice is open again once the notice is withdrawn."""
    session.execute(
        update(ContractReminder)
        .where(ContractReminder.contract_id == contract_id, ContractReminder.deadline >= today)
        .values(done_at=None, done_by_id=None)
    )


def _finish_all_but(session: Session, asking: Sequence[int], today: date, now: datetime) -> None:
    session.execute(
        update(ContractReminder)
        .where(ContractReminder.done_at.is_(None), ContractReminder.contract_id.not_in(asking))
        .values(done_at=now)
    )


def _first(session: Session, row: Row, days: int, now: datetime) -> bool:
    """Whether this reminder is the first of its kind; the row that says so is kept."""
    values = {"contract_id": row.contract.id, "deadline": row.asks_on, "days": days, "reminded_at": now}
    statement = insert(ContractReminder).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(ContractReminder.days)).scalar_one_or_none() is not None


def _managers(session: Session) -> Sequence[User]:
    active = select(User).where(User.role == Role.MANAGER, User.active).order_by(User.id)
    return session.execute(active).scalars().all()


def _tell(
    session: Session, row: Row, days: int, manager: User, found: "advice.CustomerAdvice | None", now: datetime
) -> None:
    assert row.asks_on is not None and row.days_left is not None  # only what asks is told
    mail = words.reminder(
        contract=row.number,
        customer=row.name,
        day=row.asks_on,
        days_left=row.days_left,
        renews_itself=row.renews_itself,
        renews_on=row.known.life.renews_on,
        net_cents=row.net_cents,
        advice=found.advice if found else None,
        package=row.known.package,
    )
    outbox.write(
        session,
        once=f"reminder:{row.contract.id}:{row.asks_on}:{days}:{manager.id}",
        kind=Kind.REMINDER,
        recipient=manager.email,
        subject=mail.subject,
        body=mail.body,
        now=now,
    )
