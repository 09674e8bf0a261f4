"""The customer pages on which a parked month is mended, and material."""

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.models import Customer, Material, Role, Ticket, TimeEntry
from tests.blueprints.browser import Browser, text_of
from tests.company import Company

NUMBER = "10001"
DATA = f"/customers/{NUMBER}/invoice-data"
TRIAGE = f"/customers/{NUMBER}/triage"
MATERIALS = f"/customers/{NUMBER}/materials"


@pytest.fixture
def customer(app: Flask) -> None:
    """A customer without a street, with one entry that nobody has triaged."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            company.entry(company.customer(street=""), 12, None)
        db.session.remove()


@pytest.fixture
def manager(browser: Browser, customer: None) -> Browser:
    browser.sign_in(Role.MANAGER)
    return browser


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        return list(session.execute(select(model).order_by(model.id)).scalars())


def test_the_invoice_data_are_saved(app: Flask, manager: Browser) -> None:
    answer = manager.submit(DATA, DATA, street="Am Markt 4", country="de")
    assert answer.status_code == 303
    saved = stored(app, Customer)[0]
    assert (saved.street, saved.country) == ("Am Markt 4", "DE")


def test_what_was_typed_stays_when_it_is_refused(app: Flask, manager: Browser) -> None:
    answer = manager.submit(DATA, DATA, street="Am Markt 4", vat_decision="standard", vat_reason="")
    assert answer.status_code == 422
    assert "Am Markt 4" in answer.text
    assert "Grund der Entscheidung" in text_of(answer)
    assert stored(app, Customer)[0].street == ""


def test_an_entry_gets_its_treatment(app: Flask, manager: Browser) -> None:
    entry = stored(app, TimeEntry)[0]
    action = f"{TRIAGE}/{entry.id}?next=/"
    refused = manager.submit(TRIAGE, action, treatment="goodwill", reason="")
    assert refused.status_code == 422
    assert "Kulanz braucht einen Grund" in text_of(refused)
    assert manager.submit(TRIAGE, action, treatment="separate").status_code == 303
    assert stored(app, TimeEntry)[0].treatment == "separate"
    assert "Jeder Eintrag hat seine Abrechnungsart" in manager.page(TRIAGE).get_text()


def test_a_customers_material_leads_to_its_tickets(app: Flask, manager: Browser) -> None:
    with app.app_context():
        with transaction() as session:
            entry = session.execute(select(TimeEntry)).scalar_one()
            found = {"ticket_id": entry.ticket_id, "customer_id": entry.customer_id, "day": date(2026, 9, 5)}
            session.add(Material(description="SSD 1 TB", quantity=1, net=Decimal("34.50"), **found))
            number = session.get_one(Ticket, entry.ticket_id).number
        db.session.remove()
    page = manager.page(MATERIALS)
    assert "34,50" in page.get_text()
    assert page.find("a", href=f"/tickets/{number}/materials")


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMIN])
@pytest.mark.parametrize("path", [DATA, TRIAGE, MATERIALS])
def test_others_are_refused(browser: Browser, customer: None, role: Role, path: str) -> None:
    browser.sign_in(role)
    browser.page(path, 403)


def test_an_unknown_customer_does_not_exist(manager: Browser) -> None:
    for page in ("invoice-data", "triage", "materials"):
        manager.page(f"/customers/99999/{page}", 404)
