"""WCAG 2.2 AA by axe-core: every page, both themes, three widths, and no sideways scrolling."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from ptdash.models import Role
from tests.browser.conftest import Open, SignIn

pytestmark = pytest.mark.browser

WIDTHS = (390, 1024, 1440)
RULES: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ONLY_VIOLATIONS = {"resultTypes": ["violations"]}
CONTRAST: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PAGES = [
    (None, "/login"),
    (None, "/nothing-here"),
    (Role.DISPATCHER, "/"),
    (Role.MANAGER, "/"),
    (Role.MANAGER, "/account"),
    (Role.MANAGER, "/components"),
    (Role.MANAGER, "/nothing-here"),
    (Role.MANAGER, "/admin/users"),
    (Role.ADMIN, "/admin/users"),
    (Role.ADMIN, "/admin/users/new"),
    (Role.ADMIN, "/admin/users/1"),
    (Role.ADMIN, "/admin/settings"),
]


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_a_page_has_no_barrier(sign_in: SignIn, opened: Open, role: Role | None, path: str) -> None:
    if role:
        sign_in(role)
    check(opened(path))


def test_a_failed_form_has_no_barrier(sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.ADMIN)
    page = opened("/admin/users/new")
    page.get_by_role("button", name="Benutzer anlegen").click()
    page.get_by_role("alert").wait_for()
    check(page)


def test_the_open_drawer_has_no_barrier(sign_in: SignIn, opened: Open) -> None:
    sign_in()
    page = opened("/", 390)
    page.get_by_role("button", name="Menü öffnen").click()
    assert not violations(page)


def check(page: Page) -> None:
    """On phone, tablet and desktop; of all rules only that of the contrast depends on the theme."""
    for scheme, rules in (("light", RULES), ("dark", CONTRAST)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not violations(page, rules), f"{scheme} {width}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (
                f"{scheme} {width} scrolls sideways"
            )


def violations(page: Page, rules: dict[str, Any] = RULES) -> list[str]:
    """What axe finds, one line an element, with what would mend it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("rules => axe.run(rules).then(({violations}) => violations)", rules | ONLY_VIOLATIONS)
    return [
        f"{item['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for item in found
        for node in item["nodes"]
    ]
