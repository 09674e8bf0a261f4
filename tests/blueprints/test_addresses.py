"""Numbers that an import may bring, whatever is in them, in the addresses of pages."""

import csv
from io import StringIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from flask import Flask, url_for
from hypothesis import given
from hypothesis import strategies as st

from ptdash.db import transaction
from ptdash.models import Role
from ptdash.services.importing import import_directory
from ptdash.web.addresses import KeyConverter
from tests.blueprints.browser import Browser
from tests.conftest import NOW
from tests.services.import_bundle import HEADERS, TODAY, write

NUMBERS = ("A/7", "../x", ".env", "..", "new", "bulk", "Süd #2 ?x=50% & mehr", "~2F", "a~b", "<b>'\"", "1;2,3\\4")
# 422: what is asked for is not possible for this contract or ticket, and the page says so.
OPENS = (200, 303, 409, 422)
AREAS = ("tickets", "time", "customers", "contracts", "devices", "acceptance")


def table(*rows: list[str]) -> str:
    out = StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue()


@pytest.fixture
def imported(app: Flask, tmp_path: Path) -> None:
    """For each number a customer, its contract, device and ticket of that number."""
    rows: dict[str, list[list[str]]] = {}
    for n, key in enumerate(NUMBERS):
        rows.setdefault("customers", []).append([key, f"Kunde {n}", *[""] * 5, "DE", "", "no"])
        rows.setdefault("contracts", []).append(
            [key, key, "maintenance", "", "2026-01-01", "12", "1", "", "29.00"]
        )
        rows.setdefault("devices", []).append([key, key, "server", "Server", *[""] * 3, "yes", *[""] * 3, "no"])
        rows.setdefault("contract_devices", []).append([key, key, "2026-01-01", "", "9.90"])
        rows.setdefault("tickets", []).append(
            [key, key, "phone", "software", "", "", "Frage", "", key, "open", "", "2026-09-01 08:00", ""]
        )
    files = {f"{name}.csv": table(HEADERS[f"{name}.csv"].split(";"), *given) for name, given in rows.items()}
    with app.app_context(), transaction() as session:
        result = import_directory(session, write(tmp_path / "in", files), today=TODAY, actor_id=None, now=NOW)
        assert not result.errors


@pytest.mark.parametrize("key", ["A/7", "new", NUMBERS[6]])
def test_every_page_of_such_a_number_opens(app: Flask, browser: Browser, imported: None, key: str) -> None:
    browser.sign_in(Role.MANAGER)
    opened, links = set(addresses(app, key)), set[str]()
    for address in sorted(opened):
        answer = browser.get(address)
        assert answer.status_code in OPENS, f"{address}: {answer.status_code}"
        page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        links |= {str(tag["href"]).split("#")[0].split("?")[0] for tag in page.find_all("a", href=True)}
    assert len(opened) > 25
    links = {link for link in links if KeyConverter(app.url_map).to_url(key) in link.split("/")}
    assert len(links) > 10
    for link in sorted(links - opened):
        assert browser.get(link).status_code in OPENS, link


@pytest.mark.parametrize("page", ["/tickets", "/customers", "/contracts/", "/devices"])
def test_lists_lead_to_each_of_them(browser: Browser, imported: None, page: str) -> None:
    browser.sign_in(Role.MANAGER)
    found = browser.page(page)
    links = {str(tag["href"]) for tag in found.find_all("a", href=True) if "~" in str(tag["href"])}
    assert (
        len({link.removeprefix(page).strip("/").split("/")[0].split("?")[0] for link in links}) >= len(NUMBERS) - 1
    )
    for link in sorted(links):
        assert browser.get(link).status_code in (200, 303), link


def test_an_address_of_a_device_with_its_slash_as_typed_leads_there(browser: Browser, imported: None) -> None:
    browser.sign_in(Role.TECHNICIAN)
    answer = browser.get("/devices/A/7")
    assert (answer.status_code, answer.location) == (303, "/devices/A~2F7")
    assert browser.get("/devices/A/8").status_code == 404


def addresses(app: Flask, key: str) -> list[str]:
    """Every page that needs nothing but numbers."""
    with app.test_request_context():
        return [
            url_for(rule.endpoint, **dict.fromkeys(rule.arguments, key))
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ())
            and rule.endpoint.partition(".")[0] in AREAS
            and {"number", "inventory"} >= rule.arguments > set()
        ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_number_is_one_part_of_an_address_and_comes_back(app_for_any: Flask, key: str) -> None:
    converter = KeyConverter(app_for_any.url_map)
    part = converter.to_url(key)
    assert not set(part) & set("/?# ;\\\"'<>&")
    assert part not in (".", "..", "new")
    with app_for_any.test_request_context():
        adapter = app_for_any.url_map.bind("localhost")
        assert adapter.match(unquote(url_for("customers.show", number=key))) == ("customers.show", {"number": key})


@pytest.fixture(scope="module")
def app_for_any(migrated_app: Flask) -> Flask:
    return migrated_app


def test_numbers_as_they_usually_are_stay_as_they_are(app: Flask) -> None:
    converter = KeyConverter(app.url_map)
    for key in ("10001", "SV-1001", "2026-10-0001", "NB_1.2"):
        assert converter.to_url(key) == key


@pytest.mark.parametrize("address", ["/updates/", "/rollout/", "/tickets/", "/customers/"])
def test_a_slash_too_many_leads_to_the_same_page(browser: Browser, address: str) -> None:
    browser.sign_in(Role.MANAGER)
    answer, right = browser.get(address), browser.get(address.rstrip("/"))
    assert answer.status_code == right.status_code == 200
    assert BeautifulSoup(answer.data, "html.parser").h1.text == BeautifulSoup(right.data, "html.parser").h1.text
