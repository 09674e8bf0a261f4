"""The house's heartbeat: a small job every few seconds that finds in the database what is due."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import current_app
from rq.timeouts import BaseTimeoutException

from ptdash.config import Config
from ptdash.db import db, transaction
from ptdash.jobs import delivery, documents, exporting, feeds, originals, rollout
from ptdash.jobs.closing import enqueue_run
from ptdash.services import audit, books, deadlines, reminders

# A run that still has work this long after its jobs were enqueued gets them again.
PATIENCE = timedelta(seconds=30)

log = logging.getLogger(__name__)


def tick() -> None:
    """Do each of the STEPS; one that fails keeps none of the others from being done, and fails the job at its end.

    Running it twice does no harm.
    """
    config, now = current_app.config["PTDASH"], datetime.now(UTC)
    failures = []
    for step in STEPS:
        try:
            step(config, now)
        except BaseTimeoutException:
            raise
        except Exception as error:
            log.exception("a step of the heartbeat failed: %s", step.__name__)
            db.session.rollback()
            failures.append(error)
    if failures:
        raise ExceptionGroup("steps of the heartbeat failed", failures)


def _go_on_with_runs(config: Config, now: datetime) -> None:
    """Enqueue again what runs have still to do."""
    with transaction() as session:
        stalled = [run.id for run in books.stalled_runs(session, now, PATIENCE)]
    for run_id in stalled:
        enqueue_run(config.redis_url or "", run_id)


def _compute_deadlines(_config: Config, _now: datetime) -> None:
    """Compute the deadlines of tickets that are not known."""
    while _some_deadlines():
        continue


def _some_deadlines() -> int:
    with transaction() as session:
        return deadlines.refresh_unknown(session)


def _remind(config: Config, now: datetime) -> None:
    """Remind of contracts."""
    with transaction() as session:
        reminders.look_once_a_day(session, config.business_day(now), now)


def _make_originals(_config: Config, _now: datetime) -> None:
    """Make up missing originals of invoices."""
    originals.make_missing()


def _hand_over(config: Config, _now: datetime) -> None:
    """Hand over the PDFs, messages, archives and feeds that are due."""
    for queue in (documents, delivery, exporting, feeds):
        queue.hand_over_due(config.redis_url or "")


def _seal(_config: Config, _now: datetime) -> None:
    """Seal the audit chain."""
    with transaction() as session:
        audit.seal(session)


STEPS: tuple[Callable[[Config, datetime], None], ...] = (
    _go_on_with_runs,
    _compute_deadlines,
    _remind,
    rollout.look,
    _make_originals,
    _hand_over,
    _seal,
)
