from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, select, update

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.models import MinuteAlert, Role, Ticket, TimeEntry, User
from ptdash.services import timers
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company
from tests.services.test_period_close import close

PEOPLE = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
THIS_MONTH = datetime.now(BERLIN).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def number(app):
    """A ticket of a customer whose package M (30 minutes) has 26 used this month."""
    with app.app_context(), transaction() as session:
        company = Company(session)
        customer = company.customer(name="Autohaus Kessler")
        company.support(customer)
        company.entry(customer, 26, at=THIS_MONTH, ticket=company.ticket(customer))
        return company.ticket(customer).number


@pytest.fixture
def colleague(app, number):
    """The id of another technician."""
    with app.app_context():
        return db.session.execute(select(User.id).where(User.email == "tech@pt.example")).scalar_one()


def entries(browser: Browser, number: str) -> list[TimeEntry]:
    of_ticket = select(TimeEntry).join(Ticket, Ticket.id == TimeEntry.ticket_id).where(Ticket.number == number)
    with browser.application.app_context():
        return list(db.session.execute(of_ticket.order_by(TimeEntry.id)).scalars())


def one(browser: Browser, statement: Select[Any]) -> Any:
    with browser.application.app_context():
        return db.session.execute(statement).scalar_one()


def book(browser: Browser, number: str, **values: Any):
    return browser.submit(f"/tickets/{number}/time", f"/tickets/{number}/time", **values)


@pytest.mark.parametrize("role", PEOPLE)
def test_minutes_at_a_click_are_booked_up_to_now(browser, number, role):
    browser.sign_in(role)
    answer = book(browser, number, minutes="13", note="VPN neu verbunden")
    assert answer.status_code == 303, text_of(answer)
    (entry,) = entries(browser, number)
    assert (entry.minutes, entry.treatment, entry.note) == (13, "package", "VPN neu verbunden")


def test_what_a_booking_cost_is_said_once_it_is_booked(browser, number):
    browser.sign_in(Role.TECHNICIAN)
    book(browser, number, minutes="13")
    told = browser.page(f"/tickets/{number}").select_one("#toasts").get_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "9 × 1,50 € = 13,50 €" in told


def test_an_administrator_has_no_time(browser, number):
    browser.sign_in(Role.ADMIN)
    assert browser.get(f"/tickets/{number}/time").status_code == 403


def test_the_price_stands_there_before_it_is_booked(browser, number):
    browser.sign_in(Role.TECHNICIAN)
    answer = browser.get(f"/tickets/{number}/time/preview?minutes=13&treatment=package")
    told = text_of(answer).replace("\N{NO-BREAK SPACE}", " ")
    assert "13,50" in told and "9 × 1,50 €" in told and "9 min" in told
    assert entries(browser, number) == []


def test_what_cannot_be_read_keeps_what_was_typed(browser, number):
    browser.sign_in(Role.TECHNICIAN)
    page = book(browser, number, minutes="viel", note="Neu installiert")
    assert page.status_code == 422 and entries(browser, number) == []
    assert "Neu installiert" in page.get_data(as_text=True) and "viel" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"start": "10:00", "end": "09:00"},
        {"start": "25:99"},
        {"minutes": "5", "treatment": "goodwill"},
        {"minutes": "2000"},
        {"day": "gestern", "minutes": "5"},
    ],
)
def test_what_is_missing_is_said_on_the_same_form(browser, number, wrong):
    browser.sign_in(Role.TECHNICIAN)
    page = book(browser, number, **wrong)
    assert page.status_code == 422 and 'id="book-problems"' in page.get_data(as_text=True)
    assert entries(browser, number) == []


def test_htmx_gets_the_form_alone_with_its_problems(browser, number):
    browser.sign_in(Role.TECHNICIAN)
    page = browser.submit(f"/tickets/{number}/time", f"/tickets/{number}/time", headers=HTMX)
    assert page.status_code == 422 and "<!doctype" not in page.get_data(as_text=True)


def test_a_time_that_exists_twice_asks_which_is_meant(browser, number):
    browser.sign_in(Role.TECHNICIAN)
    wanted = {"day": "2025-10-26", "start": "02:30", "minutes": "10"}
    page = book(browser, number, **wanted)
    assert page.status_code == 422 and 'name="which"' in page.get_data(as_text=True)
    url = f"/tickets/{number}/time"
    token = browser.page(url).find("input", attrs={"name": "csrf_token"})["value"]
    sent = {"csrf_token": token, "treatment": "package", "note": "", "which": "second", **wanted}
    assert browser.post(url, data=sent).status_code == 303
    assert entries(browser, number)[0].started_at == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


