"""The letters about a notice: its confirmation and that of its withdrawal, as messages with a PDF."""

from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ptdash.documents import letters
from ptdash.models import ContractNotice, OutboxMessage, StoredFile, User
from ptdash.services import outbox, settings
from ptdash.services.contracts import ContractOnDay
from ptdash.services.outbox import Kind

if TYPE_CHECKING:
    from ptdash.services.notices import Preview

PDF = "application/pdf"


def confirm(
    session: Session,
    row: ContractOnDay,
    notice: ContractNotice,
    found: "Preview",
    *,
    today: date,
    now: datetime,
    actor_id: int,
) -> None:
    """Write the confirmation of a notice to the customer; held where it has no e-mail address."""
    letter = letters.confirmation(
        settings.company(session),
        buyer(row),
        letters.Confirmed(
            contract=row.contract.number,
            what=what(row),
            received_on=notice.received_on,
            channel=notice.channel,
            by_us=notice.given_by == "company",
            extraordinary=notice.kind == "extraordinary",
            ends_on=found.verdict.ends_on,
            steps=found.steps,
            last_month_net_cents=found.last_cents,
        ),
        signed_by=session.get_one(User, actor_id).name,
        on=today,
        at=now,
    )
    _write(session, row, notice, Kind.NOTICE, letter, now=now, actor_id=actor_id)


def withdrawn(
    session: Session,
    row: ContractOnDay,
    notice: ContractNotice,
    ends_on: date | None,
    *,
    today: date,
    now: datetime,
    actor_id: int,
    confirm: bool,
) -> None:
    """Cancel a confirmation that was not sent yet, and confirm the withdrawal."""
    for listed in messages(session, notice):
        if listed.message.state in outbox.CANCELLABLE:
            outbox.cancel(session, listed.message.id, actor_id=actor_id, now=now)
    if not confirm:
        return
    letter = letters.withdrawal(
        settings.company(session),
        buyer(row),
        row.contract.number,
        what(row),
        notice.received_on,
        ends_on,
        signed_by=session.get_one(User, actor_id).name,
        on=today,
        at=now,
    )
    _write(session, row, notice, Kind.NOTICE_WITHDRAWN, letter, now=now, actor_id=actor_id)


def messages(session: Session, notice: ContractNotice) -> list[outbox.Listed]:
    """The messages about a notice, the newest first."""
    return outbox.of_subject(session, _once(notice, ""))


def what(row: ContractOnDay) -> str:
    """What a contract is, as letters call it."""
    return f"Support-Paket {row.package}" if row.package else "Wartungsvertrag"


def buyer(row: ContractOnDay) -> letters.Buyer:
    customer = row.customer
    return letters.Buyer(
        number=customer.number,
        name=customer.name,
        contact=customer.contact,
        street=customer.street,
        postal_code=customer.postal_code,
        city=customer.city,
        country=customer.country,
    )


def _write(
    session: Session,
    row: ContractOnDay,
    notice: ContractNotice,
    kind: Kind,
    letter: letters.Letter,
    *,
    now: datetime,
    actor_id: int,
) -> OutboxMessage | None:
    file = StoredFile(
        name=letter.name,
        media_type=PDF,
        size=len(letter.content),
        sha256=sha256(letter.content).hexdigest(),
        content=letter.content,
        created_at=now,
        created_by_id=actor_id,
    )
    session.add(file)
    session.flush()
    return outbox.write(
        session,
        once=_once(notice, kind.value),
        kind=kind,
        recipient=row.customer.email,
        subject=letter.subject,
        body=letter.body,
        now=now,
        customer_id=row.customer.id,
        actor_id=actor_id,
        files=[file],
    )


def _once(notice: ContractNotice, what: str) -> str:
    return f"notice:{notice.id}:{what}"
