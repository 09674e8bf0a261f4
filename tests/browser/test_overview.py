"""The overview with figures in it: no barrier with its tables closed and open, and what comes first on a phone."""

from datetime import date, datetime

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.models import Role
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser

PARTS = ("#to-do", "#window", "#minutes", "#deadlines", ".charts")


@pytest.fixture
def company(app: Flask) -> None:
    """Packages that run out, contracts with a deadline, tickets of this week."""
    now = datetime.now(BERLIN)
    begun, month = date(now.year - 1, 1, 1), now.replace(day=1, hour=0, minute=0, second=1)
    with app.app_context(), transaction() as session:
        company = Company(session)
        for name, minutes in (("Optik Weiß", 13), ("Steuerberatung Oltmanns und Partner", 9), ("Kasse", 2)):
            customer = company.customer(name=name)
            company.support(customer, "S", begun)
            company.include(company.maintenance(customer, starts_on=begun), company.device(customer))
            company.entry(customer, minutes, at=month)
            company.ticket(customer, created_at=now, status="new")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.DISPATCHER, Role.TECHNICIAN])
def test_the_figures_have_no_barrier_for_any_role(
    company: None, sign_in: SignIn, opened: Open, role: Role
) -> None:
    sign_in(role)
    page = opened("/")
    expect(page.get_by_role("img").last).to_be_visible()
    check(page)
    for summary in page.locator(".vals > summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    expect(page.get_by_role("table")).to_have_count(page.locator(".vals").count())
    check(page)


def test_on_a_phone_charts_come_last_and_on_a_desktop_below_what_is_needed(
    company: None, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.DISPATCHER)
    page = opened("/", 390)
    tops = [top(page, part) for part in PARTS]
    assert tops == sorted(tops)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert top(page, "#window") == top(page, "#to-do")
    assert left(page, ".charts") == left(page, "#to-do") < left(page, "#window")


def box(page: Page, part: str) -> dict[str, float]:
    found = page.locator(part).bounding_box()
    assert found
    return dict(found)


def top(page: Page, part: str) -> float:
    return box(page, part)["y"]


def left(page: Page, part: str) -> float:
    return box(page, part)["x"]
