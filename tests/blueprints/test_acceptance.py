"""Acceptance on screen: proposed, planned, answered, signed, remedied, revoked; each by who may."""

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from PIL import Image
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.models import (
    Acceptance,
    ChecklistTemplate,
    DeviceProposal,
    Inspection,
    InspectionFile,
    InspectionResult,
    Role,
)
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company

LIST, SHOW, START = "/devices/acceptance", "/devices/acceptance/1", "/devices/acceptance/start/NB-1"
PROPOSE, PLAN = f"{LIST}/propose/NB-1", f"{LIST}/plan/NB-1"
ITEMS = 14


@pytest.fixture
def device(app: Flask) -> None:
    """A foreign notebook whose customer has a maintenance contract."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            customer = company.customer(name="Steuerberatung Oltmanns")
            company.maintenance(customer, number="WV-2012")
            company.device(customer, ours=False).inventory_number = "NB-1"
        db.session.remove()


@pytest.fixture
def technician(browser: Browser, device: None) -> Browser:
    browser.sign_in(Role.TECHNICIAN)
    return browser


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        return list(session.execute(select(model)).scalars())


def token(browser: Browser, path: str = SHOW) -> str:
    return str(browser.page(path).find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]


def begin(browser: Browser) -> None:
    page = "/devices/NB-1"
    assert browser.submit(page, START).headers["Location"] == SHOW


def answer(browser: Browser, pos: int, state: str, note: str = "", **more: str) -> Any:
    path = f"{SHOW}/items/{pos}"
    return browser.submit(SHOW, path, state=state, note=note, headers=HTMX, **more)


def answer_all(browser: Browser, failed: tuple[int, ...] = ()) -> None:
    for pos in range(1, ITEMS + 1):
        answer(browser, pos, "failed" if pos in failed else "passed", "Defekt" if pos in failed else "")


def test_a_device_is_proposed_and_planned(app: Flask, technician: Browser) -> None:
    assert technician.submit(PROPOSE, PROPOSE, monthly_fee="teuer").status_code == 422
    assert technician.submit(PROPOSE, PROPOSE, monthly_fee="9,00").status_code == 303
    assert str(stored(app, DeviceProposal)[0].monthly_fee) == "9.00"
    page = technician.page(LIST).get_text()
    assert "WV-2012" in page
    assert "9,00" in page
    assert technician.submit(PLAN, PLAN, scheduled_at="2026-11-19T08:00").status_code == 303
    (planned,) = stored(app, Inspection)
    assert planned.scheduled_at.hour in (7, 8)  # 08:00 in Berlin


def test_an_answer_comes_back_with_what_changes_by_it(app: Flask, technician: Browser) -> None:
    begin(technician)
    done = answer(technician, 1, "passed")
    assert done.status_code == 200
    soup = BeautifulSoup(done.text, "html.parser")
    assert soup.find("li", id="item-1")["data-state"] == "passed"  # type: ignore[index]
    for name in ("progress", "group-hardware-state", "group-hardware-mark", "signoff", "recent"):
        assert soup.find(id=name, attrs={"hx-swap-oob": "true"}), name
    assert next(row.state for row in stored(app, InspectionResult) if row.pos == 1) == "passed"


def test_without_a_script_the_save_button_leads_back_to_the_item(technician: Browser) -> None:
    begin(technician)
    saved = technician.submit(SHOW, f"{SHOW}/items/3", state="passed")
    assert saved.headers["Location"] == f"{SHOW}#item-3"
    refused = technician.submit(SHOW, f"{SHOW}/items/4", state="failed", note="")
    assert refused.status_code == 422
    page = BeautifulSoup(refused.text, "html.parser")
    assert page.find("input", id="item-4-failed").has_attr("checked")  # type: ignore[union-attr]


def test_failed_without_a_note_is_not_saved(app: Flask, technician: Browser) -> None:
    begin(technician)
    assert answer(technician, 1, "failed").status_code == 422
    assert {row.state for row in stored(app, InspectionResult)} == {"open"}


def test_the_answer_of_a_colleague_is_shown_not_overwritten(
    app: Flask, browser: Browser, technician: Browser
) -> None:
    begin(technician)
    seen = ""
    browser.sign_in(Role.MANAGER)
    answer(browser, 1, "passed")
    browser.sign_in(Role.TECHNICIAN)
    conflict = answer(browser, 1, "failed", "Deckel gerissen", seen=seen)
    assert conflict.status_code == 422
    assert "Miriam Vogt" in text_of(conflict)
    assert "Deckel gerissen" in text_of(conflict)
    assert next(row.state for row in stored(app, InspectionResult) if row.pos == 1) == "passed"
    assert answer(browser, 1, "failed", "Deckel gerissen").status_code == 200


def test_a_photo_is_attached_shown_and_taken_away(app: Flask, technician: Browser) -> None:
    begin(technician)
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "navy").save(out, "PNG")
    data = {"csrf_token": token(technician), "file": (io.BytesIO(out.getvalue()), "IMG 1.PNG")}
    shown = technician.post(f"{SHOW}/items/1/files", data=data, headers=HTMX)
    assert shown.status_code == 200
    (row,) = stored(app, InspectionFile)
    path = f"{SHOW}/files/{row.file_id}"
    small = technician.get(f"{path}?small")
    assert (small.mimetype, Image.open(io.BytesIO(small.data)).width) == ("image/jpeg", 240)
    assert "attachment" in small.headers["Content-Disposition"]
    assert "sandbox" in small.headers["Content-Security-Policy"]
    assert technician.get(f"{LIST}/2/files/{row.file_id}").status_code == 404
    technician.submit(SHOW, f"{SHOW}/items/1/files/{row.file_id}/remove", headers=HTMX)
    assert stored(app, InspectionFile) == []


def test_a_program_is_no_photo(app: Flask, technician: Browser) -> None:
    begin(technician)
    data = {"csrf_token": token(technician), "file": (io.BytesIO(b"MZ\x90\x00\x03"), "foto.jpg")}
    refused = technician.post(f"{SHOW}/items/1/files", data=data, headers=HTMX)
    assert 'role="alert"' in refused.text
    assert stored(app, InspectionFile) == []


def test_refused_remedied_inspected_again_and_signed(app: Flask, technician: Browser) -> None:
    technician.submit(PROPOSE, PROPOSE, monthly_fee="9,00")
    begin(technician)
    assert technician.post(f"{SHOW}/sign", data={"csrf_token": token(technician)}).status_code == 422
    answer_all(technician, failed=(2,))
    page = technician.page(SHOW)
    assert not page.find("input", attrs={"name": "outcome", "value": "accepted"})
    assert technician.submit(SHOW, f"{SHOW}/sign", outcome="refused").status_code == 303
    remedied = technician.submit(SHOW, f"{SHOW}/items/2/remedy", how="Akku getauscht")
    assert remedied.status_code == 303
    assert technician.submit(SHOW, START).headers["Location"] == f"{LIST}/2"
    again = technician.page(f"{LIST}/2")
    assert [row["id"] for row in again.select("li[data-item]")] == ["item-2"]
    assert "Akku getauscht" in again.get_text()
    technician.submit(f"{LIST}/2", f"{LIST}/2/items/2", state="passed", headers=HTMX)
    assert technician.submit(f"{LIST}/2", f"{LIST}/2/sign", outcome="accepted").status_code == 303
    assert [row.outcome for row in stored(app, Acceptance)] == ["accepted"]
    pdf = technician.get(f"{LIST}/2/protocol.pdf")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")


def test_a_manager_revokes_with_a_reason(app: Flask, browser: Browser, technician: Browser) -> None:
    begin(technician)
    answer_all(technician)
    technician.submit(SHOW, f"{SHOW}/sign", outcome="accepted")
    revoke = f"{LIST}/revoke/1"
    technician.page(revoke, 403)
    browser.sign_in(Role.MANAGER)
    assert browser.submit(revoke, revoke, reason="").status_code == 422
    assert browser.submit(revoke, revoke, reason="Falsches Gerät geprüft").status_code == 303
    assert stored(app, Acceptance)[0].revoke_reason == "Falsches Gerät geprüft"
    assert "Falsches Gerät geprüft" in browser.page(f"{LIST}?tab=revoked").get_text()


def test_an_inspection_is_called_off(app: Flask, technician: Browser) -> None:
    begin(technician)
    assert technician.submit(SHOW, f"{SHOW}/call-off", reason="Doppelt").status_code == 303
    assert stored(app, Inspection) == []


def test_dispatchers_read_and_change_nothing(browser: Browser, technician: Browser) -> None:
    begin(technician)
    browser.sign_in(Role.DISPATCHER)
    page = browser.page(SHOW)
    assert not page.select("form[data-answer]")
    browser.page(LIST)
    browser.page(f"{LIST}/checklists")
    for path in (PROPOSE, PLAN, f"{LIST}/propose"):
        browser.page(path, 403)
    for path in (f"{SHOW}/items/1", f"{SHOW}/sign", START):
        assert browser.post(path, data={"csrf_token": token(browser, "/")}).status_code == 403


@pytest.mark.parametrize(
    "path", ["", "/1", "/checklists", "/checklists/nas", "/propose", "/plan/NB-1", "/revoke/1"]
)
def test_administrators_have_no_acceptances(browser: Browser, device: None, path: str) -> None:
    browser.sign_in(Role.ADMIN)
    browser.page(LIST + path, 403)


def test_only_managers_save_checklists(app: Flask, browser: Browser, technician: Browser) -> None:
    path = f"{LIST}/checklists/nas"
    assert technician.page(path).find("input", attrs={"name": "text"}) is None
    assert technician.post(path, data={"csrf_token": token(technician, "/")}).status_code == 403
    browser.sign_in(Role.MANAGER)
    data = {"csrf_token": token(browser, path), "seen": "1"}
    data |= {"section": ["hardware", "hardware"], "text": ["Gehäuse ganz", ""], "hint": ["Rundum", ""]}  # type: ignore[dict-item]
    assert browser.post(path, data=data).status_code == 303
    assert [row.version for row in stored(app, ChecklistTemplate)] == [1, 2]
    stale = browser.post(path, data={**data, "text": ["Anders", ""]})
    assert stale.status_code == 422
    assert "Anders" in stale.text


@pytest.mark.parametrize("tab", ["open", "waiting", "inspecting", "remediation", "mine", "accepted", "revoked"])
def test_every_tab_opens_empty_and_full(technician: Browser, tab: str) -> None:
    technician.page(f"{LIST}?tab={tab}")
    begin(technician)
    technician.page(f"{LIST}?tab={tab}")
    answer_all(technician, failed=(1,))
    technician.submit(SHOW, f"{SHOW}/sign", outcome="accepted_with_reservations")
    technician.page(f"{LIST}?tab={tab}")
