"""The pages of the rollout: the day list and its ticks, the plan of a window, maintenance reports."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select, text

from ptdash.db import db, transaction
from ptdash.models import Role, RolloutTask, StoredFile, UpdateApproval, User
from ptdash.services.rollout import reports, sweeping
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.counting import queries
from tests.services.rollout.house import FIRST, House, utc

DAY = date(2026, 12, 21)
Made = Callable[..., list[int]]


@pytest.fixture
def on_monday(app: Flask) -> Iterator[None]:
    """The business day is the window's first; what the clock says is set by `make`."""
    kept = app.config["PTDASH"]
    app.config["PTDASH"] = replace(kept, today=DAY)
    yield
    app.config["PTDASH"] = kept


@pytest.fixture
def make(app: Flask, on_monday: None) -> Made:
    """Customers with planned devices; the window is open all day or shut, whatever the clock says."""

    def make(
        customers: int = 1, devices: int = 3, *, shut: bool = False, procedure: str | None = None
    ) -> list[int]:
        with app.app_context(), transaction() as session:
            house = House(session)
            for _ in range(customers):
                _, contract, made = house.customer(devices, email="kunde@example.com")
                if procedure is not None:
                    made[0].active_station, contract.active_station_procedure = True, procedure
            house.approved()
            for task in house.tasks():
                task.technician_id = None
            session.flush()
            set_hours(session, shut)
            return [task.id for task in house.tasks()]

    return make


def set_hours(session, shut: bool) -> None:
    """A window with work in it keeps its hours, but not against a test."""
    now = datetime.now(UTC)
    open_ = ("00:00", "23:59:59.999999")
    closed = ("00:00", "00:00:00.000001") if now.hour else ("23:58", "23:59")
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(
        text("UPDATE maintenance_windows SET opens_at = CAST(:a AS time), closes_at = CAST(:b AS time)"),
        dict(zip("ab", closed if shut else open_, strict=True)),
    )
    session.execute(text("SET LOCAL session_replication_role = origin"))


def status(app: Flask, task_id: int) -> str:
    with app.app_context():
        return db.session.execute(select(RolloutTask.status).where(RolloutTask.id == task_id)).scalar_one()


def tick(browser: Browser, *tasks: int, to: str, headers: dict[str, str] | None = None, **more: Any):
    form = browser.page("/rollout?who=all").find("input", attrs={"name": "csrf_token"})
    data = {"csrf_token": form["value"], "task": list(tasks), "to": to, "who": "all", **more}
    return browser.post("/rollout/tick", data=data, headers=headers)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.MANAGER])
def test_technicians_and_managers_tick_off(app: Flask, browser: Browser, make: Made, role: Role) -> None:
    first, *_ = make()
    browser.sign_in(role)
    answer = tick(browser, first, to="installed")
    assert answer.status_code == 303
    assert status(app, first) == "installed"
    assert "Installiert" in text_of(browser.get(answer.location))


def test_dispatchers_read_but_tick_nothing(app: Flask, browser: Browser, make: Made) -> None:
    first, *_ = make()
    browser.sign_in(Role.DISPATCHER)
    page = browser.page("/rollout")
    assert page.select("li[data-row]") and not page.select("#rollout form")
    token = {"csrf_token": page.find("input", attrs={"name": "csrf_token"})["value"]}
    assert browser.post("/rollout/tick", data=token | {"task": first, "to": "installed"}).status_code == 403
    assert browser.page("/rollout/plan").select("section.panel")
    assert not browser.page("/rollout/plan").find("select", id="to")
    assert status(app, first) == "planned"


def test_admins_have_no_business_here(browser: Browser, make: Made) -> None:
    make()
    browser.sign_in(Role.ADMIN)
    for path in ("/rollout", "/rollout/plan", "/rollout/reports"):
        assert browser.get(path).status_code == 403


def test_the_day_list_shows_the_next_step_of_each_device(app: Flask, browser: Browser, make: Made) -> None:
    ids = make()
    browser.sign_in(Role.TECHNICIAN)
    tick(browser, ids[0], to="installed")
    page = browser.page("/rollout")
    steps = [
        button.get_text(" ", strip=True).split(":")[0].strip() for button in page.select("li[data-row] button")
    ]
    assert steps == ["Geprüft", "Installiert", "Installiert"]
    assert page.select_one(".prog").get_text(" ", strip=True).startswith("0 von 3 Geräten")
    assert page.title.string.startswith("Verteilung heute")


