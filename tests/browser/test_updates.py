"""The matrix and a check in a real browser: keys, decisions beside the row, cells, a phone, no barrier."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from ptdash.db import db, transaction
from ptdash.models import Role, RolloutTask, Update
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.services.updates.house import House

pytestmark = pytest.mark.browser

NOVEMBER = "/updates?month=2026-11"


def furnish(app: Flask, also: Callable[[House], Any] = lambda house: None) -> None:
    """Three updates at two customers: one to be tested, one to be approved, one in distribution."""
    with app.app_context():
        with transaction() as session:
            house = House(session)
            house.covered(2, name="Autohaus Kessler", number="10001")
            house.covered(1, name="Bäckerei Brandt", number="10002")
            house.update("1", title="Acrobat Reader")
            house.tested("2", title="Chrome")
            house.approved("3", title="Firefox")
            also(house)
        db.session.remove()


def state_of(app: Flask, update_id: int) -> str:
    with app.app_context():
        found = db.session.get_one(Update, update_id).state
        db.session.remove()
    return found


@pytest.fixture
def matrix(app: Flask, sign_in: SignIn, opened: Open) -> Page:
    furnish(app)
    sign_in(Role.MANAGER)
    return opened(NOVEMBER)


def test_the_matrix_has_no_barrier(matrix: Page) -> None:
    check(matrix)


PATHS = ("1", "2/approve", "3/withdraw", "3/customers/10001", "new", "products", "products/1", "import", "feeds")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_updates_has_no_barrier(app: Flask, sign_in: SignIn, opened: Open, path: str) -> None:
    furnish(app)
    sign_in(Role.MANAGER)
    check(opened(f"/updates/{path}"))


def test_keys_lead_through_the_rows_and_approve(app: Flask, matrix: Page) -> None:
    matrix.keyboard.press("j")
    focused = matrix.locator("tr.u:has(.subj:focus)")
    expect(focused).to_contain_text("Acrobat Reader")
    matrix.keyboard.press("j")
    expect(focused).to_contain_text("Chrome")
    matrix.keyboard.press("k")
    expect(focused).to_contain_text("Acrobat Reader")
    matrix.keyboard.press("f")  # not tested yet: nothing to approve
    expect(matrix.locator("#decision")).to_be_hidden()
    matrix.keyboard.press("j")
    matrix.keyboard.press("f")
    beside = matrix.locator("#decision")
    expect(beside).to_contain_text("3 Geräte von 2 Kunden werden eingeplant")
    check(matrix)
    beside.get_by_role("button", name="Freigeben und einplanen").click()
    expect(matrix.locator("#toasts")).to_contain_text("Freigegeben und eingeplant: 3 Geräte")
    row = matrix.locator("#u2")
    expect(row).to_contain_text("Freigegeben")
    expect(row.locator(".subj")).to_be_focused()
    expect(beside).to_be_hidden()
    assert state_of(app, 2) == "approved"


def test_rejecting_asks_for_a_reason_beside_the_row(app: Flask, matrix: Page) -> None:
    matrix.keyboard.press("j")
    matrix.keyboard.press("j")
    matrix.keyboard.press("r")
    beside = matrix.locator("#decision")
    expect(beside.get_by_label("Grund")).to_be_focused()
    beside.get_by_role("button", name="Ablehnen").click()
    expect(beside.get_by_role("alert")).to_contain_text("Nennen Sie den Grund")
    beside.get_by_label("Grund").fill("Bootet nicht")
    beside.get_by_role("button", name="Ablehnen").click()
    expect(matrix.locator("#u2")).to_contain_text("Abgelehnt")
    assert state_of(app, 2) == "rejected"


def test_a_cell_opens_its_devices_and_escape_comes_back(matrix: Page) -> None:
    matrix.keyboard.press("j")
    matrix.keyboard.press("j")
    matrix.keyboard.press("j")
    expect(matrix.locator("tr.u:has(.subj:focus)")).to_contain_text("Firefox")
    matrix.keyboard.press("ArrowRight")
    cell = matrix.locator("#u3 a.cl").first
    expect(cell).to_be_focused()
    matrix.keyboard.press("Enter")
    beside = matrix.locator("#decision")
    expect(beside).to_contain_text("Autohaus Kessler")
    expect(beside.locator("li")).to_have_count(2)
    matrix.keyboard.press("Escape")
    expect(beside).to_be_hidden()
    expect(cell).to_be_focused()


def test_enter_opens_the_update_and_keys_can_be_switched_off(app: Flask, sign_in: SignIn, opened: Open) -> None:
    furnish(app)
    sign_in(Role.MANAGER)
    page = opened(NOVEMBER)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/updates/1")
    sign_in(Role.MANAGER, shortcuts=False)
    page = opened(NOVEMBER)
    page.keyboard.press("j")
    expect(page.locator("tr.u:has(.subj:focus)")).to_have_count(0)


def test_a_search_narrows_the_matrix_while_it_is_typed(matrix: Page) -> None:
    matrix.keyboard.press("/")
    matrix.keyboard.type("chrom")
    expect(matrix.locator("tr.u")).to_have_count(1)
    expect(matrix.locator("#q")).to_be_focused()
    assert "q=chrom" in matrix.url


def test_on_a_phone_rows_are_cards_with_only_the_customers_concerned(
    app: Flask, sign_in: SignIn, opened: Open
) -> None:
    furnish(app)
    sign_in(Role.TECHNICIAN)
    page = opened(NOVEMBER, 390)
    expect(page.locator(".mx thead")).to_be_hidden()
    card = page.locator("#u3")
    expect(card.locator("td.c:visible")).to_have_count(2)
    assert card.locator("td.c").first.evaluate("td => getComputedStyle(td, '::before').content") == '"KES"'
    card.locator("a.cl").first.click()
    expect(page.locator("#decision")).to_contain_text("Autohaus Kessler")


def test_a_check_is_done_by_keyboard_and_fails_with_a_note(app: Flask, sign_in: SignIn, opened: Open) -> None:
    furnish(app)
    sign_in(Role.TECHNICIAN)
    page = opened("/updates/1")
    page.get_by_role("button", name="Prüfung beginnen").click()
    page.wait_for_url("**/updates/1/check")
    check(page)
    page.keyboard.press("j")
    for _ in range(page.locator("[data-item]").count() - 1):
        page.keyboard.press("1")
        expect(page.locator("[data-item]:focus-within[data-state=passed]")).to_have_count(1)
        page.keyboard.press("j")
    page.keyboard.press("2")
    page.locator("[data-item]:focus-within textarea").fill("Druckt leere Seiten")
    page.locator("[data-item]:focus-within textarea").press("Tab")
    expect(page.locator("#ending")).to_contain_text("1 durchgefallen")
    page.get_by_label("Anmerkung zum Ergebnis").fill("Neue Version abwarten")
    page.get_by_role("button", name="Durchgefallen", exact=True).click()
    page.wait_for_url("**/updates/1")
    expect(page.get_by_text("Die letzte Prüfung ist durchgefallen")).to_be_visible()
    assert state_of(app, 1) == "in_test"


def test_without_scripts_everything_still_works(app: Flask, engine: Any, live: str, sign_in: SignIn) -> None:
    furnish(app)
    context = engine.new_context(base_url=live, java_script_enabled=False, locale="de-DE")
    sign_in(Role.MANAGER, into=context)
    page = context.new_page()
    page.goto(NOVEMBER)
    page.locator("#u2").get_by_role("link", name="Freigeben").click()
    page.get_by_role("button", name="Freigeben und einplanen").click()
    expect(page.locator("h1")).to_have_text("Chrome")
    assert state_of(app, 2) == "approved"
    with app.app_context():
        assert db.session.query(RolloutTask).filter_by(update_id=2).count() == 3
        db.session.remove()
    context.close()
