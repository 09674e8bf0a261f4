"""The XML of invoices, which is the original: checked before the number is taken, written with it, never changed.

What is checked carries a provisional number in the place of the real one, and is otherwise what is issued.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from ptdash.documents import einvoice, invoice_mails
from ptdash.documents.validation import Finding, Findings, validate
from ptdash.domain.bills import InvalidInvoice
from ptdash.domain.einvoices import InvoiceSource
from ptdash.models import InvoiceXml, OutboxMessage, Run
from ptdash.services.bulk import insert_rows
from ptdash.services.invoice_sources import PROVISIONAL
from ptdash.services.outbox import NO_DOMAIN, Kind, State, Why

# How many findings are told; the first ones cause most of the others.
TOLD = 3


@dataclass(frozen=True)
class CheckedInvoice:
    """An invoice as it was checked: what it says, its XML, and what the rules say to it."""

    source: InvoiceSource
    xml: bytes
    findings: Findings

    @property
    def profile(self) -> str:
        return self.source.profile

    def numbered(self, number: str) -> bytes:
        """The XML with its real number, otherwise the same."""
        if self.xml.count(PROVISIONAL.encode()) == 2:  # its number, and what the payment refers to
            return self.xml.replace(PROVISIONAL.encode(), number.encode())
        return einvoice.build(replace(self.source, number=number), self.profile)


def check(source: InvoiceSource) -> CheckedInvoice:
    """Write an invoice's XML, read its amounts back and ask the rules."""
    xml = einvoice.build(source, source.profile)
    findings = validate(xml)
    wrong = tuple(Finding("LEDGER", difference) for difference in einvoice.differences(xml, source))
    return CheckedInvoice(source, xml, replace(findings, fatal=wrong + findings.fatal))


def refused(documents: Iterable[CheckedInvoice]) -> InvalidInvoice | None:
    """Why a customer's invoices must not be issued; None where nothing speaks against it."""
    fatal = list(dict.fromkeys(str(finding) for document in documents for finding in document.findings.fatal))
    if not fatal:
        return None
    more = f" (+{len(fatal) - TOLD})" if len(fatal) > TOLD else ""
    return InvalidInvoice(findings=" ".join(fatal[:TOLD]) + more)


def write(
    session: Session, run: Run, issued: Collection[tuple[int, str, int, CheckedInvoice]], now: datetime
) -> None:
    """Keep the originals of invoices (id, number, customer, what was checked); write their e-mails, held."""
    insert_rows(
        session,
        InvoiceXml,
        [xml_row(invoice_id, document, document.numbered(number)) for invoice_id, number, _, document in issued],
        created_at=now,
    )
    insert_rows(
        session,
        OutboxMessage,
        [
            _message(invoice_id, number, customer_id, document)
            for invoice_id, number, customer_id, document in issued
        ],
        kind=Kind.INVOICE.value,
        state=State.HELD.value,
        why=(Why.NO_DOCUMENT if run.released_at else Why.NOT_RELEASED).value,
        created_at=now,
        created_by_id=run.ordered_by_id,
    )


def xml_row(invoice_id: int, document: CheckedInvoice, xml: bytes) -> dict[str, Any]:
    findings = document.findings
    return {
        "invoice_id": invoice_id,
        "profile": document.profile,
        "content": f"\\x{xml.hex()}",
        "sha256": sha256(xml).hexdigest(),
        "rules": findings.rules,
        "rules_sha256": findings.rules_sha256,
        "warnings": [{"rule": warning.rule, "text": warning.text} for warning in findings.warnings],
    }


def _message(invoice_id: int, number: str, customer_id: int, document: CheckedInvoice) -> dict[str, Any]:
    source = replace(document.source, number=number)
    subject, body = invoice_mails.write(source)
    domain = str(source.seller.get("email") or "").rpartition("@")[2] or NO_DOMAIN
    return {
        "once": f"invoice:{number}",
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "recipient": str(source.buyer.get("email") or "").strip(),
        "subject": subject,
        "body": body,
        "message_id": f"<{number}@{domain}>",
    }
