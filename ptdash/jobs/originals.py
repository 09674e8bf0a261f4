"""The XML of invoices from before e-invoices, made up from the ledger in small steps."""

from datetime import UTC, datetime

from ptdash.db import transaction
from ptdash.services import invoice_originals

STEP, STEPS = 20, 10


def make_missing() -> None:
    """Make up what is missing, as much as fits into a beat; the next one goes on."""
    for _ in range(STEPS):
        now = datetime.now(UTC)
        with transaction() as session:
            ids = invoice_originals.without(session, now, STEP)
            if ids:
                invoice_originals.make(session, ids, now=now)
        if len(ids) < STEP:
            return
