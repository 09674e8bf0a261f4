"""Issued invoices: reading them, and tracing every amount down to its time entries."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ptdash.models import Invoice
from ptdash.services.bulk import among
from ptdash.services.close_document import contract_numbers, invoice_document


def documents(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    """Issued invoices with seller, buyer and dates, in order of their numbers."""
    rows = (
        session.execute(
            select(Invoice)
            .where(among(Invoice.id, ids))
            .options(selectinload(Invoice.lines))
            .order_by(Invoice.series_year, Invoice.series_number)
        )
        .scalars()
        .all()
    )
    contracts = contract_numbers(session, (line for row in rows for line in row.lines))
    return [
        invoice_document(row, contracts)
        | {
            "kind": row.kind,
            "revision": row.revision,
            "issued_on": row.issued_on.isoformat(),
            "due_on": row.due_on.isoformat(),
            "seller": row.seller,
            "buyer": row.buyer,
        }
        for row in rows
    ]
