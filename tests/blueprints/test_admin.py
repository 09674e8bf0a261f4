"""Accounts, kept by administrators."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from ptdash.db import db, transaction
from ptdash.models import Role, User
from ptdash.services import users
from tests.blueprints.browser import Browser, text_of

NEW = {"name": "Neu Neumann", "email": "neu@example.com", "role": "technician", "password": "a first password"}


@pytest.fixture
def colleague(app: Flask) -> int:
    with app.app_context(), transaction() as session:
        now = datetime.now(UTC)
        return users.add(session, "kollege@example.com", "Karl Kollege", "dispatcher", actor_id=None, now=now).id


@pytest.fixture
def admin(browser: Browser) -> int:
    return browser.sign_in(Role.ADMIN)


def stored(app: Flask, user_id: int) -> User:
    with app.app_context():
        return users.get(db.session(), user_id)


def test_an_added_user_can_sign_in(browser: Browser, admin: int) -> None:
    assert browser.submit("/admin/users/new", "/admin/users/new", **NEW).status_code == 303
    page = browser.page("/admin/users").get_text(" ")
    assert "Neu Neumann kann sich jetzt anmelden." in page
    browser.submit("/", "/logout")
    answer = browser.submit("/login", "/login", email=NEW["email"], password=NEW["password"])
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Geben Sie einen Namen ein"),
        ("email", "", "Geben Sie eine E-Mail-Adresse ein"),
        ("email", "neu.example.com", "neu.example.com ist keine E-Mail-Adresse."),
        ("email", "KOLLEGE@example.com", "gehört schon zu einem Konto."),
        ("password", "short", "Wählen Sie ein Passwort mit mindestens 10 Zeichen."),
    ],
)
def test_an_entry_that_does_not_fit_is_named_and_the_others_are_kept(
    browser: Browser, admin: int, colleague: int, field: str, value: str, sentence: str
) -> None:
    answer = browser.submit("/admin/users/new", "/admin/users/new", **{**NEW, field: value})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert "<title>Fehler: Benutzer anlegen" in answer.get_data(as_text=True)
    if field != "name":
        assert 'value="Neu Neumann"' in answer.get_data(as_text=True)


def test_a_changed_role_signs_out(app: Flask, browser: Browser, admin: int, colleague: int) -> None:
    now = datetime.now(UTC)
    with app.app_context(), transaction() as session:
        token = users.start_session(session, colleague, now=now)
    answer = browser.submit(f"/admin/users/{colleague}", f"/admin/users/{colleague}/role", role="manager")
    assert answer.status_code == 303
    assert stored(app, colleague).role == "manager"
    with app.app_context():
        assert users.load_session(db.session(), token, now=now) is None


def test_a_new_password_works_at_once(browser: Browser, admin: int, colleague: int) -> None:
    page = f"/admin/users/{colleague}"
    assert browser.submit(page, f"{page}/password", password="short").status_code == 422
    assert browser.submit(page, f"{page}/password", password="long enough now").status_code == 303
    browser.submit("/", "/logout")
    answer = browser.submit("/login", "/login", email="kollege@example.com", password="long enough now")
    assert answer.status_code == 303


def test_an_account_is_disabled_and_enabled_again(
    app: Flask, browser: Browser, admin: int, colleague: int
) -> None:
    page = f"/admin/users/{colleague}"
    browser.submit(page, f"{page}/disable")
    assert not stored(app, colleague).active
    assert "Gesperrt" in browser.page(page).get_text()
    browser.submit(page, f"{page}/enable")
    assert stored(app, colleague).active


def test_the_last_administrator_stays(app: Flask, browser: Browser, admin: int) -> None:
    page = f"/admin/users/{admin}"
    answer = browser.submit(page, f"{page}/disable")
    assert answer.status_code == 409
    assert "Anna Adler ist die letzte aktive Person mit der Rolle Administration." in text_of(answer)
    assert browser.submit(page, f"{page}/role", role="manager").status_code == 422
    assert stored(app, admin).active
    assert stored(app, admin).role == "admin"


def test_an_unknown_user_is_not_found(browser: Browser, admin: int) -> None:
    assert "Es gibt kein Konto 4711." in browser.page("/admin/users/4711", 404).get_text()
