"""The queue's page: who sees what, what is found, what is changed in the row and for many at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import event, select, text

from ptdash.db import db, transaction
from ptdash.models import AuditEvent, BulkChange, Role, Ticket
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company

BYTES_AT_MOST = 60_000
QUERIES_AT_MOST = 10
HERE = {**HTMX, "HX-Current-URL": "http://localhost/tickets"}


@pytest.fixture
def filled(app: Flask, browser: Browser) -> "Queue":
    return Queue(app)


class Queue:
    """Tickets of ten customers with packages, due an hour after one another from the next on."""

    def __init__(self, app: Flask) -> None:
        self.app, self.now = app, datetime.now(UTC)
        with app.app_context(), transaction() as session:
            self.company = Company(session)
            self.technician_id = self.company.technician.id
            self.customers = [self.company.customer(name=f"Müller & Söhne {number}") for number in range(10)]
            for customer in self.customers:
                self.company.support(customer)

    def add(self, count: int = 1, **more: Any) -> list[str]:
        with self.app.app_context(), transaction() as session:
            self.company.session = session
            return [self._ticket(number, more).number for number in range(count)]

    def ticket(self, number: str) -> Ticket:
        with self.app.app_context():
            found = db.session.execute(select(Ticket).where(Ticket.number == number)).scalar_one()
            db.session.expunge(found)
            return found

    def _ticket(self, number: int, more: dict[str, Any]) -> Ticket:
        facts = {
            "subject": f"Etikettendrucker Halle {number} druckt leere Seiten",
            "due_at": self.now + timedelta(hours=number + 1),
            "deadline_known": True,
        }
        return self.company.ticket(self.customers[number % 10], **(facts | more))


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that reach the database."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def numbers(soup: BeautifulSoup) -> list[str]:
    return [box["value"].rpartition(".")[0] for box in soup.select("tr.t input")]


def test_the_page_asks_the_same_few_questions_however_many_rows(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    filled.add(5)
    browser.get("/tickets")
    with counted(filled.app) as few:
        browser.get("/tickets")
    filled.add(55)
    with counted(filled.app) as many:
        page = browser.get("/tickets")
    assert len(numbers(BeautifulSoup(page.data, "html.parser"))) == 50
    assert len(many) == len(few) <= QUERIES_AT_MOST, "\n".join(many)
    assert len(page.data) <= BYTES_AT_MOST


@pytest.mark.parametrize(
    "query",
    ["?q=drucker", "?q=sonderfall", "?q=druker", "?q=sonderfal", "?q=falsonder", "?customer=10001&q=druker"],
)
def test_a_search_or_a_filter_asks_at_most_ten(filled: Queue, browser: Browser, query: str) -> None:
    browser.sign_in(Role.DISPATCHER)
    filled.add(60)
    filled.add(1, subject="Sonderfall")
    with counted(filled.app) as asked:
        page = browser.get(f"/tickets{query}")
    assert page.status_code == 200
    assert len(asked) <= QUERIES_AT_MOST, "\n".join(asked)
    (selected,) = filled.add(1, status="closed")
    with counted(filled.app) as asked:
        browser.get(f"/tickets{query}", headers={**HERE, "Ptdash-Selected": selected})
    assert len(asked) <= QUERIES_AT_MOST, "\n".join(asked)


def test_a_technician_sees_own_and_unassigned_tickets(filled: Queue, browser: Browser) -> None:
    me = browser.sign_in(Role.TECHNICIAN)
    mine, free = filled.add(assignee_id=me), filled.add()
    filled.add(assignee_id=filled.technician_id)
    assert set(numbers(browser.page("/tickets"))) == {*mine, *free}
    assert numbers(browser.page("/tickets?tab=mine")) == mine
    assert numbers(browser.page(f"/tickets?assignee={filled.technician_id}")) == []


def test_an_administrator_has_no_queue(browser: Browser) -> None:
    browser.sign_in(Role.ADMIN)
    assert browser.get("/tickets").status_code == 403


def test_what_is_typed_wrongly_is_found_and_said_to_be_similar(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    (number,) = filled.add(subject="Bluescreen beim Zahnarzt")
    filled.add(3)
    assert numbers(browser.page("/tickets?q=bluescreen+mueller")) == [number]
    page = browser.page("/tickets?q=zahnartz")
    assert numbers(page) == [number]
    assert "zahnartz" in page.select_one("#queue .note").get_text()


def test_nothing_by_filter_names_it_and_how_many_there_are_without(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    filled.add(3)
    empty = browser.page("/tickets?q=xyzzy&priority=urgent").select_one(".empty")
    assert "xyzzy" in empty.get_text() and "3" in empty.get_text()
    assert empty.select_one("a")["href"] == "/tickets"


def test_pages_follow_one_another_forth_and_back(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    everything = filled.add(120)
    seen, address = [], "/tickets"
    for _ in range(3):
        page = browser.page(address)
        seen += numbers(page)
        following = page.select_one("a[rel=next]")
        address = following["href"] if following else address
    assert seen == everything
    back = browser.page(browser.page(address).select_one("a[rel=prev]")["href"])
    assert numbers(back) == everything[50:100]


def test_a_row_is_assigned_and_comes_back_changed(filled: Queue, browser: Browser) -> None:
    me = browser.sign_in(Role.DISPATCHER)
    (number,) = filled.add(status="new")
    answer = browser.submit(
        f"/tickets/{number}/assign", f"/tickets/{number}/assign", headers=HERE, next="", value=str(me)
    )
    assert answer.status_code == 200
    assert "Jana P." in text_of(answer)
    assert 'id="tabs"' in answer.get_data(as_text=True)
    assert (filled.ticket(number).assignee_id, filled.ticket(number).status) == (me, "open")


def test_without_script_the_form_leads_back(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    (number,) = filled.add(status="open")
    answer = browser.submit(
        f"/tickets/{number}/priority?next=/tickets?q=1", f"/tickets/{number}/priority", value="high"
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tickets?q=1")
    assert filled.ticket(number).priority == "high"


def test_a_step_that_is_not_allowed_is_said_in_the_form(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    (number,) = filled.add(status="closed")
    answer = browser.submit(
        f"/tickets/{number}/priority", f"/tickets/{number}/priority", headers=HERE, value="huge"
    )
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#control"


def test_what_a_colleague_changed_meanwhile_is_told_and_not_overwritten(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.MANAGER)
    (number,) = filled.add(status="open")
    form = browser.page(f"/tickets/{number}/priority").select_one("form.choose")
    token, version = (form.select_one(f"[name={name}]")["value"] for name in ("csrf_token", "version"))
    browser.submit(f"/tickets/{number}/priority", f"/tickets/{number}/priority", value="urgent")
    stale = {"csrf_token": token, "version": version, "value": "low"}
    answer = browser.post(f"/tickets/{number}/priority", data=stale, headers=HERE)
    assert answer.status_code == 422
    assert "Miriam Vogt" in text_of(answer)
    assert filled.ticket(number).priority == "urgent"


def test_a_technician_does_not_take_a_colleagues_ticket(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.TECHNICIAN)
    (number,) = filled.add(assignee_id=filled.technician_id)
    assert browser.get(f"/tickets/{number}/assign").status_code == 403


def test_many_are_changed_at_once_and_taken_back(filled: Queue, browser: Browser) -> None:
    me = browser.sign_in(Role.DISPATCHER)
    chosen = filled.add(3, status="new")
    query = "&".join(f"t={number}.1" for number in chosen)
    token = browser.page(f"/tickets/bulk/assign?{query}").select_one("[name=csrf_token]")["value"]
    data = {"csrf_token": token, "t": [f"{number}.1" for number in chosen], "value": str(me)}
    assert browser.post("/tickets/bulk/assign", data=data).status_code == 303
    assert {filled.ticket(number).assignee_id for number in chosen} == {me}
    form = browser.page("/tickets/bulk").select_one("form[action^='/tickets/undo']")
    browser.submit("/tickets/bulk", form["action"])
    assert {(filled.ticket(number).assignee_id, filled.ticket(number).status) for number in chosen} == {
        (None, "new")
    }


def test_undo_leaves_what_somebody_changed_since(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    first, second = filled.add(2, status="in_progress")
    token = browser.page(f"/tickets/bulk/status?t={first}.1&t={second}.1").select_one("[name=csrf_token]")["value"]
    data = {"csrf_token": token, "t": [f"{first}.1", f"{second}.1"], "value": "waiting_customer"}
    answer = browser.post("/tickets/bulk/status", data=data, headers=HERE)
    assert "/tickets/undo/" in answer.get_data(as_text=True)
    browser.submit(f"/tickets/{second}/priority", f"/tickets/{second}/priority", value="low")
    with filled.app.app_context():
        bulk_id = db.session.execute(select(BulkChange.id)).scalar_one()
    undone = browser.post(f"/tickets/undo/{bulk_id}", data={"csrf_token": token}, headers=HERE)
    assert f"#{second}" in text_of(undone)
    assert [filled.ticket(number).status for number in (first, second)] == ["in_progress", "waiting_customer"]
    with filled.app.app_context():
        events = select(AuditEvent.action).where(AuditEvent.subject == "tickets").order_by(AuditEvent.id)
        told = db.session.execute(events).scalars().all()
    assert told == ["bulk", "undo"]
    assert browser.post(f"/tickets/undo/{bulk_id}", data={"csrf_token": token}).status_code == 409


def test_what_cannot_take_the_step_is_named_and_left(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    (fits,), (done,) = filled.add(status="in_progress"), filled.add(status="closed")
    token = browser.page(f"/tickets/bulk/status?t={fits}.1").select_one("[name=csrf_token]")["value"]
    data = {"csrf_token": token, "t": [f"{fits}.1", f"{done}.1"], "value": "resolved"}
    answer = browser.post("/tickets/bulk/status", data=data, headers=HERE)
    assert f"#{done}" in text_of(answer)
    assert [filled.ticket(number).status for number in (fits, done)] == ["resolved", "closed"]


def test_selected_rows_stay_on_the_page_whatever_is_asked_for(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    kept, *_ = filled.add(3)
    (other,) = filled.add(subject="Zertifikat")
    page = browser.get("/tickets?q=zertifikat", headers={**HTMX, "Ptdash-Selected": f"{kept},{other}"})
    soup = BeautifulSoup(page.data, "html.parser")
    assert [box["value"].rpartition(".")[0] for box in soup.select(".kept input")] == [kept]
    assert len(soup.select("tr.t input[checked]")) == 2
    assert page.headers["HX-Push-Url"] == "/tickets?q=zertifikat"


def test_new_tickets_of_the_view_are_counted_for_the_pill(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    filled.add(2)
    poll = browser.page("/tickets?q=zertifikat").select_one("#fresh")["hx-get"]
    assert not browser.get(poll, headers=HTMX).get_data(as_text=True).strip()
    filled.add(subject="Zertifikat läuft ab")
    filled.add()
    assert "1" in text_of(browser.get(poll, headers=HTMX))


def test_a_page_that_is_read_often_is_planned_once(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    filled.add(3)
    for _ in range(8):
        browser.get("/tickets")
    with filled.app.app_context():
        known = db.session.execute(text("SELECT generic_plans FROM pg_prepared_statements")).scalars().all()
    assert len(known) >= 6 and max(known) > 0, "psycopg forgot them with a rollback"


def test_the_person_who_looks_and_what_was_searched_are_told_in_german(filled: Queue, browser: Browser) -> None:
    browser.sign_in(Role.DISPATCHER)
    (number,) = filled.add()
    me = browser.page(f"/tickets/{number}/assign").select_one(".way")
    assert (me.select_one(".av").get_text(), me.select_one(".av + span").get_text()[-5:]) == ("JP", "(ich)")
    assert "„nichtda“" in browser.page("/tickets?q=nichtda").get_text()


def test_a_technician_who_gives_a_ticket_away_goes_on_in_the_queue(filled: Queue, browser: Browser) -> None:
    me = browser.sign_in(Role.TECHNICIAN)
    (number,) = filled.add(assignee_id=me)
    here = f"/tickets/{number}"
    sent = {"value": str(filled.technician_id), "next": here}
    answer = browser.submit(f"{here}/assign?next={here}", f"{here}/assign", **sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tickets")
