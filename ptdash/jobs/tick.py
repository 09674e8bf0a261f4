"""The house's heartbeat: a small job every few seconds that finds in the database what is due."""

from datetime import UTC, datetime, timedelta

from flask import current_app

from ptdash.db import transaction
from ptdash.jobs import delivery, documents, exporting, feeds, originals, rollout
from ptdash.jobs.closing import enqueue_run
from ptdash.services import audit, books, deadlines, reminders

# A run that still has work this long after its jobs were enqueued gets them again.
PATIENCE = timedelta(seconds=30)


def tick() -> None:
    """Enqueue again what runs have still to do, compute the deadlines that are not known, remind of contracts,
    look after the rollout, make up missing originals of invoices, hand over the PDFs, messages, archives and feeds
    that are due, and seal the audit chain. Running it twice does no harm."""
    with transaction() as session:
        stalled = [run.id for run in books.stalled_runs(session, datetime.now(UTC), PATIENCE)]
    for run_id in stalled:
        enqueue_run(current_app.config["PTDASH"].redis_url, run_id)
    while _some_deadlines():
        continue
    now = datetime.now(UTC)
    with transaction() as session:
        reminders.look_once_a_day(session, current_app.config["PTDASH"].business_day(now), now)
    rollout.look(current_app.config["PTDASH"], now)
    originals.make_missing()
    for queue in (documents, delivery, exporting, feeds):
        queue.hand_over_due(current_app.config["PTDASH"].redis_url)
    with transaction() as session:
        audit.seal(session)


def _some_deadlines() -> int:
    with transaction() as session:
        return deadlines.refresh_unknown(session)
