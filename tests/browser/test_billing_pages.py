"""The billing pages with a working company in them: no barrier, no sideways scrolling, what stands on a phone."""

import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from playwright.sync_api import expect

from ptdash.db import db, transaction
from ptdash.domain.periods import month_of, next_month, previous_month
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
    for path in (
        "/billing/",
        "/billing/checks",
        f"/billing/{company:%Y-%m}",
        f"/billing/invoices/{number}",
        "/billing/archives",
        "/outbox/",
        "/outbox/?state=held",
    ):
        page.goto(path)
        check(page)
    page.goto("/billing/")
    page.get_by_role("link", name="Vorschau").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Periodenabschluss")
    check(page)
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vorschau für")
    check(page)


def test_the_price_list_has_no_barrier_on_either_step(company: date, opened: Open) -> None:
    page = opened("/billing/prices")
    page.get_by_role("button", name="Zeigen, was er betrifft").click()
    expect(page.get_by_role("alert")).to_be_focused()
    check(page)
    page.get_by_label("Posten").select_option("overage_minute")
    page.get_by_label("Nettopreis").fill("1,75")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mehrminute ab")
    expect(page.locator("#touched tbody tr").first).to_be_visible()
    check(page)
    page.get_by_role("button", name="Preis speichern").click()
    expect(page.locator("#price-list")).to_contain_text("1,75")


def test_a_manager_sets_aside_who_is_parked_and_releases_the_result_with_the_keyboard(
    app: Flask, company: date, opened: Open
) -> None:
    month = next_month(company)
    page = opened(f"/billing/{month:%Y-%m}")
    page.get_by_role("button", name=re.compile("abschließen")).press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    with app.app_context():
        with transaction() as session:
            run = books.latest_run(session, month)
            assert run
            run_id = run.id
        closing.work_off(run_id)
        db.session.remove()
    aside = page.locator("#results tr.bad").get_by_role("link", name=re.compile("^Ausnehmen"))
    expect(aside).to_have_count(3)
    check(page)
    for left in (2, 1, 0):
        aside.first.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ausnehmen")
        if left == 2:
            check(page)
        page.get_by_label("Grund").focus()
        page.keyboard.type("Vertrag strittig")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(aside).to_have_count(left)
    expect(page.locator("#results")).to_contain_text("Ausgenommen: Vertrag strittig")
    expect(page.locator("#preview")).to_contain_text("Abweichung")
    check(page)
    page.get_by_role("button", name="Ergebnis freigeben").press("Enter")
    expect(page.locator(".steps")).to_contain_text("Miriam Vogt")
