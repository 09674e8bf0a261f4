"""Changing a ticket's fields: who is on it, how pressing it is, what state it is in, what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ptdash.domain.tickets import OPEN_STATUSES, Priority, Status, steps
from ptdash.models import AuditEvent, Role, Ticket, TicketPause, User
from ptdash.services import audit, deadlines

UNDO = "undo"


class StaleEdit(Conflict):
    """`changes` are the fields that differ from what the person saw, each with who changed it and when."""

    message = "Somebody changed this ticket in the meantime."

    def __init__(self, changes: "list[Change]", version: int) -> None:
        self.changes, self.version = changes, version
        super().__init__()


class NotYourTicket(Forbidden):
    message = "This ticket is a colleague's. Have it assigned to you first."


class AssigneeUnknown(Invalid):
    message = "Nobody of that name can take tickets."


@dataclass(frozen=True)
class Change:
    """One field of an event: what it was, what it became, by whom (None: the command line), when."""

    field: str
    before: Any
    after: Any
    by: str | None
    at: datetime


def lock(session: Session, ticket_id: int) -> Ticket:
    """The ticket, locked for a change. Raises NotFound."""
    found = select(Ticket).where(Ticket.id == ticket_id).with_for_update()
    ticket = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if ticket is None:
        raise NotFound(what=str(ticket_id))
    return ticket


def refuse_stranger(ticket: Ticket, user: User) -> None:
    """A technician works on own and unassigned tickets. Raises NotYourTicket."""
    if user.role == Role.TECHNICIAN and ticket.assignee_id not in (None, user.id):
        raise NotYourTicket()


def assign(
    session: Session,
    ticket_id: int,
    assignee_id: int | None,
    *,
    actor_id: int | None,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Give a ticket to a colleague, or to nobody; a new one is open then. Raises AssigneeUnknown."""
    if assignee_id is not None:
        refuse_unassignable(session, assignee_id)
    return change(session, ticket_id, {"assignee_id": assignee_id}, actor_id=actor_id, now=now, version=version)


def refuse_unassignable(session: Session, user_id: int) -> None:
    """Tickets go to active colleagues that are no mere administrators. Raises AssigneeUnknown."""
    user = session.get(User, user_id)
    if user is None or not user.active or user.role == Role.ADMIN:
        raise AssigneeUnknown()


def set_priority(
    session: Session,
    ticket_id: int,
    priority: Priority,
    *,
    actor_id: int | None,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    return change(session, ticket_id, {"priority": priority.value}, actor_id=actor_id, now=now, version=version)


def set_status(
    session: Session,
    ticket_id: int,
    status: Status,
    *,
    actor_id: int | None,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Lead a ticket to a state by the steps that its life allows. Raises StepNotAllowed."""
    return change(session, ticket_id, {"status": status.value}, actor_id=actor_id, now=now, version=version)


def change(
    session: Session,
    ticket_id: int,
    values: Mapping[str, Any],
    *,
    actor_id: int | None,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Set fields of a ticket; `version` is the one that the person saw (None: whatever it is now).

    Writes one event with what changed, keeps the pauses and computes the deadlines again. Nothing happens where
    nothing differs. Raises NotFound, StaleEdit (where one of these fields is another than the person saw, and not
    the one wanted), StepNotAllowed.
    """
    ticket = lock(session, ticket_id)
    before = {name: getattr(ticket, name) for name in values}
    wanted = {name: value for name, value in values.items() if value != before[name]}
    if not wanted:
        return ticket
    if version is not None and version != ticket.version:
        newer = changes_since(session, ticket, version)
        if any(entry.field in wanted for entry in newer):
            raise StaleEdit(newer, ticket.version)
    if "status" in wanted:
        steps(Status(ticket.status), Status(wanted["status"]))
    elif wanted.get("assignee_id") and ticket.status == Status.NEW:
        wanted["status"] = Status.OPEN.value
    return _write(session, ticket, wanted, actor_id=actor_id, now=now)


def restore(
    session: Session,
    ticket_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    actor_id: int | None,
    now: datetime,
) -> Ticket:
    """Set fields back to what they were, as an undo: no step of a ticket's life, so none is asked for.

    Raises NotFound, StaleEdit where anything changed after `version`.
    """
    ticket = lock(session, ticket_id)
    if ticket.version != version:
        raise StaleEdit(changes_since(session, ticket, version), ticket.version)
    return _write(session, ticket, dict(values), actor_id=actor_id, now=now, action=UNDO)


def _write(
    session: Session,
    ticket: Ticket,
    wanted: dict[str, Any],
    *,
    actor_id: int | None,
    now: datetime,
    action: str = "change",
) -> Ticket:
    before = {name: getattr(ticket, name) for name in wanted}
    for name, value in wanted.items():
        setattr(ticket, name, value)
    if "status" in wanted:
        _keep_times(session, ticket, Status(before["status"]), now)
        if action == UNDO:
            for name in {"scheduled_at", "resolved_at"} & set(wanted):
                setattr(ticket, name, wanted[name])
    ticket.version += 1
    ticket.updated_at = now
    session.flush()
    if {"status", "priority"} & set(wanted):
        deadlines.refresh(session, [ticket.id])
    new = {**wanted, "version": ticket.version}
    audit.record(session, action, "ticket", ticket.number, actor_id=actor_id, now=now, before=before, after=new)
    return ticket


def changes_since(session: Session, ticket: Ticket, version: int) -> list[Change]:
    """What changed after a version, the oldest first."""
    rows = session.execute(
        select(AuditEvent, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == "ticket", AuditEvent.subject_id == ticket.number)
        .where(AuditEvent.after["version"].as_integer() > version)
        .order_by(AuditEvent.id)
    )
    return [
        Change(name, (event.before or {}).get(name), value, by, event.at)
        for event, by in rows
        for name, value in (event.after or {}).items()
        if name != "version"
    ]


def _keep_times(session: Session, ticket: Ticket, was: Status, now: datetime) -> None:
    """A pause begins and ends with waiting for the customer; being resolved has its instant."""
    is_now = Status(ticket.status)
    if was is Status.WAITING_CUSTOMER:
        _end_pause(session, ticket, now)
    if is_now is Status.WAITING_CUSTOMER:
        session.add(TicketPause(ticket_id=ticket.id, started_at=now))
    if is_now is Status.RESOLVED:
        ticket.resolved_at = now
    elif is_now in OPEN_STATUSES:
        ticket.resolved_at = None
    if is_now is not Status.SCHEDULED:
        ticket.scheduled_at = None


def _end_pause(session: Session, ticket: Ticket, now: datetime) -> None:
    """An imported ticket has no pause of its own: it has waited since it was last changed, as far as we know."""
    running = TicketPause.ticket_id == ticket.id, TicketPause.ended_at.is_(None)
    ended = func.greatest(TicketPause.started_at, now)  # the clock of another machine may be a little ahead
    found = update(TicketPause).where(*running).values(ended_at=ended).returning(TicketPause.id)
    if session.execute(found).scalar() is None:
        since = min(ticket.updated_at, now)
        session.add(TicketPause(ticket_id=ticket.id, started_at=since, ended_at=now))
