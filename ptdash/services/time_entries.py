"""Time entries: choosing how they are billed."""

from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.minutes import Treatment
from ptdash.models import Customer, Material, Posting, Ticket, TimeEntry, User
from ptdash.services import audit
from ptdash.services.facts import standing_entries


class GoodwillWithoutReason(Invalid):
    message = "Goodwill needs a reason: say why these minutes are not billed."


class AlreadyPosted(Conflict):
    message = "This entry is posted. Correct it with a reversal and a replacement."


def untreated(session: Session, customer_number: str) -> list[Row[tuple[TimeEntry, str, str, str]]]:
    """A customer's finished entries without a treatment, with ticket number, subject and technician."""
    return list(
        session.execute(
            standing_entries()
            .with_only_columns(TimeEntry, Ticket.number, Ticket.subject, User.name)
            .join(Ticket, Ticket.id == TimeEntry.ticket_id)
            .join(User, User.id == TimeEntry.technician_id)
            .join(Customer, Customer.id == TimeEntry.customer_id)
            .where(
                Customer.number == customer_number,
                TimeEntry.treatment.is_(None),
                TimeEntry.ended_at.is_not(None),
            )
            .order_by(TimeEntry.started_at, TimeEntry.id)
        )
    )


def choose_treatment(
    session: Session, entry_id: int, treatment: Treatment, reason: str, *, actor_id: int | None, now: datetime
) -> None:
    """Set how an entry is billed, as long as no posting has taken it; a reason given is added to its note.

    Raises NotFound, GoodwillWithoutReason, AlreadyPosted.
    """
    entry = session.execute(
        select(TimeEntry).where(TimeEntry.id == entry_id).with_for_update()
    ).scalar_one_or_none()
    if entry is None:
        raise NotFound(what=str(entry_id))
    if treatment is Treatment.GOODWILL and not reason.strip():
        raise GoodwillWithoutReason()
    if is_posted(session, entry):
        raise AlreadyPosted()
    before = {"treatment": entry.treatment, "note": entry.note}
    entry.treatment = treatment.value
    entry.note = "; ".join(part for part in (entry.note, reason.strip()) if part)
    session.flush()
    after = {"treatment": entry.treatment, "note": entry.note}
    audit.record(session, "treat", "time_entry", entry_id, actor_id=actor_id, now=now, before=before, after=after)


def is_posted(session: Session, row: TimeEntry | Material) -> bool:
    """Whether a posting has taken a time entry or material, so that it stays as it is."""
    taken = select(Posting.n).where(
        Posting.customer_id == row.customer_id, Posting.month == row.service_month, Posting.n >= row.posting_n
    )
    return session.execute(taken.limit(1)).scalar_one_or_none() is not None