def test_a_fragment_answer_offers_to_take_it_back(app: Flask, browser: Browser, make: Made) -> None:
    first, *_ = make()
    browser.sign_in(Role.TECHNICIAN)
    soup = BeautifulSoup(tick(browser, first, to="installed", headers=HTMX).get_data(as_text=True), "html.parser")
    assert soup.find(id="rollout")
    form = soup.select_one("[hx-swap-oob] form")
    token = form.find("input", attrs={"name": "csrf_token"})["value"]
    undone = browser.post(form["action"], data={"csrf_token": token}, headers=HTMX)
    assert "1 Update ist wieder wie vorher." in text_of(undone)
    assert status(app, first) == "planned"


def test_a_deviation_without_a_reason_comes_back_with_what_was_chosen(browser: Browser, make: Made) -> None:
    first, *_ = make()
    browser.sign_in(Role.TECHNICIAN)
    page = browser.page("/rollout")
    device = page.select_one("li[data-row]")["id"].removeprefix("d-")
    opened = browser.page(f"/rollout?deviation={device}")
    assert [box["value"] for box in opened.select("li form.sub input[name=to]")] == [
        "failed", "skipped", "missed", "not_applicable",
    ]  # fmt: skip
    refused = tick(browser, first, to="skipped", deviation=device, reason=" ")
    assert refused.status_code == 422
    soup = BeautifulSoup(refused.get_data(as_text=True), "html.parser")
    assert soup.title.string.startswith("Fehler:")
    assert soup.select_one("input[value=skipped]").has_attr("checked")
    assert soup.find(id="reason")["aria-invalid"] == "true"


def test_several_at_once(app: Flask, browser: Browser, make: Made) -> None:
    ids = make(devices=4)
    browser.sign_in(Role.TECHNICIAN)
    page = browser.page("/rollout")
    form = page.select_one("details > footer form")
    assert [box["value"] for box in form.select("input[name=task]")] == [str(one) for one in ids]
    assert "4 Geräte: Installiert" in text_of(tick(browser, *ids, to="installed", headers=HTMX))


def test_outside_the_window_only_an_emergency_with_reason_and_manager(
    app: Flask, browser: Browser, make: Made
) -> None:
    first, *_ = make(shut=True)
    browser.sign_in(Role.TECHNICIAN)
    assert not browser.page("/rollout").select("li[data-row] button[type=submit]")
    refused = tick(browser, first, to="installed")
    assert refused.status_code == 422 and "das Wartungsfenster ist jetzt nicht offen" in text_of(refused)
    reason = {"emergency": "1", "emergency_reason": "Lücke wird ausgenutzt"}
    nobody = tick(browser, first, to="installed", **reason)
    assert nobody.status_code == 422 and "Nennen Sie die Leitung" in text_of(nobody)
    with app.app_context():
        boss = db.session.execute(select(User.id).where(User.role == "manager")).scalars().first()
    assert tick(browser, first, to="installed", manager=str(boss), **reason).status_code == 303
    assert status(app, first) == "installed"


def test_the_procedure_is_read_before_an_active_station_is_ticked(
    app: Flask, browser: Browser, make: Made
) -> None:
    first, *_ = make(procedure="Anrufen\nKassenabschluss")
    browser.sign_in(Role.TECHNICIAN)
    page = browser.page("/rollout")
    assert [step.get_text() for step in page.select(".ack ol li")] == ["Anrufen", "Kassenabschluss"]
    locked = page.select_one("li[data-row] button[aria-disabled=true]")
    assert locked and page.find(id=locked["aria-describedby"])
    assert "Lesen und bestätigen Sie zuerst" in text_of(tick(browser, first, to="installed"))
    action = page.select_one("form.ack")["action"]
    assert browser.submit("/rollout", action, read="1").status_code == 303
    assert "bestätigt" in browser.page("/rollout").select_one(".ack.done").get_text()
    assert tick(browser, first, to="installed").status_code == 303


def test_a_withdrawal_between_opening_the_page_and_ticking_is_told(
    app: Flask, browser: Browser, make: Made
) -> None:
    first, *_ = make()
    browser.sign_in(Role.TECHNICIAN)
    browser.page("/rollout")
    with app.app_context(), transaction() as session:
        house = House.__new__(House)
        house.session, house.manager = session, session.query(User).filter_by(name="Maria Vogt").one()
        house.withdraw(session.query(UpdateApproval).one(), at=utc(FIRST, 0))
    refused = tick(browser, first, to="installed")
    assert refused.status_code == 422
    assert "Maria Vogt hat die Freigabe widerrufen" in text_of(refused)
    assert "Drucker stehen still" in text_of(refused)
    assert status(app, first) == "skipped"


