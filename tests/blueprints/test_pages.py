"""Pages and fragments, errors, headers, static files, health."""

import io

import pytest
from flask import abort
from redis import Redis
from sqlalchemy import select

from ptdash.db import db
from ptdash.domain.errors import Conflict
from ptdash.jobs.queue import make_worker
from ptdash.models import Role, User
from ptdash.web import access
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.blueprints.conftest import MakeApp, browser_on

NO_VALKEY = "unix:///nonexistent/valkey.sock"


class AlreadyDone(Conflict):
    message = "%(what)s was done before."


def _refuse() -> None:
    raise AlreadyDone(what="This")


def _fail() -> None:
    raise RuntimeError("a secret detail")


@pytest.fixture
def failing(make_app: MakeApp) -> Browser:
    """The same application with routes that fail in every way."""
    another = make_app()
    another.config["PROPAGATE_EXCEPTIONS"] = False
    another.add_url_rule("/refuse", "refuse", access.any_user(_refuse))
    another.add_url_rule("/fail", "fail", access.any_user(_fail))
    another.add_url_rule("/status/<int:code>", "status", access.any_user(lambda code: abort(code)))
    made = browser_on(another)
    made.sign_in()
    return made


def test_what_a_page_wrote_and_nobody_committed_is_not_kept(make_app: MakeApp) -> None:
    another = make_app()

    def write() -> str:
        db.session.execute(select(User)).scalars().one().name = "Somebody else"
        db.session.flush()
        return "written"

    another.add_url_rule("/write", "write", access.any_user(write))
    browser = browser_on(another)
    browser.sign_in()
    assert browser.open("/write").text == "written"
    with another.app_context():
        assert db.session.execute(select(User.name)).scalar_one() != "Somebody else"


def test_htmx_gets_the_fragment_and_the_new_toasts(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.submit("/components", "/components/toast", headers=HTMX)
    html = answer.get_data(as_text=True)
    assert html.startswith('<span id="toast-shown">')
    assert 'hx-swap-oob="beforeend:#toasts"' in html
    assert "Das ist eine Meldung." in html


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_a_boosted_request_and_a_history_restore_get_the_page(browser: Browser, header: str) -> None:
    browser.sign_in()
    answer = browser.get("/", headers={**HTMX, header: "true"})
    assert answer.get_data(as_text=True).startswith("<!doctype html>")


def test_a_page_without_a_fragment_replaces_the_body(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.get("/account", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "body"


def test_page_and_fragment_are_kept_apart_by_caches(browser: Browser) -> None:
    assert "HX-Request" in browser.get("/login").headers["Vary"]


def test_a_refusal_is_a_page_with_its_sentence(failing: Browser) -> None:
    answer = failing.get("/refuse")
    assert answer.status_code == 409
    assert "This was done before." in text_of(answer)
    assert "Hauptnavigation" in answer.get_data(as_text=True)


def test_for_htmx_a_refusal_is_a_toast_that_leaves_the_page(failing: Browser) -> None:
    answer = failing.get("/refuse", headers=HTMX)
    assert answer.status_code == 409
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#toasts", "beforeend")
    assert answer.get_data(as_text=True).strip().startswith('<div class="toast danger" role="alert">')


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_failure_says_a_number_and_nothing_else(failing: Browser, headers: dict[str, str]) -> None:
    answer = failing.get("/fail", headers=headers)
    assert answer.status_code == 500
    text = text_of(answer)
    assert "Kennzeichen:" in text
    assert "secret" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 422, 429, 500, 418, 503])
def test_every_error_has_a_page_in_both_languages(failing: Browser, code: int, language: str) -> None:
    failing.sign_in(Role.ADMIN, language=language)
    page = failing.page(f"/status/{code}", code)
    assert page.html["lang"] == language
    assert page.h1.get_text(strip=True)


def test_a_stranger_sees_errors_without_the_shell(browser: Browser) -> None:
    page = browser.page("/nothing-here", 404)
    assert "Diese Seite gibt es nicht" in page.get_text()
    assert page.nav is None


def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.post("/account/theme", data={"file": (io.BytesIO(b"0" * 17 * 1024 * 1024), "big.bin")})
    assert answer.status_code == 413


def test_a_verb_in_the_address_line_is_no_page(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/login", "/nothing-here", "/healthz"])
def test_every_answer_carries_the_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_a_static_file_may_be_kept_only_under_its_contents_address(browser: Browser) -> None:
    address = str(browser.page("/login").find("link", rel="stylesheet")["href"])
    assert "immutable" in browser.get(address).headers["Cache-Control"]
    assert browser.get("/static/ptdash.css?v=old").headers["Cache-Control"] == "no-cache"


def test_the_browser_chooses_the_language_before_the_sign_in(browser: Browser) -> None:
    assert "Anmelden" in text_of(browser.get("/login"))
    assert "Sign in" in text_of(browser.get("/login", headers={"Accept-Language": "en-GB,en;q=0.8"}))
    assert "Anmelden" in text_of(browser.get("/login", headers={"Accept-Language": "fr"}))


def test_components_are_for_the_demo(make_app: MakeApp, browser: Browser) -> None:
    browser.sign_in()
    assert browser.get("/components").status_code == 200
    assert "components.index" not in make_app(demo=False).view_functions


def test_health_names_what_is_missing(browser: Browser) -> None:
    answer = browser.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "database": "ok",
        "queue": "ok",
        "workers": "no worker is running",
        "migrations": "ok",
    }
    assert "Set-Cookie" not in answer.headers


def test_health_is_good_with_a_worker(browser: Browser, redis_url: str) -> None:
    worker = make_worker(redis_url)
    worker.register_birth()
    try:
        assert browser.get("/healthz").status_code == 200
    finally:
        worker.register_death()
        Redis.from_url(redis_url).delete(worker.key)


def test_health_without_servers_is_an_answer_and_no_error(make_app: MakeApp) -> None:
    gone = make_app(database_url="postgresql+psycopg://nobody@/none?host=/nonexistent", redis_url=NO_VALKEY)
    answer = gone.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == answer.json["queue"] == "does not answer"


def test_without_the_queue_one_can_sign_in_and_attempts_are_still_counted(make_app: MakeApp) -> None:
    browser = browser_on(make_app(redis_url=NO_VALKEY))
    for _ in range(10):
        assert browser.submit("/login", "/login", email="a@example.com", password="").status_code == 422
    assert browser.submit("/login", "/login", email="a@example.com", password="").status_code == 429


def test_without_the_database_the_error_page_needs_none(make_app: MakeApp, browser: Browser) -> None:
    browser.sign_in()
    kept = browser.get_cookie("ptdash")
    assert kept is not None
    gone = make_app(database_url="postgresql+psycopg://nobody@/none?host=/nonexistent")
    gone.config["PROPAGATE_EXCEPTIONS"] = False
    stranded = browser_on(gone)
    stranded.set_cookie("ptdash", kept.value)
    for path in ("/", "/nothing-here"):
        answer = stranded.get(path)
        assert answer.status_code == 500
        assert "Kennzeichen:" in text_of(answer)
