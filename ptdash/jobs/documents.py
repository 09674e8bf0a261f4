"""Setting the PDFs of issued invoices. Running it twice, or beside another worker, writes nothing twice."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from rq.timeouts import BaseTimeoutException
from sqlalchemy.exc import OperationalError

from ptdash.db import transaction
from ptdash.jobs.queue import LONG_TIMEOUT_SECONDS, RENDER, enqueue_once
from ptdash.services import invoice_pdfs

BATCH = 25

log = logging.getLogger(__name__)


def render_batch(invoice_ids: Sequence[int], progress: Callable[[int], None] = lambda done: None) -> None:
    """Set the PDFs of invoices, a batch at a time; one that fails stops no other and is tried again later."""
    for start in range(0, len(invoice_ids), BATCH):
        batch = invoice_ids[start : start + BATCH]
        try:
            _render(batch)
        except (BaseTimeoutException, OperationalError):
            raise
        except Exception:
            for invoice_id in batch:
                _render_alone(invoice_id)
        progress(start + len(batch))


def _render(invoice_ids: Sequence[int]) -> None:
    """Read, set, keep: no transaction is open while pages are set."""
    with transaction() as session:
        contents = invoice_pdfs.contents(session, invoice_ids)
    rendered = [(content, content.set()) for content in contents]
    with transaction() as session:
        invoice_pdfs.keep(session, rendered, now=datetime.now(UTC))


def _render_alone(invoice_id: int) -> None:
    try:
        _render([invoice_id])
    except (BaseTimeoutException, OperationalError):
        raise
    except Exception as error:
        log.exception("the PDF of invoice %s could not be set", invoice_id)
        with transaction() as session:
            why = f"{type(error).__name__}: {error}"[:500]
            invoice_pdfs.note_failure(session, invoice_id, why, now=datetime.now(UTC))


def hand_over_due(redis_url: str) -> None:
    """Hand the invoices without a PDF to the workers, in batches."""
    for key, batch in batches().items():
        enqueue_once(redis_url, f"render-{key}", RENDER, batch, timeout=LONG_TIMEOUT_SECONDS)


def render_all(progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Set every PDF that is missing in this process."""
    waiting = [invoice_id for batch in batches().values() for invoice_id in batch]
    render_batch(waiting, lambda done: progress(done, len(waiting)))


def batches() -> dict[int, list[int]]:
    """The invoices without a PDF; the same ones stay together while others are done."""
    with transaction() as session:
        waiting = invoice_pdfs.missing(session, datetime.now(UTC))
    return {key: list(ids) for key, ids in groupby(waiting, key=lambda invoice_id: invoice_id // BATCH)}
