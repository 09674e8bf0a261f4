"""The outbox: messages to people, written in the transaction that causes them; delivery takes them from here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.models import Customer, Invoice, OutboxFile, OutboxMessage, StoredFile
from ptdash.services import audit, settings
from ptdash.services.bulk import among

PAGE_ROWS = 50
NO_DOMAIN = "ptdash.invalid"


class Kind(StrEnum):
    """What a message is about."""

    NOTICE = "notice"
    NOTICE_WITHDRAWN = "notice_withdrawn"
    REMINDER = "reminder"
    INVOICE = "invoice"
    REPORT = "report"
    TEST = "test"


class State(StrEnum):
    HELD = "held"
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNCLEAR = "unclear"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Why(StrEnum):
    """Why a message is held."""

    NO_ADDRESS = "no_address"
    NOT_RELEASED = "not_released"
    NO_DOCUMENT = "no_document"


CANCELLABLE = frozenset({State.HELD, State.WAITING})
# What a person may send again, as a message of its own; so may a message that came back.
RESENDABLE = frozenset({State.UNCLEAR, State.REFUSED})


class NotCancellable(Conflict):
    message = "This message is %(state)s. Only a waiting or held one can be cancelled."


class AddressMissing(Conflict):
    message = "Customer %(customer)s still has no e-mail address. Enter it first."


class NotHeld(Conflict):
    message = "This message is not held."


class NotResendable(Conflict):
    message = "Only a message that was refused, came back, or whose delivery is unclear is sent again."


class ResentAlready(Conflict):
    message = "This message was sent again already. Send that one again where it failed, too."


class HeldByInvoice(Conflict):
    message = "This message goes by itself once its result is released and its document is there."


@dataclass(frozen=True)
class Listed:
    """A message in the list: its customer, its attachments as (id, name, size in bytes), the number of the invoice
    that it brings."""

    message: OutboxMessage
    customer: Customer | None
    files: tuple[tuple[int, str, int], ...]
    invoice: str | None = None


def write(
    session: Session,
    *,
    once: str,
    kind: Kind,
    recipient: str,
    subject: str,
    body: str,
    now: datetime,
    customer_id: int | None = None,
    actor_id: int | None = None,
    files: Sequence[StoredFile] = (),
    held: str = "",
) -> OutboxMessage | None:
    """Put a message into the outbox; None where one with the same `once` is there already.

    It waits for its delivery, or is held with the reason: `held`, or that there is no address.
    """
    why = held or ("" if recipient.strip() else Why.NO_ADDRESS.value)
    domain = settings.get(session, "company.email").rpartition("@")[2] or NO_DOMAIN
    values = {
        "once": once,
        "kind": kind.value,
        "customer_id": customer_id,
        "recipient": recipient.strip(),
        "subject": subject,
        "body": body,
        "message_id": f"<{sha256(once.encode()).hexdigest()[:32]}@{domain}>",
        "state": (State.HELD if why else State.WAITING).value,
        "why": why,
        "created_at": now,
        "created_by_id": actor_id,
    }
    statement = insert(OutboxMessage).values(values).on_conflict_do_nothing(index_elements=["once"])
    message_id = session.execute(statement.returning(OutboxMessage.id)).scalar_one_or_none()
    if message_id is None:
        return None
    session.add_all(OutboxFile(message_id=message_id, file_id=file.id) for file in files)
    session.flush()
    facts = {"once": once, "recipient": recipient, "state": values["state"], "why": why}
    audit.record(session, "write", "message", message_id, actor_id=actor_id, now=now, after=facts)
    return session.get(OutboxMessage, message_id)


def listed(session: Session, state: str | None = None, page: int = 1) -> tuple[list[Listed], int]:
    """One page of messages, the newest first, and how many there are; `state` names one state only."""
    which = true() if state is None else OutboxMessage.state == state
    total = session.execute(select(func.count()).select_from(OutboxMessage).where(which)).scalar_one()
    return _load(session, which, page), total


def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state."""
    rows = session.execute(select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state))
    return dict(rows.all())


def load(session: Session, message_id: int) -> Listed:
    """One message; raises NotFound."""
    found = _load(session, OutboxMessage.id == message_id, 1)
    if not found:
        raise NotFound(what=str(message_id))
    return found[0]


def of_subject(session: Session, once_prefix: str) -> list[Listed]:
    """The messages about one thing, by the beginning of their `once`."""
    return _load(session, OutboxMessage.once.startswith(once_prefix, autoescape=True), 1)


def cancel(session: Session, message_id: int, *, actor_id: int | None, now: datetime) -> OutboxMessage:
    """A message that waits or is held will not be sent; raises NotFound, NotCancellable."""
    message = _locked(session, message_id)
    if message.state not in CANCELLABLE:
        raise NotCancellable(state=message.state)
    return _change(session, "cancel", message, State.CANCELLED, "", actor_id=actor_id, now=now)


