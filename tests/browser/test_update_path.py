"""The whole path of an update: it arrives, the check fails, a new version passes, a second person approves, it is
planned into the days of the window, ticked off on a phone, withdrawn, and told about in a report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ptdash.db import db, transaction
from ptdash.jobs import rollout
from ptdash.models import Device, OutboxMessage, Role, RolloutTask, Setting
from tests.blueprints.test_rollout import set_hours
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.services.rollout.house import House, utc

pytestmark = pytest.mark.browser
DECIDED_ON, FIRST_DAY = date(2026, 12, 10), date(2026, 12, 21)
REPORTED_AT = utc(date(2026, 12, 28), 9)


@pytest.fixture
def clock(app: Flask) -> Iterator[Any]:
    """Sets the business day."""
    kept = app.config["PTDASH"]

    def set_day(day: date) -> None:
        app.config["PTDASH"] = replace(kept, today=day)

    yield set_day
    app.config["PTDASH"] = kept


def in_database(app: Flask, work: Any) -> Any:
    with app.app_context():
        with transaction() as session:
            found = work(session)
        db.session.remove()
    return found


def furnish(session: Session) -> None:
    """Eight devices and a server of one customer; two devices fit into a technician's day."""
    house = House(session)
    house.technician.active = house.tester.active = False
    house.company.add(Setting(key="rollout.per_day", value="2"))
    customer, contract, _ = house.customer(7, name="Autohaus Kessler", email="info@kessler.example")
    house.device(customer, contract, type="server")
    house.device(customer, product="Windows 11", source="foreign")


def on_paper(session: Session) -> None:
    """What was decided a moment ago was decided on the tenth, as far as the window is concerned."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    checked = {"at": utc(DECIDED_ON, 9)}
    session.execute(text("UPDATE update_checks SET started_at = :at, finished_at = :at"), checked)
    session.execute(text("UPDATE update_approvals SET approved_at = :at"), {"at": utc(DECIDED_ON, 10)})
    set_hours(session, shut=False)


def days(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(select(RolloutTask, Device).join(Device).order_by(RolloutTask.planned_on, Device.id))
    return [(device.type, task.planned_on.day) for task, device in rows]


def answer_points(page: Page, last: str) -> None:
    """Every point passed, the last one as it is said."""
    items = page.locator("[data-item]")
    expect(items).not_to_have_count(0)
    for place in range(items.count()):
        item = items.nth(place)
        if place == items.count() - 1 and last == "failed":
            item.locator("input[value=failed]").check(force=True)
            item.locator("textarea").fill("Druckt leere Seiten")
            item.locator("textarea").press("Tab")
        else:
            item.locator("input[value=passed]").check(force=True)
        expect(page.locator("[data-item]").nth(place)).not_to_have_attribute("data-state", "open")


def test_an_update_from_its_arrival_to_the_report(
    app: Flask, engine: Browser, live: str, clock: Any, sign_in: SignIn, opened: Open
) -> None:
    clock(DECIDED_ON)
    in_database(app, furnish)

    # It arrives, and its check fails.
    sign_in(Role.TECHNICIAN)
    page = opened("/updates/new")
    page.get_by_label("Titel").fill("Windows 11 Sicherheitsupdate")
    page.get_by_label("Hersteller").fill("Microsoft")
    page.get_by_label("Version", exact=True).fill("26200.1")
    page.get_by_label("Windows 11", exact=True).check()
    page.get_by_role("button", name="Speichern").click()
    page.get_by_role("button", name="Prüfung beginnen").click()
    answer_points(page, "failed")
    page.get_by_label("Getestet auf").fill("Testgerät T14")
    page.get_by_label("Anmerkung zum Ergebnis").fill("Drucken geht nicht, neue Version abwarten")
    page.get_by_role("button", name="Durchgefallen", exact=True).click()
    expect(page.get_by_text("Die letzte Prüfung ist durchgefallen")).to_be_visible()
    expect(page.get_by_role("link", name="Freigeben")).to_have_count(0)

    # A new version passes; its tester cannot approve it.
    page.get_by_role("link", name="Neuere Version").first.click()
    page.get_by_label("Version", exact=True).fill("26200.2")
    page.get_by_role("button", name="Speichern").click()
    page.get_by_role("button", name="Prüfung beginnen").click()
    answer_points(page, "passed")
    page.get_by_label("Getestet auf").fill("Testgerät T14")
    page.get_by_role("button", name="Bestanden", exact=True).click()
    expect(page.get_by_text("Jemand anders gibt es frei")).to_be_visible()
    update_url = page.url

    # A second person approves, seeing before what will be planned.
    sign_in(Role.MANAGER)
    page.goto(update_url)
    page.get_by_role("link", name="Freigeben").first.click()
    expect(page.locator(".found")).to_contain_text("8 Geräte von 1 Kunden")
    page.get_by_role("button", name="Freigeben und einplanen").click()
    expect(page.locator("h1")).to_have_text("Windows 11 Sicherheitsupdate")

    # Into the days of the window: the 25th is a holiday, the server comes last.
    notebooks = [("notebook", day) for day in (21, 21, 22, 22, 23, 23, 24)]
    assert in_database(app, days) == [*notebooks, ("server", 24)]
    page.goto("/rollout/plan?month=2026-12")
    expect(page.locator("main")).to_contain_text("25.12. entfällt: Erster Weihnachtstag")
    in_database(app, on_paper)

    # Tick-off on the phone of the technician.
    clock(FIRST_DAY)
    sign_in(Role.TECHNICIAN)
    phone = opened("/rollout", 390, 844)
    first, second = phone.locator("[data-row]").nth(0), phone.locator("[data-row]").nth(1)
    first.get_by_role("button", name="Installiert").click()
    first.get_by_role("button", name="Geprüft").click()
    expect(phone.locator(".prog")).to_contain_text("1 von 2 Geräten")

    # A withdrawal at another desk, while the page is open on the phone, stops the rest.
    desk = engine.new_context(base_url=live, locale="de-DE")
    sign_in(Role.MANAGER, into=desk)
    page = desk.new_page()
    page.goto(f"{update_url}/withdraw")
    expect(page.locator(".found")).to_contain_text("7 offene Aufgaben")
    page.get_by_label("Grund").fill("Drucker stehen still")
    page.get_by_role("button", name="Freigabe widerrufen").click()
    expect(page.locator("main")).to_contain_text("Drucker stehen still")
    second.get_by_role("button", name="Installiert").click()
    expect(phone.get_by_role("alert")).to_contain_text("hat die Freigabe widerrufen")
    expect(phone.get_by_role("alert")).to_contain_text("Drucker stehen still")
    expect(first).to_contain_text("Setzen Sie es zurück")
    check(phone)
    statuses = in_database(app, lambda session: sorted(session.execute(select(RolloutTask.status)).scalars()))
    assert statuses == ["skipped"] * 7 + ["verified"]

    # After the window the customer is told, once.
    for _ in range(2):
        with app.app_context():
            rollout.look(replace(app.config["PTDASH"], today=None), REPORTED_AT)
            db.session.remove()
    page.goto("/rollout/reports")
    page.get_by_role("link", name="Autohaus Kessler").click()
    expect(page.locator("#updates")).to_contain_text("1 von 8 geprüft")
    expect(page.locator("#left")).to_contain_text("Drucker stehen still")
    messages = in_database(app, lambda session: session.execute(select(OutboxMessage.recipient)).scalars().all())
    assert messages == ["info@kessler.example"]
    desk.close()
