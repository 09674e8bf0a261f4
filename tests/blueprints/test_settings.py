"""Einstellungen: what an administrator sees, saves, and is told."""

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.blueprints.admin.settings_form import STATES, read_span, write_span
from ptdash.db import db, transaction
from ptdash.models import AuditEvent, Role
from ptdash.services import settings
from ptdash.services.windows import country_holidays
from tests.blueprints.browser import Browser, text_of
from tests.conftest import NOW

PAGE = "/admin/settings"


@pytest.fixture
def admin(browser: Browser) -> int:
    return browser.sign_in(Role.ADMIN)


def stored(app: Flask) -> dict[str, str]:
    with app.app_context():
        return settings.all_settings(db.session())


def save(browser: Browser, **values: str):
    """The form with these fields filled in anew; the working days are sent as a browser does."""
    sent = {"hours_days": ["mon", "tue", "wed", "thu", "fri"], **values}
    return browser.submit(PAGE, PAGE, **sent)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER])
def test_settings_are_for_administrators(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE).status_code in (400, 403)


def test_the_page_shows_what_counts_now(browser: Browser, admin: int) -> None:
    page = browser.page(PAGE)
    assert page.find(id="hours_from")["value"] == "08:00"
    assert page.find(id="reply_normal")["value"] == "4 h"
    assert page.find(id="reply_urgent")["value"] == "30 min"
    days = [
        box["value"] for box in page.find_all("input", attrs={"name": "hours_days"}) if box.has_attr("checked")
    ]
    assert days == ["mon", "tue", "wed", "thu", "fri"]
    entry = page.find("a", attrs={"href": PAGE})
    assert (entry.get_text(strip=True), entry["aria-current"]) == ("Einstellungen", "page")


def test_what_is_saved_counts_and_is_remembered_key_by_key(app: Flask, browser: Browser, admin: int) -> None:
    answer = save(
        browser,
        company_name="premium technologies GmbH",
        company_iban="DE02 1203 0000 0000 2020 51",
        hours_from="07:30",
        hours_days=["mon", "sat"],
        reply_normal="2 h",
        solution_normal="8 h 30 min",
    )
    assert answer.status_code == 303
    found = stored(app)
    assert found["company.iban"] == "DE02120300000000202051"
    assert (found["hours.from"], found["hours.days"]) == ("07:30", "mon,sat")
    assert found["target.normal"] == "120/510"
    with app.app_context():
        events = db.session.execute(select(AuditEvent).where(AuditEvent.subject == "setting")).scalars().all()
    assert {event.subject_id for event in events} == {
        *("company.name", "company.iban", "hours.from", "hours.days", "target.normal")
    }
    assert {event.actor_id for event in events} == {admin}


def test_saving_what_is_there_changes_nothing(app: Flask, browser: Browser, admin: int) -> None:
    before = stored(app)
    assert save(browser).status_code == 303
    assert stored(app) == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("company_iban", "DE00 1203", "Prüfen Sie die IBAN"),
        ("company_bic", "X", "Eine BIC hat 8 oder 11 Zeichen"),
        ("company_email", "rechnung", "Geben Sie eine E-Mail-Adresse ein"),
        ("company_country", "Germany", "zwei Buchstaben"),
        ("company_payment_days", "bald", "ganze Tage von 0 bis 365"),
        ("hours_from", "früh", "Geben Sie eine Uhrzeit ein"),
        ("hours_from", "18:00", "Der Tag muss nach seinem Beginn enden"),
        ("reply_low", "bald", "zum Beispiel 4 h oder 30 min"),
        ("solution_low", "1 h", "Die Lösung kann nicht vor der Antwort fällig sein"),
        ("solution_low", "99999", "mehr als ein Jahr"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_typed_is_lost(
    app: Flask, browser: Browser, admin: int, field: str, value: str, sentence: str
) -> None:
    before = stored(app)
    more = {"hours_days": ["mon"]} if value == "99999" else {}
    answer = save(browser, company_name="Neu GmbH", **{field: value}, **more)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    html = answer.get_data(as_text=True)
    assert "<title>Fehler: Einstellungen" in html
    assert 'value="Neu GmbH"' in html and f'value="{value}"' in html
    assert stored(app) == before


def test_a_week_needs_a_day(browser: Browser, admin: int) -> None:
    answer = save(browser, hours_days=[])
    assert answer.status_code == 422
    assert "Wählen Sie mindestens einen Tag" in text_of(answer)


def test_every_setting_has_a_field(browser: Browser, admin: int) -> None:
    page = browser.page(PAGE)
    for key in settings.SETTINGS:
        if not key.startswith("target."):
            assert page.find(attrs={"name": key.replace(".", "_")}), key
        else:
            assert page.find(id=f"reply_{key[7:]}") and page.find(id=f"solution_{key[7:]}")


def test_every_federal_state_can_be_chosen() -> None:
    assert set(STATES) - {""} <= set(country_holidays("DE").subdivisions)
    assert len(STATES) == 17


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        *(("30", 30), ("30 min", 30), ("4 h", 240), ("4h30", 270), ("4:30", 270), ("4 h 30 min", 270)),
        *(("4 Std.", 240), ("", None), ("bald", None), ("-3", None), ("1,5 h", None)),
    ],
)
def test_spans_are_read_as_people_type_them(typed: str, minutes: int | None) -> None:
    assert read_span(typed) == minutes
    if minutes:
        assert read_span(write_span(minutes)) == minutes


def test_an_administrator_sends_a_test_message_and_sees_what_became_of_it(app: Flask, browser: Browser) -> None:
    browser.sign_in(Role.ADMIN)
    assert "Versand prüfen" not in browser.page(PAGE).get_text()
    with app.app_context():
        with transaction() as session:
            settings.change(session, "smtp.host", "127.0.0.1", actor_id=None, now=NOW)
            settings.change(session, "company.email", "rechnung@pt.example", actor_id=None, now=NOW)
        db.session.remove()
    browser.submit(PAGE, "/admin/settings/test-message")
    page = browser.page(PAGE)
    assert page.find("h2", id="test-title")
    assert "@example.com" in page.get_text()
