"""The page of the price list."""

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask

from ptdash.db import db, transaction
from ptdash.domain.periods import format_month, month_of, next_month
from ptdash.models import Price, Role
from ptdash.services import books
from tests.blueprints.browser import Browser, text_of
from tests.company import Company
from tests.conftest import NOW

PAGE = "/billing/prices"
UPCOMING = next_month(month_of(NOW.date()))


@pytest.fixture
def manager(app: Flask, browser: Browser) -> Browser:
    """September 2026 is closed; two contracts run."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            company.support(company.customer(name="Optik Weiß"), number="SV-1")
            company.support(company.customer(name="Bäckerei Thamm"), "S", number="SV-2")
        with transaction() as session:
            books.begin(session, date(2026, 9, 1), date(2026, 10, 5), actor_id=None, now=NOW)
        db.session.remove()
    browser.sign_in(Role.MANAGER)
    return browser


def values(item: str = "package_M", net: str = "42,50", minutes: str = "30", **more: str) -> dict[str, str]:
    return {
        "item": item,
        "valid_from": format_month(UPCOMING),
        "net": net,
        "included_minutes": minutes,
    } | more


def stored(app: Flask, item: str) -> Decimal | None:
    with app.app_context():
        price = db.session.get(Price, (item, UPCOMING))
        return price.net if price else None


def test_a_new_price_first_shows_what_it_touches(app: Flask, manager: Browser) -> None:
    answer = manager.submit(PAGE, PAGE, **values())
    assert answer.status_code == 200
    text = text_of(answer)
    assert "SV-1" in text
    assert "Optik Weiß" in text
    assert "SV-2" not in text
    assert "42,50 €" in text
    assert stored(app, "package_M") is None


def test_it_is_saved_when_that_is_confirmed(app: Flask, manager: Browser) -> None:
    assert manager.submit(PAGE, PAGE, **values(confirmed="1")).location == PAGE
    assert stored(app, "package_M") == Decimal("42.5")
    assert "42,50\N{NO-BREAK SPACE}€" in manager.page(PAGE).find(id="price-list").get_text()


def test_going_back_keeps_what_was_typed(app: Flask, manager: Browser) -> None:
    answer = manager.submit(PAGE, PAGE, **values(back="1"))
    assert 'value="42,50"' in answer.get_data(as_text=True)
    assert stored(app, "package_M") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"net": "teuer"}, "Geben Sie den Preis mit Komma ein"),
        ({"net": "-1"}, "Ein Preis kann nicht kleiner als null sein."),
        ({"net": "1,00001"}, "höchstens 4 Nachkommastellen"),
        ({"minutes": ""}, "Freiminuten des Pakets"),
        ({"minutes": "viele"}, "ganze Zahl"),
        ({"item": "overage_minute"}, "Nur Pakete haben Freiminuten."),
        ({"item": "vat_standard", "net": "101", "minutes": ""}, "Mehr als 100 ist nicht möglich"),
        ({"valid_from": "2026-09"}, "Der Abschluss September 2026 hat mit dem Preis dieses Monats begonnen."),
        ({"valid_from": "bald"}, "kein Monat"),
    ],
)
@pytest.mark.parametrize("confirmed", ["", "1"])
def test_what_is_no_price_is_refused_and_stays_in_the_form(
    app: Flask, manager: Browser, change: dict[str, str], sentence: str, confirmed: str
) -> None:
    sent = values(**change, confirmed=confirmed)
    answer = manager.submit(PAGE, PAGE, **sent)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert f'value="{sent["net"]}"' in answer.get_data(as_text=True)
    assert stored(app, sent["item"]) is None


def test_both_rates_are_said_to_be_set_by_a_person(manager: Browser) -> None:
    assert "nie aus dem Preis eines Pakets abgeleitet" in manager.page(PAGE).get_text()


def test_the_billing_page_leads_to_the_prices(manager: Browser) -> None:
    assert manager.page("/billing/").find("a", href=PAGE)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_prices_are_for_managers(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get(PAGE).status_code == 403
