"""The PDFs of issued invoices: set after the issue by a job, kept with all that they were set from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload, undefer

from ptdash.documents import invoice
from ptdash.documents.evidence import Package
from ptdash.domain.einvoices import InvoiceSource
from ptdash.domain.errors import NotFound
from ptdash.domain.settlement import Settled
from ptdash.models import DocumentFailure, Invoice, InvoicePdf, InvoiceXml, OutboxMessage
from ptdash.services import dispatch, invoice_sources, statements
from ptdash.services.bulk import among
from ptdash.services.time_records import recorded

# After so many attempts that failed, the next one waits twice as long, up to a day.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)


def missing(session: Session, now: datetime, limit: int = 20_000) -> Sequence[int]:
    """Invoices with an XML and no PDF, the oldest first; those that failed come again later and later."""
    found = (
        select(InvoiceXml.invoice_id)
        .outerjoin(InvoicePdf, InvoicePdf.invoice_id == InvoiceXml.invoice_id)
        .outerjoin(DocumentFailure, DocumentFailure.invoice_id == InvoiceXml.invoice_id)
        .where(InvoicePdf.invoice_id.is_(None))
        .where(or_(DocumentFailure.invoice_id.is_(None), DocumentFailure.failed_at <= now - _wait()))
        .order_by(InvoiceXml.invoice_id)
        .limit(limit)
    )
    return session.execute(found).scalars().all()


@dataclass(frozen=True)
class Content:
    """What an invoice's PDF says, the XML inside it, and the instant that it carries: that of the issue."""

    invoice_id: int
    said: dict[str, Any]
    xml: bytes
    at: datetime

    def set(self) -> bytes:
        """The PDF; nothing is read from the database."""
        return invoice.render(self.said, self.xml, at=self.at)


def contents(session: Session, invoice_ids: Collection[int]) -> list[Content]:
    """What the PDFs of these invoices say, of those that have an XML and no PDF yet."""
    xmls = {
        row.invoice_id: row
        for row in session.execute(
            select(InvoiceXml.invoice_id, InvoiceXml.content, InvoiceXml.created_at)
            .outerjoin(InvoicePdf, InvoicePdf.invoice_id == InvoiceXml.invoice_id)
            .where(among(InvoiceXml.invoice_id, invoice_ids), InvoicePdf.invoice_id.is_(None))
            .order_by(InvoiceXml.invoice_id)
        )
    }
    sources = invoice_sources.of_invoices(session, list(xmls))
    invoices = select(Invoice).where(among(Invoice.id, list(xmls))).options(selectinload(Invoice.lines))
    return [
        Content(row.id, _said(session, row, sources[row.id]), xmls[row.id].content, xmls[row.id].created_at)
        for row in session.execute(invoices.order_by(Invoice.id)).scalars()
    ]


def keep(session: Session, rendered: Sequence[tuple[Content, bytes]], *, now: datetime) -> int:
    """Keep PDFs with what they were set from; how many are new. Their e-mails go once nothing holds them."""
    ids = [content.invoice_id for content, _ in rendered]
    rows = [
        {
            "invoice_id": content.invoice_id,
            "content": pdf,
            "sha256": sha256(pdf).hexdigest(),
            "source": {"said": content.said, "at": content.at.isoformat()},
            "created_at": now,
        }
        for content, pdf in rendered
    ]
    if not rows:
        return 0
    kept = insert(InvoicePdf).values(rows).on_conflict_do_nothing().returning(InvoicePdf.invoice_id)
    new = len(session.execute(kept).all())
    session.execute(delete(DocumentFailure).where(among(DocumentFailure.invoice_id, ids)))
    dispatch.let_go(session, now=now, invoice_ids=ids)
    return new


def set_pdf(session: Session, invoice_id: int, *, now: datetime) -> bool:
    """Set and keep an invoice's PDF; False where it is there already."""
    return bool(keep(session, [(content, content.set()) for content in contents(session, [invoice_id])], now=now))


def set_again(session: Session, invoice_id: int) -> bytes:
    """The PDF set once more from what it was set from: the same bytes. Raises NotFound."""
    pdf = load(session, invoice_id)
    xml = session.execute(select(InvoiceXml.content).where(InvoiceXml.invoice_id == invoice_id)).scalar_one()
    return invoice.render(pdf.source["said"], xml, at=datetime.fromisoformat(pdf.source["at"]))


