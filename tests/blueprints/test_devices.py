"""The register on screen: who may, what is found, what is kept."""

import io

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.models import Device, DeviceProduct, Role
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company

NEW, EDIT, SHOW = "/devices/new", "/devices/NB-1/edit", "/devices/NB-1"
IMPORT = "/devices/import"
READERS = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)


@pytest.fixture
def device(app: Flask) -> None:
    """One of ours in a contract, and a foreign printer of another customer."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            customer = company.customer(name="Autohaus Kessler KG")
            row = company.device(customer)
            row.inventory_number, row.manufacturer, row.serial_number = "NB-1", "Lenovo", "PF-5K7Q2M"
            company.include(company.maintenance(customer, number="WV-2007"), row)
            other = company.device(company.customer(name="Physio am Markt"), ours=False)
            other.inventory_number, other.type = "DR/4", "printer"
        db.session.remove()


@pytest.fixture
def technician(browser: Browser, device: None) -> Browser:
    browser.sign_in(Role.TECHNICIAN)
    return browser


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        return list(session.execute(select(model).order_by(model.id)).scalars())


@pytest.mark.parametrize("role", READERS)
def test_readers_see_list_and_page(browser: Browser, device: None, role: Role) -> None:
    browser.sign_in(role)
    assert "NB-1" in browser.page("/devices").get_text()
    page = browser.page(SHOW).get_text()
    assert "WV-2007" in page
    assert "Autohaus Kessler KG" in page


@pytest.mark.parametrize("path", ["/devices", SHOW, NEW, EDIT, IMPORT, f"{SHOW}/retire"])
def test_administrators_have_no_devices(browser: Browser, device: None, path: str) -> None:
    browser.sign_in(Role.ADMIN)
    browser.page(path, 403)


@pytest.mark.parametrize("path", [NEW, EDIT, IMPORT, f"{SHOW}/retire"])
def test_dispatchers_only_read(browser: Browser, device: None, path: str) -> None:
    browser.sign_in(Role.DISPATCHER)
    browser.page(path, 403)


def test_filters_are_in_the_address(technician: Browser) -> None:
    page = technician.page("/devices?bought=foreign&type=printer").get_text()
    assert "DR/4" in page
    assert "NB-1" not in page
    nothing = technician.page("/devices?q=gibtesnicht").get_text()
    assert "Kein Gerät" in nothing or "No device fits" in nothing


def test_an_inventory_number_with_a_slash_has_its_page(technician: Browser) -> None:
    assert "Physio am Markt" in technician.page("/devices/DR~2F4").get_text()


def test_an_unknown_device_does_not_exist(technician: Browser) -> None:
    technician.page("/devices/NB-404", 404)


def test_a_device_is_entered_with_its_products(app: Flask, technician: Browser) -> None:
    page = technician.page(NEW)
    token = page.find("input", attrs={"name": "csrf_token"})
    assert token
    answer = technician.post(
        NEW,
        data={
            "csrf_token": token["value"],
            "inventory_number": "NB-2",
            "customer": "10001",
            "type": "notebook",
            "name": "Notebook 2",
            "bought": "foreign",
            "purchased_on": "2026-03-01",
            "product": ["Windows 11", ""],
            "vendor": ["Microsoft", ""],
            "version": ["24H2", ""],
            "source": ["foreign", "ours"],
        },
    )
    assert answer.status_code == 303
    assert [row.inventory_number for row in stored(app, Device)] == ["NB-1", "DR/4", "NB-2"]
    assert [(row.product, row.source) for row in stored(app, DeviceProduct)] == [("Windows 11", "foreign")]


def test_what_was_typed_stays_when_it_is_refused(app: Flask, technician: Browser) -> None:
    refused = technician.submit(
        NEW,
        NEW,
        inventory_number="NB-2",
        customer="10001",
        name="Notebook 2",
        manufacturer="Lenovo",
        serial_number="PF-5K7Q2M",
        bought="ours",
    )
    assert refused.status_code == 422
    assert "NB-1" in text_of(refused)
    assert 'value="PF-5K7Q2M"' in refused.text
    assert len(stored(app, Device)) == 2


def test_a_change_that_somebody_else_made_is_not_lost(app: Flask, technician: Browser) -> None:
    page = technician.page(EDIT)
    assert technician.submit(EDIT, EDIT, name="Empfang", bought="ours").status_code == 303
    form = page.find("form", attrs={"action": EDIT})
    assert form
    seen = form.find("input", attrs={"name": "seen"})["value"]  # type: ignore[index, union-attr]
    stale = technician.submit(EDIT, EDIT, name="Lager", bought="ours", seen=seen)
    assert stale.status_code == 422
    assert 'value="Lager"' in stale.text
    assert stored(app, Device)[0].name == "Empfang"
    again = technician.submit(EDIT, EDIT, name="Lager", bought="ours")
    assert again.status_code == 303


def test_a_device_in_a_contract_is_not_retired(app: Flask, technician: Browser) -> None:
    refused = technician.submit(f"{SHOW}/retire", f"{SHOW}/retire", retired_on="2026-11-17")
    assert refused.status_code == 422
    assert "WV-2007" in text_of(refused)
    other = "/devices/DR~2F4/retire"
    assert technician.submit(other, other, retired_on="2026-11-17").status_code == 303
    assert technician.submit("/devices/DR~2F4", "/devices/DR~2F4/bring-back").status_code == 303
    assert stored(app, Device)[1].retired_on is None


def test_what_is_exported_is_imported_again(technician: Browser) -> None:
    content = technician.get("/devices/export/devices.csv?bought=ours").data
    assert content.decode("utf-8-sig").splitlines()[1].startswith("NB-1;10001;notebook;")
    assert len(content.splitlines()) == 2
    page = technician.page(IMPORT)
    token = page.find("input", attrs={"name": "csrf_token"})["value"]  # type: ignore[index]

    def sent(**more: str) -> str:
        answer = technician.post(
            IMPORT,
            data={"csrf_token": token, "devices.csv": (io.BytesIO(content), "devices.csv"), **more},
            headers=HTMX,
        )
        return text_of(answer)

    assert "devices.csv: 0" in sent()
    assert "devices.csv: 0" in sent(write="1")


def test_an_import_with_an_error_writes_nothing(app: Flask, technician: Browser) -> None:
    rows = b"inventory_number;customer;type;name;purchased_from_us\nA-1;10001;nas;NAS;no\nA-2;9;nas;NAS;x\n"
    token = technician.page(IMPORT).find("input", attrs={"name": "csrf_token"})["value"]  # type: ignore[index]
    answer = technician.post(
        IMPORT, data={"csrf_token": token, "write": "1", "devices.csv": (io.BytesIO(rows), "liste.csv")}
    )
    assert answer.text.count("purchased_from_us") == 1
    assert len(stored(app, Device)) == 2
