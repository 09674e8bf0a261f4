"""What `ptdash up --demo` makes before it says that it is ready."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.cli import servers
from ptdash.db import db
from ptdash.domain.periods import month_of, previous_month
from ptdash.models import Customer, Invoice, InvoiceXml, OutboxMessage
from ptdash.services import (
    advice,
    close_results,
    demo,
    importing,
    invoice_pdfs,
    overview_figures,
    releases,
    users,
)
from ptdash.services.books import PeriodState
from ptdash.services.demo.bundle import build
from ptdash.services.outbox import State


def test_the_closed_months_are_the_six_before_the_last_one():
    assert demo.closed_months(date(2027, 2, 28)) == [
        *(date(2026, month, 1) for month in (7, 8, 9, 10, 11, 12)),
    ]


@pytest.mark.parametrize("today", [date(2027, 1, 31), date(2028, 2, 29), date(2027, 8, 1)])
def test_its_company_can_be_made_on_any_day(session: Session, tmp_path: Path, today: date) -> None:
    build(today).write(tmp_path)
    now = datetime.now(UTC)
    result = importing.import_directory(session, tmp_path, today=today, actor_id=None, now=now)
    assert result.ok, result.errors[:3]


def test_it_begins_with_six_closed_months_whose_invoices_have_been_sent(app: Flask) -> None:
    config, now = app.config["PTDASH"], datetime.now(UTC)
    today = config.business_day(now)
    servers.prepare(config, now=now)
    with app.app_context():
        session = db.session()
        months = close_results.months(session, today)
        closed = [row.month for row in months if row.state == PeriodState.CLOSED]
        assert closed == demo.closed_months(today)[::-1]
        assert months[len(months) - len(closed) - 1].month == previous_month(month_of(today)), "left to be closed"
        assert releases.unreleased(session) == set()

        # Of the newest a few e-mails need a person, the others were sent long ago; the workers set the PDFs.
        *past, newest = demo.closed_months(today)
        assert states(session, past) <= {State.SENT, State.CANCELLED}
        assert states(session, [newest]) >= {State.SENT, State.REFUSED, State.UNCLEAR}
        issued = session.execute(select(func.count(InvoiceXml.invoice_id))).scalar_one()
        assert issued == len(invoice_pdfs.missing(session, datetime.now(UTC))) > 100

        customers = session.execute(select(Customer.id)).scalars().all()
        told = advice.of_customers(session, customers)
        assert max(len(one.months) for one in told.values()) == 6
        revenue = overview_figures.revenue(session, today)
        assert any(row.added_cents for row in revenue[-8:]) and any(row.lost_cents for row in revenue)
        assert all(row.overage for row in overview_figures.minutes(session, today).months[:-1])
        for email, _role in demo.LOGINS:
            assert users.by_email(session, email).password_hash


def states(session: Session, months: list[date]) -> set[str]:
    found = select(OutboxMessage.state).join(Invoice, Invoice.id == OutboxMessage.invoice_id)
    return set(session.execute(found.where(Invoice.period.in_(months))).scalars())
