"""Changing many tickets at once, and taking it back."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from ptdash.domain.tickets import Priority, Status
from ptdash.models import BulkChange, Role, Ticket, User
from ptdash.services import audit
from ptdash.services.tickets import changing

AT_MOST = 200
RECENT = timedelta(days=2)
FIELDS = {"assign": "assignee_id", "status": "status", "priority": "priority"}


class NothingSelected(Invalid):
    message = "Select at least one ticket."


class TooManySelected(Invalid):
    message = "Select at most %(most)s tickets at a time."


class ValueUnknown(Invalid):
    message = "Choose one of the values."


class AlreadyUndone(Conflict):
    message = "This was taken back already."


class NotYourChange(Forbidden):
    message = "A colleague did this. Only they or a manager can take it back."


@dataclass(frozen=True)
class Left:
    """A ticket that stays as it is, and why."""

    number: str
    error: DomainError


@dataclass(frozen=True)
class Outcome:
    """`id` names the change, to undo it; None where nothing changed. `changed` is each ticket's new version."""

    id: int | None
    changed: Mapping[str, int]
    left: Sequence[Left]


def apply(
    session: Session, verb: str, value: str, chosen: Mapping[str, int], *, actor: User, now: datetime
) -> Outcome:
    """Assign the chosen tickets (number -> version seen), or set their status or priority, as one.

    A ticket that cannot take the step is left as it is. Besides the tickets' own events one tells what was done to
    how many, with a hash over which. Raises NothingSelected, TooManySelected, AssigneeUnknown.
    """
    if not chosen:
        raise NothingSelected()
    if len(chosen) > AT_MOST:
        raise TooManySelected(most=AT_MOST)
    values = wanted(session, verb, value)
    done: list[dict[str, Any]] = []
    ids = {row.id: row.number for row in session.execute(_by_number(chosen))}
    left = [Left(number, NotFound(what=number)) for number in chosen if number not in ids.values()]
    for ticket_id, number in sorted(ids.items()):
        try:
            entry = _apply_one(session, ticket_id, values, chosen[number], actor, now)
        except DomainError as error:
            left.append(Left(number, error))
        else:
            done += [entry] if entry else []
    if not done:
        return Outcome(None, {}, left)
    bulk = BulkChange(actor_id=actor.id, at=now, field=verb, value=value, tickets=done)
    session.add(bulk)
    session.flush()
    _record(session, "bulk", bulk, done, left, actor, now)
    return Outcome(bulk.id, {entry["number"]: entry["version"] for entry in done}, left)


def undo(session: Session, bulk_id: int, *, actor: User, now: datetime) -> Outcome:
    """Take a change of many tickets back, for each that nobody changed since; once, by its author or a manager.

    Raises NotFound, NotYourChange, AlreadyUndone.
    """
    found = select(BulkChange).where(BulkChange.id == bulk_id).with_for_update()
    bulk = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if bulk is None:
        raise NotFound(what=str(bulk_id))
    if bulk.actor_id != actor.id and actor.role != Role.MANAGER:
        raise NotYourChange()
    if bulk.undone_at is not None:
        raise AlreadyUndone()
    done: list[dict[str, Any]] = []
    left: list[Left] = []
    for entry in bulk.tickets:
        values = {name: _instant(name, value) for name, value in entry["before"].items()}
        try:
            ticket = changing.restore(
                session, entry["id"], values, version=entry["version"], actor_id=actor.id, now=now
            )
        except DomainError as error:
            left.append(Left(entry["number"], error))
        else:
            done.append({"number": ticket.number, "version": ticket.version})
    bulk.undone_at = now
    session.flush()
    _record(session, "undo", bulk, done, left, actor, now)
    return Outcome(bulk.id, {entry["number"]: entry["version"] for entry in done}, left)


def recent(session: Session, actor: User, now: datetime) -> Sequence[Row[Any]]:
    """The changes of the last two days that this person can take back, the newest first, with those taken back."""
    found: Any = select(BulkChange, User.name.label("by")).join(User, User.id == BulkChange.actor_id)
    if actor.role != Role.MANAGER:
        found = found.where(BulkChange.actor_id == actor.id)
    latest = found.where(BulkChange.at > now - RECENT).order_by(BulkChange.id.desc()).limit(20)
    return session.execute(latest).all()


def tickets_of(session: Session, numbers: Collection[str]) -> list[Ticket]:
    """The tickets of these numbers, those that exist, the oldest first."""
    return list(session.execute(select(Ticket).where(Ticket.number.in_(numbers)).order_by(Ticket.id)).scalars())


def wanted(session: Session, verb: str, value: str) -> dict[str, Any]:
    """The field that a verb sets and its value. Raises AssigneeUnknown, ValueUnknown."""
    try:
        if verb == "assign":
            person = int(value) or None
            if person:
                changing.refuse_unassignable(session, person)
            return {"assignee_id": person}
        return {verb: Status(value).value if verb == "status" else Priority(value).value}
    except ValueError:
        raise ValueUnknown() from None


def _apply_one(
    session: Session, ticket_id: int, values: dict[str, Any], version: int, actor: User, now: datetime
) -> dict[str, Any] | None:
    """What it was before and its version now; None where it was so already."""
    ticket = changing.lock(session, ticket_id)
    changing.refuse_stranger(ticket, actor)
    kept = ("status", "priority", "assignee_id", "scheduled_at", "resolved_at")
    was, seen = {name: getattr(ticket, name) for name in kept}, ticket.version
    changing.change(session, ticket_id, values, actor_id=actor.id, now=now, version=version)
    if ticket.version == seen:
        return None
    before = {name: was[name] for name in kept if was[name] != getattr(ticket, name)}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in before.items()}
    return {"id": ticket_id, "number": ticket.number, "before": plain, "version": ticket.version}


def _record(
    session: Session,
    action: str,
    bulk: BulkChange,
    done: Sequence[dict[str, Any]],
    left: Sequence[Left],
    actor: User,
    now: datetime,
) -> None:
    listed = json.dumps([[entry["number"], entry["version"]] for entry in done], separators=(",", ":"))
    facts = {
        "field": FIELDS[bulk.field],
        "value": bulk.value,
        "changed": len(done),
        "left": len(left),
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
    }
    audit.record(session, action, "tickets", bulk.id, actor_id=actor.id, now=now, after=facts)


def _by_number(numbers: Collection[str]) -> Any:
    return select(Ticket.id, Ticket.number).where(Ticket.number.in_(list(numbers)))


def _instant(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name.endswith("_at") and value else value