def load(session: Session, invoice_id: int) -> InvoicePdf:
    """An invoice's PDF with its content; raises NotFound."""
    found = select(InvoicePdf).where(InvoicePdf.invoice_id == invoice_id)
    found = found.options(undefer(InvoicePdf.content), undefer(InvoicePdf.source))
    pdf = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if pdf is None:
        raise NotFound(what=str(invoice_id))
    return pdf


def pdf_of(session: Session, number: str) -> bytes:
    """The PDF of an invoice by its number; raises NotFound."""
    found = select(InvoicePdf.content).join(Invoice, Invoice.id == InvoicePdf.invoice_id)
    return _content(session, found.where(Invoice.number == number), number)


def xml_of(session: Session, number: str) -> bytes:
    """The XML of an invoice by its number, the original; raises NotFound."""
    found = select(InvoiceXml.content).join(Invoice, Invoice.id == InvoiceXml.invoice_id)
    return _content(session, found.where(Invoice.number == number), number)


def _content(session: Session, found: Select[bytes], number: str) -> bytes:
    content: bytes | None = session.execute(found).scalar_one_or_none()
    if content is None:
        raise NotFound(what=number)
    return content


@dataclass(frozen=True)
class Documents:
    """What there is of an issued invoice: `failure` says why something is missing, `rules` what it was checked
    against, `message_id` its e-mail."""

    has_xml: bool
    has_pdf: bool
    profile: str | None
    rules: str | None
    warnings: Sequence[Any]
    failure: str | None
    message_id: int | None
    message_state: str | None


def documents_of(session: Session, number: str) -> Documents:
    """The state of an invoice's documents and of its e-mail; raises NotFound."""
    row = session.execute(
        select(
            InvoiceXml.profile,
            InvoiceXml.rules,
            InvoiceXml.warnings,
            InvoicePdf.sha256.label("pdf"),
            DocumentFailure.why,
            OutboxMessage.id,
            OutboxMessage.state,
        )
        .select_from(Invoice)
        .outerjoin(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .outerjoin(InvoicePdf, InvoicePdf.invoice_id == Invoice.id)
        .outerjoin(DocumentFailure, DocumentFailure.invoice_id == Invoice.id)
        .outerjoin(OutboxMessage, and_(OutboxMessage.invoice_id == Invoice.id, OutboxMessage.resends_id.is_(None)))
        .where(Invoice.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound(what=number)
    return Documents(
        has_xml=row.profile is not None,
        has_pdf=row.pdf is not None,
        profile=row.profile,
        rules=row.rules,
        warnings=row.warnings or (),
        failure=row.why,
        message_id=row.id,
        message_state=row.state,
    )


def note_failure(session: Session, invoice_id: int, why: str, *, now: datetime) -> None:
    """Note that an invoice's documents could not be made, and why; tried again later and later."""
    row = {"invoice_id": invoice_id, "attempts": 1, "failed_at": now, "why": why}
    again = {"attempts": DocumentFailure.attempts + 1, "failed_at": now, "why": why}
    session.execute(
        insert(DocumentFailure).values(row).on_conflict_do_update(index_elements=["invoice_id"], set_=again)
    )


def _wait() -> Any:
    """FIRST_WAIT, doubled with every attempt, up to LONGEST_WAIT."""
    doubled = FIRST_WAIT * func.power(2, func.least(DocumentFailure.attempts, 20) - 1)
    return func.least(doubled, LONGEST_WAIT)


def _said(session: Session, row: Invoice, source: InvoiceSource) -> dict[str, Any]:
    contracts, entries = statements.evidence(session, row)
    return invoice.content(
        source,
        [line.explanation for line in row.lines],
        [_package(contract) for contract in contracts],
        [recorded(entry) for entry in entries],
    )


def _package(settled: Settled) -> Package:
    return Package(
        contract=settled.contract,
        included=settled.included_minutes,
        used=settled.used_minutes,
        overage=settled.overage_minutes,
        expired=settled.expired_minutes,
        overage_rate=settled.overage_rate,
    )
