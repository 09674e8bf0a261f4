"""The queue in a real browser: the keyboard alone, without JavaScript, and no barrier."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from ptdash.db import transaction
from ptdash.models import Role
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser
SUBJECTS = ("VPN bricht ab", "Etikettendrucker Halle 2", "Etikettendrucker Halle 3", "Zertifikat läuft ab")


@pytest.fixture
def tickets(app: Flask, sign_in: SignIn) -> list[str]:
    """Four tickets of one customer, the first of them overdue; a dispatcher is signed in."""
    sign_in(Role.DISPATCHER)
    now = datetime.now(UTC)
    with app.app_context(), transaction() as session:
        company = Company(session)
        customer = company.customer(name="Müller & Söhne")
        company.support(customer)
        return [
            add(company, customer, subject, now + timedelta(hours=at)) for at, subject in enumerate(SUBJECTS, -1)
        ]


def add(company: Company, customer: object, subject: str, due_at: datetime) -> str:
    more = {"subject": subject, "status": "in_progress", "due_at": due_at, "deadline_known": True}
    return str(company.ticket(customer, **more).number)  # type: ignore[arg-type]


def add_another(app: Flask, name: str, subject: str) -> None:
    """A ticket of one more customer."""
    with app.app_context(), transaction() as session:
        company = Company.__new__(Company)
        company.session, company.numbers = session, iter(range(50000, 50010))  # type: ignore[assignment]
        add(company, company.customer(name=name), subject, datetime.now(UTC))


def rows(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("tr.t")


def test_the_keyboard_alone_finds_selects_assigns_and_takes_back(tickets: list[str], opened: Open) -> None:
    page = opened("/tickets")
    page.keyboard.press("/")
    page.keyboard.type("muller etiketten")
    expect(rows(page)).to_have_count(2)
    expect(page).to_have_url("/tickets?q=muller+etiketten")
    page.keyboard.press("Escape")
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator("#selected")).to_contain_text("2")
    page.keyboard.press("a")
    expect(page.locator("#control .way").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("2")
    expect(page.locator("tr.t td:nth-child(7) .av")).to_have_count(2)
    expect(page.locator("tr.t input:checked")).to_have_count(2)
    page.locator("#toasts form button").press("Enter")
    expect(page.locator("tr.t td:nth-child(7) .av")).to_have_count(0)
    expect(page.locator("#toasts form")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("tr.t input:checked")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_list_is_filtered_by_a_customer_that_is_typed(app: Flask, tickets: list[str], opened: Open) -> None:
    add_another(app, "Öztürk", "Anderes")
    page = opened("/tickets")
    page.locator(".pick-customer").press("Enter")
    expect(page.locator("#customer-name")).to_be_focused()
    page.keyboard.type("muler")
    expect(page.locator("#found a")).to_have_count(1)
    expect(page.locator("#customer-name")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(4)
    expect(page.locator(".pick-customer")).to_contain_text("Müller & Söhne")
    assert "customer=" in page.url
    page.get_by_label("Alle Kunden").press("Enter")
    expect(rows(page)).to_have_count(5)


def test_a_row_is_changed_where_it_stands(tickets: list[str], opened: Open) -> None:
    page = opened("/tickets")
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.locator("#control .way").nth(1).press("Enter")
    expect(rows(page).first.locator(".st.wait")).to_be_visible()
    expect(page.locator("#control")).not_to_be_visible()
    expect(rows(page).first.locator(".subj")).to_be_focused()
    expect(page.locator("#tabs a").nth(4)).to_contain_text("1")


def test_new_tickets_wait_behind_a_pill_and_selected_rows_stay(
    app: Flask, tickets: list[str], opened: Open
) -> None:
    page = opened("/tickets")
    page.locator("tr.t input").nth(1).check()
    page.evaluate("htmx.trigger('#fresh', 'poll')")
    add_another(app, "Neu", "Frisch hereingekommen")
    page.evaluate("htmx.trigger('#fresh', 'poll')")
    pill = page.locator(".pill")
    pill.wait_for()
    expect(rows(page)).to_have_count(4)
    pill.click()
    expect(rows(page)).to_have_count(5)
    expect(page.locator("tr.t input:checked")).to_have_count(1)
    page.locator("#q").fill("Zertifikat")
    expect(page.locator(".kept tr.t")).to_have_count(1)


def test_a_list_that_cannot_be_loaded_stays(tickets: list[str], opened: Open) -> None:
    page = opened("/tickets")
    page.context.set_offline(True)
    page.locator("#q").fill("VPN")
    expect(page.locator("#queue-error")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    page.context.set_offline(False)
    page.locator("#try-again").click()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#queue-error")).not_to_be_visible()


def test_without_javascript_it_filters_and_assigns(
    engine: Browser, live: str, tickets: list[str], sign_in: SignIn
) -> None:
    context = engine.new_context(java_script_enabled=False, base_url=live, locale="de-DE")
    sign_in(Role.DISPATCHER, into=context)
    page = context.new_page()
    page.goto("/tickets")
    page.locator("#q").fill("VPN")
    page.locator("#q").press("Enter")
    expect(rows(page)).to_have_count(1)
    rows(page).locator("td:nth-child(7) a").click()
    page.locator(".choose .way").first.click()
    expect(rows(page).locator("td:nth-child(7) .av")).to_have_count(1)
    assert "q=VPN" in page.url
    page.locator("tr.t input").check()
    page.locator(".bulk button").nth(2).click()
    page.locator(".choose .way").first.click()
    expect(page.locator(".toast")).to_be_visible()
    context.close()


def test_the_queue_has_no_barrier(tickets: list[str], opened: Open) -> None:
    page = opened("/tickets")
    check(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("tr.t input").first.check()
    page.locator("tr.t .ctl.st").nth(1).click()
    page.locator("#control .way").first.wait_for()
    check(page)
    for path in (
        "/tickets?q=nichtda",
        "/tickets/bulk",
        f"/tickets/{tickets[0]}/assign",
        "/tickets/customers?name=mull",
    ):
        page.goto(path)
        check(page)


def test_what_is_selected_while_an_answer_is_on_its_way_stays_selected(tickets: list[str], opened: Open) -> None:
    page = opened("/tickets")
    held: list[Route] = []
    page.route("**/tickets?q=Zertifikat*", lambda route: held.append(route), times=1)
    page.locator("#q").fill("Zertifikat")
    page.locator("#filters.htmx-request").wait_for()
    page.locator("tr.t input").first.check()
    held[0].continue_()
    expect(page.locator(".kept tr.t input:checked")).to_have_count(1)
    expect(rows(page)).to_have_count(2)
