"""The rollout in a real browser: the day list in a technician's hand, keys, no barrier."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import expect

from ptdash.db import db, transaction
from ptdash.models import Customer, Device, Role
from ptdash.services.rollout import reports, sweeping, ticking
from ptdash.services.rollout.ticking import Step
from tests.blueprints.test_rollout import set_hours
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.services.rollout.house import IN_WINDOW, House, utc

pytestmark = pytest.mark.browser
DAY = date(2026, 12, 21)


@pytest.fixture
def furnished(app: Flask) -> Iterator[None]:
    """Two customers on the window's first day, one with an active station and a failure, one with two updates."""
    kept = app.config["PTDASH"]
    app.config["PTDASH"] = replace(kept, today=DAY)
    with app.app_context():
        with transaction() as session:
            house = House(session)
            _, contract, devices = house.customer(3, name="Autohaus Kessler", email="info@kessler.example")
            devices[0].active_station = True
            contract.active_station_procedure = "Vor Beginn bei Frau Kessler anmelden\nVorher Kassenabschluss"
            _, _, others = house.customer(1, name="Physio am Markt")
            house.runs(others[0], "Firefox")
            house.approved()
            house.approved("Firefox")
            for task in house.tasks():
                task.technician_id = None
            session.flush()
            step = Step(ticking.TaskStatus.FAILED, reason="Setup bricht mit Fehler 1603 ab")
            failed = house.tasks(device_id=devices[2].id)[0].id
            ticking.tick(session, [failed], step, actor=house.technician, today=DAY, now=IN_WINDOW)
            set_hours(session, shut=False)
        db.session.remove()
    yield
    app.config["PTDASH"] = kept


def inventory(app: Flask, customer: str, place: int = 0) -> str:
    with app.app_context():
        found = db.session.query(Device).join(Customer, Customer.id == Device.customer_id)
        number = found.filter(Customer.name == customer).order_by(Device.id).all()[place].inventory_number
        db.session.remove()
    return number


def test_the_day_list_has_no_barrier(furnished: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/rollout")
    page.get_by_label("Abweichung melden").nth(1).click()
    expect(page.get_by_role("button", name="Speichern")).to_be_visible()
    check(page)


def test_the_plan_and_a_report_have_no_barrier(app: Flask, furnished: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.MANAGER)
    page = opened("/rollout/plan?month=2026-12")
    page.locator("details summary").first.click()
    check(page)
    with app.app_context():
        with transaction() as session:
            after = utc(date(2026, 12, 28), 9)
            sweeping.sweep(session, today=date(2026, 12, 28), now=after)
            for customer_id, month in reports.due(session, after, 10):
                reports.write(session, customer_id, month, now=after)
        db.session.remove()
    page.goto("/rollout/reports")
    check(page)
    page.get_by_role("link", name="Autohaus Kessler").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wartungsbericht Dezember 2026")
    check(page)


def test_on_a_phone_a_device_is_ticked_off_and_taken_back(
    app: Flask, furnished: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/rollout", 390, 844)
    station = page.locator("[data-row]", has_text=inventory(app, "Autohaus Kessler"))
    expect(station.get_by_role("button", name="Installiert")).to_have_attribute("aria-disabled", "true")
    page.get_by_label("Gelesen, ich halte mich daran").check()
    expect(page.locator(".ack.done")).to_contain_text("bestätigt")
    station.get_by_role("button", name="Installiert").click()
    expect(page.locator("#toasts")).to_contain_text("Installiert")
    station.get_by_role("button", name="Geprüft").click()
    expect(station.locator(".fin")).to_contain_text("Geprüft")
    expect(page.locator(".prog")).to_contain_text("2 von 4 Geräten")
    page.locator("#toasts").get_by_role("button", name="Rückgängig").last.click()
    expect(station.get_by_role("button", name="Geprüft")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_deviation_opens_in_the_row_and_asks_for_its_reason(
    app: Flask, furnished: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/rollout", 390, 844)
    row = page.locator("[data-row]", has_text=inventory(app, "Physio am Markt"))
    row.get_by_label("Abweichung melden").click()
    row.get_by_text("Übersprungen", exact=True).click()
    row.get_by_role("button", name="Speichern").click()
    expect(row.get_by_role("alert")).to_contain_text("Sagen Sie in wenigen Worten")
    expect(row.get_by_label("Grund")).to_be_focused()
    row.get_by_label("Windows 11").uncheck()
    row.get_by_label("Grund").fill("Gerät auf Dienstreise")
    row.get_by_text("Übersprungen", exact=True).click()
    row.get_by_role("button", name="Speichern").click()
    expect(row.locator(".subs")).to_contain_text("Gerät auf Dienstreise")
    expect(row.get_by_role("button", name="Installiert")).to_be_visible()


def test_keys_lead_through_the_devices(app: Flask, furnished: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/rollout")
    row = page.locator("[data-row]", has_text=inventory(app, "Autohaus Kessler", 1))
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row).to_be_focused()
    page.keyboard.press("i")
    expect(row.get_by_role("button", name="Geprüft")).to_be_visible()
    page.keyboard.press("p")
    expect(row.locator(".fin")).to_contain_text("Geprüft")
    page.keyboard.press("z")
    expect(row.get_by_role("button", name="Geprüft")).to_be_visible()
    page.keyboard.press("a")
    expect(row.get_by_role("button", name="Speichern")).to_be_visible()
    sign_in(Role.TECHNICIAN, shortcuts=False)
    page = opened("/rollout")
    page.keyboard.press("j")
    expect(page.locator("[data-row]:focus")).to_have_count(0)


def test_without_scripts_it_works_too(app: Flask, furnished: None, engine, live: str, sign_in: SignIn) -> None:
    context = engine.new_context(base_url=live, java_script_enabled=False, locale="de-DE")
    sign_in(Role.TECHNICIAN, into=context)
    page = context.new_page()
    page.goto("/rollout")
    row = page.locator("[data-row]", has_text=inventory(app, "Autohaus Kessler", 1))
    row.get_by_role("button", name="Installiert").click()
    expect(row.get_by_role("button", name="Geprüft")).to_be_visible()
    page.get_by_label("Gelesen, ich halte mich daran").check()
    page.get_by_role("button", name="Bestätigen").click()
    expect(page.locator(".ack.done")).to_contain_text("bestätigt")
    page.get_by_text("Zuletzt von Ihnen erledigt").click()
    page.locator("#recent-ticks").get_by_role("button", name="Rückgängig").first.click()
    expect(row.get_by_role("button", name="Installiert")).to_be_visible()
    context.close()