@pytest.mark.parametrize(
    ("to_do", "expected"), [("Zurück auf KB0", "Zurück auf KB0"), ("", "Setzen Sie es zurück"), (None, None)]
)
def test_what_is_installed_and_withdrawn_says_at_its_device_what_is_to_be_done(
    app: Flask, browser: Browser, make: Made, to_do: str | None, expected: str | None
) -> None:
    first, *_ = make()
    browser.sign_in(Role.TECHNICIAN)
    assert tick(browser, first, to="installed").status_code == 303
    if to_do is not None:
        with app.app_context(), transaction() as session:
            house = House.__new__(House)
            house.session, house.manager = session, session.query(User).filter_by(name="Maria Vogt").one()
            house.withdraw(session.query(UpdateApproval).one(), at=utc(FIRST, 11), to_do=to_do)
    said = [row.get_text(" ", strip=True) for row in browser.page("/rollout?who=all").select("[data-row]")]
    told = [row for row in said if "Freigabe widerrufen" in row]
    assert len(told) == (expected is not None)
    assert all(expected in row for row in told)


def test_a_manager_moves_devices_by_hand(app: Flask, browser: Browser, make: Made) -> None:
    ids = make()
    browser.sign_in(Role.MANAGER)
    page = browser.page("/rollout/plan?month=2026-12")
    assert "25.12. entfällt: Erster Weihnachtstag" in page.get_text(" ", strip=True)
    answer = browser.submit("/rollout/plan?month=2026-12", "/rollout/move", tasks=str(ids[0]), to="2026-12-23")
    assert answer.status_code == 303
    with app.app_context():
        moved = db.session.get(RolloutTask, ids[0])
        assert (moved.planned_on, moved.moved_by_id is not None) == (date(2026, 12, 23), True)
    assert "von Hand" in browser.page("/rollout/plan?month=2026-12").get_text()
    holiday = browser.submit("/rollout/plan?month=2026-12", "/rollout/move", tasks=str(ids[1]), to="2026-12-25")
    assert holiday.status_code == 422 and "in keinem Wartungsfenster" in text_of(holiday)
    browser.sign_in(Role.TECHNICIAN)
    token = {"csrf_token": browser.page("/rollout").find("input", attrs={"name": "csrf_token"})["value"]}
    assert browser.post("/rollout/move", data=token).status_code == 403


def test_reports_as_page_and_pdf(app: Flask, browser: Browser, make: Made) -> None:
    first, *_ = make()
    browser.sign_in(Role.TECHNICIAN)
    assert "Noch keine Berichte" in browser.page("/rollout/reports").get_text()
    tick(browser, first, to="installed")
    with app.app_context():
        after = utc(date(2026, 12, 28), 9)
        with transaction() as session:
            sweeping.sweep(session, today=date(2026, 12, 28), now=after)
            for customer_id, month in reports.due(session, after, 10):
                reports.write(session, customer_id, month, now=after)
    browser.sign_in(Role.DISPATCHER)
    listed = browser.page("/rollout/reports/2026-12")
    shown = browser.page(str(listed.select_one("section a.subj")["href"]))
    assert "Installiert, Prüfung offen" in shown.get_text()
    pdf = browser.get(str(shown.select_one(".page-h a.btn")["href"]))
    assert pdf.mimetype == "application/pdf"
    with app.app_context():
        assert pdf.data == db.session.execute(select(StoredFile.content)).scalar_one()
    assert browser.get("/rollout/reports/2026-11/10001").status_code == 404


@pytest.mark.parametrize("path", ["/rollout?who=all", "/rollout/plan?month=2026-12"])
def test_the_number_of_queries_does_not_grow_with_the_devices(
    app: Flask, browser: Browser, make: Made, path: str
) -> None:
    def count() -> int:
        with app.app_context(), queries() as sent:
            browser.page(path)
        return len(sent)

    make(1, 1)
    browser.sign_in(Role.MANAGER)
    few = count()
    with app.app_context(), transaction() as session:
        house = House.__new__(House)
        house.session = session
        from itertools import count as numbers

        from tests.company import Company

        house.company = Company.__new__(Company)
        house.company.session, house.company.numbers = session, numbers(30000)
        for _ in range(4):
            house.customer(5)
        sweeping.sweep(session, today=DAY, now=utc(DAY, 6))
    assert count() == few
    assert few < 25
