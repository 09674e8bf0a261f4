"""The originals of issued invoices: made up for invoices from before e-invoices, and compared with the ledger."""

import io
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import pikepdf
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.documents import einvoice
from ptdash.models import DocumentFailure, Invoice, InvoicePdf, InvoiceXml, OutboxMessage
from ptdash.services import invoice_documents, invoice_sources
from ptdash.services.bulk import among, insert_rows

CHUNK = 200
# An invoice that keeps a rule from being kept is asked again a day later: the rules may be newer by then.
AGAIN = timedelta(days=1)

log = logging.getLogger(__name__)


def without(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """Issued invoices that have no XML yet, the oldest first; not those that failed lately."""
    found = (
        select(Invoice.id)
        .outerjoin(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .outerjoin(DocumentFailure, DocumentFailure.invoice_id == Invoice.id)
        .where(InvoiceXml.invoice_id.is_(None))
        .where(or_(DocumentFailure.failed_at.is_(None), DocumentFailure.failed_at < now - AGAIN))
        .order_by(Invoice.id)
        .limit(limit)
    )
    return session.execute(found).scalars().all()


def make(session: Session, ids: Sequence[int], *, now: datetime) -> int:
    """Write the XML of issued invoices from the ledger; how many. One that breaks a rule gets none: the failure
    says which. Whoever comes second finds the row locked, and then the XML there."""
    session.execute(select(Invoice.id).where(among(Invoice.id, ids)).order_by(Invoice.id).with_for_update())
    there = set(session.execute(select(InvoiceXml.invoice_id).where(among(InvoiceXml.invoice_id, ids))).scalars())
    rows = []
    for invoice_id, source in invoice_sources.of_invoices(session, [i for i in ids if i not in there]).items():
        try:
            checked = invoice_documents.check(source)
        except Exception:
            log.exception("no XML for invoice %s", source.number)
            _failed(session, invoice_id, "Something unforeseen happened; the log of the workers says more.", now)
            continue
        if reason := invoice_documents.refused([checked]):
            _failed(session, invoice_id, str(reason), now)
        else:
            rows.append(invoice_documents.xml_row(invoice_id, checked, checked.xml))
    insert_rows(session, InvoiceXml, rows, created_at=now)
    written = [row["invoice_id"] for row in rows]
    session.execute(delete(DocumentFailure).where(among(DocumentFailure.invoice_id, written)))
    return len(rows)


def _failed(session: Session, invoice_id: int, why: str, now: datetime) -> None:
    failure = insert(DocumentFailure).values(invoice_id=invoice_id, failed_at=now, why=why)
    again = {"attempts": DocumentFailure.attempts + 1, "failed_at": now, "why": why}
    session.execute(failure.on_conflict_do_update(index_elements=["invoice_id"], set_=again))


def count(session: Session) -> int:
    """How many documents are kept."""
    xmls, pdfs = (select(func.count()).select_from(kept).scalar_subquery() for kept in (InvoiceXml, InvoicePdf))
    documents: int = session.execute(select(xmls + pdfs)).scalar_one()
    return documents


def violations(session: Session) -> Iterator[str]:
    """Every invoice has its XML, unchanged, and it says what the ledger says; the PDF carries that XML.

    An invoice from before e-invoices, which has no e-mail either, may be without until its XML is made up.
    """
    lost = (
        select(Invoice.number)
        .join(OutboxMessage, OutboxMessage.invoice_id == Invoice.id)
        .outerjoin(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .where(InvoiceXml.invoice_id.is_(None))
        .distinct()
    )
    yield from (f"invoice {number}: has no XML" for number in session.execute(lost).scalars())
    ids = session.execute(select(InvoiceXml.invoice_id).order_by(InvoiceXml.invoice_id)).scalars().all()
    for start in range(0, len(ids), CHUNK):
        yield from _violations(session, ids[start : start + CHUNK])


def _violations(session: Session, ids: Sequence[int]) -> Iterator[str]:
    sources = invoice_sources.of_invoices(session, ids)
    kept = (
        select(
            InvoiceXml.invoice_id,
            InvoiceXml.content,
            InvoiceXml.sha256,
            InvoicePdf.content.label("pdf"),
            InvoicePdf.sha256.label("pdf_sha256"),
        )
        .outerjoin(InvoicePdf, InvoicePdf.invoice_id == InvoiceXml.invoice_id)
        .where(among(InvoiceXml.invoice_id, ids))
        .order_by(InvoiceXml.invoice_id)
    )
    for invoice_id, xml, xml_sha256, pdf, pdf_sha256 in session.execute(kept):
        source = sources[invoice_id]
        if sha256(xml).hexdigest() != xml_sha256:
            yield f"invoice {source.number}: its XML is not what was stored"
        for difference in einvoice.differences(xml, source):
            yield f"invoice {source.number}: its XML differs from the ledger, {difference}"
        if pdf is not None:
            if sha256(pdf).hexdigest() != pdf_sha256:
                yield f"invoice {source.number}: its PDF is not what was stored"
            elif not _carries(pdf, xml):
                yield f"invoice {source.number}: its PDF does not carry its XML"


def _carries(pdf: bytes, xml: bytes) -> bool:
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            return any(item.get_file().read_bytes() == xml for item in document.attachments.values())
    except pikepdf.PdfError:
        return False