def test_booking_can_resolve_the_ticket(browser, number):
    browser.sign_in(Role.DISPATCHER)
    assert book(browser, number, minutes="5", resolve="yes").status_code == 303
    assert one(browser, select(Ticket.status).where(Ticket.number == number)) == "resolved"


def test_a_dispatcher_books_for_a_colleague(browser, number, colleague):
    browser.sign_in(Role.DISPATCHER)
    assert book(browser, number, minutes="5", technician=str(colleague)).status_code == 303
    assert entries(browser, number)[0].technician_id == colleague


def test_a_colleagues_ticket_is_closed_to_a_technician(browser, number, colleague):
    with browser.application.app_context(), transaction() as session:
        session.execute(update(Ticket).where(Ticket.number == number).values(assignee_id=colleague))
    browser.sign_in(Role.TECHNICIAN)
    assert browser.get(f"/tickets/{number}/time").status_code == 403


class TestTimer:
    def run(self, browser: Browser, number: str, **values: str):
        return browser.submit(f"/tickets/{number}/time", f"/tickets/{number}/timer", **values)

    def test_it_shows_on_every_page_and_stops_from_there(self, browser, number):
        browser.sign_in(Role.TECHNICIAN)
        assert self.run(browser, number).status_code == 303
        assert browser.page("/").find("section", attrs={"class": "timer"})
        stopped = browser.submit("/", "/time/timer/stop")
        (entry,) = entries(browser, number)
        assert stopped.headers["Location"] == f"/time/{entry.id}" and entry.minutes == 1
        assert not browser.page("/").find("section", attrs={"class": "timer"})

    def test_a_second_start_says_where_the_first_runs_and_moves_it_if_wanted(self, browser, number):
        other = one(browser, select(Ticket.number).where(Ticket.number != number))
        browser.sign_in(Role.TECHNICIAN)
        self.run(browser, number)
        refused = self.run(browser, other)
        assert refused.status_code == 409 and number in text_of(refused)
        assert self.run(browser, other, stop="yes").status_code == 303
        assert entries(browser, number)[0].ended_at and entries(browser, other)[-1].ended_at is None

    def test_after_four_hours_it_asks_and_takes_the_end(self, browser, number):
        me = browser.sign_in(Role.TECHNICIAN)
        ticket_id = one(browser, select(Ticket.id).where(Ticket.number == number))
        began = datetime.now(UTC) - timedelta(hours=5)
        with browser.application.app_context(), transaction() as session:
            timers.start(session, ticket_id, actor_id=me, now=began)
        assert browser.page("/").select(".timer.asks")
        ended = (began + timedelta(minutes=90)).astimezone(BERLIN)
        assert browser.submit("/time/timer", "/time/timer/stop", end="Mittag").status_code == 422
        assert browser.submit("/time/timer", "/time/timer/stop", end=f"{ended:%H:%M}").status_code == 303
        assert 89 <= entries(browser, number)[0].minutes <= 90

    def test_its_start_warns_where_the_package_is_used_up(self, browser, number):
        browser.sign_in(Role.TECHNICIAN)
        self.run(browser, number)
        assert "aufgebraucht" not in browser.page("/").select_one("#toasts").get_text()
        browser.submit("/time/timer", "/time/timer/discard")
        book(browser, number, minutes="4")
        assert self.run(browser, number).status_code == 303
        told = browser.page(f"/tickets/{number}").select_one("#toasts").get_text()
        assert "Das Paket ist aufgebraucht: Jede weitere Minute kostet 1,50\N{NO-BREAK SPACE}€." in told

    def test_whoever_lost_the_ticket_meanwhile_still_completes_the_time(self, browser, number, colleague):
        browser.sign_in(Role.TECHNICIAN)
        self.run(browser, number)
        with browser.application.app_context(), transaction() as session:
            session.execute(update(Ticket).where(Ticket.number == number).values(assignee_id=colleague))
        stopped = browser.submit("/", "/time/timer/stop").headers["Location"]
        saved = browser.submit(stopped, stopped, note="Router geprüft")
        assert (saved.status_code, saved.headers["Location"]) == (303, "/tickets")
        assert entries(browser, number)[0].note == "Router geprüft"

    def test_it_goes_on_or_is_thrown_away(self, browser, number):
        browser.sign_in(Role.TECHNICIAN)
        self.run(browser, number)
        assert browser.submit("/time/timer", "/time/timer/confirm").status_code == 303
        assert entries(browser, number)[0].confirmed_at
        assert browser.submit("/time/timer", "/time/timer/discard").status_code == 303
        assert entries(browser, number) == []

    def test_stopping_what_does_not_run_says_so(self, browser, number):
        browser.sign_in(Role.TECHNICIAN)
        self.run(browser, number)
        page = browser.page("/time/timer")
        token = page.find("input", attrs={"name": "csrf_token"})["value"]
        for _ in range(2):
            assert browser.post("/time/timer/stop", data={"csrf_token": token}).status_code == 303


