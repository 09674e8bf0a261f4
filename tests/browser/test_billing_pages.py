"""The billing pages with a working company in them: no barrier, no sideways scrolling, what stands on a phone."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from playwright.sync_api import expect

from ptdash.db import db, transaction
from ptdash.domain.periods import month_of, previous_month
from ptdash.jobs import closing
from ptdash.models import Role
from ptdash.services import books, close_results, demo
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser


@pytest.fixture
def company(app: Flask, sign_in: SignIn) -> date:
    """The demo company, its first month closed, a manager signed in; returns that month."""
    now = datetime.now(UTC)
    with app.app_context():
        today = app.config["PTDASH"].business_day(now)
        month = previous_month(previous_month(month_of(today)))
        with transaction() as session:
            demo.seed(session, today=today, now=now)
        with transaction() as session:
            run, _ = books.begin(session, month, today, actor_id=None, now=now)
        assert run
        closing.work_off(run.id)
    sign_in(Role.MANAGER)
    return month


def test_the_billing_pages_have_no_barrier(app: Flask, company: date, opened: Open) -> None:
    with app.app_context():
        rows = close_results.result(db.session(), company, company).rows
    number = next(row.invoice for row in rows if row.invoice and row.overage_minutes)
    page = opened("/")
    check(page)
    for path in ("/billing/", f"/billing/{company:%Y-%m}", f"/billing/invoices/{number}"):
        page.goto(path)
        check(page)
    page.goto("/billing/")
    page.get_by_role("link", name="Vorschau").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Periodenabschluss")
    check(page)
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vorschau für")
    check(page)
