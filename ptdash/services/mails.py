"""What a message of the outbox carries: its text, its files, an invoice's documents."""

from datetime import datetime

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


def _documents(session: Session, invoice_id: int | None) -> list[Attachment]:
    """The PDF, and the XML by itself for those who ask for it."""
    if invoice_id is None:
        return []
    number, buyer, profile, xml, pdf = session.execute(
        select(Invoice.number, Invoice.buyer, InvoiceXml.profile, InvoiceXml.content, InvoicePdf.content)
        .join(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .join(InvoicePdf, InvoicePdf.invoice_id == Invoice.id)
        .where(Invoice.id == invoice_id)
    ).one()
    found = [(f"{number}.pdf", "application/pdf", pdf)]
    if profile == "xrechnung" or buyer.get("wants_xml"):
        found.append((f"{number}.xml", "application/xml", xml))
    return found
