"""A run worked off in batches of customers: in this process, or by workers."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

from rq.timeouts import BaseTimeoutException
from sqlalchemy.exc import DBAPIError, OperationalError

from ptdash.db import transaction
from ptdash.jobs.queue import POST_BATCH, enqueue
from ptdash.services import books, period_close

SMALLEST_BATCH, LARGEST_BATCH = 5, 500
STEPS = 20
# How often invoices are checked before the posting; where facts kept changing they are checked within it.
ROUNDS = 3

log = logging.getLogger(__name__)


def enqueue_run(redis_url: str, run_id: int) -> None:
    """Hand what the run has still to do to the workers, in batches."""
    with transaction() as session:
        waiting = books.pending(session, run_id)
    for batch in batches(waiting) or [[]]:
        enqueue(redis_url, POST_BATCH, run_id, list(batch))


def batches(customer_ids: Sequence[int]) -> list[Sequence[int]]:
    """Small enough that progress is seen, large enough that a batch is more than its own overhead."""
    size = max(SMALLEST_BATCH, min(LARGEST_BATCH, -(-len(customer_ids) // STEPS)))
    return [customer_ids[i : i + size] for i in range(0, len(customer_ids), size)]


def post_batch(run_id: int, customer_ids: Sequence[int]) -> None:
    """Post a batch of a run's customers and finish the run where it was the last.

    Running it twice, or beside another worker, writes nothing twice: the database says what is left.
    """
    _post_or_park(run_id, customer_ids)
    with transaction() as session:
        books.finish(session, run_id, now=datetime.now(UTC))


def work_off(run_id: int, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Post everything a run has still to do in this process; tells `progress` customers done and in all."""
    with transaction() as session:
        waiting = books.pending(session, run_id)
    done = 0
    for batch in batches(waiting):
        _post_or_park(run_id, batch)
        done += len(batch)
        progress(done, len(waiting))
    with transaction() as session:
        books.finish(session, run_id, now=datetime.now(UTC))


def _post_or_park(run_id: int, customer_ids: Sequence[int]) -> None:
    """Post a batch; where that fails, each customer alone, so that one customer's trouble stops nobody else.

    A lost connection or a job out of time is nobody's trouble in particular: it ends the job, and the sweep
    goes on later.
    """
    try:
        with _collector_at_rest():
            _post(run_id, customer_ids)
    except BaseTimeoutException:
        raise
    except Exception as error:
        if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
        if len(customer_ids) == 1:
            reference = uuid4().hex[:8]
            log.error("posting customer %s failed [%s]", customer_ids[0], reference, exc_info=error)
            with transaction() as session:
                period_close.park_failed(session, run_id, customer_ids[0], reference)
            return
        for customer_id in customer_ids:
            _post_or_park(run_id, [customer_id])


def _post(run_id: int, customer_ids: Sequence[int]) -> None:
    """Draft the invoices, check them while nothing is locked, post; again where facts changed meanwhile."""
    left = customer_ids
    for _ in range(ROUNDS):
        with transaction() as session:
            drafted = period_close.draft(session, run_id, left)
        checked = {customer_id: made.check() for customer_id, made in drafted.items()}
        with transaction() as session:
            decided = period_close.post(session, run_id, left, now=datetime.now(UTC), checked=checked)
        if decided == len(drafted):
            return
        with transaction() as session:
            left = books.pending(session, run_id, left)
    with transaction() as session:
        period_close.post(session, run_id, left, now=datetime.now(UTC))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """A batch makes many objects and no cycles; looking for cycles among them would take a fifth of its time.
    Afterwards they must be gone: what is still held would be looked through all the same."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
