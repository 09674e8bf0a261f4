"""Setting PDFs in batches: one that fails stops no other, and nothing is set twice."""

import pytest
from flask import Flask
from sqlalchemy import select, text

from ptdash.db import db, transaction
from ptdash.jobs import documents
from ptdash.models import DocumentFailure, Invoice, InvoicePdf
from tests.company import Company
from tests.services.test_period_close import close


@pytest.fixture
def invoices(app: Flask) -> list[int]:
    """Three issued invoices without a PDF; what the second one says was damaged."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            for _ in range(3):
                buyer = company.customer()
                company.support(buyer)
                company.entry(buyer, 40)
            close(session)
            ids = list(session.execute(select(Invoice.id).order_by(Invoice.id)).scalars())
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(f"UPDATE invoices SET buyer = buyer - 'street' WHERE id = {ids[1]}"))
        yield ids
        db.session.remove()


def kept() -> dict[int, str]:
    with transaction() as session:
        return dict(session.execute(select(InvoicePdf.invoice_id, InvoicePdf.sha256)).all())


def test_one_that_fails_stops_no_other_and_says_why(invoices: list[int]) -> None:
    told: list[int] = []
    documents.render_batch(invoices, told.append)
    assert set(kept()) == {invoices[0], invoices[2]}
    assert told == [3]
    with transaction() as session:
        failure = session.execute(select(DocumentFailure)).scalar_one()
    assert (failure.invoice_id, failure.attempts) == (invoices[1], 1)
    assert failure.why
    documents.render_all()
    with transaction() as session:
        again = session.execute(select(DocumentFailure.attempts)).scalar_one()
    assert again == 1, "its next attempt is in a minute"


def test_a_batch_that_runs_twice_sets_nothing_twice(invoices: list[int]) -> None:
    documents.render_batch(invoices[:1])
    before = kept()
    documents.render_batch(invoices[:1])
    assert kept() == before
    assert not any(invoices[0] in batch for batch in documents.batches().values())
