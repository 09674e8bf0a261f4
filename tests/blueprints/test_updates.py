"""Updates on screen: the matrix, checks and decisions, entry, import, catalogue, feeds; each by who may."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from ptdash import models
from ptdash.db import db, transaction
from ptdash.domain.periods import berlin_day
from ptdash.domain.updates import Result
from ptdash.models import Role, RolloutTask, Update, UpdateApproval, UpdateCheck, UpdateFeed
from ptdash.services.updates import checking, feeds, fetching
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.conftest import empty
from tests.counting import queries
from tests.services.updates.house import House
from tests.services.updates.test_approving import INSTALL, ONE

PAGE = "/updates"
FORM = {
    "title": "Mozilla Firefox ESR",
    "vendor": "Mozilla",
    "version": "140.6.0",
    "released_on": "2026-11-10",
    "severity": "important",
    "products": "1",
}


def fill(app: Flask, made: Callable[[House], Any]) -> Any:
    """A house with what a test needs; its id or number comes back."""
    with app.app_context():
        with transaction() as session:
            found = made(House(session))
            found = getattr(found, "id", found)
        db.session.remove()
    return found


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        return list(session.execute(select(model).order_by(model.id)).scalars())


@pytest.fixture
def manager(browser: Browser) -> Browser:
    browser.sign_in(Role.MANAGER)
    return browser


def with_devices(house: House) -> Any:
    house.covered(2, name="Autohaus Kessler", number="10001")
    return house.tested()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.TECHNICIAN, 200), (Role.MANAGER, 200), (Role.DISPATCHER, 403), (Role.ADMIN, 403)]
)
def test_technicians_and_managers_work_with_updates(app: Flask, browser: Browser, role: Role, status: int) -> None:
    fill(app, with_devices)
    browser.sign_in(role)
    for path in (
        *("", "/new", "/import", "/products", "/products/1", "/1", "/1/edit", "/1/newer", "/1/customers/10001"),
        *("/1/approve", "/1/reject", "/1/defer", "/1/supersede"),
    ):
        assert browser.get(PAGE + path).status_code == status, path


@pytest.mark.parametrize(
    ("role", "status"), [(Role.TECHNICIAN, 403), (Role.MANAGER, 200), (Role.DISPATCHER, 403), (Role.ADMIN, 200)]
)
def test_feeds_are_kept_by_managers_and_administrators(browser: Browser, role: Role, status: int) -> None:
    browser.sign_in(role)
    assert browser.get("/updates/feeds").status_code == status
    assert browser.get("/updates/feeds/new").status_code == status


def test_an_empty_house_offers_to_enter_an_update(manager: Browser) -> None:
    page = manager.page(PAGE)
    assert "Keine Updates in diesem Monat" in page.get_text()
    assert page.find("a", href="/updates/new")


def test_the_matrix_shows_rows_cells_and_the_figure_in_the_navigation(app: Flask, manager: Browser) -> None:
    fill(app, with_devices)
    page = manager.page(f"{PAGE}?month=2026-11")
    row = page.find(id="u1")
    assert "Mozilla Firefox ESR" in row.get_text() and "Bestanden" in row.get_text()
    cell = row.find("a", class_="cl")
    assert (cell["href"], page.find("abbr").get_text()) == ("/updates/1/customers/10001", "KES")
    assert page.find("a", href=PAGE).find(class_="n").get_text(strip=True) == "1"
    assert manager.get(f"{PAGE}?month=2026-11", headers=HTMX).get_data(as_text=True).count("<html") == 0


def test_headings_search_and_months_narrow_the_matrix(app: Flask, manager: Browser) -> None:
    fill(app, with_devices)
    assert manager.page(f"{PAGE}?tab=to_approve&month=2026-11").find(id="u1")
    assert "Nichts unter" in manager.page(f"{PAGE}?tab=done&q=firefox").get_text()
    assert manager.page(f"{PAGE}?q=firefox").find(id="u1")
    assert "Kein Update passt" in manager.page(f"{PAGE}?q=lotus").get_text()
    for odd in ("month=2026-13", "tab=nothing", "page=-1", "page=99999999999", "customers=x", "month=0000-00"):
        assert manager.get(f"{PAGE}?{odd}").status_code == 200


def counted(app: Flask, browser: Browser) -> tuple[int, int]:
    """How many rows the matrix shows, and with how many queries."""
    with app.app_context(), queries() as sent:
        page = browser.page(f"{PAGE}?month=2026-11")
    return len(page.find_all("tr", class_="u")), len(sent)


def test_a_page_costs_the_same_few_queries_however_full_it_is(app: Flask, manager: Browser) -> None:
    def full(house: House) -> None:
        for n in range(8):
            house.covered(2)
            house.tested("1", title=f"Update {n}")

    fill(app, with_devices)
    one, few = counted(app, manager)
    with app.app_context():
        empty(app)
    fill(app, full)
    manager.sign_in(Role.MANAGER)
    many, sent = counted(app, manager)
    assert (one, many, sent) == (1, 8, few)


def test_an_update_is_entered_and_a_known_one_leads_to_itself(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: None)
    assert manager.submit("/updates/new", "/updates/new", **FORM).headers["Location"] == "/updates/1"
    again = manager.submit("/updates/new", "/updates/new", **FORM | {"vendor": "MOZILLA"})
    assert again.status_code == 422
    assert "schon bekannt" in text_of(again) and 'href="/updates/1"' in again.get_data(as_text=True)
    wrong = manager.submit("/updates/new", "/updates/new", **FORM | {"link": "javascript:x", "version": "9"})
    assert wrong.status_code == 422 and text_of(wrong).startswith("Fehler:")
    assert 'value="9"' in wrong.get_data(as_text=True)
    nothing = manager.submit("/updates/new", "/updates/new", title="", version="", vendor="", released_on="x")
    assert text_of(nothing).count("Nennen Sie den Hersteller") >= 1
    assert len(stored(app, Update)) == 1


def test_an_update_is_corrected_and_a_stale_correction_is_told(app: Flask, manager: Browser) -> None:
    fill(app, with_devices)
    sent = manager.submit("/updates/1/edit", "/updates/1/edit", title="Firefox", products="1")
    assert sent.headers["Location"] == "/updates/1"
    stale = manager.submit("/updates/1/edit", "/updates/1/edit", title="Anders", seen="1", products="1")
    assert stale.status_code == 422 and "inzwischen geändert" in text_of(stale)


def test_a_newer_version_closes_the_older_one(app: Flask, manager: Browser) -> None:
    fill(app, with_devices)
    path = "/updates/1/newer"
    sent = manager.submit(path, path, version="140.6.0", products="1")
    assert sent.headers["Location"] == "/updates/2"
    assert [row.state for row in stored(app, Update)] == ["superseded", "detected"]
    assert "Abgelöst durch" in manager.page("/updates/1").get_text()


def test_the_whole_way_of_an_update(app: Flask, browser: Browser) -> None:
    """A technician tests it, with a log; a manager approves it, seeing what happens then, and withdraws it."""
    fill(app, lambda house: (house.covered(2, number="10001"), house.update())[1])
    browser.sign_in(Role.TECHNICIAN)
    assert browser.submit("/updates/1", "/updates/1/check").headers["Location"] == "/updates/1/check"
    for point in stored_points(app):
        path = f"/updates/checks/1/points/{point}"
        assert browser.submit("/updates/1/check", path, state="passed", headers=HTMX).status_code == 200
    page = browser.page("/updates/1/check")
    token = page.find("input", attrs={"name": "csrf_token"})["value"]
    log = {"csrf_token": token, "file": (io.BytesIO(b"OK"), "setup.log")}
    assert browser.post("/updates/checks/1/files", data=log, headers=HTMX).status_code == 200
    ending = "/updates/checks/1/finish"
    nowhere = browser.submit("/updates/1/check", ending, result="passed")
    assert nowhere.status_code == 422 and "auf welchem Gerät" in text_of(nowhere)
    sent = browser.submit("/updates/1/check", ending, result="passed", tested_on="TEST-01")
    assert sent.headers["Location"] == "/updates/1"
    assert browser.get("/updates/checks/1/files/1").data == b"OK"
    own = browser.page("/updates/1/approve").get_text()
    assert "selbst getestet" in own and "Freigeben und einplanen" not in own
    browser.sign_in(Role.MANAGER)
    assert "2 Geräte von 1 Kunden" in " ".join(browser.page("/updates/1/approve").get_text().split())
    assert stored(app, RolloutTask) == []
    assert browser.submit("/updates/1/approve", "/updates/1/approve").headers["Location"] == "/updates/1"
    assert len(stored(app, RolloutTask)) == 2
    effect = " ".join(browser.page("/updates/1/withdraw").get_text().split())
    assert "2 offene Aufgaben werden gestoppt" in effect
    unsaid = browser.submit("/updates/1/withdraw", "/updates/1/withdraw")
    assert unsaid.status_code == 422 and text_of(unsaid).startswith("Fehler:")
    too_long = {"reason": "Druckerproblem", "instruction": "x" * 2001}
    answer = browser.submit("/updates/1/withdraw", "/updates/1/withdraw", **too_long)
    assert answer.status_code == 422 and "höchstens 2000" in text_of(answer).lower()
    assert "x" * 2001 in answer.get_data(as_text=True)
    install(app)
    said = {"reason": "Druckerproblem", "instruction": "Zurück auf 140.4.0\r\n<b>sofort</b>"}
    browser.submit("/updates/1/withdraw", "/updates/1/withdraw", **said)
    page = browser.page("/updates/1")
    assert "Druckerproblem" in page.get_text()
    listed = " ".join(page.find(id="installed").get_text().split())
    assert "Zu tun: Zurück auf 140.4.0 <b>sofort</b>" in listed and "Roll" not in listed
    assert {task.status for task in stored(app, RolloutTask)} == {"skipped", "installed"}


def install(app: Flask) -> None:
    """One of the devices has it, from its window."""
    with app.app_context(), transaction() as session:
        session.execute(text(INSTALL.format(one=ONE)))


def test_checks_and_decisions_are_of_the_day_that_counts_for_the_business(app: Flask, manager: Browser) -> None:
    fill(app, House.tested)
    kept, day = app.config["PTDASH"], date(2031, 5, 6)
    app.config["PTDASH"] = replace(kept, today=day)
    try:
        assert manager.submit("/updates/1/approve", "/updates/1/approve").status_code == 303
    finally:
        app.config["PTDASH"] = kept
    assert berlin_day(stored(app, UpdateApproval)[0].approved_at) == day


def stored_points(app: Flask) -> list[int]:
    with app.app_context(), transaction() as session:
        return [row.pos for row in checking.results_of(session, [1])]


def test_a_decision_beside_the_row_brings_the_matrix_back(app: Flask, manager: Browser) -> None:
    fill(app, with_devices)
    beside = manager.get("/updates/1/approve?month=2026-11&tab=to_approve", headers=HTMX)
    assert 'hx-target="#updates-page"' in beside.get_data(as_text=True)
    sent = manager.submit("/updates/1/approve", "/updates/1/approve", headers=HTMX, month="2026-11", tab="all")
    assert sent.status_code == 200 and 'data-focus-row="u1"' in sent.get_data(as_text=True)
    assert "Freigegeben und eingeplant: 2 Geräte" in text_of(sent)
    refused = manager.submit("/updates/1/withdraw", "/updates/1/withdraw", headers=HTMX)
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (422, "#decision")


def test_an_older_version_can_be_kept_when_the_newer_is_approved(app: Flask, manager: Browser) -> None:
    def two(house: House) -> Any:
        house.covered(1)
        house.approved("140.4.0")
        return house.tested("140.5.0")

    fill(app, two)
    page = manager.page("/updates/2/approve")
    assert page.find("input", attrs={"name": "closing", "value": "1", "checked": True})
    token = page.find("input", attrs={"name": "csrf_token"})["value"]
    manager.post("/updates/2/approve", data={"csrf_token": token})
    assert [row.state for row in stored(app, Update)] == ["approved", "approved"]
    manager.submit("/updates/1/supersede", "/updates/1/supersede", by="2")
    assert [row.state for row in stored(app, Update)] == ["superseded", "approved"]


def test_reject_needs_a_reason_and_defer_a_day_ahead(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: (house.update("1"), house.update("2", title="Anderes"))[0])
    assert manager.submit("/updates/1/reject", "/updates/1/reject", reason=" ").status_code == 422
    assert manager.submit("/updates/1/reject", "/updates/1/reject", reason="nein").status_code == 303
    today = datetime.now(UTC).date()
    past = manager.submit("/updates/2/defer", "/updates/2/defer", until=(today - timedelta(days=9)).isoformat())
    assert past.status_code == 422 and "nach heute" in text_of(past)
    until = (today + timedelta(days=9)).isoformat()
    assert manager.submit("/updates/2/defer", "/updates/2/defer", until=until).status_code == 303
    assert "Zurückgestellt bis" in manager.page("/updates/2").get_text()
    assert manager.submit("/updates/2", "/updates/2/take-up").status_code == 303
    assert [row.state for row in stored(app, Update)] == ["rejected", "detected"]


def test_who_does_not_do_the_check_reads_it_and_may_call_it_off(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: house.start(house.update()).update_id)
    page = manager.page("/updates/1/check")
    assert "Tarek Kaya macht diese Prüfung" in page.get_text() and not page.find(attrs={"data-answer": True})
    assert manager.submit("/updates/1/check", "/updates/checks/1/call-off").status_code == 303
    assert stored(app, UpdateCheck) == []
    assert manager.get("/updates/1/check").headers["Location"] == "/updates/1"


def test_a_failed_point_without_a_note_comes_back_with_what_is_missing(app: Flask, browser: Browser) -> None:
    fill(app, lambda house: house.update())
    browser.sign_in(Role.TECHNICIAN)
    browser.submit("/updates/1", "/updates/1/check")
    refused = browser.submit("/updates/1/check", "/updates/checks/1/points/1", state="failed", headers=HTMX)
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.get_data(as_text=True)
    plain = browser.submit("/updates/1/check", "/updates/checks/1/points/1", state="failed", note="stumm")
    assert plain.status_code == 303
    bad = browser.submit("/updates/1/check", "/updates/checks/1/finish", result="failed")
    assert bad.status_code == 422 and "was schiefging" in text_of(bad)
    assert (
        browser.submit("/updates/1/check", "/updates/checks/1/finish", result="failed", note="x").status_code
        == 303
    )
    assert stored(app, UpdateCheck)[0].result == Result.FAILED
    assert "Noch einmal testen" in browser.page("/updates/1").get_text()


def test_a_csv_file_is_checked_then_imported(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: None)
    token = manager.page("/updates/import").find("input", attrs={"name": "csrf_token"})["value"]

    def send(text: str, **more: str) -> Any:
        data = {"csrf_token": token, "file": (io.BytesIO(text.encode()), "updates.csv"), **more}
        return manager.post("/updates/import", data=data)

    good = "vendor;title;version;severity;released_on;products\nMozilla;Firefox;1;low;2026-11-01;Firefox ESR\n"
    assert "Nothing" not in text_of(send(good)) and stored(app, Update) == []
    wrong = send(good + "Mozilla;;2;low;2026-11-01;Firefox ESR\nMozilla;X;3;low;2026-11-01;Lotus\n", write="1")
    assert wrong.status_code == 422 and "2 Fehler" in text_of(wrong) and "Zeile 3" in text_of(wrong)
    assert stored(app, Update) == []
    assert send(good, write="1").status_code == 200
    assert [row.origin for row in stored(app, Update)] == ["csv"]
    assert manager.post("/updates/import", data={"csrf_token": token}).status_code == 422


def test_the_catalogue_gets_products_and_test_plans_in_versions(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: None)
    path = "/updates/products"
    assert manager.submit(path, path, name="").status_code == 422
    sent = manager.submit(path, path, name="Chrome", vendor="Google", section="Browser und PDF")
    assert sent.headers["Location"] == f"{path}/2"
    assert manager.submit(path, path, name="CHROME").status_code == 422
    one = f"{path}/2"
    assert manager.submit(one, one, vendor="Google LLC").status_code == 303
    token = manager.page(one).find("input", attrs={"name": "csrf_token"})["value"]
    plan = {"csrf_token": token, "seen": "0", "item": ["Startet", "", "Druckt"]}
    assert manager.post(f"{one}/plan", data=plan).status_code == 303
    stale = manager.post(f"{one}/plan", data=plan | {"item": ["Nur das"]})
    assert stale.status_code == 422 and "Nur das" in stale.get_data(as_text=True)
    assert manager.post(f"{one}/plan", data=plan | {"more": "1"}).status_code == 200
    assert [row.items for row in stored(app, models.TestPlan)] == [["Startet", "Druckt"]]
    assert "Frühere Versionen" in manager.page(one).get_text()


def test_a_feed_is_set_and_says_why_it_could_not_be_read(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: None)
    new, one = "/updates/feeds/new", "/updates/feeds/1"
    assert manager.submit(new, new, source="ftp://x", vendor="Mozilla").status_code == 422
    url = "https://feeds.mozilla.example/esr.rss"
    assert manager.submit(new, new, source=url, vendor="Mozilla").status_code == 303
    assert manager.submit(new, new, source=url, vendor="Mozilla").status_code == 422
    with app.app_context(), transaction() as session:
        feeds.fail(session, 1, fetching.HostUnknown(host="feeds.mozilla.example"), now=datetime.now(UTC))
    assert "feeds.mozilla.example ist nicht zu finden" in manager.page("/updates/feeds").get_text()
    assert manager.submit(one, one, source=url, vendor="Mozilla Foundation").status_code == 303
    assert manager.submit("/updates/feeds", f"{one}/read").status_code == 303
    assert stored(app, UpdateFeed)[0].fetched_at is None
    assert manager.submit("/updates/feeds", f"{one}/remove").status_code == 303
    assert stored(app, UpdateFeed) == []


def test_the_devices_behind_a_cell_are_a_page_and_a_part(app: Flask, manager: Browser) -> None:
    fill(app, lambda house: (house.covered(1, number="10001"), house.approved())[1])
    assert "Eingeplant" in manager.page("/updates/1/customers/10001").get_text()
    part = manager.get("/updates/1/customers/10001", headers=HTMX).get_data(as_text=True)
    assert 'id="cell"' in part and "<html" not in part
    assert manager.get("/updates/1/customers/nobody").status_code == 404
    assert manager.get("/updates/99").status_code == 404


def test_what_was_approved_meanwhile_is_told(app: Flask, manager: Browser) -> None:
    """Two people decide at once: the second is told in which state it is."""
    fill(app, with_devices)
    token = manager.page("/updates/1/reject").find("input", attrs={"name": "csrf_token"})["value"]
    manager.submit("/updates/1/approve", "/updates/1/approve")
    late = manager.post("/updates/1/reject", data={"csrf_token": token, "reason": "nein"})
    assert late.status_code == 422 and "Freigegeben" in text_of(late) and "nein" in late.get_data(as_text=True)
    assert len(stored(app, UpdateApproval)) == 1