class TestEntry:
    @pytest.fixture
    def entry(self, browser, number):
        browser.sign_in(Role.TECHNICIAN)
        book(browser, number, minutes="13", note="VPN")
        return entries(browser, number)[0].id

    def test_it_is_changed_in_place(self, browser, number, entry):
        assert browser.submit(f"/time/{entry}", f"/time/{entry}", minutes="10", note="VPN").status_code == 303
        assert entries(browser, number)[0].minutes == 10

    def test_it_is_removed(self, browser, number, entry):
        assert browser.submit(f"/time/{entry}", f"/time/{entry}/remove").status_code == 303
        assert entries(browser, number) == []

    def test_a_colleague_does_not_see_it(self, browser, entry, colleague):
        with browser.application.app_context(), transaction() as session:
            session.get_one(TimeEntry, entry).technician_id = colleague
        assert browser.get(f"/time/{entry}").status_code == 403

    def test_one_that_does_not_exist(self, browser, entry):
        assert browser.get("/time/4711").status_code == 404


class TestPosted:
    @pytest.fixture
    def entry(self, browser):
        """43 minutes of a posted month, of which 13 were billed."""
        me = browser.sign_in(Role.TECHNICIAN)
        with browser.application.app_context(), transaction() as session:
            company = Company(session)
            customer = company.customer()
            company.support(customer)
            entry = company.entry(customer, 43, technician_id=me)
            close(session, date(2026, 9, 1), date(2026, 10, 2))
            return entry.id

    def test_the_form_says_what_the_next_invoice_carries(self, browser, entry):
        entered = "day=2026-09-15&start=10:00&minutes=34&treatment=package"
        answer = browser.get(f"/time/{entry}/difference?{entered}", headers=HTMX)
        assert "−13,50" in text_of(answer)

    def test_a_correction_needs_its_reason(self, browser, entry):
        page = browser.submit(f"/time/{entry}", f"/time/{entry}/correct", minutes="34")
        assert page.status_code == 422 and 'value="34"' in page.get_data(as_text=True)

    def test_it_is_reversed_and_replaced(self, browser, entry):
        sent = {"minutes": "34", "reason": "Pause nicht abgezogen"}
        assert browser.submit(f"/time/{entry}", f"/time/{entry}/correct", **sent).status_code == 303
        old, *new = self.rows(browser)
        assert {(row.minutes, row.reverses_id) for row in new} == {(43, old.id), (34, None)}
        assert "Pause nicht abgezogen" in text_of(browser.get(f"/time/{entry}"))

    def test_it_can_be_reversed_alone(self, browser, entry):
        sent = {"minutes": "", "reason": "Doppelt gebucht", "reverse": "yes"}
        assert browser.submit(f"/time/{entry}", f"/time/{entry}/correct", **sent).status_code == 303
        assert len(self.rows(browser)) == 2

    def rows(self, browser):
        with browser.application.app_context():
            return list(db.session.execute(select(TimeEntry).order_by(TimeEntry.id)).scalars())


def test_managers_are_told_and_acknowledge(browser, number):
    browser.sign_in(Role.MANAGER)
    book(browser, number, minutes="13")
    told = browser.page("/").find(id="minutes")
    assert told and "Autohaus Kessler" in told.get_text()
    month = f"{THIS_MONTH:%Y-%m}"
    contract = one(browser, select(MinuteAlert.contract_id))
    assert browser.submit("/", f"/time/alerts/{contract}/{month}/acknowledge").status_code == 303
    assert not browser.page("/").find(id="minutes")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN])
def test_only_managers_acknowledge(browser, role):
    browser.sign_in(role)
    assert browser.post("/time/alerts/1/2026-09/acknowledge").status_code in (400, 403)
