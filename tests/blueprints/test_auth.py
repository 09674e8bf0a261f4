"""Signing in, signing out, one's own account."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.models import AuditEvent, Role, UserSession
from ptdash.services import users
from tests.blueprints.browser import Browser, text_of

PASSWORD = "correct horse battery"
EMAIL = "person@example.com"
REFUSED = "E-Mail-Adresse oder Passwort ist falsch."


@pytest.fixture
def person(app: Flask) -> int:
    with app.app_context(), transaction() as session:
        user = users.add(
            session,
            EMAIL,
            "Petra Person",
            Role.DISPATCHER,
            password=PASSWORD,
            actor_id=None,
            now=datetime.now(UTC),
        )
        return user.id


def sign_in(browser: Browser, password: str = PASSWORD, email: str = EMAIL, page: str = "/login"):  # type: ignore[no-untyped-def]
    return browser.submit(page, "/login", email=email, password=password)


def test_the_right_password_opens_the_overview(browser: Browser, person: int) -> None:
    answer = sign_in(browser)
    assert answer.status_code == 303
    assert answer.location == "/"
    assert "Petra Person" in browser.page("/").get_text()


def test_the_address_may_be_written_in_capitals(browser: Browser, person: int) -> None:
    assert sign_in(browser, email=" PERSON@Example.com ").status_code == 303


def test_after_the_sign_in_the_asked_page_opens(browser: Browser, person: int) -> None:
    assert sign_in(browser, page="/login?next=/account").location == "/account"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"],
)
def test_a_link_from_outside_leads_nowhere_else(browser: Browser, person: int, target: str) -> None:
    answer = browser.submit("/login", "/login", email=EMAIL, password=PASSWORD, next=target)
    assert answer.location == "/"


def test_wrong_password_and_unknown_address_get_the_same_answer(browser: Browser, person: int) -> None:
    wrong = sign_in(browser, password="wrong")
    unknown = sign_in(browser, email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 422
    assert REFUSED in text_of(wrong)
    assert text_of(wrong) == text_of(unknown)
    assert "<title>Fehler: Anmelden – ptdash</title>" in wrong.get_data(as_text=True)


def test_a_disabled_account_is_refused_with_the_same_words(app: Flask, browser: Browser, person: int) -> None:
    with app.app_context(), transaction() as session:
        users.disable(session, person, actor_id=None, now=datetime.now(UTC))
    assert REFUSED in text_of(sign_in(browser))


def test_an_account_without_a_password_cannot_be_used(app: Flask, browser: Browser) -> None:
    with app.app_context(), transaction() as session:
        users.add(session, EMAIL, "Petra", Role.DISPATCHER, actor_id=None, now=datetime.now(UTC))
    assert sign_in(browser, password="").status_code == 422
    assert sign_in(browser, password="anything at all").status_code == 422


def test_ten_failed_attempts_close_the_account_for_a_while(browser: Browser, person: int) -> None:
    for _ in range(10):
        assert sign_in(browser, password="").status_code == 422
    answer = sign_in(browser)
    assert answer.status_code == 429
    assert "Warten Sie 15 Minuten" in text_of(answer)


def test_right_passwords_do_not_count_as_attempts(browser: Browser, person: int) -> None:
    for _ in range(11):
        assert sign_in(browser).status_code == 303
        browser.submit("/", "/logout")


def test_one_address_cannot_try_many_accounts(browser: Browser, person: int) -> None:
    for attempt in range(50):
        sign_in(browser, password="", email=f"person{attempt}@example.com")
    assert sign_in(browser).status_code == 429


def test_signing_out_ends_the_session_and_not_only_the_cookie(browser: Browser, person: int) -> None:
    sign_in(browser)
    kept = browser.get_cookie("ptdash")
    assert kept is not None
    assert browser.submit("/", "/logout").location == "/login"
    browser.set_cookie("ptdash", kept.value)
    assert browser.get("/").location == "/login"


def test_the_database_keeps_only_a_hash_of_the_token(app: Flask, browser: Browser, person: int) -> None:
    sign_in(browser)
    with browser.session_transaction() as cookie:
        token = cookie["token"]
    with app.app_context():
        assert token not in db.session.scalars(select(UserSession.token_hash)).all()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, person: int) -> None:
    cookie = sign_in(browser).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_behind_https_the_cookie_never_leaves_it(app: Flask, person: int) -> None:
    answer = app.test_client().get("/login", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]


def test_a_form_without_its_token_is_refused(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.post("/account/theme", data={"theme": "dark"})
    assert answer.status_code == 400
    assert "Dieses Formular gilt nicht mehr" in text_of(answer)


def test_changing_the_password_signs_all_other_devices_out(app: Flask, browser: Browser, person: int) -> None:
    other = app.test_client()
    sign_in(other)  # type: ignore[arg-type]
    sign_in(browser)
    answer = browser.submit(
        "/account", "/account/password", present=PASSWORD, new="another long one", repeated="another long one"
    )
    assert answer.status_code == 303
    assert "Passwort geändert" in browser.page("/account").get_text()
    assert other.get("/").location == "/login"
    assert sign_in(other, password="another long one").status_code == 303  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("present", "new", "repeated", "sentence"),
    [
        ("wrong", "another long one", "another long one", "Das ist nicht Ihr bisheriges Passwort."),
        (PASSWORD, "short", "short", "Wählen Sie ein Passwort mit mindestens 10 Zeichen."),
        (PASSWORD, "another long one", "a third one here", "Die beiden neuen Passwörter sind verschieden."),
    ],
)
def test_a_password_change_is_refused(
    browser: Browser, person: int, present: str, new: str, repeated: str, sentence: str
) -> None:
    sign_in(browser)
    answer = browser.submit("/account", "/account/password", present=present, new=new, repeated=repeated)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert browser.get("/").status_code == 200


def test_preferences_change_what_is_seen(browser: Browser) -> None:
    browser.sign_in()
    browser.submit("/account", "/account/preferences", language="en", theme="dark", shortcuts="y")
    page = browser.page("/account")
    assert page.html["lang"] == "en"
    assert page.html["data-theme"] == "dark"
    assert page.find("input", attrs={"name": "shortcuts"}).has_attr("checked")


def test_an_unknown_theme_is_refused(browser: Browser) -> None:
    browser.sign_in()
    assert browser.submit("/", "/account/theme", theme="neon").status_code == 422


def test_the_theme_button_stays_on_its_page(browser: Browser) -> None:
    browser.sign_in()
    assert browser.submit("/account", "/account/theme", theme="dark").location == "/account"
    assert browser.page("/account").html["data-theme"] == "dark"


def test_sign_in_and_out_leave_audit_events(app: Flask, browser: Browser, person: int) -> None:
    sign_in(browser)
    browser.submit("/", "/logout")
    with app.app_context():
        events = db.session.execute(select(AuditEvent.action, AuditEvent.actor_id).order_by(AuditEvent.id)).all()
    assert [tuple(event) for event in events] == [("create", None), ("login", person), ("logout", person)]
