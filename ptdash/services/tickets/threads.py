"""What is said on a ticket: the customer's words, our replies, notes among us, and the files with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.tickets import Channel, Status
from ptdash.models import StoredFile, Ticket, TicketAttachment, TicketMessage
from ptdash.services import audit, deadlines, files
from ptdash.services.tickets.changing import lock, set_status


class NothingSaid(Invalid):
    message = "Write something first."


class NoFile(Invalid):
    message = "Choose a file first."


class TicketMerged(Conflict):
    message = "This ticket was merged into another one. Go on there."


class TicketClosed(Conflict):
    message = "This ticket is closed. Open a new one for the customer."


class ThreadMovedOn(Conflict):
    message = (
        "Somebody wrote on this ticket while you were typing. Read it, then send again if your words still fit."
    )


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


def reply(
    session: Session,
    ticket_id: int,
    body: str,
    *,
    actor_id: int,
    now: datetime,
    uploads: Sequence[Upload] = (),
    seen: int | None = None,
) -> TicketMessage:
    """Keep what we answered. The first reply meets the response deadline.

    `seen` is the newest message that the writer had before them. Raises NotFound, NothingSaid, TicketMerged,
    TicketClosed, ThreadMovedOn, and what files.store raises.
    """
    ticket = _open_for_words(session, ticket_id)
    if seen is not None and newest_message(session, ticket_id) > seen:
        raise ThreadMovedOn()
    first = ticket.responded_at is None
    if first:
        ticket.responded_at = now
    message = _say(session, ticket, "reply", body, uploads, actor_id, now)
    if first:
        deadlines.refresh(session, [ticket.id])
    return message


def note(
    session: Session,
    ticket_id: int,
    body: str,
    *,
    actor_id: int,
    now: datetime,
    uploads: Sequence[Upload] = (),
) -> TicketMessage:
    """Keep a note that only colleagues read, also on a closed ticket.

    Raises NotFound, NothingSaid, TicketMerged, and what files.store raises.
    """
    ticket = lock(session, ticket_id)
    if ticket.status == Status.MERGED:
        raise TicketMerged()
    return _say(session, ticket, "note", body, uploads, actor_id, now)


def record_inbound(
    session: Session,
    ticket_id: int,
    body: str,
    *,
    channel: Channel,
    sender: str,
    actor_id: int,
    now: datetime,
    uploads: Sequence[Upload] = (),
) -> TicketMessage:
    """Keep what the customer said. A resolved ticket opens again; one that waited for the customer goes on.

    Raises NotFound, NothingSaid, TicketMerged, TicketClosed, and what files.store raises.
    """
    ticket = _open_for_words(session, ticket_id)
    said = {"channel": channel.value, "sender": sender.strip()}
    message = _say(session, ticket, "inbound", body, uploads, actor_id, now, **said)
    after = {Status.RESOLVED: Status.OPEN, Status.WAITING_CUSTOMER: Status.IN_PROGRESS}.get(Status(ticket.status))
    if after:
        set_status(session, ticket_id, after, actor_id=actor_id, now=now)
    return message


def attach(
    session: Session, ticket_id: int, uploads: Sequence[Upload], *, actor_id: int, now: datetime
) -> list[StoredFile]:
    """Keep files with a ticket. Raises NotFound, NoFile, TicketMerged, and what files.store raises."""
    ticket = lock(session, ticket_id)
    if ticket.status == Status.MERGED:
        raise TicketMerged()
    if not uploads:
        raise NoFile()
    return _attach(session, ticket, uploads, None, actor_id, now)


def attached(session: Session, ticket_id: int, file_id: int) -> StoredFile:
    """A file of a ticket, or of one merged into it, with its content. Raises NotFound."""
    hangs = (
        select(TicketAttachment.file_id)
        .join(Ticket, Ticket.id == TicketAttachment.ticket_id)
        .where(TicketAttachment.file_id == file_id)
        .where((Ticket.id == ticket_id) | (Ticket.merged_into_id == ticket_id))
    )
    if session.execute(hangs).first() is None:
        raise NotFound(what=str(file_id))
    return files.load(session, file_id)


def newest_message(session: Session, ticket_id: int) -> int:
    """The id of the last message that the customer or one of us wrote to the other; 0 where there is none."""
    said = select(func.coalesce(func.max(TicketMessage.id), 0)).where(
        TicketMessage.ticket_id == ticket_id, TicketMessage.kind != "note"
    )
    return session.execute(said).scalar_one()


def _open_for_words(session: Session, ticket_id: int) -> Ticket:
    ticket = lock(session, ticket_id)
    if ticket.status == Status.MERGED:
        raise TicketMerged()
    if ticket.status == Status.CLOSED:
        raise TicketClosed()
    return ticket


def _say(
    session: Session,
    ticket: Ticket,
    kind: str,
    body: str,
    uploads: Sequence[Upload],
    actor_id: int,
    now: datetime,
    **said: Any,
) -> TicketMessage:
    if not body.strip():
        raise NothingSaid()
    text = body.strip().replace("\r\n", "\n")
    message = TicketMessage(ticket_id=ticket.id, kind=kind, author_id=actor_id, body=text, at=now, **said)
    session.add(message)
    ticket.updated_at = now
    session.flush()
    after = {"message": message.id, **said}
    audit.record(session, kind, "ticket", ticket.number, actor_id=actor_id, now=now, after=after)
    if uploads:
        _attach(session, ticket, uploads, message.id, actor_id, now)
    return message


def _attach(
    session: Session,
    ticket: Ticket,
    uploads: Sequence[Upload],
    message_id: int | None,
    actor_id: int,
    now: datetime,
) -> list[StoredFile]:
    kept = [files.store(session, sent.name, sent.content, actor_id=actor_id, now=now) for sent in uploads]
    session.add_all(TicketAttachment(ticket_id=ticket.id, file_id=file.id, message_id=message_id) for file in kept)
    ticket.updated_at = now
    session.flush()
    for file in kept:
        after = {"file": file.name, "size": file.size, "sha256": file.sha256}
        audit.record(session, "attach", "ticket", ticket.number, actor_id=actor_id, now=now, after=after)
    return kept
