"""A manager records notices, on the deadline and a day late, takes one back and downloads the confirmation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from ptdash.db import db, transaction
from ptdash.models import Role
from ptdash.services import contracts
from tests.browser.conftest import Open, SignIn
from tests.browser.test_accessibility import check
from tests.company import Company

pytestmark = pytest.mark.browser

TODAY = date(2026, 6, 2)


@pytest.fixture
def june(app: Flask) -> Iterator[Flask]:
    """It is 2 June 2026; two contracts could be given notice of by 31 May, one ends without renewal."""
    before = app.config["PTDASH"]
    app.config["PTDASH"] = replace(before, today=TODAY)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            rehn = company.customer(name="Fahrschule Rehn GmbH", email="kontakt@rehn.example")
            company.support(rehn, starts_on=date(2024, 1, 1), number="SV-1012")
            thamm = company.customer(name="Bäckerei Thamm", email="post@thamm.example")
            company.support(thamm, "L", starts_on=date(2025, 1, 1), number="SV-1013")
            ending = company.maintenance(thamm, starts_on=date(2025, 8, 1), number="WV-2001", renewal_months=None)
            contracts.store_ends(session, [ending.id])
        db.session.remove()
    yield app
    app.config["PTDASH"] = before


def record(page: Page, contract: str, received_on: str, ends_on: str) -> None:
    page.goto(f"/contracts/{contract}/notice")
    page.get_by_label("Eingegangen am").fill(received_on)
    button = page.get_by_role("button", name=f"Kündigung zum {ends_on} erfassen")
    expect(button).to_be_visible()
    expect(page.get_by_role("heading", name=f"endet zum {ends_on}")).to_be_visible()
    button.click()
    expect(page.get_by_text(f"Kündigung erfasst: {contract} endet zum {ends_on}.")).to_be_visible()


def test_on_the_deadline_and_a_day_late_two_contracts_end_on_two_days(
    june: Flask, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.MANAGER)
    page = opened("/contracts/")
    record(page, "SV-1012", "2026-05-31", "30.06.2026")
    record(page, "SV-1013", "2026-06-01", "31.12.2026")
    page.goto("/contracts/?view=notices")
    expect(page.get_by_role("row", name="Fahrschule Rehn GmbH")).to_contain_text("30.06.2026")
    expect(page.get_by_role("row", name="Bäckerei Thamm")).to_contain_text("31.12.2026")

    page.goto("/contracts/SV-1013/notice")
    with page.expect_download() as download:
        page.get_by_role("link", name="Kuendigung-SV-1013.pdf").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-1.7")
    page.get_by_role("link", name="Zurücknehmen").click()
    page.get_by_role("button", name="Kündigung zurücknehmen").click()
    expect(page.get_by_text("Kündigung vom 01.06.2026 zurückgenommen.")).to_be_visible()
    page.goto("/contracts/?view=notices")
    expect(page.get_by_role("row", name="Bäckerei Thamm")).to_have_count(0)
    expect(page.get_by_role("row", name="Fahrschule Rehn GmbH")).to_be_visible()


def test_an_important_reason_opens_its_fields_and_names_its_day(
    june: Flask, sign_in: SignIn, opened: Open
) -> None:
    sign_in(Role.MANAGER)
    page = opened("/contracts/SV-1012/notice", 390)
    expect(page.get_by_label("Letzter Vertragstag")).to_be_hidden()
    page.get_by_label("Außerordentlich").check()
    expect(page.get_by_text("braucht den letzten Vertragstag")).to_be_visible()
    page.get_by_label("Letzter Vertragstag").fill("2026-06-20")
    page.get_by_role("textbox", name="Grund").fill("Insolvenz")
    page.get_by_role("button", name="Kündigung zum 20.06.2026 erfassen").click()
    expect(page.get_by_text("SV-1012 endet zum 20.06.2026.")).to_be_visible()


def test_the_search_narrows_the_timeline_while_typing(june: Flask, sign_in: SignIn, opened: Open) -> None:
    sign_in(Role.MANAGER)
    page = opened("/contracts/")
    expect(page.get_by_role("row", name="Bäckerei Thamm")).to_have_count(2)
    page.get_by_label("Verträge und Kunden suchen").press_sequentially("rehn")
    expect(page.get_by_role("row", name="Bäckerei Thamm")).to_have_count(0)
    assert page.url.endswith("q=rehn&kind=&within=")


@pytest.mark.parametrize(
    "path",
    [
        "/contracts/",
        "/contracts/?view=list",
        "/contracts/?view=notices",
        "/contracts/?q=nobody",
        "/contracts/SV-1012/notice",
        "/contracts/SV-1012/notice?received_on=2026-05-31",
        "/contracts/SV-1013/notices/2026-06-01/withdraw",
        "/contracts/WV-2001/decision",
        "/outbox/",
        "/outbox/1",
        "/account/calendar",
        "/",
    ],
)
def test_the_pages_have_no_barrier(june: Flask, sign_in: SignIn, opened: Open, path: str) -> None:
    sign_in(Role.MANAGER)
    page = opened("/contracts/")
    record(page, "SV-1013", "2026-06-01", "31.12.2026")
    page.goto(path)
    check(page)
