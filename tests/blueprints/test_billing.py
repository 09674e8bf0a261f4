"""The billing pages: what a manager may do with parked customers, the result, and the prices."""

import re
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.blueprints.billing.words import CHECKS
from ptdash.db import db, transaction
from ptdash.jobs import closing
from ptdash.models import Customer, CustomerMonth, Invoice, NumberSeries, Role, Run, TimeEntry
from ptdash.services import books, checks
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
    assert "Zeiteinträge ohne Abrechnungsart: 1" in text
    assert "Beheben" in text
    assert row.find("form", attrs={"action": TRY_AGAIN})
    assert row.find("a", href=SET_ASIDE)


def test_a_broken_rule_of_e_invoices_is_told_in_words(app: Flask, manager: Browser) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(select(TimeEntry)).scalar_one().treatment = "separate"
            session.execute(select(Customer).where(Customer.number == PARKED)).scalar_one().vat_id = "17"
        db.session.remove()
    manager.submit(PAGE, TRY_AGAIN)
    with app.app_context():
        closing.work_off(db.session.execute(select(Run.id).order_by(Run.id.desc())).scalars().first())
        db.session.remove()
    row = manager.page(PAGE).find("tr", class_="bad")
    text = " ".join(row.get_text(" ").split())
    assert "Eine USt-IdNr. muss mit dem Kürzel ihres Landes beginnen, zum Beispiel DE. (BR-CO-09)" in text
    assert row.find("a", href=re.compile(rf"/customers/{PARKED}/")), "the customer's data are mended there"


def test_what_blocks_an_earlier_month_is_told_and_mended_from_the_later_one(app: Flask, manager: Browser) -> None:
    with app.app_context():
        with transaction() as session:
            books.set_aside(session, SEPTEMBER, PARKED, "Klärung", actor_id=None, now=NOW)
        with transaction() as session:
            books.finish(session, session.execute(select(Run.id)).scalar_one(), now=NOW)
            run, blockers = books.begin(session, date(2026, 10, 1), date(2026, 11, 5), actor_id=None, now=NOW)
            assert run and not blockers
        closing.work_off(run.id)
        db.session.remove()
    row = manager.page("/billing/2026-10").find("tr", class_="bad")
    text = " ".join(row.get_text(" ").split())
    assert "Ein früherer Monat dieses Kunden (September 2026)" in text
    assert "Zeiteinträge ohne Abrechnungsart: 1" in text
    assert row.find("a", href=re.compile(rf"/customers/{PARKED}/triage")), "the cause is mended there"


