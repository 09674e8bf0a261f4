"""What an e-invoice is written from: a bill about to be issued, or an issued invoice; the same either way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ptdash.domain.einvoices import InvoiceSource, Preceding, SourceLine, detail, named_invoices
from ptdash.domain.vat import VatCategory
from ptdash.models import Invoice, InvoiceLine
from ptdash.services.billing import CustomerBill, Document, buyer
from ptdash.services.bulk import among

# Stands for the number until it is taken: in no other text, so that it can be put in its place.
PROVISIONAL = "RE-0000-PROVISIONAL"


@dataclass(frozen=True)
class Issue:
    """What the invoices of a run have in common: who sells, on which day."""

    seller: Mapping[str, str]
    business_day: date

    @property
    def due_on(self) -> date:
        return self.business_day + timedelta(days=int(self.seller["payment_days"]))


def of_bills(session: Session, issue: Issue, bills: Collection[CustomerBill]) -> dict[int, list[InvoiceSource]]:
    """The invoices that bills will become, by customer, with a provisional number."""
    days = _days(session, {number for bill in bills for doc in bill.documents for number in _corrected(doc)})
    return {bill.customer.id: [_of_document(doc, bill, issue, days) for doc in bill.documents] for bill in bills}


def of_storno(bill: Invoice, business_day: date) -> InvoiceSource:
    """The Storno that an issued invoice (with its lines) will get, with a provisional number."""
    return InvoiceSource(
        number=PROVISIONAL,
        kind="storno",
        issued_on=business_day,
        due_on=business_day,
        period=bill.period,
        seller=bill.seller,
        buyer=bill.buyer,
        lines=tuple(_turned(line) for line in bill.lines),
        net_cents=-bill.net_cents,
        vat_cents=-bill.vat_cents,
        gross_cents=-bill.gross_cents,
        preceding=(Preceding(bill.number, bill.issued_on),),
    )


def of_invoices(session: Session, ids: Collection[int]) -> dict[int, InvoiceSource]:
    """Issued invoices by id, read from the ledger."""
    rows = (
        session.execute(
            select(Invoice)
            .where(among(Invoice.id, ids))
            .options(selectinload(Invoice.lines))
            .order_by(Invoice.series_year, Invoice.series_number)
            .execution_options(populate_existing=True)
        )
        .scalars()
        .all()
    )
    cancelled = _numbers(session, {row.cancels_id for row in rows if row.cancels_id})
    named = {row.id: [cancelled[row.cancels_id]] if row.cancels_id else _named(row) for row in rows}
    days = _days(session, {number for numbers in named.values() for number in numbers})
    return {row.id: _of_row(row, [Preceding(number, days[number]) for number in named[row.id]]) for row in rows}


def _of_document(document: Document, bill: CustomerBill, issue: Issue, days: Mapping[str, date]) -> InvoiceSource:
    totals = document.totals
    return InvoiceSource(
        number=PROVISIONAL,
        kind="bill",
        issued_on=issue.business_day,
        due_on=issue.due_on,
        period=document.period,
        seller=issue.seller,
        buyer=buyer(bill.customer),
        lines=tuple(
            SourceLine(
                pos=pos,
                kind=item.line.kind.value,
                description=item.description,
                detail=detail(item.line.kind, item.line.explanation),
                quantity=item.line.quantity,
                unit=item.line.unit,
                unit_price=item.line.unit_price,
                net_cents=item.line.net_cents,
                vat_category=item.vat.category,
                vat_rate=item.vat.rate,
                service_from=item.line.service_from,
                service_until=item.line.service_until,
            )
            for pos, item in enumerate(document.lines, start=1)
        ),
        net_cents=totals.net_cents,
        vat_cents=totals.vat_cents,
        gross_cents=totals.gross_cents,
        preceding=tuple(Preceding(number, days[number]) for number in _corrected(document)),
    )


def _of_row(row: Invoice, preceding: Sequence[Preceding]) -> InvoiceSource:
    return InvoiceSource(
        number=row.number,
        kind=row.kind,
        issued_on=row.issued_on,
        due_on=row.due_on,
        period=row.period,
        seller=row.seller,
        buyer=row.buyer,
        lines=tuple(_line(line) for line in row.lines),
        net_cents=row.net_cents,
        vat_cents=row.vat_cents,
        gross_cents=row.gross_cents,
        preceding=tuple(preceding),
    )


def _line(line: InvoiceLine, **other: Any) -> SourceLine:
    same = {
        name: getattr(line, name) for name in ("pos", "quantity", "unit", "unit_price", "net_cents", "vat_rate")
    }
    return SourceLine(
        **same
        | {
            "kind": line.kind,
            "description": line.description,
            "detail": detail(line.kind, line.explanation),
            "vat_category": VatCategory(line.vat_category),
            "service_from": line.service_from,
            "service_until": line.service_until,
        }
        | other
    )


def _turned(line: InvoiceLine) -> SourceLine:
    turned = turned_line(line)
    return _line(
        line, **{name: turned[name] for name in ("kind", "description", "quantity", "net_cents")}, detail=""
    )


def turned_line(line: InvoiceLine) -> dict[str, Any]:
    """What differs in the line of a Storno from the line that it takes back."""
    return {
        "kind": "cancellation",
        "description": f"Storno: {line.description}",
        "quantity": -line.quantity,
        "net_cents": -line.net_cents,
    }


def _corrected(document: Document) -> list[str]:
    return named_invoices(document.totals.gross_cents, [item.line.explanation for item in document.lines])


def _named(row: Invoice) -> list[str]:
    return named_invoices(row.gross_cents, [line.explanation for line in row.lines])


def _days(session: Session, numbers: Collection[str]) -> dict[str, date]:
    """The days on which invoices were issued."""
    if not numbers:
        return {}
    found = select(Invoice.number, Invoice.issued_on).where(Invoice.number.in_(numbers))
    return {row.number: row.issued_on for row in session.execute(found)}


def _numbers(session: Session, ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    return {
        row.id: row.number
        for row in session.execute(select(Invoice.id, Invoice.number).where(among(Invoice.id, ids)))
    }
