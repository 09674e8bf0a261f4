"""Messages that came back: delivery status notifications (RFC 3464) are put to the message they are about."""

import re
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Invalid
from ptdash.models import OutboxMessage
from ptdash.services import audit

FAILED = "failed"
LONGEST = 2000


class NoBounce(Invalid):
    message = "This is no notification that a message could not be delivered (RFC 3464)."


class NotOurs(Invalid):
    message = "None of our messages is the one that came back."


def record(session: Session, content: bytes, *, actor_id: int | None, now: datetime) -> OutboxMessage:
    """Note at its message that it came back, with the server's words. The same notification twice changes nothing.

    Raises NoBounce, also where delivery is only delayed, and NotOurs.
    """
    notification = message_from_bytes(content, policy=default)
    words = _diagnosis(notification)
    if not words:
        raise NoBounce()
    found = select(OutboxMessage).where(OutboxMessage.message_id.in_(_message_ids(notification))).with_for_update()
    message = session.execute(found.execution_options(populate_existing=True)).scalars().first()
    if message is None:
        raise NotOurs()
    if message.bounced_at is None:
        message.bounced_at, message.bounce = now, words
        session.flush()
        audit.record(session, "bounce", "message", message.id, actor_id=actor_id, now=now, after={"bounce": words})
    return message


def _diagnosis(notification: Message) -> str:
    """What the receiving server said about the recipients it refused for good."""
    said = []
    for part in notification.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in part.get_payload():
            if isinstance(fields, Message) and str(fields.get("Action", "")).strip().lower() == FAILED:
                diagnosis = _untyped(fields.get("Diagnostic-Code") or fields.get("Status") or FAILED)
                said.append(f"{_untyped(fields.get('Final-Recipient', ''))}: {diagnosis}")
    return "\n".join(said)[:LONGEST]


def _untyped(value: object) -> str:
    """A field without its type: `rfc822; a@b.example` is a@b.example."""
    return " ".join(re.sub(r"^\s*[\w-]+;", "", str(value)).split())


def _message_ids(notification: Message) -> list[str]:
    """The ids of the message that came back, or its headers, as it is attached; and what is answered to."""
    ids: list[str] = []
    for part in notification.walk():
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            headers = part.get_payload(decode=True)
            if isinstance(headers, bytes):
                ids.append(message_from_bytes(headers, policy=default).get("Message-ID", ""))
        elif part is not notification:
            ids.append(part.get("Message-ID", ""))
    ids += [notification.get("In-Reply-To", ""), *str(notification.get("References", "")).split()]
    return [str(each).strip() for each in ids if each]
