"""Who may use a route: each declares it."""

import pytest
from flask import Flask

from ptdash.models import Role
from ptdash.web.access import PUBLIC, declared
from tests.blueprints.browser import Browser
from tests.blueprints.conftest import MakeApp

WITHOUT_SIGN_IN = {"static", "healthz", "auth.login", "auth.send_login", "calendar.feed"}


def test_every_route_declares_who_may_use_it(app: Flask) -> None:
    silent = [rule.endpoint for rule in app.url_map.iter_rules() if not declared(app, rule.endpoint)]
    assert not silent


def test_only_the_named_routes_are_public(app: Flask) -> None:
    public = {rule.endpoint for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) == PUBLIC}
    assert public == WITHOUT_SIGN_IN


def test_a_route_that_declares_nothing_is_refused(make_app: MakeApp) -> None:
    another = make_app()
    another.add_url_rule("/silent", "silent", lambda: "secret")
    answer = another.test_client().get("/silent")
    assert answer.status_code == 403
    assert b"secret" not in answer.data


def test_no_route_lets_a_stranger_in(app: Flask, browser: Browser) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in WITHOUT_SIGN_IN or rule.arguments:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = browser.open(rule.rule, method=method)
            assert answer.status_code == 303, f"{method} {rule.rule}"
            assert answer.location.startswith("/login")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER])
def test_users_are_for_administrators(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get("/admin/users").status_code == 403
    assert browser.get("/admin/users/new").status_code == 403


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_billing_is_for_managers(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get("/billing/").status_code == 403
    assert "Abrechnung" not in browser.page("/").get_text()


def test_the_sidebar_shows_what_the_role_may_use(browser: Browser) -> None:
    browser.sign_in(Role.MANAGER)
    manager = browser.page("/").nav.get_text()
    assert "Abrechnung" in manager
    assert "Benutzer" not in manager
    browser.sign_in(Role.ADMIN)
    admin = browser.page("/").nav.get_text()
    assert "Benutzer" in admin
    assert "Abrechnung" not in admin


def test_a_stranger_comes_back_to_the_asked_page_after_signing_in(browser: Browser) -> None:
    answer = browser.get("/billing/?page=2")
    assert answer.location == "/login?next=/billing/?page%3D2"


def test_htmx_is_sent_to_the_sign_in_as_a_whole_page(browser: Browser) -> None:
    answer = browser.get(
        "/billing/", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/billing/"}
    )
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/login?next=/billing/"
