"""The time record of one customer's month: what its ledger counts, for download and as evidence of an invoice."""

from datetime import date

from sqlalchemy.orm import Session

from ptdash.documents.time_record import RecordedTime, activity, render
from ptdash.domain.errors import NotFound
from ptdash.domain.periods import format_month
from ptdash.services import customers, ledger, ledger_month
from ptdash.services.ledger_month import LedgerEntry
from ptdash.services.statements import EntryLine


def record(session: Session, number: str, month: date, today: date) -> bytes:
    """The CSV file of a month: its entries that count, in order of draw; raises NotFound."""
    customer = customers.get(session, number)
    row = ledger.month(session, customer.id, month, today)
    if row is None:
        raise NotFound(what=format_month(month))
    entries = ledger_month.entries(session, customer.id, row)
    return render(recorded(entry) for entry in entries if entry.counts)


def recorded(entry: LedgerEntry | EntryLine) -> RecordedTime:
    """A finished entry that counts, as a record and the attachment of an invoice show it."""
    assert entry.ended_at is not None and entry.minutes is not None and entry.treatment is not None
    return RecordedTime(
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        technician=entry.technician,
        ticket=entry.ticket,
        activity=activity(entry.subject, entry.note),
        minutes=entry.minutes,
        treatment=entry.treatment,
        left=entry.draw.left if entry.draw else None,
        overage=entry.draw.charged_so_far if entry.draw else None,
        amount_cents=entry.amount_cents,
    )
