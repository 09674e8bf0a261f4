"""Contracts in a real browser: made with a live preview, a device in only after its acceptance, and axe."""

from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from ptdash.db import transaction
from ptdash.models import Acceptance, Device, Role, SoftwareAgreement, User
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser

PAGES = [
    (Role.MANAGER, "/contracts/WV-1"),
    (Role.DISPATCHER, "/contracts/SV-1"),
    (Role.TECHNICIAN, "/contracts/WV-1"),
    (Role.MANAGER, "/contracts/new?kind=support&customer=10005"),
    (Role.MANAGER, "/contracts/new?kind=maintenance"),
    (Role.MANAGER, "/contracts/SV-1/package"),
    (Role.MANAGER, "/contracts/WV-1/fee"),
    (Role.MANAGER, "/contracts/WV-1/terms"),
    (Role.MANAGER, "/contracts/WV-1/agreements"),
    (Role.MANAGER, "/contracts/WV-1/devices/add?device=DR-4"),
    (Role.MANAGER, "/contracts/WV-1/devices/NB-1/remove"),
]


@pytest.fixture
def house(app: Flask, live: str) -> None:
    """A customer with both kinds of contract, a device in one, and a foreign printer."""
    with app.app_context(), transaction() as session:
        company = Company(session)
        customer = company.customer(number="10005", name="Autohaus Kessler KG")
        company.support(customer, number="SV-1")
        contract = company.maintenance(customer, number="WV-1")
        contract.active_station_procedure = "Vorher anrufen"
        for number, ours in (("NB-1", True), ("DR-4", False)):
            device = company.device(customer, ours=ours)
            device.inventory_number = device.name = number
            if ours:
                company.include(contract, device)
        company.add(SoftwareAgreement(contract_id=contract.id, product="DATEV", agreement="Nach Aufwand"))


def accept(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        device_id = session.execute(select(Device.id).where(Device.inventory_number == "DR-4")).scalar_one()
        inspector_id = session.execute(select(User.id).where(User.role == Role.TECHNICIAN)).scalar_one()
        session.add(
            Acceptance(
                device_id=device_id,
                inspected_on=date(2026, 2, 1),
                outcome="accepted",
                inspector_id=inspector_id,
            )
        )


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_a_page_has_no_barrier(house: None, sign_in: SignIn, opened: Open, role: Role, path: str) -> None:
    sign_in(role)
    check(opened(path))


def test_a_contract_is_made_and_a_foreign_device_enters_after_its_acceptance(
    app: Flask, house: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.MANAGER)
    page = opened("/contracts/new?kind=maintenance&customer=10005")
    page.locator("#starts_on").fill("2026-03-15")
    page.locator("#monthly_fee").fill("49,00")
    result = page.locator("#result")
    expect(result).to_contain_text("15.03.2026 – 14.03.2027")
    expect(result).to_contain_text("14.02.2027")
    expect(result).to_contain_text("49,00 €")
    page.locator("form.calc button[type=submit].pri").click()
    page.wait_for_url("**/contracts/WV-2001")

    page.goto("/contracts/WV-2001/devices/add")
    page.locator("#device").select_option("DR-4")
    page.locator("#monthly_fee").fill("6,50")
    link = result.locator("a[href$='#acceptance']")
    expect(link).to_be_visible()
    page.locator("form.calc button[type=submit].pri").click()
    expect(page.get_by_role("alert")).to_contain_text("DR-4")
    link.click()
    page.wait_for_url("**/devices/DR-4#acceptance")

    accept(app)
    page.goto("/contracts/WV-2001/devices/add?device=DR-4")
    page.locator("#monthly_fee").fill("6,50")
    expect(result).to_contain_text("6,50 €")
    page.locator("form.calc button[type=submit].pri").click()
    page.wait_for_url("**/contracts/WV-2001")
    expect(page.locator("#devices")).to_contain_text("DR-4")
    expect(page.locator("#facts")).to_contain_text("55,50 €")
