"""The billing pages: what a manager may do with parked customers, the result, and the prices."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.jobs import closing
from ptdash.models import Customer, CustomerMonth, Invoice, Role, TimeEntry
from ptdash.services import books
from tests.blueprints.browser import Browser, text_of
from tests.company import Company
from tests.conftest import NOW

SEPTEMBER = date(2026, 9, 1)
PAGE = "/billing/2026-09"
PARKED = "10001"
SET_ASIDE = f"{PAGE}/customers/{PARKED}/set-aside"
TRY_AGAIN = f"{PAGE}/customers/{PARKED}/try-again"


@pytest.fixture
def parked(app: Flask) -> None:
    """September with one customer posted and one parked."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            untreated, posted = company.customer(name="Optik Weiß"), company.customer(name="Bäckerei Thamm")
            assert untreated.number == PARKED
            company.entry(untreated, treatment=None)
            company.support(posted)
        with transaction() as session:
            run, blockers = books.begin(session, SEPTEMBER, date(2026, 10, 5), actor_id=None, now=NOW)
            assert (blockers, run is None) == ([], False)
            run_id = run.id if run else 0
        closing.work_off(run_id)
        db.session.remove()


@pytest.fixture
def manager(browser: Browser, parked: None) -> Browser:
    browser.sign_in(Role.MANAGER)
    return browser


def test_a_parked_row_says_why_what_to_do_and_offers_both_ways(manager: Browser) -> None:
    row = manager.page(PAGE).find("tr", class_="bad")
    text = " ".join(row.get_text(" ").split())
    assert "Zeiteinträge ohne Abrechnung" in text or "Zeiteinträge" in text
    assert "time_entries.csv" in text
    assert row.find("form", attrs={"action": TRY_AGAIN})
    assert row.find("a", href=SET_ASIDE)


def test_a_mended_customer_is_tried_again_alone(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        session.execute(select(TimeEntry)).scalar_one().treatment = "separate"
    assert manager.submit(PAGE, TRY_AGAIN).location == PAGE
    with app.app_context(), transaction() as session:
        run = books.latest_run(session, SEPTEMBER)
        assert run is not None
        assert (run.kind, run.finished_at) == ("customer", None)
        run_id = run.id
    with app.app_context():
        closing.work_off(run_id)
        assert len(db.session.execute(select(Invoice)).all()) == 2


def test_setting_the_last_one_aside_closes_the_month_and_shows_why(app: Flask, manager: Browser) -> None:
    answer = manager.submit(SET_ASIDE, SET_ASIDE, reason="Vertrag strittig")
    assert answer.location == PAGE
    page = manager.page(PAGE)
    assert "abgeschlossen" in page.find(class_="page-h").get_text()
    assert "Vertrag strittig" in page.find(id="results").get_text()
    assert "Optik Weiß" in manager.page(f"{PAGE}?show=aside").find(id="results").get_text()


@pytest.mark.parametrize("reason", ["", "   "])
def test_setting_aside_without_a_reason_is_refused_at_the_field(app: Flask, manager: Browser, reason: str) -> None:
    answer = manager.submit(SET_ASIDE, SET_ASIDE, reason=reason)
    assert answer.status_code == 422
    assert "Nennen Sie einen Grund" in text_of(answer)
    with app.app_context():
        row = db.session.execute(select(CustomerMonth).join(Customer).where(Customer.number == PARKED))
        assert row.scalar_one().set_aside_reason is None


def test_who_is_posted_or_unknown_cannot_be_set_aside(manager: Browser) -> None:
    manager.page(f"{PAGE}/customers/10002/set-aside", 409)
    manager.page(f"{PAGE}/customers/nobody/set-aside", 404)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_only_managers_decide_about_parked_customers(browser: Browser, parked: None, role: Role) -> None:
    browser.sign_in(role)
    token = browser.page("/account").find("input", attrs={"name": "csrf_token"})["value"]
    for path in (SET_ASIDE, TRY_AGAIN):
        assert browser.post(path, data={"csrf_token": token, "reason": "x"}).status_code == 403
