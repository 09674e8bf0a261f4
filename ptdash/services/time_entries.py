"""Time entries: booking work, changing it while it is not posted, choosing how it is billed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import berlin_day
from ptdash.domain.tickets import Status
from ptdash.domain.walltime import check_span
from ptdash.models import Contract, Customer, CustomerBook, Material, Role, Ticket, TimeEntry, User
from ptdash.services import audit, thresholds
from ptdash.services.facts import standing_entries
from ptdash.services.standing import taken


class GoodwillWithoutReason(Invalid):
    message = "Goodwill needs a reason: say why these minutes are not billed."


class AlreadyPosted(Conflict):
    message = "This entry is posted. Correct it with a reversal and a replacement."


class StillRunning(Conflict):
    message = "This timer is still running. Stop it first."


class ReversedBefore(Conflict):
    message = "This entry was corrected before. Open the one that replaced it."


class SomebodyElsesTime(Forbidden):
    message = "You can book and change your own time only."


class NobodyToBookFor(Invalid):
    message = "Nobody of that name can book time."


class TicketIsMerged(Conflict):
    message = "This ticket is merged. Book on the one that it went into."


class Odd(StrEnum):
    """What is only odd: said, never refused."""

    OVERLAPS = "overlaps"
    NO_MAINTENANCE = "no_maintenance"


@dataclass(frozen=True)
class Oddity:
    odd: Odd
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What a person enters: when, how it is billed, what was done."""

    started_at: datetime
    ended_at: datetime
    treatment: Treatment
    note: str = ""
    technician_id: int | None = None
    long_confirmed: bool = False


def book(
    session: Session, ticket_id: int, work: Work, *, actor_id: int, now: datetime
) -> tuple[TimeEntry, list[Oddity]]:
    """Record work on a ticket, for oneself or (dispatcher, manager) for a colleague; and what is odd about it.

    An exhausted package refuses nothing. Raises NotFound, TicketIsMerged, SomebodyElsesTime, NobodyToBookFor,
    GoodwillWithoutReason, EndBeforeStart, WorkInFuture, LongerThanADay.
    """
    ticket = session.execute(select(Ticket).where(Ticket.id == ticket_id).with_for_update(read=True)).scalar()
    if ticket is None:
        raise NotFound(what=str(ticket_id))
    if ticket.status == Status.MERGED:
        raise TicketIsMerged()
    technician_id = work.technician_id or actor_id
    refuse_somebody_elses(session, technician_id, actor_id)
    _check_technician(session, technician_id)
    check(work, now)
    entry = TimeEntry(
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        technician_id=technician_id,
        started_at=work.started_at,
        ended_at=work.ended_at,
        treatment=work.treatment.value,
        note=work.note.strip(),
    )
    session.add(entry)
    session.flush()
    audit.record(session, "book", "time_entry", entry.id, actor_id=actor_id, now=now, after=content(entry))
    thresholds.note(session, [entry.customer_id], entry.service_month, now)
    return entry, oddities(session, entry)


def change(session: Session, entry_id: int, work: Work, *, actor_id: int, now: datetime) -> list[Oddity]:
    """Change an entry in place, as long as no posting has taken it; says what is odd about it.

    Raises as `book` does, and AlreadyPosted, ReversedBefore, StillRunning.
    """
    entry = open_entry(session, entry_id, actor_id=actor_id)
    technician_id = work.technician_id or entry.technician_id
    if technician_id != entry.technician_id:
        refuse_somebody_elses(session, technician_id, actor_id)
        _check_technician(session, technician_id)
    check(work, now)
    before, month = content(entry), entry.service_month
    entry.technician_id = technician_id
    entry.started_at, entry.ended_at = work.started_at, work.ended_at
    entry.treatment, entry.note = work.treatment.value, work.note.strip()
    session.flush()
    session.refresh(entry)
    after = content(entry)
    if after != before:
        changed = [name for name in after if after[name] != before[name]]
        before, after = ({name: values[name] for name in changed} for values in (before, after))
        audit.record(
            session, "change", "time_entry", entry_id, actor_id=actor_id, now=now, before=before, after=after
        )
    for touched in {month, entry.service_month}:
        thresholds.note(session, [entry.customer_id], touched, now)
    return oddities(session, entry)


def remove(session: Session, entry_id: int, *, actor_id: int, now: datetime) -> None:
    """Take an entry away that no posting has taken; the audit trail keeps what it said.

    Raises NotFound, SomebodyElsesTime, AlreadyPosted, ReversedBefore, StillRunning.
    """
    entry = open_entry(session, entry_id, actor_id=actor_id)
    before, customer_id, month = content(entry), entry.customer_id, entry.service_month
    session.delete(entry)
    session.flush()
    audit.record(session, "remove", "time_entry", entry_id, actor_id=actor_id, now=now, before=before)
    thresholds.note(session, [customer_id], month, now)


