"""The outbox page: what waits, what is held and why, cancelling; and the calendar address."""

from datetime import date
from io import BytesIO

import pytest
from flask import Flask

from ptdash.db import db, transaction
from ptdash.models import Customer, OutboxMessage, Role
from ptdash.services import notices
from tests.blueprints.browser import Browser, text_of
from tests.company import Company
from tests.conftest import NOW


@pytest.fixture
def manager(app: Flask, browser: Browser) -> Browser:
    """One message waits, one is held for want of an address."""
    user_id = browser.sign_in(Role.MANAGER)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            for number, email in (("SV-1", "eins@kunde.example"), ("SV-2", "")):
                company.support(company.customer(email=email), number=number)
                given = notices.Entered(date(2026, 4, 1), channel="letter")
                notices.record(session, number, given, today=date(2026, 4, 1), now=NOW, actor_id=user_id)
        db.session.remove()
    return browser


def test_messages_are_listed_with_their_state(manager: Browser) -> None:
    page = manager.page("/outbox/")
    text = " ".join(page.get_text(" ").split())
    assert "Zurzeit geht nichts hinaus" in text
    assert "Der Kunde hat keine E-Mail-Adresse." in text
    assert "Kuendigung-SV-1.pdf" in text
    assert len(page.select("tbody tr")) == 2
    assert len(manager.page("/outbox/?state=held").select("tbody tr")) == 1
    assert len(manager.page("/outbox/?state=nonsense&page=0").select("tbody tr")) == 2


def test_a_message_shows_its_text_and_its_file(manager: Browser) -> None:
    page = manager.page("/outbox/1")
    assert "Der Vertrag endet zum 30.06.2026." in page.get_text()
    link = page.select_one("a.file-link")
    assert manager.get(link["href"]).data.startswith(b"%PDF")
    assert manager.get("/outbox/1/files/2").status_code == 404
    assert manager.get("/outbox/9").status_code == 404


def test_a_waiting_message_can_be_cancelled(manager: Browser) -> None:
    assert manager.submit("/outbox/1", "/outbox/1/cancel").location == "/outbox/1"
    page = manager.page("/outbox/1")
    assert "storniert" in page.get_text()
    assert not page.find("form", attrs={"action": "/outbox/1/cancel"})


def test_a_held_message_is_released_once_the_address_is_there(app: Flask, manager: Browser) -> None:
    answer = manager.submit("/outbox/2", "/outbox/2/release")
    assert answer.status_code == 409
    assert "hat noch immer keine E-Mail-Adresse" in text_of(answer)
    with app.app_context():
        with transaction() as session:
            session.query(Customer).filter_by(email="").one().email = "zwei@kunde.example"
        db.session.remove()
    assert manager.submit("/outbox/2", "/outbox/2/release").status_code == 303
    assert "zwei@kunde.example" in manager.page("/outbox/2").get_text()


def test_the_overview_leads_to_what_is_held(manager: Browser) -> None:
    todo = manager.page("/").select_one("#to-do")
    assert todo.find("a", attrs={"href": "/outbox/?state=held"})


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_the_outbox_is_for_managers(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get("/outbox/").status_code == 403


# The calendar address


def made(browser: Browser) -> str:
    answer = browser.submit("/account/calendar", "/account/calendar/open")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.get_data(as_text=True)
    return page.split('id="address" readonly value="')[1].split('"')[0].removeprefix("http://localhost")


def test_the_address_is_shown_once_and_works_without_signing_in(app: Flask, manager: Browser) -> None:
    address = made(manager)
    assert address not in manager.get("/account/calendar").get_data(as_text=True)
    answer = app.test_client().get(address)
    assert answer.mimetype == "text/calendar"
    assert answer.data.startswith(b"BEGIN:VCALENDAR")
    assert b"Set-Cookie" not in str(answer.headers).encode()


def test_a_revoked_or_guessed_address_is_not_found(app: Flask, manager: Browser) -> None:
    address = made(manager)
    assert manager.submit("/account/calendar", "/account/calendar/revoke").status_code == 303
    assert app.test_client().get(address).status_code == 404
    assert app.test_client().get("/calendar/guess.ics").status_code == 404


def test_guessing_addresses_is_stopped(app: Flask, browser: Browser) -> None:
    stranger = app.test_client()
    answers = [stranger.get(f"/calendar/guess{n}.ics").status_code for n in range(25)]
    assert (answers[0], answers[-1]) == (404, 429)


def test_technicians_have_a_calendar_and_administrators_have_none(browser: Browser) -> None:
    browser.sign_in(Role.TECHNICIAN)
    assert "Kündigungstermine" not in browser.page("/account/calendar").get_text()
    browser.sign_in(Role.ADMIN)
    assert browser.get("/account/calendar").status_code == 403


def _is_now(app: Flask, message_id: int, **values: object) -> None:
    with app.app_context():
        with transaction() as session:
            for name, value in values.items():
                setattr(session.get_one(OutboxMessage, message_id), name, value)
        db.session.remove()


def test_an_unclear_message_is_sent_again_as_one_of_its_own(app: Flask, manager: Browser) -> None:
    _is_now(app, 1, state="unclear")
    assert "Fragen Sie den Empfänger" in manager.page("/outbox/1").get_text()
    answer = manager.submit("/outbox/1", "/outbox/1/resend")
    assert answer.location == "/outbox/3"
    assert manager.page("/outbox/1").find("a", href="/outbox/3")
    assert manager.page("/outbox/3").find("a", href="/outbox/1")
    assert manager.page("/outbox/1").find("form", action="/outbox/1/resend") is None


def test_a_file_that_is_no_notification_is_refused_at_its_field(app: Flask, manager: Browser) -> None:
    _is_now(app, 1, state="sent", sent_at=NOW)
    token = manager.page("/outbox/1").find("input", attrs={"name": "csrf_token"})["value"]
    for file, sentence in ((b"hello", "keine Meldung"), (b"", "Wählen Sie die E-Mail")):
        upload = (BytesIO(file), "mail.eml" if file else "")
        answer = manager.post("/outbox/1/bounce", data={"csrf_token": token, "file": upload})
        assert answer.status_code == 422
        assert sentence in text_of(answer)
