"""Issuing invoices: their ids, their numbers, and their rows with all lines."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from ptdash.models import Invoice, InvoiceLine, NumberSeries, Run
from ptdash.services.billing import Document
from ptdash.services.bulk import insert_rows
from ptdash.services.invoice_documents import CheckedInvoice
from ptdash.services.invoice_sources import Issue


def reserve_invoice_ids(session: Session, count: int) -> Sequence[int]:
    series = text(
        "WITH own AS MATERIALIZED (SELECT pg_get_serial_sequence('invoices', 'id')::regclass AS series) "
        "SELECT nextval(series) FROM own, generate_series(1, :count)"
    )
    return session.execute(series, {"count": count}).scalars().all()


def issue(
    session: Session,
    run: Run,
    common: Issue,
    issued: Sequence[tuple[int, Document, CheckedInvoice]],
    ids: Sequence[int],
) -> list[str]:
    """Draw the numbers and write the invoices (customer, document, what was checked) with them; the numbers, in
    order."""
    if not issued:
        return []
    year = run.business_day.year
    first = draw_numbers(session, year, len(issued))
    numbers = [format_number(year, first + i) for i in range(len(issued))]
    insert_rows(
        session,
        Invoice,
        [
            {
                "id": ids[i],
                "number": numbers[i],
                "series_number": first + i,
                "customer_id": customer_id,
                "period": document.period,
                "revision": document.revision,
                "buyer": original.source.buyer,
                "net_cents": document.totals.net_cents,
                "vat_cents": document.totals.vat_cents,
                "gross_cents": document.totals.gross_cents,
            }
            for i, (customer_id, document, original) in enumerate(issued)
        ],
        series_year=year,
        kind="bill",
        run_id=run.id,
        issued_on=run.business_day,
        due_on=common.due_on,
        seller=common.seller,
    )
    insert_rows(
        session,
        InvoiceLine,
        [
            row
            for (_, document, _), invoice_id in zip(issued, ids, strict=True)
            for row in _line_rows(document, invoice_id)
        ],
    )
    return numbers


def _line_rows(document: Document, invoice_id: int) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": invoice_id,
            "pos": pos,
            "service_month": row.service_month,
            "kind": row.line.kind,
            "contract_id": row.line.contract_id,
            "description": row.description,
            "quantity": row.line.quantity,
            "unit": row.line.unit,
            "unit_price": row.line.unit_price,
            "net_cents": row.line.net_cents,
            "vat_category": row.vat.category,
            "vat_rate": row.vat.rate,
            "service_from": row.line.service_from,
            "service_until": row.line.service_until,
            "explanation": row.line.explanation,
        }
        for pos, row in enumerate(document.lines, start=1)
    ]


def format_number(year: int, number: int) -> str:
    return f"RE-{year}-{number:05d}"


def draw_numbers(session: Session, year: int, count: int) -> int:
    """Take `count` numbers of the year's series in one step; the first of them. The last lock taken."""
    drawn = upsert(NumberSeries).values(year=year, last=count)
    last: int = session.execute(
        drawn.on_conflict_do_update(
            index_elements=["year"], set_={"last": NumberSeries.last + drawn.excluded.last}
        ).returning(NumberSeries.last)
    ).scalar_one()
    return last - count + 1
