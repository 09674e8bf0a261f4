"""How the e-mails of the demo's closed months fared: most arrived, three of the newest need a person."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from ptdash.models import DeliveryAttempt, Invoice, OutboxMessage
from ptdash.services import bounces, customers, delivery, settings
from ptdash.services.delivery import Outcome
from ptdash.services.outbox import State

PUBLIC_BUYER, ROUTING_ID = "10027", "05515000-31001-28"
WITHOUT_EMAIL = "10014"
STOPPED = "Connection unexpectedly closed"
UNKNOWN = "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table"
FULL = (
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nReferences: {message_id}\r\n\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.kunde.example\r\n\r\n"
    "Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\r\n\r\n--b--\r\n"
)
# By place in the run.
REFUSED, UNCLEAR, CAME_BACK = 4, 9, 15


def prepare(session: Session, *, now: datetime) -> None:
    """What stands in letters, a public buyer with its routing id, a customer without an e-mail address."""
    values = {
        "company.contact": "Miriam Vogt",
        "company.management": "Geschäftsführerin: Miriam Vogt",
        "company.register": "Amtsgericht Münster, HRB 12345",
        "datev.consultant": "29098",
        "datev.client": "55003",
    }
    settings.change_all(session, values, actor_id=None, now=now)
    public = customers.invoice_data(customers.get(session, PUBLIC_BUYER))
    public = replace(public, invoice_format="xrechnung", routing_id=ROUTING_ID)
    customers.change_invoice_data(session, PUBLIC_BUYER, public, actor_id=None, now=now)
    other = customers.invoice_data(customers.get(session, WITHOUT_EMAIL))
    customers.change_invoice_data(session, WITHOUT_EMAIL, replace(other, email=""), actor_id=None, now=now)


def seed(session: Session, month: date, *, now: datetime) -> None:
    """The e-mails of a released month as a mail server would have answered them, a minute ago; none waits for its
    PDF, which the workers set."""
    messages = (
        select(OutboxMessage)
        .join(Invoice, Invoice.id == OutboxMessage.invoice_id)
        .where(Invoice.period == month, OutboxMessage.state == State.HELD, OutboxMessage.recipient != "")
        .order_by(OutboxMessage.id)
    )
    waiting = session.execute(messages).scalars().all()
    for message in waiting:
        message.state, message.why = State.WAITING, ""
    session.flush()
    for place, message in enumerate(waiting):
        _deliver(session, message, place, now)


def arrived(session: Session, month: date, *, at: datetime) -> None:
    """The e-mails of an earlier month, all delivered then; who has no address got a letter instead. Their PDFs are
    set later, by the workers."""
    messages = select(OutboxMessage.id).join(Invoice, Invoice.id == OutboxMessage.invoice_id)
    held = messages.where(Invoice.period == month, OutboxMessage.state == State.HELD)
    addressed = held.where(OutboxMessage.recipient != "")
    tries = select(OutboxMessage.id, literal(1), literal(at), literal(at), literal(at), literal("sent"))
    columns = ["message_id", "n", "started_at", "data_at", "ended_at", "outcome"]
    session.execute(insert(DeliveryAttempt).from_select(columns, tries.where(OutboxMessage.id.in_(addressed))))
    for ids, values in ((addressed, {"state": State.SENT, "sent_at": at}), (held, {"state": State.CANCELLED})):
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(ids))
            .values(why="", created_at=at, **values)
            .execution_options(synchronize_session=False)
        )


def _deliver(session: Session, message: OutboxMessage, place: int, now: datetime) -> None:
    claimed = delivery.claim(session, message.id, now)
    assert claimed is not None
    if place == REFUSED:
        reply = UNKNOWN.format(recipient=message.recipient)
        delivery.finish(session, claimed.attempt_id, Outcome.REFUSED, reply, now=now)
        return
    delivery.say_data(session, claimed.attempt_id, now)
    outcome = Outcome.UNCLEAR if place == UNCLEAR else Outcome.SENT
    queued = f"250 2.0.0 Ok: queued as {0x3F2A10 + 37 * message.id:X}"
    delivery.finish(session, claimed.attempt_id, outcome, STOPPED if place == UNCLEAR else queued, now=now)
    if place == CAME_BACK:
        notification = FULL.format(message_id=message.message_id, recipient=message.recipient)
        bounces.record(session, notification.encode(), actor_id=None, now=now + timedelta(seconds=1))
