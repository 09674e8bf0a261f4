"""Time in a real browser: by the keyboard alone from a call to the next invoice; one timer in two browsers."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.periods import month_of, previous_month
from ptdash.models import Role, Ticket, TimeEntry
from ptdash.services import timers
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company
from tests.services.test_period_close import close

pytestmark = pytest.mark.browser

TODAY = datetime.now(BERLIN).date()
LAST_MONTH = previous_month(month_of(TODAY))
WORKED_ON = LAST_MONTH + timedelta(days=14)


@pytest.fixture
def customer(app: Flask, live: str) -> str:
    """Package M with 26 of 30 minutes used in the last month; Tarek Kaya is the technician who signs in."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            company.technician.email = "technician@example.com"
            kessler = company.customer(name="Autohaus Kessler KG")
            company.support(kessler, "M", starts_on=LAST_MONTH)
            company.entry(kessler, 26, at=datetime.combine(WORKED_ON, time(8), tzinfo=BERLIN))
            number = kessler.number
        db.session.remove()
        return number


@pytest.fixture
def number(app: Flask, customer: str) -> str:
    """A ticket of that customer."""
    with app.app_context():
        found = db.session.execute(select(Ticket.number)).scalar_one()
        db.session.remove()
        return found


@pytest.fixture
def elsewhere(engine: Browser, live: str) -> Iterator[BrowserContext]:
    """Another browser."""
    context = engine.new_context(base_url=live, locale="de-DE", timezone_id="Europe/Berlin")
    context.set_default_timeout(10_000)
    yield context
    context.close()


