"""One running timer a person, kept on the server. It warns and asks; stopping it is never refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.domain.minutes import billable_minutes
from ptdash.domain.periods import berlin_day
from ptdash.domain.tickets import Status
from ptdash.models import Ticket, TimeEntry
from ptdash.services import audit, coverage, thresholds, time_entries
from ptdash.services.time_entries import TicketIsMerged

ASKS_AFTER = timedelta(hours=4)
LEAST = timedelta(seconds=1)


class TimerRunsElsewhere(Conflict):
    """`ticket` is where it runs."""

    message = "Your timer runs on %(ticket)s. Stop it there first, or stop it and start here."

    def __init__(self, ticket: str) -> None:
        self.ticket = ticket
        super().__init__(ticket=ticket)


@dataclass(frozen=True)
class Running:
    """A person's running timer, as the shell of every page shows it."""

    entry_id: int
    ticket: str
    subject: str
    started_at: datetime
    confirmed_at: datetime | None = None

    @property
    def asks_at(self) -> datetime:
        """When it is time to ask if it still runs: four hours after the start or the last answer."""
        return (self.confirmed_at or self.started_at) + ASKS_AFTER

    def asks(self, now: datetime) -> bool:
        return now >= self.asks_at

    def minutes(self, now: datetime) -> int:
        return billable_minutes(self.started_at, max(now, self.started_at))


# What is read of it, in the order of `Running`.
RUNNING = (TimeEntry.id, Ticket.number, Ticket.subject, TimeEntry.started_at, TimeEntry.confirmed_at)


def running(session: Session, technician_id: int) -> Running | None:
    """Somebody's running timer."""
    row = session.execute(
        select(*RUNNING)
        .select_from(TimeEntry)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .where(TimeEntry.technician_id == technician_id, TimeEntry.ended_at.is_(None))
    ).one_or_none()
    return Running(*row) if row else None


def start(session: Session, ticket_id: int, *, actor_id: int, now: datetime) -> TimeEntry:
    """Start one's timer on a ticket, its treatment proposed by the coverage verdict.

    Nothing happens where it runs here already.
    Raises NotFound, TicketIsMerged, TimerRunsElsewhere (also where somebody is quicker in another window).
    """
    ticket = session.execute(select(Ticket).where(Ticket.id == ticket_id).with_for_update(read=True)).scalar()
    if ticket is None:
        raise NotFound(what=str(ticket_id))
    if ticket.status == Status.MERGED:
        raise TicketIsMerged()
    if found := running(session, actor_id):
        if found.ticket == ticket.number:
            return session.get_one(TimeEntry, found.entry_id)
        raise TimerRunsElsewhere(found.ticket)
    proposed = coverage.of_ticket(session, ticket_id, berlin_day(now)).treatment
    entry = TimeEntry(
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        technician_id=actor_id,
        started_at=now,
        treatment=proposed.value,
    )
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError:
        other = running(session, actor_id)
        if other is None:
            raise
        raise TimerRunsElsewhere(other.ticket) from None
    after = {"ticket_id": ticket.id, "treatment": entry.treatment}
    audit.record(session, "start_timer", "time_entry", entry.id, actor_id=actor_id, now=now, after=after)
    return entry


def stop(
    session: Session, entry_id: int, *, actor_id: int, now: datetime, ended_at: datetime | None = None
) -> TimeEntry:
    """End a running timer, now or at an earlier time; note and treatment can be completed afterwards.

    It is never refused: an end that lies ahead becomes now, one before the start the least there is, and one
    that was stopped meanwhile stays as it is. Dispatchers and managers stop a colleague's forgotten one.
    Raises NotFound and SomebodyElsesTime only.
    """
    entry = time_entries.locked(session, entry_id)
    time_entries.refuse_somebody_elses(session, entry.technician_id, actor_id)
    if entry.ended_at is not None:
        return entry
    entry.ended_at = max(min(ended_at or now, now), entry.started_at + LEAST)
    session.flush()
    session.refresh(entry)
    after = {"ended_at": entry.ended_at, "minutes": entry.minutes}
    audit.record(session, "stop_timer", "time_entry", entry_id, actor_id=actor_id, now=now, after=after)
    thresholds.note(session, [entry.customer_id], entry.service_month, now)
    return entry


def confirm(session: Session, *, actor_id: int, now: datetime) -> None:
    """One's timer still runs: it asks again after four hours. Nothing happens where none runs."""
    if entry := _own(session, actor_id):
        entry.confirmed_at = now
        audit.record(session, "confirm_timer", "time_entry", entry.id, actor_id=actor_id, now=now)


def discard(session: Session, *, actor_id: int, now: datetime) -> None:
    """Throw one's running timer away; the audit trail keeps when it began. Nothing happens where none runs."""
    if entry := _own(session, actor_id):
        before = time_entries.content(entry)
        session.delete(entry)
        session.flush()
        audit.record(session, "discard_timer", "time_entry", entry.id, actor_id=actor_id, now=now, before=before)


def _own(session: Session, actor_id: int) -> TimeEntry | None:
    found = select(TimeEntry).where(TimeEntry.technician_id == actor_id, TimeEntry.ended_at.is_(None))
    return session.execute(found.with_for_update()).scalar_one_or_none()
