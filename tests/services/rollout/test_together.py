"""Two sessions at once: a withdrawal while somebody ticks off. Who comes second waits, and sees what happened."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text

from ptdash.db import db, transaction
from ptdash.domain.rollout import TaskStatus
from ptdash.models import RolloutTask, UpdateApproval, User
from ptdash.services.rollout import sweeping, ticking, verifying
from ptdash.services.rollout.ticking import Step
from ptdash.services.updates import approving
from tests.services.rollout.house import FIRST, IN_WINDOW, TODAY, House, utc

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
PATIENCE = 20


@pytest.fixture
def task_id(app: Flask) -> int:
    with app.app_context():
        with transaction() as session:
            house = House(session)
            house.customer(2)
            house.approved()
            found = house.tasks()[0].id
        db.session.remove()
    return found


def in_session(app: Flask, work: Callable) -> None:
    with app.app_context():
        try:
            with transaction() as session:
                work(session)
        finally:
            db.session.remove()


def tick(session, task_id: int) -> None:
    actor = session.query(User).filter_by(name="Tarek Kaya").one()
    step = Step(TaskStatus.INSTALLED)
    ticking.tick(session, [task_id], step, actor=actor, today=FIRST, now=IN_WINDOW)


def withdraw(session) -> None:
    """Its order was given before that of the tick."""
    boss = session.query(User).filter_by(name="Maria Vogt").one()
    update_id = session.query(UpdateApproval.update_id).scalar()
    approving.withdraw(
        session, update_id, "Drucker stehen still", today=FIRST, actor_id=boss.id, now=utc(FIRST, 8)
    )


def until_somebody_waits(app: Flask) -> None:
    with app.app_context():
        for _ in range(2000):
            if db.session.execute(WAITING).scalar_one():
                break
            db.session.rollback()
        else:
            pytest.fail("nobody waited")
        db.session.remove()


def first_then_second(app: Flask, first: Callable, second: Callable) -> Future:
    """The first is done but not committed while the second begins; then the first commits."""
    done, go_on = Event(), Event()

    def hold(session) -> None:
        first(session)
        session.flush()
        done.set()
        assert go_on.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_session, app, hold)
        assert done.wait(PATIENCE)
        two = pool.submit(in_session, app, second)
        until_somebody_waits(app)
        go_on.set()
        one.result(PATIENCE)
        two.exception(PATIENCE)
    return two


def test_a_tick_waits_for_the_withdrawal_and_is_refused_with_who_and_why(app: Flask, task_id: int):
    refused = first_then_second(app, withdraw, lambda session: tick(session, task_id)).exception()
    assert isinstance(refused, ticking.Withdrawn)
    assert (refused.params["who"], refused.params["why"]) == ("Maria Vogt", "Drucker stehen still")
    in_session(app, lambda session: _is(session, task_id, "skipped"))


def test_a_withdrawal_waits_for_the_tick_and_lists_what_it_installed(app: Flask, task_id: int):
    result = first_then_second(app, lambda session: tick(session, task_id), withdraw)
    assert result.exception() is None
    in_session(app, lambda session: _is(session, task_id, "installed"))
    in_session(app, lambda session: _consistent(session))


def test_a_sweep_beside_a_withdrawal_neither_waits_for_ever_nor_plans_what_is_withdrawn(app: Flask, task_id: int):
    def sweep(session) -> None:
        sweeping.sweep(session, today=TODAY, now=utc(TODAY, 12))

    in_session(app, lambda session: withdraw(session))
    in_session(app, sweep)
    in_session(app, lambda session: _consistent(session))


def _is(session, task_id: int, status: str) -> None:
    assert session.get_one(RolloutTask, task_id).status == status


def _consistent(session) -> None:
    assert verifying.unapproved(session)[1] == []
    assert not session.query(RolloutTask).filter_by(status="planned").all()
