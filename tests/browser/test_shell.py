"""The shell of every page, as a person meets it."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from ptdash.models import Role
from tests.browser.conftest import PASSWORD, Open, SignIn

pytestmark = pytest.mark.browser

PHONE, TABLET, DESKTOP = 390, 1024, 1440
ADDRESS = "manager@example.com"


def ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_signing_in_and_out_with_the_keyboard_alone(
    sign_in: SignIn, context: BrowserContext, opened: Open
) -> None:
    sign_in()
    context.clear_cookies()
    page = opened("/billing/")
    expect(page).to_have_title("Anmelden – ptdash")
    page.get_by_label("E-Mail-Adresse").focus()
    page.keyboard.type(ADDRESS)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title("Abrechnung – ptdash")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Zum Inhalt springen")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.get_by_role("button", name="Abmelden").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Anmelden – ptdash")


def test_a_failed_form_says_so_first(opened: Open) -> None:
    page = opened("/login")
    page.get_by_role("button", name="Anmelden").click()
    expect(page).to_have_title("Fehler: Anmelden – ptdash")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Geben Sie Ihr Passwort ein").click()
    expect(page.get_by_label("Passwort")).to_be_focused()


def test_the_theme_button_turns_the_page_dark_and_light_again(sign_in: SignIn, opened: Open) -> None:
    sign_in()
    page = opened("/account")
    light = ground(page)
    page.get_by_role("button", name="Dunkles Design").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_title("Konto – ptdash")
    assert ground(page) != light
    page.get_by_role("button", name="Helles Design").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert ground(page) == light


def test_the_theme_follows_the_device_until_somebody_chooses(sign_in: SignIn, opened: Open) -> None:
    sign_in()
    page = opened("/account")
    light = ground(page)
    page.emulate_media(color_scheme="dark")
    assert ground(page) != light
    expect(page.get_by_role("button", name="Helles Design")).to_be_visible()
    expect(page.get_by_role("button", name="Dunkles Design")).to_be_hidden()


@pytest.mark.parametrize(("width", "sidebar"), [(DESKTOP, 216), (TABLET, 60)])
def test_the_sidebar_becomes_a_rail(sign_in: SignIn, opened: Open, width: int, sidebar: int) -> None:
    sign_in()
    page = opened("/", width)
    box = page.locator("#nav").bounding_box()
    assert box
    assert box["width"] == sidebar
    expect(page.get_by_role("link", name="Abrechnung")).to_be_visible()


def test_on_a_phone_the_navigation_is_a_drawer(sign_in: SignIn, opened: Open) -> None:
    sign_in()
    page = opened("/", PHONE)
    link = page.get_by_role("link", name="Abrechnung", exact=True)
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menü öffnen").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menü öffnen").click()
    link.click()
    expect(page).to_have_title("Abrechnung – ptdash")


def test_a_toast_comes_with_the_fragment_and_can_be_closed(sign_in: SignIn, opened: Open) -> None:
    sign_in()
    page = opened("/components")
    page.get_by_role("button", name="Meldung zeigen").click()
    toast = page.locator("#toasts .toast", has_text="Das ist eine Meldung.")
    expect(toast).to_be_visible()
    expect(page.locator("#toasts")).to_have_attribute("role", "status")
    toast.get_by_role("button", name="Schließen").click()
    expect(toast).to_have_count(0)


def test_a_lost_connection_is_said_and_keeps_what_was_typed(
    sign_in: SignIn, context: BrowserContext, opened: Open
) -> None:
    sign_in()
    page = opened("/components")
    page.get_by_label("Notiz").fill("Drucker eingerichtet")
    context.set_offline(True)
    page.get_by_role("button", name="Meldung zeigen").click()
    note = page.locator("#toasts .toast", has_text="Keine Verbindung. Ihre Eingabe ist noch da.")
    expect(note).to_have_count(1)
    page.get_by_role("button", name="Meldung zeigen").click()
    expect(note).to_have_count(1)
    expect(page.get_by_label("Notiz")).to_have_value("Drucker eingerichtet")
    context.set_offline(False)
    page.get_by_role("button", name="Meldung zeigen").click()
    expect(page.locator("#toasts .toast", has_text="Das ist eine Meldung.")).to_be_visible()
    expect(note).to_have_count(0)


def test_a_script_in_the_page_is_not_run(sign_in: SignIn, context: BrowserContext) -> None:
    sign_in()
    page = context.new_page()
    page.goto("/")
    with pytest.raises(Error, match="Content Security Policy"):
        page.add_script_tag(content="document.title = 'run'")
    expect(page).to_have_title("Übersicht – ptdash")


def test_everything_works_without_a_script(engine: Browser, live: str, sign_in: SignIn) -> None:
    with engine.new_context(base_url=live, locale="de-DE", java_script_enabled=False) as plain:
        sign_in(Role.ADMIN, into=plain)
        page = plain.new_page()
        page.goto("/admin/users/new")
        page.get_by_label("Name").fill("Neu Neumann")
        page.get_by_label("E-Mail-Adresse").fill("neu@example.com")
        page.get_by_label("Erstes Passwort").fill("a first password")
        page.get_by_role("button", name="Benutzer anlegen").click()
        expect(page.get_by_text("Neu Neumann kann sich jetzt anmelden.")).to_be_visible()
        page.get_by_role("button", name="Dunkles Design").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.set_viewport_size({"width": PHONE, "height": 800})
        page.get_by_role("button", name="Menü öffnen").click()
        page.get_by_role("button", name="Abmelden").click()
        expect(page).to_have_url(re.compile("/login$"))