def choose_treatment(
    session: Session, entry_id: int, treatment: Treatment, reason: str, *, actor_id: int | None, now: datetime
) -> None:
    """Set how an entry is billed, as long as no posting has taken it; a reason given is added to its note.

    Raises NotFound, GoodwillWithoutReason, AlreadyPosted.
    """
    entry = locked(session, entry_id)
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
    thresholds.note(session, [entry.customer_id], entry.service_month, now)


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


def is_posted(session: Session, row: TimeEntry | Material) -> bool:
    """Whether a posting has taken a time entry or material, so that it stays as it is."""
    return session.execute(select(taken(row))).scalar_one()


def locked(session: Session, entry_id: int) -> TimeEntry:
    """The entry, locked for a change, with its customer held against a posting. Raises NotFound.

    The customer first and in a statement of its own: whether the entry is posted must not change after the look.
    """
    of_entry = select(TimeEntry.customer_id).where(TimeEntry.id == entry_id).scalar_subquery()
    session.execute(
        select(CustomerBook.customer_id).where(CustomerBook.customer_id == of_entry).with_for_update(read=True)
    )
    found = select(TimeEntry).where(TimeEntry.id == entry_id).with_for_update()
    entry = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if entry is None:
        raise NotFound(what=str(entry_id))
    return entry


def open_entry(session: Session, entry_id: int, *, actor_id: int) -> TimeEntry:
    """A finished entry that this person may still change, locked.

    Raises NotFound, SomebodyElsesTime, StillRunning, ReversedBefore, AlreadyPosted.
    """
    entry = locked(session, entry_id)
    refuse_somebody_elses(session, entry.technician_id, actor_id)
    if entry.ended_at is None:
        raise StillRunning()
    if is_reversed(session, entry):
        raise ReversedBefore()
    if is_posted(session, entry):
        raise AlreadyPosted()
    return entry


def is_reversed(session: Session, entry: TimeEntry) -> bool:
    """Whether an entry left the draw: it is a reversal, or one reverses it."""
    reversal = select(TimeEntry.id).where(TimeEntry.reverses_id == entry.id)
    return entry.reverses_id is not None or session.execute(reversal).scalar_one_or_none() is not None


def refuse_somebody_elses(session: Session, technician_id: int, actor_id: int) -> None:
    """A technician books and changes own time; dispatchers and managers anybody's. Raises SomebodyElsesTime."""
    if technician_id != actor_id:
        actor = session.get(User, actor_id)
        if actor is None or actor.role not in (Role.DISPATCHER, Role.MANAGER):
            raise SomebodyElsesTime()


def check(work: Work, now: datetime) -> None:
    """Raises GoodwillWithoutReason, EndBeforeStart, WorkInFuture, LongerThanADay."""
    check_span(work.started_at, work.ended_at, now=now, long_confirmed=work.long_confirmed)
    if work.treatment is Treatment.GOODWILL and not work.note.strip():
        raise GoodwillWithoutReason()


def content(entry: TimeEntry) -> dict[str, Any]:
    """What the audit trail keeps of an entry."""
    names = ("ticket_id", "technician_id", "started_at", "ended_at", "treatment", "note")
    return {name: getattr(entry, name) for name in names}


def oddities(session: Session, entry: TimeEntry) -> list[Oddity]:
    """What is only odd about an entry: its person did something else then; maintenance without a contract."""
    end = entry.ended_at or entry.started_at
    others = standing_entries().join(Ticket, Ticket.id == TimeEntry.ticket_id).with_only_columns(Ticket.number)
    same_time = others.where(
        TimeEntry.technician_id == entry.technician_id,
        TimeEntry.id != entry.id,
        TimeEntry.started_at < end,
        func.coalesce(TimeEntry.ended_at, end) > entry.started_at,
    )
    found = []
    if ticket := session.execute(same_time.order_by(TimeEntry.started_at).limit(1)).scalar_one_or_none():
        found.append(Oddity(Odd.OVERLAPS, {"ticket": ticket}))
    if entry.treatment == Treatment.MAINTENANCE and not _is_maintained(session, entry):
        found.append(Oddity(Odd.NO_MAINTENANCE))
    return found


def _is_maintained(session: Session, entry: TimeEntry) -> bool:
    """Whether a maintenance contract of the customer runs on the entry's day."""
    day = berlin_day(entry.started_at)
    running = select(Contract.id).where(
        Contract.customer_id == entry.customer_id,
        Contract.kind == "maintenance",
        Contract.starts_on <= day,
        or_(Contract.ends_before.is_(None), Contract.ends_before > day),
    )
    return session.execute(running.limit(1)).scalar_one_or_none() is not None


def _check_technician(session: Session, technician_id: int) -> None:
    technician = session.get(User, technician_id)
    if technician is None or not technician.active or technician.role == Role.ADMIN:
        raise NobodyToBookFor()