def test_a_mended_customer_is_tried_again_alone(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        session.execute(select(TimeEntry)).scalar_one().treatment = "separate"
    assert manager.submit(PAGE, TRY_AGAIN).location == PAGE
    with app.app_context(), transaction() as session:
        run = books.latest_run(session, SEPTEMBER)
        assert run is not None
        assert (run.kind, run.finished_at) == ("customer", None)
    work_off(app, SEPTEMBER)
    with app.app_context():
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
    for path in (SET_ASIDE, TRY_AGAIN, f"{PAGE}/release"):
        assert browser.post(path, data={"csrf_token": token, "reason": "x"}).status_code == 403


def test_a_page_waits_for_the_invoice_that_is_being_issued_and_then_leads_to_it(
    app: Flask, manager: Browser
) -> None:
    page, asked = f"{PAGE}/customers/10002", {"HX-Request": "true"}
    first = str(manager.get(page).location).rpartition("/")[2]
    cancel = f"/billing/invoices/{first}/cancel"
    manager.submit(cancel, cancel, reason="Falscher Ansprechpartner")
    assert not manager.page(page).find(attrs={"hx-trigger": "every 1s"})
    manager.submit(f"/billing/invoices/{first}", f"{page}/bill-again")
    waiting = manager.page(page).find(attrs={"hx-trigger": "every 1s"})
    assert "wird gerade erstellt" in waiting.get_text()
    assert manager.get(waiting["hx-get"], headers=asked).status_code == 204
    work_off(app, SEPTEMBER)
    leads = manager.get(page, headers=asked).headers["HX-Redirect"]
    assert leads.startswith("/billing/invoices/RE-2026-")
    assert first not in leads


# The result ------------------------------------------------------------------------------------------


def test_a_closed_result_shows_what_stands_out_and_is_released_by_name(manager: Browser) -> None:
    manager.submit(SET_ASIDE, SET_ASIDE, reason="Vertrag strittig")
    page = manager.page(PAGE)
    assert "August 2026 wurde hier nicht abgeschlossen." in page.find(id="jumps").get_text()
    assert "nicht auf dieser Seite in Auftrag gegeben" in page.find(id="preview").get_text()
    assert "nicht freigegeben" in manager.page("/billing/").find(id="months").get_text()
    assert "Ergebnis September 2026 freigeben" in manager.page("/").find(id="to-do").get_text()
    assert manager.submit(PAGE, f"{PAGE}/release").location == PAGE
    assert "September" not in manager.page("/").find(id="to-do").get_text()
    page = manager.page(PAGE)
    assert "freigegeben" in page.find(class_="page-h").get_text()
    assert "Miriam Vogt" in page.find(class_="steps").get_text()
    assert not page.find("form", attrs={"action": f"{PAGE}/release"})
    assert "nicht freigegeben" not in manager.page("/billing/").find(id="months").get_text()


def test_a_result_with_parked_customers_offers_no_release_and_refuses_one(manager: Browser) -> None:
    page = manager.page(PAGE)
    assert not page.find("form", attrs={"action": f"{PAGE}/release"})
    token = page.find("input", attrs={"name": "csrf_token"})["value"]
    answer = manager.post(f"{PAGE}/release", data={"csrf_token": token})
    assert answer.status_code == 409
    assert "kann noch nicht freigegeben werden" in text_of(answer)


def test_the_preview_on_screen_is_compared_with_the_result(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        session.execute(select(TimeEntry)).scalar_one().treatment = "separate"
    manager.submit(PAGE, TRY_AGAIN)
    work_off(app, SEPTEMBER)
    october = "/billing/2026-10"
    assert manager.submit(october, f"{october}/close").location == october
    work_off(app, date(2026, 10, 1))
    page = manager.page(october)
    text = " ".join(page.find(id="preview").get_text(" ").split())
    assert "Vorschau beim Auftrag, netto 40,00 €" in text
    assert "Abweichung 0,00 €" in text
    assert "weggefallen" in page.find(id="jumps").get_text()
    all_of_them = manager.page(f"{october}?show=jumps")
    assert "Optik Weiß" in all_of_them.find(id="jumps").get_text()
    assert not all_of_them.find(id="results")


def work_off(app: Flask, month: date) -> None:
    with app.app_context():
        with transaction() as session:
            run = books.latest_run(session, month)
            run_id = run.id if run else 0
        closing.work_off(run_id)
        db.session.remove()


# Checks ----------------------------------------------------------------------------------------------


def test_every_check_of_the_books_has_its_words() -> None:
    assert set(CHECKS) == {check.__name__ for check in checks.CHECKS}


def test_the_books_are_checked_on_a_page(manager: Browser) -> None:
    page = manager.page("/billing/checks")
    assert "in Ordnung" in page.find(class_="page-h").get_text()
    assert "Rechnungsnummern" in page.find(id="checks").get_text()
    assert manager.page("/billing/").find("a", href="/billing/checks")


def test_a_violation_is_named_with_its_row(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        session.execute(select(NumberSeries)).scalar_one().last += 1
    page = manager.page("/billing/checks")
    assert "verletzt" in page.find(class_="page-h").get_text()
    assert "series at 2" in page.find(class_="found").get_text()


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_the_check_is_for_managers(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get("/billing/checks").status_code == 403
