"""What the overview shows to whom."""

import pytest
from flask import Flask

from ptdash.models import Role
from tests.blueprints.browser import Browser


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sees_the_maintenance_window(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    page = browser.page("/")
    assert "07:00–15:00 Uhr" in page.find(id="window").get_text(" ")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_deadlines_are_for_managers(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    page = browser.page("/")
    assert page.find(id="deadlines") is None
    assert "Gerade wartet nichts auf Sie" in page.get_text()


def test_a_manager_is_led_to_the_month_that_can_be_closed(app: Flask, browser: Browser) -> None:
    browser.sign_in(Role.MANAGER)
    links = [str(link["href"]) for link in browser.page("/").find(id="to-do").find_all("a")]
    assert links
    assert browser.get(links[0]).status_code == 200