def release(session: Session, message_id: int, *, actor_id: int | None, now: datetime) -> OutboxMessage:
    """A message held for want of an address takes the customer's present one and waits for its delivery.

    Raises NotFound, NotHeld, HeldByInvoice, AddressMissing.
    """
    message = _locked(session, message_id)
    if message.state != State.HELD:
        raise NotHeld()
    if message.why in (Why.NOT_RELEASED, Why.NO_DOCUMENT):
        raise HeldByInvoice()
    customer = session.get(Customer, message.customer_id) if message.customer_id else None
    if message.why == Why.NO_ADDRESS and customer:
        message.recipient = customer.email.strip()
    if not message.recipient:
        raise AddressMissing(customer=customer.number if customer else "")
    return _change(session, "release", message, State.WAITING, "", actor_id=actor_id, now=now)


def newest_test(session: Session) -> OutboxMessage | None:
    """The last test message; None where none was ever sent."""
    tests = select(OutboxMessage).where(OutboxMessage.kind == Kind.TEST).order_by(OutboxMessage.id.desc()).limit(1)
    return session.execute(tests).scalar_one_or_none()


def write_test(session: Session, recipient: str, *, actor_id: int, now: datetime) -> OutboxMessage | None:
    """A message to whoever set up the mail server, to see that it works."""
    return write(
        session,
        once=f"test:{actor_id}:{now.isoformat()}",
        kind=Kind.TEST,
        recipient=recipient,
        subject="Testnachricht von ptdash",
        body="Der Mailserver ist eingerichtet: Diese Nachricht ging über ihn hinaus.",
        now=now,
        actor_id=actor_id,
    )


def sent_again(session: Session, message_id: int) -> OutboxMessage | None:
    """The message that sent this one again; None where there is none."""
    return session.execute(
        select(OutboxMessage).where(OutboxMessage.resends_id == message_id)
    ).scalar_one_or_none()


def resend(session: Session, message_id: int, *, actor_id: int | None, now: datetime) -> OutboxMessage:
    """Send a message again, as an entry of its own, to the customer's present address.

    Raises NotFound, NotResendable, ResentAlready, AddressMissing.
    """
    old = _locked(session, message_id)
    if old.state not in RESENDABLE and not old.bounced_at:
        raise NotResendable()
    if sent_again(session, message_id):
        raise ResentAlready()
    customer = session.get(Customer, old.customer_id) if old.customer_id else None
    recipient = (customer.email.strip() if customer else "") or old.recipient
    if not recipient:
        raise AddressMissing(customer=customer.number if customer else "")
    n = 1 + int(old.once.rpartition(":again:")[2]) if ":again:" in old.once else 2
    stem, at, domain = old.message_id.removeprefix("<").partition("@")
    new = OutboxMessage(
        once=f"{old.once.partition(':again:')[0]}:again:{n}",
        kind=old.kind,
        customer_id=old.customer_id,
        invoice_id=old.invoice_id,
        resends_id=old.id,
        recipient=recipient,
        subject=old.subject,
        body=old.body,
        message_id=f"<{stem.partition('.again.')[0]}.again.{n}{at}{domain}",
        state=State.WAITING.value,
        created_at=now,
        created_by_id=actor_id,
    )
    session.add(new)
    session.flush()
    files = select(OutboxFile.file_id).where(OutboxFile.message_id == old.id)
    session.add_all(OutboxFile(message_id=new.id, file_id=file_id) for file_id in session.execute(files).scalars())
    session.flush()
    after = {"resends": old.id, "recipient": recipient}
    audit.record(session, "resend", "message", new.id, actor_id=actor_id, now=now, after=after)
    return new


def _change(
    session: Session,
    action: str,
    message: OutboxMessage,
    state: State,
    why: str,
    *,
    actor_id: int | None,
    now: datetime,
) -> OutboxMessage:
    before = {"state": message.state, "why": message.why}
    message.state, message.why = state.value, why
    session.flush()
    after = {"state": message.state, "recipient": message.recipient}
    audit.record(session, action, "message", message.id, actor_id=actor_id, now=now, before=before, after=after)
    return message


def _locked(session: Session, message_id: int) -> OutboxMessage:
    found = select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update()
    message = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if message is None:
        raise NotFound(what=str(message_id))
    return message


def _load(session: Session, which: ColumnElement[bool], page: int) -> list[Listed]:
    rows = session.execute(
        select(OutboxMessage, Customer, Invoice.number)
        .outerjoin(Customer, Customer.id == OutboxMessage.customer_id)
        .outerjoin(Invoice, Invoice.id == OutboxMessage.invoice_id)
        .where(which)
        .order_by(OutboxMessage.id.desc())
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    ).all()
    files = _files(session, [message.id for message, _, _ in rows])
    return [
        Listed(message, customer, tuple(files.get(message.id, ())), invoice) for message, customer, invoice in rows
    ]


def _files(session: Session, message_ids: Iterable[int]) -> dict[int, list[tuple[int, str, int]]]:
    rows = session.execute(
        select(OutboxFile.message_id, StoredFile.id, StoredFile.name, StoredFile.size)
        .join(StoredFile, StoredFile.id == OutboxFile.file_id)
        .where(among(OutboxFile.message_id, list(message_ids)))
        .order_by(StoredFile.id)
    )
    found: dict[int, list[tuple[int, str, int]]] = {}
    for message_id, file_id, name, size in rows:
        found.setdefault(message_id, []).append((file_id, name, size))
    return found