def open_in(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(path)
    return page


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as somebody without a mouse does."""
    expect(wanted).to_be_visible()
    for _ in range(150):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way with the Tab key to {wanted}")


def press(page: Page, wanted: Locator) -> None:
    reach(page, wanted)
    page.keyboard.press("Enter")


def write(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    reach(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_from_the_telephone_to_the_correction_on_the_next_invoice_without_a_mouse(
    app: Flask, customer: str, sign_in: SignIn, opened: Open, elsewhere: BrowserContext
) -> None:
    sign_in(Role.TECHNICIAN, into=elsewhere, language="en")
    sign_in(Role.DISPATCHER, language="en")
    page = opened("/tickets")
    page.keyboard.press("n")
    expect(page.get_by_role("combobox", name="Customer")).to_be_focused()
    page.keyboard.type("kesler")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_be_focused()
    page.keyboard.type("VPN bricht alle zehn Minuten ab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/1001")
    press(page, page.locator("#details").get_by_role("link", name="Assign"))
    press(page, page.locator("main").get_by_role("button", name="Tarek Kaya"))
    expect(page.locator("#details")).to_contain_text("Tarek Kaya")

    page = open_in(elsewhere, "/tickets/1001")
    page.keyboard.press("t")
    expect(page.get_by_role("textbox", name="Minutes")).to_be_focused()
    press(page, page.get_by_role("button", name="Start timer"))
    expect(page.get_by_role("region", name="Running timer")).to_contain_text("#1001")
    press(page, page.get_by_role("button", name="Stop the timer"))
    write(page, "Activity", "Zugang geprüft")
    press(page, page.locator("main").get_by_role("button", name="Save", exact=True).last)
    expect(page.locator("#thread")).to_contain_text("Zugang geprüft")

    page.keyboard.press("t")
    expect(page.get_by_role("textbox", name="Minutes")).to_be_focused()
    page.keyboard.type("17")
    reach(page, page.get_by_label("Date"))
    page.get_by_label("Date").fill(WORKED_ON.isoformat())  # in what order it is typed depends on the browser
    press(page, page.get_by_text("Start and end"))
    write(page, "Start", "10")
    expect(page.locator("#book-price")).to_contain_text("17 min, 4 of them from the package, 13 × €1.50 = €19.50")
    expect(page.locator("#minutes-meter")).to_contain_text("19.50")
    write(page, "Activity", "Tunnel neu aufgesetzt")
    press(page, page.locator("#book-time").get_by_role("button", name="Book time").last)
    expect(page.locator("#thread")).to_contain_text("Tunnel neu aufgesetzt")

    with app.app_context():
        with transaction() as session:
            close(session, LAST_MONTH, TODAY)
        db.session.remove()

    page.reload()
    entry = page.locator("#thread li").filter(has_text="Tunnel neu aufgesetzt")
    press(page, entry.get_by_role("link", name="Correct"))
    write(page, "Minutes", "12")
    expect(page.locator("#difference")).to_contain_text("17 min become 12 min. The next invoice carries −€7.50.")
    write(page, "Reason for the correction", "Pause nicht abgezogen")
    page.keyboard.press("Enter")
    expect(page.locator("#thread")).to_contain_text("Pause nicht abgezogen")
    expect(page.locator("#thread")).to_contain_text("reversal")
    expect(page.locator("#thread")).to_contain_text("reversed")

    sign_in(Role.MANAGER, language="en")
    told = opened(f"/billing/{month_of(TODAY):%Y-%m}/customers/{customer}").locator("main")
    expect(told).to_contain_text("−€7.50")
    expect(told).to_contain_text("by all its entries, €59.50 were billed before: −€7.50")


def test_a_timer_asks_after_four_hours_on_a_page_that_stays_open(
    app: Flask, number: str, sign_in: SignIn, opened: Open
) -> None:
    me = sign_in(Role.TECHNICIAN, language="en")
    with app.app_context():
        with transaction() as session:
            ticket = session.execute(select(Ticket)).scalar_one()
            timers.start(session, ticket.id, actor_id=me, now=datetime.now(UTC) - timedelta(hours=1))
        db.session.remove()
    page = opened("/")
    page.clock.install()
    page.reload()
    expect(page.get_by_text("Still running?")).to_be_hidden()
    page.clock.fast_forward("02:50:00")
    expect(page.get_by_role("region", name="Running timer")).to_contain_text("3:5")
    expect(page.get_by_text("Still running?")).to_be_hidden()
    page.clock.fast_forward("00:11:00")
    expect(page.get_by_text("Still running?")).to_be_visible()
    page.get_by_role("button", name="Goes on").press("Enter")
    expect(page.get_by_text("Still running?")).to_be_hidden()


def test_a_timer_started_in_one_browser_is_stopped_in_another(
    app: Flask, number: str, sign_in: SignIn, opened: Open, elsewhere: BrowserContext
) -> None:
    sign_in(Role.TECHNICIAN, language="en")
    page = opened(f"/tickets/{number}/time")
    page.get_by_role("button", name="Start timer").click()
    expect(page.get_by_role("region", name="Running timer")).to_be_visible()

    sign_in(Role.TECHNICIAN, into=elsewhere, language="en")
    other = open_in(elsewhere, "/")
    other.get_by_role("button", name="Stop the timer").click()
    expect(other.get_by_role("heading", name="Change time entry")).to_be_visible()

    page.reload()
    expect(page.get_by_role("region", name="Running timer")).to_have_count(0)
    with app.app_context():
        assert db.session.execute(select(TimeEntry.minutes).where(TimeEntry.note == "")).scalar_one() == 1
        db.session.remove()


def test_a_click_on_so_many_minutes_fills_them_in_and_says_the_price(
    number: str, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.TECHNICIAN, language="en")
    page = opened(f"/tickets/{number}/time")
    page.get_by_role("button", name="45 minutes").click()
    expect(page.get_by_role("textbox", name="Minutes")).to_have_value("45")
    expect(page.locator("#book-price")).to_contain_text("30 of them from the package, 15 ×")
    page.get_by_label("Treatment").select_option("goodwill")
    expect(page.locator("#book-price")).to_contain_text("not billed")
    page.get_by_role("button", name="Book time").click()
    expect(page.locator("#book-problems")).to_contain_text("Goodwill needs a reason")
    expect(page.get_by_role("textbox", name="Minutes")).to_have_value("45")


def test_booking_works_without_script(number: str, sign_in: SignIn, engine: Browser, live: str) -> None:
    context = engine.new_context(base_url=live, java_script_enabled=False)
    sign_in(Role.TECHNICIAN, into=context, language="en")
    page = open_in(context, f"/tickets/{number}/time")
    page.get_by_role("button", name="15 minutes").click()
    expect(page.get_by_role("textbox", name="Minutes")).to_have_value("15")
    expect(page.locator("#book-price")).to_contain_text("15")
    page.locator("main").get_by_role("button", name="Book time").click()
    expect(page.locator("#thread")).to_contain_text("15")
    context.close()


def test_the_pages_about_time_have_no_barrier(
    app: Flask, number: str, sign_in: SignIn, opened: Open, customer: str
) -> None:
    me = sign_in(Role.MANAGER)
    with app.app_context():
        with transaction() as session:
            ticket = session.execute(select(Ticket)).scalar_one()
            timers.start(session, ticket.id, actor_id=me, now=datetime.now(UTC) - timedelta(hours=5))
            entry = session.execute(select(TimeEntry.id).where(TimeEntry.ended_at.is_not(None))).scalar_one()
        db.session.remove()
    for path in (f"/tickets/{number}/time?minutes=45", "/time/timer", f"/time/{entry}"):
        check(opened(path))
    with app.app_context():
        with transaction() as session:
            close(session, LAST_MONTH, TODAY)
        db.session.remove()
    check(opened(f"/time/{entry}?minutes=34&start=08:00&day={WORKED_ON}"))
