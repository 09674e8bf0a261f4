"""What a message of the outbox carries: its text, its files, an invoice's documents."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from ptdash.documents import mails
from ptdash.documents.mails import Attachment
from ptdash.models import Invoice, InvoicePdf, InvoiceXml, OutboxFile, OutboxMessage, StoredFile
from ptdash.services.delivery import MailServer


def compose(session: Session, message: OutboxMessage, server: MailServer, *, now: datetime) -> bytes:
    """The e-mail of a message, as it is handed to the server."""
    return mails.compose(
        sender=server.sender,
        sender_name=server.sender_name,
        recipient=message.recipient,
        subject=message.subject,
        body=message.body,
        message_id=message.message_id,
        at=now,
        attachments=[*_documents(session, message.invoice_id), *_files(session, message.id)],
    )


def _files(session: Session, message_id: int) -> list[Attachment]:
    found = (
        select(StoredFile)
        .join(OutboxFile, OutboxFile.file_id == StoredFile.id)
        .where(OutboxFile.message_id == message_id)
        .order_by(StoredFile.id)
        .options(undefer(StoredFile.content))
        .execution_options(populate_existing=True)
    )
    return [(file.name, file.media_type, file.content) for file in session.execute(found).scalars()]


def documents_of(session: Session, invoice_id: int | None) -> list[str]:
    """The names of an invoice's files that its message carries, or will carry; none while the PDF is not there."""
    found = session.execute(
        select(Invoice.number, Invoice.buyer, InvoiceXml.profile)
        .join(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .join(InvoicePdf, InvoicePdf.invoice_id == Invoice.id)
        .where(Invoice.id == invoice_id)
    ).one_or_none()
    if found is None:
        return []
    xml = [f"{found.number}.xml"] if _wants_xml(found.profile, found.buyer) else []
    return [f"{found.number}.pdf", *xml]


def _documents(session: Session, invoice_id: int | None) -> list[Attachment]:
    if invoice_id is None:
        return []
    number, buyer, profile, xml, pdf = session.execute(
        select(Invoice.number, Invoice.buyer, InvoiceXml.profile, InvoiceXml.content, InvoicePdf.content)
        .join(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .join(InvoicePdf, InvoicePdf.invoice_id == Invoice.id)
        .where(Invoice.id == invoice_id)
    ).one()
    found = [(f"{number}.pdf", "application/pdf", pdf)]
    if _wants_xml(profile, buyer):
        found.append((f"{number}.xml", "application/xml", xml))
    return found


def _wants_xml(profile: str, buyer: dict[str, Any]) -> bool:
    """The XML goes by itself, too, to whoever asks for it, and as XRechnung always."""
    return profile == "xrechnung" or bool(buyer.get("wants_xml"))
