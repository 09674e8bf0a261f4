"""Delivery of the outbox: each message at most once by itself.

A message is claimed, an attempt is written, and `say_data` is committed before DATA is said: an attempt that died
before that is tried again, one that died after it is `unclear`, and a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from ptdash.models import DeliveryAttempt, OutboxMessage
from ptdash.services import audit, settings
from ptdash.services.bulk import among
from ptdash.services.outbox import State

# Longer than any attempt lasts: whatever is older was given up by a worker that died.
LEASE = timedelta(minutes=15)
# What was handed to the queue and not taken up is handed to it again after this long.
PATIENCE = timedelta(minutes=1)
# After the first, the second, … attempt that did not get as far as DATA; the last one goes on.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 60, 240))
PORTS = {"starttls": 587, "tls": 465, "none": 25}
GIVEN_UP = "the attempt was given up"


class Outcome(StrEnum):
    """`not_sent` never said DATA and is tried again; `refused` was turned down by the server."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNCLEAR = "unclear"


STATE_AFTER = {
    Outcome.SENT: State.SENT,
    Outcome.NOT_SENT: State.WAITING,
    Outcome.REFUSED: State.REFUSED,
    Outcome.UNCLEAR: State.UNCLEAR,
}


@dataclass(frozen=True)
class MailServer:
    """Where messages are handed over; `security` is starttls, tls or none."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    sender_name: str


@dataclass(frozen=True)
class Claimed:
    """A message that this process may try to deliver now."""

    attempt_id: int
    message: OutboxMessage


def mail_server(session: Session) -> MailServer | None:
    """The mail server of the settings; None while there is none, or no sender's address."""
    found = settings.all_settings(session)
    sender = found["smtp.from"] or found["company.email"]
    if not found["smtp.host"] or not sender:
        return None
    security = found["smtp.security"]
    port = int(found["smtp.port"] or PORTS[security])
    user, password = found["smtp.user"], found["smtp.password"]
    return MailServer(found["smtp.host"], port, security, user, password, sender, found["company.name"])


def due(session: Session, now: datetime, limit: int = 200) -> Sequence[int]:
    """The messages to hand to the queue now, the oldest first; they are not due again within PATIENCE."""
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.state == State.WAITING,
        or_(OutboxMessage.next_try_at.is_(None), OutboxMessage.next_try_at <= now),
    )
    ids = session.execute(waiting.order_by(OutboxMessage.id).limit(limit)).scalars().all()
    session.execute(
        update(OutboxMessage)
        .where(among(OutboxMessage.id, ids), OutboxMessage.state == State.WAITING)
        .values(next_try_at=now + PATIENCE)
        .execution_options(synchronize_session=False)
    )
    return ids


def claim(session: Session, message_id: int, now: datetime) -> Claimed | None:
    """Begin an attempt; None where the message is not due any more, or another process has it."""
    found = (
        select(OutboxMessage)
        .where(
            OutboxMessage.id == message_id,
            OutboxMessage.state == State.WAITING,
            or_(OutboxMessage.next_try_at.is_(None), OutboxMessage.next_try_at <= now + PATIENCE),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    message = session.execute(found).scalar_one_or_none()
    if message is None:
        return None
    attempt = DeliveryAttempt(message_id=message_id, n=1 + _tries(session, message_id), started_at=now)
    session.add(attempt)
    message.state, message.why = State.SENDING.value, ""
    session.flush()
    return Claimed(attempt.id, message)


def say_data(session: Session, attempt_id: int, now: datetime) -> bool:
    """Note that DATA is said next; False where the attempt was given up meanwhile: then it must not be said."""
    noted = (
        update(DeliveryAttempt)
        .where(
            DeliveryAttempt.id == attempt_id, DeliveryAttempt.data_at.is_(None), DeliveryAttempt.ended_at.is_(None)
        )
        .values(data_at=now)
    )
    return session.execute(noted.returning(DeliveryAttempt.id)).scalar_one_or_none() is not None


def finish(session: Session, attempt_id: int, outcome: Outcome, reply: str, *, now: datetime) -> bool:
    """Note how an attempt ended, and what becomes of its message; False where it was given up meanwhile.

    Once DATA was said, `not_sent` is not known any more: such an attempt is unclear.
    """
    found = select(DeliveryAttempt).where(DeliveryAttempt.id == attempt_id, DeliveryAttempt.ended_at.is_(None))
    attempt = session.execute(
        found.with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if attempt is None:
        return False
    if attempt.data_at and outcome is Outcome.NOT_SENT:
        outcome = Outcome.UNCLEAR
    attempt.ended_at, attempt.outcome, attempt.reply = now, outcome.value, reply
    message = session.get_one(OutboxMessage, attempt.message_id, with_for_update=True, populate_existing=True)
    message.state = STATE_AFTER[outcome].value
    message.sent_at = now if outcome is Outcome.SENT else None
    message.next_try_at = now + back_off(attempt.n) if outcome is Outcome.NOT_SENT else None
    session.flush()
    after = {"state": message.state, "attempt": attempt.n, "reply": reply}
    audit.record(session, "deliver", "message", message.id, actor_id=None, now=now, after=after)
    return True


def back_off(n: int) -> timedelta:
    """How long to wait after the n-th attempt that did not get as far as DATA."""
    return BACK_OFF[min(n, len(BACK_OFF)) - 1]


def give_up_dead(session: Session, now: datetime) -> int:
    """End the attempts that a process left behind: tried again where DATA was not said, unclear where it was."""
    dead = session.execute(
        select(DeliveryAttempt.id)
        .where(DeliveryAttempt.ended_at.is_(None), DeliveryAttempt.started_at < now - LEASE)
        .order_by(DeliveryAttempt.id)
        .with_for_update(skip_locked=True)
    ).scalars()
    return sum(finish(session, attempt_id, Outcome.NOT_SENT, GIVEN_UP, now=now) for attempt_id in dead.all())


def attempts(session: Session, message_ids: Sequence[int]) -> dict[int, list[DeliveryAttempt]]:
    """Every attempt of the messages, in order."""
    rows = session.execute(
        select(DeliveryAttempt)
        .where(among(DeliveryAttempt.message_id, list(message_ids)))
        .order_by(DeliveryAttempt.message_id, DeliveryAttempt.n)
    ).scalars()
    found: dict[int, list[DeliveryAttempt]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


def _tries(session: Session, message_id: int) -> int:
    counted = select(func.count()).select_from(DeliveryAttempt).where(DeliveryAttempt.message_id == message_id)
    return session.execute(counted).scalar_one()
