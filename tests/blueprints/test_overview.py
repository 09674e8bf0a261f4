"""What the overview shows to whom."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.models import Role, Ticket, User
from tests.blueprints.browser import Browser
from tests.company import Company
from tests.counting import queries
from tests.services.acceptances.inspection import Bench

HOUR = timedelta(hours=1)
CHARTS = {
    Role.MANAGER: ["revenue", "months", "weeks"],
    Role.DISPATCHER: ["weeks", "months"],
    Role.TECHNICIAN: ["weeks"],
    Role.ADMIN: [],
}


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sees_the_maintenance_window(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    page = browser.page("/")
    assert "07:00–15:00 Uhr" in page.find(id="window").get_text(" ")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_deadlines_are_for_who_reads_contracts(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    page = browser.page("/")
    assert (page.find(id="deadlines") is not None) == (role == Role.DISPATCHER)
    assert "Gerade wartet nichts auf Sie" in page.get_text()


def test_a_manager_is_led_to_the_month_that_can_be_closed(app: Flask, browser: Browser) -> None:
    browser.sign_in(Role.MANAGER)
    links = [str(link["href"]) for link in browser.page("/").find(id="to-do").find_all("a")]
    assert links
    assert browser.get(links[0]).status_code == 200


def company_with(app: Flask, *tickets: dict[str, Any], timers: tuple[timedelta, ...] = ()) -> None:
    """Tickets by when they are due from now (`due`), and running timers of a colleague by how long they run."""
    now = datetime.now(UTC)
    with app.app_context(), transaction() as session:
        company = Company(session)
        customer = company.customer(name="Optik Weiß")
        for row in tickets:
            due = {"due_at": now + row.pop("due"), "deadline_known": True}
            company.ticket(customer, **due, **row)
        for place, runs in enumerate(timers):
            person = company.add(User(email=f"t{place}@pt.example", name=f"Tina {place}", role="technician"))
            ticket = company.ticket(customer, status="resolved", subject="Server steht")
            company.entry(customer, None, at=now - runs, ticket=ticket, technician_id=person.id)


def to_do(browser: Browser) -> dict[str, str]:
    """The rows of what is needed now: sentence -> where it leads."""
    found = browser.page("/").find(id="to-do").select("a.subj")
    return {link.get_text(strip=True): str(link["href"]) for link in found}


def test_a_dispatcher_sees_what_of_the_queue_is_needed_now(app: Flask, browser: Browser) -> None:
    company_with(
        app,
        {"due": -HOUR},
        {"due": -2 * HOUR, "subject": "Kasse steht"},
        {"due": 48 * HOUR},
        {"due": 48 * HOUR, "status": "closed"},
        timers=(5 * HOUR, HOUR),
    )
    browser.sign_in(Role.DISPATCHER)
    rows = to_do(browser)
    assert list(rows)[:2] == ["2 Tickets über der Frist", "3 Tickets ohne Zuständige"]
    assert list(rows)[2:] == ["Eine Zeitmessung von Tina 0 läuft noch"]
    assert rows["2 Tickets über der Frist"] == "/tickets?tab=critical"
    assert rows["3 Tickets ohne Zuständige"] == "/tickets?tab=unassigned"
    assert "Optik Weiß: Kasse steht" in browser.page("/").find(id="to-do").get_text()


def test_a_technician_sees_own_and_unassigned_tickets(app: Flask, browser: Browser) -> None:
    me = browser.sign_in(Role.TECHNICIAN)
    company_with(app, {"due": -HOUR, "assignee_id": me}, {"due": -HOUR}, timers=(5 * HOUR,))
    with app.app_context(), transaction() as session:
        session.get_one(Ticket, 2).assignee_id = session.execute(
            select(User.id).where(User.name == "Tina 0")
        ).scalar_one()
    assert list(to_do(browser)) == ["1 Ticket über der Frist", "1 Ticket von Ihnen ist heute fällig"]


def test_acceptances_lead_to_what_comes_next(app: Flask, browser: Browser) -> None:
    with app.app_context(), transaction() as session:
        bench = Bench(session)
        bench.propose()
        bench.propose(other := bench.foreign())
        number = bench.start(other).id
        technician = bench.technician.email
    browser.sign_in(Role.DISPATCHER)
    assert to_do(browser)["1 Geräteabnahme ohne Termin"] == "/devices/acceptance?tab=waiting"
    assert "seit 17.11.2026" in browser.page("/").find(id="to-do").get_text()
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.email == technician).values(email="technician@example.com"))
    browser.sign_in(Role.TECHNICIAN)
    assert to_do(browser) == {"1 Geräteabnahme von Ihnen steht an": f"/devices/acceptance/{number}"}


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.MANAGER])
def test_who_assigns_sees_what_each_colleague_has(app: Flask, browser: Browser, role: Role) -> None:
    company_with(app, {"due": -HOUR}, {"due": 72 * HOUR})
    with app.app_context(), transaction() as session:
        session.execute(
            update(Ticket).values(assignee_id=select(User.id).where(User.name == "Tarek Kaya").scalar_subquery())
        )
    browser.sign_in(role)
    team = browser.page("/").find(id="team").get_text(" ", strip=True)
    assert "Tarek Kaya" in team and "2 offen, 1 heute fällig" in team


def test_an_administrator_has_no_tickets(app: Flask, browser: Browser) -> None:
    company_with(app, {"due": -HOUR})
    browser.sign_in(Role.ADMIN)
    page = browser.page("/")
    assert "Gerade wartet nichts auf Sie" in page.get_text()
    assert page.find(id="team") is None


def packages(app: Flask, customers: int = 1, minutes: int = 13, company: Company | None = None) -> Company:
    """Customers with package S since last year and a maintenance contract, each with work of this month."""
    now = datetime.now(BERLIN)
    first = date(now.year - 1, 1, 1)
    with app.app_context(), transaction() as session:
        company = company or Company(session)
        company.session = session
        for _ in range(customers):
            customer = company.customer(name="Optik Weiß")
            company.support(customer, "S", first)
            company.maintenance(customer, "29.00", first)
            company.entry(customer, minutes, at=now.replace(day=1, hour=0, minute=0, second=1))
            company.ticket(customer, created_at=now - HOUR)
        return company


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_its_charts_after_what_is_needed(app: Flask, browser: Browser, role: Role) -> None:
    packages(app)
    browser.sign_in(role)
    page = browser.page("/")
    assert [section["id"] for section in page.select("section.chart")] == CHARTS[role]
    order = [section["id"] for section in page.select("section[id]")]
    assert order[:1] == ["to-do"] and order[len(order) - len(CHARTS[role]) :] == CHARTS[role]


def test_a_chart_says_its_newest_values_and_has_all_of_them_as_a_table(app: Flask, browser: Browser) -> None:
    packages(app, customers=2)
    browser.sign_in(Role.MANAGER)
    page = browser.page("/")
    minutes, revenue = page.find(id="months"), page.find(id="revenue")
    assert "20 von 20 Freiminuten verbraucht, 6 Mehrminuten" in str(minutes.svg["aria-label"])
    assert minutes.find("strong").get_text() == "20 von 20"
    cells = [cell.get_text() for cell in minutes.select("tbody tr:first-child td")]
    assert cells == ["20", "20", "6"]
    assert len(minutes.select("tbody tr")) == 6
    assert "88,00\N{NO-BREAK SPACE}€" in str(revenue.svg["aria-label"])
    assert len(revenue.select("tbody tr")) == 12
    assert len(page.find(id="weeks").select("tbody tr")) == 12
    assert not page.select("section.chart [style]")


def test_a_managers_key_figures_lead_to_what_they_count(app: Flask, browser: Browser) -> None:
    packages(app)
    browser.sign_in(Role.MANAGER)
    figures = browser.page("/").select(".kpi")
    told = [figure.strong.get_text() for figure in figures]
    assert told[0] == "4,50\N{NO-BREAK SPACE}€" and told[3] == "0\N{NO-BREAK SPACE}min"
    links = [str(figure["href"]) for figure in figures if figure.name == "a"]
    assert len(links) == 3
    assert all(browser.get(link).status_code == 200 for link in links)


def test_a_dispatcher_sees_whose_minutes_run_out(app: Flask, browser: Browser) -> None:
    packages(app, minutes=9)
    browser.sign_in(Role.DISPATCHER)
    row = browser.page("/").find(id="minutes")
    assert "Optik Weiß" in row.get_text() and "1\N{NO-BREAK SPACE}min" in row.get_text()
    assert not row.find("form")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.MANAGER])
def test_many_customers_cost_the_page_as_many_queries_as_two(app: Flask, browser: Browser, role: Role) -> None:
    def asked() -> int:
        with app.app_context():
            db.session.remove()
            with queries() as sent:
                assert browser.get("/").status_code == 200
        return len(sent)

    company = packages(app, customers=2)
    browser.sign_in(role)
    few = asked()
    packages(app, customers=10, company=company)
    assert asked() == few
