"""What became of a ticket: who changed what, from the audit trail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ptdash.models import AuditEvent, Contact, Customer, Device, Ticket, User
from ptdash.services.bulk import among

# Facts that name a row by its id: the column that says what people call it.
NAMES: dict[str, InstrumentedAttribute[str]] = {
    "assignee_id": User.name,
    "customer_id": Customer.name,
    "contact_id": Contact.name,
    "device_id": Device.inventory_number,
    "merged_into_id": Ticket.number,
}


@dataclass(frozen=True)
class Step:
    """One field of an event, its ids told as names."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Happening:
    """What somebody did at an instant (`by` None: the command line), field by field."""

    action: str
    at: datetime
    by: str | None
    steps: list[Step]


def of_ticket(session: Session, number: str) -> list[Happening]:
    """Everything that was done to a ticket, the newest first; at most 500."""
    events = session.execute(
        select(AuditEvent, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == "ticket", AuditEvent.subject_id == number)
        .order_by(AuditEvent.id.desc())
        .limit(500)
    ).all()
    steps = [list(_steps(event)) for event, _ in events]
    names = named(session, [step for found in steps for step in found])
    return [
        Happening(event.action, event.at, by, [_told(step, names) for step in found])
        for (event, by), found in zip(events, steps, strict=True)
    ]


def named(session: Session, steps: Iterable[Step]) -> dict[tuple[str, Any], str]:
    """(field, id) -> what people call it, for those ids that the steps name: one query a kind."""
    ids: dict[str, set[int]] = {}
    for step in steps:
        if step.field in NAMES:
            ids.setdefault(step.field, set()).update(value for value in (step.before, step.after) if value)
    found: dict[tuple[str, Any], str] = {}
    for field, wanted in ids.items():
        column = NAMES[field]
        rows = session.execute(select(column.class_.id, column).where(among(column.class_.id, wanted)))
        found |= {(field, row_id): name for row_id, name in rows}
    return found


def _steps(event: AuditEvent) -> Iterable[Step]:
    before = event.before or {}
    for field, value in (event.after or {}).items():
        if field not in ("version", "message", "sha256"):
            yield Step(field, before.get(field), value)


def _told(step: Step, names: dict[tuple[str, Any], str]) -> Step:
    if step.field not in NAMES:
        return step
    before, after = (names.get((step.field, value), value) for value in (step.before, step.after))
    return Step(step.field, before, after)
