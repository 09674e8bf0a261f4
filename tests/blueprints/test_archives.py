"""Archives: ordered on the page, packed by the worker's job, downloaded as ZIP."""

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from ptdash.db import db, transaction
from ptdash.jobs import exporting as jobs
from ptdash.models import Role
from ptdash.services import archives, settings
from tests.blueprints.browser import Browser, text_of
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close

PAGE = "/billing/archives"


@pytest.fixture
def manager(app: Flask, browser: Browser) -> Browser:
    """One invoice of September is issued."""
    browser.sign_in(Role.MANAGER)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            company.support(company.customer(number="10001"))
            close(session)
            adviser = {"datev.consultant": "29098", "datev.client": "55003"}
            settings.change_all(session, adviser, actor_id=None, now=NOW)
        db.session.remove()
    return browser


def pack(app: Flask, export_id: int = 1) -> None:
    with app.app_context():
        jobs.work(export_id)
        db.session.remove()


def test_an_archive_is_ordered_packed_and_downloaded(app: Flask, manager: Browser) -> None:
    assert manager.submit(PAGE, PAGE, period="2026", format="datev").location == f"{PAGE}/1"
    page = manager.page(f"{PAGE}/1")
    assert page.find(id="archive")["hx-trigger"] == "every 1s"
    assert manager.get(f"{PAGE}/1/download").status_code == 409
    pack(app)
    page = manager.page(f"{PAGE}/1")
    assert not page.find(id="archive").has_attr("hx-trigger"), "a finished one asks no more"
    answer = manager.get(f"{PAGE}/1/download")
    assert "Rechnungen-2026-datev.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["EXTF_Buchungsstapel_20261005-20261005.csv", "index.csv"]
        assert "RE-2026-00001;2026-10-05;2026-09;10001" in archive.read("index.csv").decode("utf-8-sig")


def test_what_is_not_set_yet_is_named_in_the_archive(app: Flask, manager: Browser) -> None:
    manager.submit(PAGE, PAGE, period="2026-09", format="zugferd")
    pack(app)
    with zipfile.ZipFile(io.BytesIO(manager.get(f"{PAGE}/1/download").data)) as archive:
        assert archive.read("notes.txt") == b"RE-2026-00001: not set yet"


def test_what_cannot_be_packed_says_why(app: Flask, manager: Browser) -> None:
    manager.submit(PAGE, PAGE, period="2026-09", format="datev")
    with app.app_context():
        with transaction() as session:
            settings.change(session, "datev.account_length", "5", actor_id=None, now=NOW)
        db.session.remove()
    pack(app)
    assert "10001" in text_of(manager.get(f"{PAGE}/1"))


def test_a_worker_that_died_leaves_the_archive_to_the_next(app: Flask, manager: Browser) -> None:
    manager.submit(PAGE, PAGE, period="2026-09", format="json")
    now = datetime.now(UTC)
    with app.app_context():
        with transaction() as session:
            assert archives.due(session, now) == [1]
            assert archives.due(session, now) == [], "it is on its way"
        with transaction() as session:
            assert archives.start(session, 1, now=now)
        with transaction() as session:
            assert archives.start(session, 1, now=now) is None, "another one is at it"
        with transaction() as session:
            assert archives.due(session, now + 2 * archives.PATIENCE) == [1]
        db.session.remove()
    pack(app)
    pack(app)
    assert manager.get(f"{PAGE}/1/download").status_code == 200


def test_archives_are_forgotten_after_a_week(app: Flask, manager: Browser) -> None:
    manager.submit(PAGE, PAGE, period="2026-09", format="json")
    pack(app)
    with app.app_context():
        with transaction() as session:
            assert archives.forget_old(session, now=datetime.now(UTC)) == 0
            assert archives.forget_old(session, now=datetime.now(UTC) + 2 * archives.KEPT) == 1
        db.session.remove()
    assert manager.get(f"{PAGE}/1").status_code == 404


def test_only_months_with_invoices_can_be_ordered(app: Flask, manager: Browser) -> None:
    choices = [option["value"] for option in manager.page(PAGE).select("#period option")]
    assert choices == [f"{date(2026, 9, 1):%Y-%m}", "2026"]
    assert manager.submit(PAGE, PAGE, period="2025", format="json").status_code == 422
