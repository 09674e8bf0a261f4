"""Packing an archive. A worker that dies leaves it to the next one, which begins anew."""

import logging
from datetime import UTC, datetime
from tempfile import TemporaryFile

from rq.timeouts import BaseTimeoutException
from sqlalchemy.orm import Session

from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError
from ptdash.jobs.queue import EXPORT, LONG_TIMEOUT_SECONDS, enqueue
from ptdash.services import archives

STEP = 20

log = logging.getLogger(__name__)


def work(export_id: int) -> None:
    """Pack an ordered archive."""
    with transaction() as session:
        export = archives.start(session, export_id, now=datetime.now(UTC))
    if export is None:
        return
    try:
        _pack(export_id)
    except BaseTimeoutException:
        raise
    except DomainError as error:
        _fail(export_id, str(error))
    except Exception:
        log.exception("archive %s could not be packed", export_id)
        _fail(export_id, "Something unforeseen happened; the log of the workers says more.")


def _pack(export_id: int) -> None:
    with TemporaryFile(prefix="ptdash-export-") as target:
        # Its own session reads on while another one tells how far it is.
        with Session(db.engine) as reading:
            export = archives.load(reading, export_id)
            for done in archives.pack(reading, export, target, now=datetime.now(UTC)):
                if done % STEP == 0:
                    with transaction() as session:
                        archives.progress(session, export_id, done, now=datetime.now(UTC))
        with transaction() as session:
            archives.keep(session, export_id, target, now=datetime.now(UTC))


def _fail(export_id: int, why: str) -> None:
    with transaction() as session:
        archives.fail(session, export_id, why, now=datetime.now(UTC))


def hand_over_due(redis_url: str) -> None:
    """Hand the archives that wait to the workers, and forget old ones."""
    now = datetime.now(UTC)
    with transaction() as session:
        waiting = archives.due(session, now)
        archives.forget_old(session, now=now)
    for export_id in waiting:
        enqueue(redis_url, EXPORT, export_id, timeout=LONG_TIMEOUT_SECONDS)
