"""Correcting time that a posting has taken: a reversal and, where work was done, a replacement."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict
from ptdash.domain.meters import growth
from ptdash.domain.minutes import Treatment, billable_minutes
from ptdash.domain.periods import berlin_day, month_of
from ptdash.domain.settlement import DayMinutes
from ptdash.models import TimeEntry
from ptdash.services import audit, meters, thresholds, time_entries
from ptdash.services.books import ReasonMissing
from ptdash.services.time_entries import ReversedBefore, StillRunning, Work


class NotPosted(Conflict):
    message = "This entry is not posted yet. Change it in place."


class NothingCorrected(Conflict):
    message = "Nothing differs from what was booked."


@dataclass(frozen=True)
class Difference:
    """What a correction changes: minutes before and after, and the cents it adds to what the customer owes
    (None where a rate is not set). The next invoice carries it."""

    before: int
    after: int
    cents: int | None


def correct(
    session: Session, entry_id: int, replacement: Work | None, reason: str, *, actor_id: int, now: datetime
) -> TimeEntry | None:
    """Reverse a posted entry, once, and book what is right instead (None: nothing); returns the replacement.

    Both carry the reason. Raises NotFound, ReasonMissing, NotPosted, ReversedBefore, StillRunning,
    SomebodyElsesTime, NothingCorrected, and what `time_entries.check` does.
    """
    if not reason.strip():
        raise ReasonMissing()
    entry = time_entries.locked(session, entry_id)
    time_entries.refuse_somebody_elses(session, entry.technician_id, actor_id)
    if entry.ended_at is None:
        raise StillRunning()
    if time_entries.is_reversed(session, entry):
        raise ReversedBefore()
    if not time_entries.is_posted(session, entry):
        raise NotPosted()
    added = None
    if replacement is not None:
        time_entries.check(replacement, now)
        added = _replacement(entry, replacement, reason.strip())
        if _same(entry, replacement):
            raise NothingCorrected()
        session.add(added)
    session.add(_reversal(entry, reason.strip()))
    session.flush()
    before = time_entries.content(entry)
    after = {"reason": reason.strip(), "replacement_id": added.id if added else None}
    after |= time_entries.content(added) if added else {}
    audit.record(
        session, "correct", "time_entry", entry_id, actor_id=actor_id, now=now, before=before, after=after
    )
    for month in {entry.service_month, *([added.service_month] if added else [])}:
        thresholds.note(session, [entry.customer_id], month, now)
    return added


def difference(session: Session, entry: TimeEntry, replacement: Work | None) -> Difference:
    """What a correction of this entry would change, by the formula that bills it."""
    less = _day_minutes(entry.started_at, entry.ended_at or entry.started_at, entry.treatment)
    more = None
    if replacement:
        more = _day_minutes(replacement.started_at, replacement.ended_at, replacement.treatment)
    months = {month_of(part.day) for part in (less, more) if part}
    total: int | None = 0
    for month in sorted(months):
        known = meters.of_months(session, [entry.customer_id], month)[entry.customer_id]
        changes = [DayMinutes(less.day, less.treatment, -less.minutes)] if month_of(less.day) == month else []
        changes += [more] if more and month_of(more.day) == month else []
        cents = growth(known, changes)
        total = None if total is None or cents is None else total + cents
    return Difference(less.minutes, more.minutes if more else 0, total)


def _day_minutes(started_at: datetime, ended_at: datetime, treatment: str | None) -> DayMinutes:
    minutes = billable_minutes(started_at, ended_at)
    # A posted entry has a treatment: without one its customer's month is parked.
    return DayMinutes(berlin_day(started_at), Treatment(treatment or Treatment.GOODWILL), minutes)


def _same(entry: TimeEntry, work: Work) -> bool:
    old = (entry.started_at, entry.ended_at, entry.treatment, entry.note, entry.technician_id)
    technician_id = work.technician_id or entry.technician_id
    return old == (work.started_at, work.ended_at, work.treatment.value, work.note.strip(), technician_id)


def _reversal(entry: TimeEntry, reason: str) -> TimeEntry:
    return TimeEntry(
        ticket_id=entry.ticket_id,
        customer_id=entry.customer_id,
        technician_id=entry.technician_id,
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        treatment=entry.treatment,
        note=reason,
        reverses_id=entry.id,
    )


def _replacement(entry: TimeEntry, work: Work, reason: str) -> TimeEntry:
    return TimeEntry(
        ticket_id=entry.ticket_id,
        customer_id=entry.customer_id,
        technician_id=work.technician_id or entry.technician_id,
        started_at=work.started_at,
        ended_at=work.ended_at,
        treatment=work.treatment.value,
        note="; ".join(part for part in (work.note.strip(), reason) if part),
    )
