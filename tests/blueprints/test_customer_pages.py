"""The list of customers and a customer's pages: who sees them, what stands there, and in how many queries."""

import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.models import Role
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company
from tests.counting import queries
from tests.services.test_period_close import close

TABS = ("", "/tickets", "/contacts", "/contracts", "/invoices", "/history")
NUMBER = "10001"
PAGE = f"/customers/{NUMBER}"
SEPTEMBER = date(2026, 9, 1)


@pytest.fixture
def kessler(app: Flask) -> None:
    """Package M, September closed with 8 + 15 + 12 minutes: the third entry crosses the limit of 30."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            customer = company.customer(number=NUMBER, name="Autohaus Kessler KG")
            company.support(customer, starts_on=SEPTEMBER, number="SV-1019")
            ticket = company.ticket(customer, subject="Anmeldung am Portal")
            for day, minutes, treatment in [
                (2, 8, "package"),
                (7, 15, "package"),
                (12, 25, "separate"),
                (14, 12, "package"),
                (16, 6, "goodwill"),
            ]:
                at = datetime(2026, 9, day, 9, tzinfo=BERLIN)
                company.entry(customer, minutes, treatment, at, ticket=ticket)
            close(session)
        db.session.remove()


@pytest.fixture
def dispatcher(browser: Browser, kessler: None) -> Browser:
    browser.sign_in(Role.DISPATCHER)
    return browser


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.MANAGER])
def test_dispatchers_and_managers_open_every_page(browser: Browser, kessler: None, role: Role) -> None:
    browser.sign_in(role)
    assert browser.page("/customers").find("a", href=PAGE)
    for tab in TABS:
        assert browser.page(PAGE + tab).find("h1").get_text() == "Autohaus Kessler KG"
        browser.page(f"/customers/99999{tab}", 404)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMIN])
def test_others_are_refused_and_see_no_line_in_the_navigation(browser: Browser, kessler: None, role: Role) -> None:
    browser.sign_in(role)
    assert not browser.page("/").find("a", href="/customers")
    for path in ("/customers", *(PAGE + tab for tab in TABS), f"{PAGE}/time-record/2026-09.csv"):
        assert browser.get(path).status_code == 403


def test_a_month_opens_with_every_entry_the_split_and_the_sums(dispatcher: Browser) -> None:
    page = dispatcher.page(f"{PAGE}?month=2026-09")
    link = page.find(id="m-2026-09")
    assert link["aria-expanded"] == "true"
    rows = [" ".join(row.get_text(" ").split()) for row in page.select(".ent tbody tr")]
    assert len(rows) == 5
    assert "22" in rows[0]
    assert "+5" in rows[3]
    assert page.select(".ent tr.cross svg.split")
    foot = " ".join(page.select_one(".ent tfoot").get_text(" ").split())
    assert "7,50 €" in foot
    assert "89,17 €" in foot
    assert "89,17\N{NO-BREAK SPACE}€" in page.find(id="net-2026-09").get_text()


def test_every_figure_leads_to_the_entries_behind_it(dispatcher: Browser) -> None:
    page = dispatcher.page(PAGE)
    for figure, count in (("used", 3), ("over", 1), ("goodwill", 1)):
        href = page.find(id=f"{figure}-2026-09")["href"]
        shown = dispatcher.page(href.split("#")[0])
        assert len(shown.select(".ent tbody tr")) == count, figure


def test_only_a_manager_is_led_to_pages_of_managers(browser: Browser, kessler: None) -> None:
    for role, shown in ((Role.DISPATCHER, False), (Role.MANAGER, True)):
        browser.sign_in(role)
        page = browser.page(f"{PAGE}?month=2026-09")
        assert bool(page.find("a", href=re.compile("/billing/invoices/"))) is shown
        assert bool(page.find("a", href=re.compile("/invoice-data"))) is shown


def test_with_htmx_a_month_is_a_fragment(dispatcher: Browser) -> None:
    answer = dispatcher.get(f"{PAGE}?month=2026-09", headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="stack" id="ledger"')


@pytest.mark.parametrize("query", ["month=2026-13", "month=gestern", "month=2026-08", "month=2031-01"])
def test_an_unknown_month_does_not_exist(dispatcher: Browser, query: str) -> None:
    dispatcher.page(f"{PAGE}?{query}", 404)


def test_the_time_record_is_a_file_of_the_month(dispatcher: Browser) -> None:
    answer = dispatcher.get(f"{PAGE}/time-record/2026-09.csv")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=Leistungsnachweis-10001-2026-09.csv"
    assert answer.data.startswith("\ufeffDatum;Von;Bis".encode())
    assert len(answer.data.splitlines()) == 6
    for month in ("2026-08", "2031-01", "2026-13"):
        assert dispatcher.get(f"{PAGE}/time-record/{month}.csv").status_code == 404


@pytest.mark.parametrize(
    ("used", "kind", "left", "row"),
    [(23, "", "7 min", "7"), (24, "low", "6 min", "6"), (30, "low", "0 min", "0"), (34, "over", "−4 min", "−4")],
)
def test_list_page_and_queue_tell_the_same_minutes(
    app: Flask, browser: Browser, used: int, kind: str, left: str, row: str
) -> None:
    with app.app_context(), transaction() as session:
        company = Company(session)
        customer = company.customer(number="10009", name="Bäckerei Öztürk")
        company.support(customer)
        company.ticket(customer)
        company.entry(customer, used, at=datetime.now(UTC))
    browser.sign_in(Role.DISPATCHER)
    for path, words in (("/customers", left), ("/tickets/new/customers?q=Bäckerei", left), ("/tickets", row)):
        found = browser.page(path).select_one(".mb")
        assert (found["class"][1:], found.b.get_text()) == ([kind] if kind else [], words.replace(" ", "\xa0")), (
            path
        )
    meter = browser.page("/customers/10009").select_one(".meter")
    assert meter["class"][1:] == ([kind] if kind else [])
    assert [dd.get_text() for dd in meter.select("dl div dd:nth-of-type(1)")][1] == f"{used}\xa0min"


def test_search_forgives_a_letter_and_says_when_nothing_matches(dispatcher: Browser) -> None:
    assert "Autohaus Kessler KG" in text_of(dispatcher.get("/customers?q=kesler"))
    empty = dispatcher.page("/customers?q=zzzz")
    assert empty.select_one("#customers a[href='/customers']")
    assert dispatcher.get("/customers?q=kesler", headers=HTMX).text.lstrip().startswith("<section")


@pytest.mark.parametrize("sort", ["name", "number", "tickets"])
def test_pages_turn_forwards_and_back_without_losing_anybody(app: Flask, browser: Browser, sort: str) -> None:
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            for n in range(120):
                customer = company.customer(name=f"Kunde {n % 7}")
                if n % 3 == 0:
                    company.ticket(customer)
        db.session.remove()
    browser.sign_in(Role.DISPATCHER)
    url, seen, pages = f"/customers?sort={sort}", [], []
    while url:
        page = browser.page(url)
        pages.append([row.find("a")["href"] for row in page.select("tbody th")])
        seen += pages[-1]
        following, before = page.find("a", rel="next"), page.find("a", rel="prev")
        url = following and following["href"]
    assert len(seen) == len(set(seen)) == 120
    assert [row.find("a")["href"] for row in browser.page(before["href"]).select("tbody th")] == pages[-2]


def test_queries_do_not_grow_with_rows(app: Flask, browser: Browser) -> None:
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            small, large = company.customer(name="Klein"), company.customer(name="Groß")
            for customer, times in ((small, 1), (large, 12)):
                company.support(customer, starts_on=SEPTEMBER)
                for n in range(times):
                    company.maintenance(customer)
                    company.entry(customer, 5, at=datetime(2026, 9, 1 + n, 9, tzinfo=BERLIN))
                    company.entry(customer, 5, at=datetime(2026, 10, 1 + n, 9, tzinfo=BERLIN))
                    company.material(customer)
            close(session)
        db.session.remove()
    browser.sign_in(Role.DISPATCHER)

    def sent(path: str) -> int:
        with app.app_context(), queries() as found:
            assert browser.get(path).status_code == 200
        return len(found)

    for tab in (*TABS, "?month=2026-09", "?month=2026-10"):
        assert sent(f"/customers/10001{tab}") == sent(f"/customers/10002{tab}"), tab
    assert sent("/customers") == sent("/customers?q=klein")


def test_a_contact_is_added_changed_and_no_longer_offered(dispatcher: Browser) -> None:
    people = f"{PAGE}/contacts"
    wrong = dispatcher.submit(people, people, name="", email="anna", phone="0251 1")
    assert wrong.status_code == 422
    assert 'value="0251 1"' in wrong.text
    wrong = dispatcher.submit(people, people, name="Anna Arslan", email="anna")
    assert wrong.status_code == 422
    assert "anna ist keine E-Mail-Adresse" in text_of(wrong)
    assert dispatcher.submit(people, people, name="Anna Arslan", role="Buchhaltung").status_code == 303
    one = f"{people}/1"
    assert dispatcher.submit(one, one, phone="0251 12345").status_code == 303
    assert dispatcher.submit(people, f"{one}/deactivate").status_code == 303
    page = dispatcher.page(people)
    assert page.find("form", action=f"{one}/activate")
    history = dispatcher.page(f"{PAGE}/history").select_one("#history").get_text(" ")
    assert history.count("Anna Arslan") >= 3
    assert "0251 12345" in history


def test_a_note_is_changed_by_its_author_only(browser: Browser, kessler: None) -> None:
    people = f"{PAGE}/contacts"
    browser.sign_in(Role.DISPATCHER)
    assert browser.submit(people, f"{PAGE}/notes", body=" ").status_code == 422
    assert browser.submit(people, f"{PAGE}/notes", body="Zugang nur mit Voranmeldung").status_code == 303
    one = f"{PAGE}/notes/1"
    assert browser.submit(one, one, body="Zugang nur nach 9 Uhr").status_code == 303
    assert "nach 9 Uhr" in browser.page(people).get_text()
    browser.sign_in(Role.MANAGER)
    assert not browser.page(people).find("a", href=one)
    browser.page(one, 403)


def test_the_header_tells_packages_and_income(dispatcher: Browser) -> None:
    sub = dispatcher.page(PAGE).select_one(".page-h .sub").get_text()
    assert "40,00\N{NO-BREAK SPACE}€" in sub
    assert "M" in sub
