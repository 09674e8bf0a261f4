"""The audit trail: every change leaves an event; a sealer chains the events afterwards."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.orm import Session

from ptdash.models import AuditEvent, AuditSeal
from ptdash.services.bulk import insert_rows

SEALER_LOCK = 7_367_002
GENESIS = "0" * 64
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
DECODER = json.JSONDecoder()

# What of an event is hashed. Its JSON comes as text: `link` reads it faster than the driver would.
HASHED = (
    AuditEvent.id,
    AuditEvent.at,
    AuditEvent.actor_id,
    AuditEvent.action,
    AuditEvent.subject,
    AuditEvent.subject_id,
    cast(AuditEvent.before, Text).label("before"),
    cast(AuditEvent.after, Text).label("after"),
)


def record(
    session: Session,
    action: str,
    subject: str,
    subject_id: str | int,
    *,
    actor_id: int | None,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append who did what to which subject and when; `actor_id` None is the command line or a worker."""
    event = AuditEvent(
        at=now,
        actor_id=actor_id,
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        before=_plain(before),
        after=_plain(after),
    )
    session.add(event)
    return event


def seal(session: Session) -> int:
    """Chain every event whose transaction is surely over, in the order (transaction, id); how many there were.

    One sealer at a time. Events of transactions that may still be running wait: only those below the
    snapshot's xmin are final, so that the chain never has to be reordered.
    """
    session.execute(select(func.pg_advisory_xact_lock(SEALER_LOCK)))
    last = session.execute(select(AuditSeal).order_by(AuditSeal.seq.desc()).limit(1)).scalar_one_or_none()
    seq, head = (last.seq, last.hash) if last else (0, GENESIS)
    events = session.execute(
        select(*HASHED)
        .where(text("audit_events.xact < pg_snapshot_xmin(pg_current_snapshot())"))
        .where(~select(AuditSeal).where(AuditSeal.event_id == AuditEvent.id).exists())
        .order_by(AuditEvent.xact, AuditEvent.id)
        .execution_options(yield_per=1000)
    )
    for part in events.partitions():
        seals = []
        for event in part:
            seq, head = seq + 1, link(head, event)
            seals.append({"seq": seq, "event_id": event[0], "hash": head})
        insert_rows(session, AuditSeal, seals)
    return seq - (last.seq if last else 0)


def link(head: str, event: Sequence[Any]) -> str:
    """The hash of one link of the chain: sha256 over the hash before it and the event's canonical JSON.

    `event` is what `HASHED` selects, in its order.
    """
    event_id, at, actor_id, action, subject, subject_id, before, after = event
    canonical = CANONICAL.encode(
        {
            "id": event_id,
            "at": at.timestamp(),
            "actor": actor_id,
            "action": action,
            "subject": [subject, subject_id],
            "before": _value(before),
            "after": _value(after),
        }
    )
    return hashlib.sha256(f"{head}{canonical}".encode()).hexdigest()


def _value(text: str | None) -> Any:
    return None if text is None else DECODER.raw_decode(text)[0]


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Values as JSON keeps them: dates in ISO form, decimals as text, so that a hash can be repeated."""
    if values is None:
        return None
    return {
        key: value.isoformat()
        if isinstance(value, (date, datetime))
        else str(value)
        if isinstance(value, Decimal)
        else value
        for key, value in values.items()
    }
