"""Kunden in a real browser: the ledger by keyboard, the split, the download; no barrier on any page."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from playwright.sync_api import expect

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.periods import month_of, previous_month
from ptdash.models import Role
from ptdash.services import contacts
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company
from tests.services.test_period_close import close

pytestmark = pytest.mark.browser
PAGE = "/customers/10001"


@pytest.fixture
def month(app: Flask, sign_in: SignIn) -> date:
    """Last month, closed: 8 + 15 + 12 minutes of a package of 30, separate work, goodwill; a reversal waits."""
    now = datetime.now(UTC)
    author = sign_in(Role.MANAGER)
    with app.app_context():
        today = app.config["PTDASH"].business_day(now)
        last = previous_month(month_of(today))
        with transaction() as session:
            company = Company(session)
            customer = company.customer(number="10001", name="Autohaus Kessler KG")
            company.support(customer, starts_on=previous_month(last))
            company.include(company.maintenance(customer, starts_on=last), company.device(customer))
            company.ticket(customer)
            company.material(customer, day=last)
            entries = [
                company.entry(customer, minutes, treatment, datetime(last.year, last.month, day, 9, tzinfo=BERLIN))
                for day, minutes, treatment in (
                    (2, 8, "package"),
                    (7, 15, "package"),
                    (12, 25, "separate"),
                    (14, 12, "package"),
                    (16, 6, "goodwill"),
                )
            ]
            close(session, previous_month(last), today)
            close(session, last, today)
            ticket = company.ticket(customer)
            for more in ({"reverses_id": entries[0].id, "note": "Falsches Ende"}, {}):
                company.entry(customer, 8, at=entries[0].started_at, ticket=ticket, **more)
            contact = contacts.ContactData("Anna Arslan", "Buchhaltung", "anna@kessler.example", "0251 12345")
            contacts.add(session, "10001", contact, actor_id=author, now=now)
            contacts.add_note(session, "10001", "Zugang nur mit Voranmeldung", actor_id=author, now=now)
        db.session.remove()
    return last


def test_a_month_is_opened_and_closed_with_the_keyboard(month: date, opened: Open) -> None:
    page = opened(PAGE)
    link = page.locator(f"#m-{month:%Y-%m}")
    expect(link).to_have_attribute("aria-expanded", "false")
    link.focus()
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("aria-expanded", "true")
    expect(link).to_be_focused()
    expect(page).to_have_url(f"{page.url.split('/customers')[0]}{PAGE}?month={month:%Y-%m}")
    split = page.locator(".ent .split")
    expect(split).to_have_count(1)
    expect(split).to_contain_text("7")
    expect(split).to_contain_text("5")
    expect(page.locator(".ent tfoot")).to_contain_text("7,50")
    check(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ent")).to_have_count(0)
    page.go_back()
    expect(page.locator(".ent")).to_have_count(1)


def test_a_figure_opens_the_entries_behind_it(month: date, opened: Open) -> None:
    page = opened(PAGE)
    page.locator(f"#over-{month:%Y-%m}").press("Enter")
    expect(page.locator(".ent tbody tr")).to_have_count(1)
    expect(page.locator(".ent .split")).to_be_visible()


def test_the_time_record_is_downloaded_and_holds_the_entries(month: date, opened: Open) -> None:
    page = opened(f"{PAGE}?month={month:%Y-%m}")
    with page.expect_download() as waiting:
        page.locator("#ledger header a").press("Enter")
    lines = waiting.value.path().read_bytes().decode("utf-8-sig").splitlines()
    assert waiting.value.suggested_filename == f"Leistungsnachweis-10001-{month:%Y-%m}.csv"
    assert [line.split(";")[6] for line in lines[1:]] == ["8", "15", "25", "12", "6"]


def test_the_customer_pages_have_no_barrier(month: date, opened: Open) -> None:
    page = opened("/customers")
    check(page)
    for path in ("", "/contacts", "/contacts/1", "/notes/1", "/tickets", "/contracts", "/invoices", "/history"):
        page.goto(PAGE + path)
        check(page)
    page.goto("/customers?q=zzzz")
    check(page)


def test_the_list_follows_what_is_typed(month: date, opened: Open) -> None:
    page = opened("/customers")
    page.get_by_role("searchbox").press_sequentially("kesler")
    expect(page).to_have_url(f"{page.url.split('?')[0]}?q=kesler&sort=name")
    expect(page.get_by_role("link", name="Autohaus Kessler KG")).to_be_visible()
    page.get_by_role("searchbox").fill("zzzz")
    expect(page.get_by_role("link", name="Autohaus Kessler KG")).to_have_count(0)


def test_a_refused_contact_keeps_what_was_typed_and_takes_the_focus(month: date, opened: Open) -> None:
    page = opened(f"{PAGE}/contacts")
    form = page.locator("#add-contact")
    form.locator("#email").fill("anna")
    form.locator("#email").press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(form.locator("#email")).to_have_value("anna")
    check(page)
