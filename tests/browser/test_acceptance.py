"""A technician in front of a device, with a phone: one fault, a refusal, its remedy, a re-inspection."""

import re
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ptdash.db import db, transaction
from ptdash.models import Role
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 390, 1440
LIST, FIRST, SECOND = "/devices/acceptance", "/devices/acceptance/1", "/devices/acceptance/2"
ITEMS = 14


@pytest.fixture
def device(app: Flask, live: str) -> None:
    """A foreign notebook that a customer with a maintenance contract bought elsewhere."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            customer = company.customer(name="Physio am Markt")
            company.include(company.maintenance(customer, number="WV-2011"), company.device(customer))
            row = company.device(customer, ours=False)
            row.inventory_number, row.manufacturer, row.model = "PHY-NB-003", "Microsoft", "Surface Laptop 5"
        db.session.remove()


def propose(page: Page) -> None:
    page.goto(f"{LIST}/propose/PHY-NB-003")
    page.locator("#monthly_fee").fill("9,00")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("tr.d")).to_have_count(1)


def begin(page: Page) -> None:
    page.goto("/devices/PHY-NB-003")
    page.locator("form[action*='/start/'] button").click()
    expect(page.locator("[data-checklist]")).to_be_visible()


def answer(page: Page, pos: int, state: str = "passed") -> None:
    group = page.locator(f"details:has(#item-{pos})")
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    page.locator(f"#item-{pos}-{state}").check()


def saved(page: Page, pos: int, state: str = "passed") -> None:
    expect(page.locator(f"#item-{pos}")).to_have_attribute("data-state", state)


def pass_rest(page: Page) -> None:
    found = page.locator("li[data-item][data-state=open]")
    for pos in found.evaluate_all("items => items.map(item => Number(item.id.slice(5)))"):
        answer(page, pos)
        saved(page, pos)


def test_a_foreign_device_from_refusal_to_its_contract(
    device: None, sign_in: SignIn, opened: Open, context: BrowserContext, tmp_path: Path
) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/", PHONE)
    propose(page)
    page.goto("/devices/PHY-NB-003")
    expect(page.locator("form[action*='/include/']")).to_have_count(0)
    begin(page)
    expect(page.locator("#signoff [aria-disabled=true]")).to_be_visible()
    for pos in (1, 3):
        answer(page, pos)
        saved(page, pos)
    page.locator("#item-2-failed").check()
    note = page.locator("#item-2-note")
    expect(note).to_be_focused()
    saved(page, 2, "open")
    note.fill("Akku gewölbt")
    note.blur()
    saved(page, 2, "failed")
    photo = tmp_path / "akku.png"
    Image.new("RGB", (400, 300), "navy").save(photo)
    page.locator("#photos-2 input[type=file]").set_input_files(photo)
    expect(page.locator("#photos-2 img")).to_have_count(1)
    pass_rest(page)
    expect(page.locator("#signoff input[value=accepted]")).to_have_count(0)
    page.locator("#signoff input[value=refused]").check()
    page.locator("#signoff button[type=submit]").click()
    remedy = page.locator("input[name=how]")
    remedy.fill("Akku getauscht")
    page.locator("form[action$='/remedy'] button").click()
    page.locator("form[action*='/start/'] button").first.click()
    expect(page).to_have_url(re.compile(f"{SECOND}$"))
    expect(page.locator("li[data-item]")).to_have_count(1)
    expect(page.locator("#item-2")).to_contain_text("Akku getauscht")
    answer(page, 2)
    expect(page.locator("#signoff input[value=accepted]")).to_be_checked()
    page.locator("#signoff button[type=submit]").click()
    with page.expect_download() as download:
        page.locator(f"a[href='{SECOND}/protocol.pdf']").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    sign_in(Role.MANAGER)
    page.goto(SECOND)
    page.locator("form[action*='/include/'] button").click()
    expect(page).to_have_url(re.compile("/devices/PHY-NB-003$"))
    expect(page.locator("#contracts")).to_contain_text("WV-2011")


def test_what_did_not_reach_the_server_is_marked_and_sent_again(
    device: None, sign_in: SignIn, opened: Open, context: BrowserContext
) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/", PHONE)
    begin(page)
    context.set_offline(True)
    answer(page, 1)
    unsent = page.locator("#item-1 .unsent")
    expect(unsent).to_be_visible()
    expect(page.locator("#item-1-passed")).to_be_checked()
    context.set_offline(False)
    saved(page, 1)
    expect(unsent).to_be_hidden()


def test_keys_answer_and_jump_unless_switched_off(device: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/")
    begin(page)
    page.keyboard.press("g")
    expect(page.locator("#item-1")).to_be_focused()
    page.keyboard.press("1")
    saved(page, 1)
    page.keyboard.press("j")
    page.keyboard.press("2")
    expect(page.locator("#item-2-note")).to_be_focused()
    page.keyboard.type("123 jkg")
    expect(page.locator("#item-2-note")).to_have_value("123 jkg")
    page.keyboard.press("Tab")
    saved(page, 2, "failed")
    sign_in(Role.TECHNICIAN, shortcuts=False)
    page.reload()
    page.locator("#item-3").focus()
    page.keyboard.press("1")
    saved(page, 3, "open")


def test_the_bar_leads_to_the_next_open_point(device: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/", PHONE)
    begin(page)
    for pos in range(1, 5):
        answer(page, pos)
        saved(page, pos)
    expect(page.locator("#signoff .jump")).to_have_attribute("href", "#item-5")
    expect(page.locator("#item-5")).to_have_class("now")


def test_two_technicians_see_each_others_answers(
    device: None, sign_in: SignIn, opened: Open, engine: Browser, live: str
) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/")
    begin(page)
    with engine.new_context(base_url=live, locale="de-DE") as elsewhere:
        sign_in(Role.MANAGER, into=elsewhere)
        other = elsewhere.new_page()
        other.goto(FIRST)
        answer(other, 1)
        saved(other, 1)
    answer(page, 1, "not_applicable")
    page.locator("#item-1-note").fill("Kein Deckel")
    page.locator("#item-1-note").blur()
    expect(page.locator("#item-1 [role=alert]")).to_contain_text("Miriam Vogt")
    expect(page.locator("#item-1-passed")).to_be_checked()


def test_the_register_narrows_while_somebody_types(device: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.TECHNICIAN)
    page = opened("/devices")
    expect(page.locator("tr.d")).to_have_count(2)
    page.locator("#q").fill("surface")
    expect(page.locator("tr.d")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=surface"))


@pytest.mark.parametrize(
    "path",
    [
        LIST,
        f"{LIST}/checklists",
        f"{LIST}/checklists/notebook",
        f"{LIST}/propose",
        f"{LIST}/propose/PHY-NB-003",
        f"{LIST}/plan/PHY-NB-003",
        "/devices",
        "/devices/new",
        "/devices/import",
        "/devices/PHY-NB-003",
        "/devices/PHY-NB-003/edit",
        "/devices/PHY-NB-003/retire",
    ],
)
def test_a_page_has_no_barrier(device: None, sign_in: SignIn, opened: Open, path: str) -> None:
    sign_in(Role.MANAGER)
    propose(opened("/"))
    check(opened(path))


def test_the_pages_of_an_inspection_have_no_barrier(device: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.MANAGER)
    page = opened("/")
    propose(page)
    begin(page)
    answer(page, 2, "failed")
    page.locator("#item-2-note").fill("Akku gewölbt")
    page.locator("#item-2-note").blur()
    saved(page, 2, "failed")
    check(page)
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    pass_rest(page)
    check(page)
    page.locator("#signoff input[value=refused]").check()
    page.locator("#signoff button[type=submit]").click()
    expect(page.locator("input[name=how]")).to_be_visible()
    check(page)
    page.locator("form[action*='/start/'] button").first.click()
    expect(page).to_have_url(re.compile(f"{SECOND}$"))
    check(page)
    answer(page, 2)
    page.locator("#signoff button[type=submit]").click()
    expect(page.locator(".signed")).to_be_visible()
    check(page)
    page.goto(f"{LIST}/revoke/1")
    check(page)
    page.goto(LIST)
    check(page)
