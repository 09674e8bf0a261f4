"""A ticket in a real browser: taken by the keyboard alone, edited by two at once, read without script."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.models import Role, Ticket, TicketMessage
from ptdash.services.tickets import merging, threads
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser

NOW = datetime.now(UTC)
HERE = "/tickets/2001"


@pytest.fixture
def tickets(app: Flask, live: str) -> None:
    """Three tickets of one customer, the third merged into the first, and a customer with a similar name."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            kessler = company.customer(name="Autohaus Kessler KG")
            company.customer(name="Bäckerei Öztürk")
            company.support(kessler, "M")
            made = []
            for number in ("2001", "2002", "2003"):
                ticket = company.ticket(
                    kessler, created_at=NOW - timedelta(hours=1), subject="VPN bricht ab", body="Seit heute früh"
                )
                ticket.number = number
                made.append(ticket)
            company.entry(kessler, 12, ticket=made[2], at=NOW - timedelta(minutes=40))
            me = company.technician.id
            log = [threads.Upload("vpn.log", b"timeout")]
            threads.note(session, made[0].id, "Router neu gestartet", actor_id=me, now=NOW, uploads=log)
            threads.reply(session, made[0].id, "Wir schauen danach", actor_id=me, now=NOW)
            merging.merge(session, [made[2].id], into=made[0].id, actor_id=me, now=NOW)
        db.session.remove()


def stored(app: Flask, number: str) -> Ticket:
    with app.app_context(), transaction() as session:
        found = session.execute(select(Ticket).where(Ticket.number == number)).scalar_one()
        db.session.remove()
        return found


def test_a_telephone_ticket_by_the_keyboard_alone(
    app: Flask, tickets: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.DISPATCHER, language="en")
    page = opened("/tickets/new")
    page.keyboard.type("kesler")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_be_focused()
    expect(page.locator("#caller")).to_have_value("Autohaus Kessler KG")
    page.keyboard.type("Drucker druckt nicht")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/1001")
    expect(page.get_by_role("heading", level=1)).to_have_text("Drucker druckt nicht")
    made = stored(app, "1001")
    assert (made.channel, made.status, made.subject) == ("phone", "new", "Drucker druckt nicht")


def test_the_arrows_choose_among_the_customers(tickets: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.DISPATCHER, language="en")
    page = opened("/tickets/new")
    box = page.get_by_role("combobox", name="Customer")
    box.press_sequentially("e")
    expect(page.locator("#callers [role=option]")).to_have_count(2)
    check(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    box.press("ArrowDown")
    box.press("ArrowDown")
    second = page.locator("#callers [role=option]").nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    name = second.get_attribute("data-name") or ""
    box.press("Enter")
    expect(page.locator("#known")).to_contain_text(name)
    assert box.get_attribute("aria-expanded") == "false"
    box.press_sequentially("x")
    assert page.locator("input[name=customer]").input_value() == ""


def test_two_edit_at_once_one_is_told_and_nothing_typed_is_lost(
    app: Flask, engine: Browser, live: str, tickets: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.DISPATCHER, language="en")
    mine = opened(f"{HERE}/edit")
    other = engine.new_context(base_url=live)
    sign_in(Role.MANAGER, into=other, language="en")
    theirs = other.new_page()
    theirs.goto(f"{HERE}/edit")
    mine.get_by_label("Subject").fill("VPN bricht im Hotel ab")
    mine.get_by_label("Priority").select_option("high")
    theirs.get_by_label("Priority").select_option("urgent")
    theirs.get_by_role("button", name="Save").click()
    theirs.wait_for_url(f"**{HERE}")
    other.close()
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("alert")).to_contain_text("Somebody just changed this ticket")
    row = mine.get_by_role("row", name="Priority")
    expect(row.get_by_role("radio", name="High")).to_be_checked()
    check(mine)
    row.get_by_role("radio", name="Urgent").check()
    mine.get_by_role("button", name="Save choice").click()
    mine.wait_for_url(f"**{HERE}")
    saved = stored(app, "2001")
    assert (saved.subject, saved.priority) == ("VPN bricht im Hotel ab", "urgent")


def test_the_keys_change_tabs_and_leave_typing_alone(tickets: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.DISPATCHER, language="en")
    page = opened(HERE)
    page.keyboard.press("m")
    expect(page.get_by_label("Note, for colleagues only")).to_be_focused()
    page.keyboard.type("wlrjk")
    expect(page.get_by_label("Note, for colleagues only")).to_have_value("wlrjk")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("r")
    expect(page.get_by_label("Our reply")).to_be_focused()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("m")
    expect(page.get_by_label("Note, for colleagues only")).to_have_value("wlrjk")


def test_a_ticket_waits_and_is_resolved_by_a_key(app: Flask, tickets: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.DISPATCHER, language="en")
    page = opened(HERE)
    for key, status in (("w", "waiting_customer"), ("l", "resolved")):
        with page.expect_navigation():
            page.keyboard.press(key)
        expect(page).to_have_url(f"{page.url.partition('/tickets')[0]}{HERE}")
        assert stored(app, "2001").status == status
    with page.expect_navigation():
        page.get_by_role("button", name="Reopen").click()
    assert stored(app, "2001").status == "open"


def test_the_keys_rest_where_a_person_switched_them_off(tickets: None, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.DISPATCHER, language="en", shortcuts=False)
    page = opened(HERE)
    page.keyboard.press("m")
    expect(page.get_by_label("Our reply")).to_be_visible()
    assert page.locator("[data-panel=note]").is_hidden()


def test_a_ticket_works_without_script(
    app: Flask, engine: Browser, live: str, tickets: None, sign_in: SignIn
) -> None:
    context = engine.new_context(base_url=live, java_script_enabled=False)
    sign_in(Role.DISPATCHER, into=context, language="en")
    page = context.new_page()
    page.goto("/tickets/new")
    page.get_by_label("Customer", exact=True).fill("oeztuerk")
    page.get_by_label("Subject").fill("Kasse startet nicht")
    page.get_by_role("button", name="Take ticket").click()
    page.wait_for_url("**/tickets/1001")
    page.get_by_role("link", name="Internal note").click()
    page.get_by_label("Note, for colleagues only").fill("Steht im Keller")
    page.get_by_role("button", name="Record note").click()
    expect(page.locator("#thread")).to_contain_text("Steht im Keller")
    page.get_by_text("History").click()
    page.get_by_role("link", name="Show what was changed").click()
    expect(page.locator("#happenings")).to_contain_text("Ticket taken")
    context.close()
    with app.app_context(), transaction() as session:
        assert "Steht im Keller" in session.execute(select(TicketMessage.body)).scalars().all()


PAGES = ("", "?tab=inbound", "/edit", "/merge", "/merge?into=2002", "/move", "/history", "/materials")


@pytest.mark.parametrize("path", PAGES)
def test_a_ticket_page_has_no_barrier(tickets: None, sign_in: SignIn, opened: Open, path: str) -> None:
    sign_in(Role.DISPATCHER)
    page = opened(f"{HERE}{path}")
    if not path:
        _open_menu(page)
    check(page)


@pytest.mark.parametrize("path", ["/tickets/new", "/tickets/2003"])
def test_taking_a_ticket_and_a_merged_one_have_no_barrier(
    tickets: None, sign_in: SignIn, opened: Open, path: str
) -> None:
    sign_in(Role.DISPATCHER)
    check(opened(path))


def _open_menu(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.locator("#history summary").click()
    page.locator("#happenings").wait_for()
