"""A ticket's pages: who may use them, what is kept, what is refused without losing a word."""

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.domain.tickets import Priority, Status
from ptdash.models import Contact, Customer, Material, Role, Ticket, TicketMessage, TimeEntry, User
from ptdash.services.tickets import changing, threads
from tests.blueprints.browser import Browser, text_of
from tests.company import Company
from tests.counting import queries

NOW = datetime.now(UTC)
HERE = "/tickets/2001"
WORKERS = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)


@pytest.fixture
def world(app: Flask) -> SimpleNamespace:
    """Ticket 2001 of Kessler, unassigned, and 2002 of the same customer; a colleague to whom tickets can go."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            kessler = company.customer(name="Autohaus Kessler KG")
            company.customer(name="Kessler Immobilien")
            company.customer(name="Bäckerei Öztürk")
            company.support(kessler, "M")
            company.add(Contact(customer_id=kessler.id, name="Sabine Krüger"))
            for number in ("2001", "2002"):
                company.ticket(
                    kessler, created_at=NOW - timedelta(hours=1), subject=f"Sache {number}"
                ).number = number
            session.flush()
            names = SimpleNamespace(colleague=company.technician.id, kessler=kessler.number)
        db.session.remove()
    return names


def english(browser: Browser, role: Role = Role.DISPATCHER) -> Browser:
    browser.sign_in(role, language="en")
    return browser


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        found = list(session.execute(select(model).order_by(model.id)).scalars())
        db.session.remove()
        return found


def ticket(app: Flask, number: str = "2001") -> Ticket:
    return next(row for row in stored(app, Ticket) if row.number == number)


def meanwhile(app: Flask, world: SimpleNamespace, **values: object) -> None:
    """A colleague changes the ticket."""
    with app.app_context():
        with transaction() as session:
            found = session.execute(select(Ticket.id).where(Ticket.number == "2001")).scalar_one()
            changing.change(session, found, values, actor_id=world.colleague, now=NOW)
        db.session.remove()


PAGES = ("", "/edit", "/merge", "/history", "/materials")


@pytest.mark.parametrize("role", list(Role))
def test_every_page_is_for_those_who_work_on_tickets(browser: Browser, world: SimpleNamespace, role: Role) -> None:
    english(browser, role)
    expected = 200 if role in WORKERS else 403
    for page in PAGES:
        browser.page(f"{HERE}{page}", expected)
    for page in (
        "/tickets/new",
        "/tickets/new/customers?q=kess",
        f"/tickets/new/customer?customer={world.kessler}",
    ):
        assert browser.get(page, headers={"HX-Request": "true"}).status_code == expected
    browser.page(f"{HERE}/move", 200 if role in (Role.DISPATCHER, Role.MANAGER) else 403)


@pytest.mark.parametrize(
    "verb", ["reply", "note", "inbound", "attachments", "schedule", "edit", "merge", "materials"]
)
def test_no_administrator_changes_a_ticket(
    app: Flask, browser: Browser, world: SimpleNamespace, verb: str
) -> None:
    english(browser, Role.ADMIN)
    with browser.session_transaction():
        pass
    assert browser.post(f"{HERE}/{verb}").status_code in (400, 403)
    assert stored(app, TicketMessage) == []


def test_a_technician_does_not_get_a_colleagues_ticket(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    meanwhile(app, world, assignee_id=world.colleague)
    english(browser, Role.TECHNICIAN)
    for page in PAGES:
        refused = browser.get(f"{HERE}{page}")
        assert refused.status_code == 403
        assert "colleague" in text_of(refused)


def test_a_ticket_that_is_not_there_says_so(browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    browser.page("/tickets/9999", 404)


@pytest.mark.parametrize("role", WORKERS)
def test_a_telephone_ticket_without_script(
    app: Flask, browser: Browser, world: SimpleNamespace, role: Role
) -> None:
    english(browser, role)
    answer = browser.submit("/tickets/new", "/tickets/new", caller="Autohaus", subject="Drucker druckt nicht")
    assert (answer.status_code, answer.location) == (303, "/tickets/1001")
    made = ticket(app, "1001")
    assert (made.subject, made.channel, made.priority, made.category, made.status) == (
        "Drucker druckt nicht",
        "phone",
        "normal",
        "software",
        "new",
    )


def test_where_several_customers_fit_one_is_chosen_and_nothing_typed_is_lost(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser)
    asked = browser.submit("/tickets/new", "/tickets/new", caller="kesler", subject="VPN", body="Seit heute")
    assert asked.status_code == 422
    assert "Several customers fit" in text_of(asked)
    assert "Seit heute" in asked.text and 'value="VPN"' in asked.text
    assert asked.text.count('type="radio"') == 2
    chosen = {"caller": "kesler", "customer": world.kessler, "subject": "VPN", "body": "Seit heute"}
    assert browser.submit("/tickets/new", "/tickets/new", **chosen).status_code == 303
    assert ticket(app, "1001").body == "Seit heute"


@pytest.mark.parametrize(
    ("caller", "subject", "sentence"),
    [
        ("", "VPN", "Enter the customer"),
        ("Nirgendwo", "VPN", "No customer fits “Nirgendwo”"),
        ("Autohaus", "", "Say in a few words"),
        ("Autohaus", "x" * 201, "below 200 characters"),
    ],
)
def test_what_a_ticket_needs_is_asked_for(
    browser: Browser, world: SimpleNamespace, caller: str, subject: str, sentence: str
) -> None:
    english(browser)
    refused = browser.submit("/tickets/new", "/tickets/new", caller=caller, subject=subject)
    assert refused.status_code == 422
    assert sentence in text_of(refused)


def test_suggestions_tell_minutes_and_open_tickets(browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    found = browser.page("/tickets/new/customers?q=autohaus kesler")
    assert [option["data-number"] for option in found.find_all(role="option")] == [world.kessler]
    assert "2 open tickets" in found.get_text()
    assert "30" in found.get_text()
    assert "No customer fits" in browser.page("/tickets/new/customers?q=xyz").get_text()


def test_words_are_recorded_with_their_files(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    sent = {"body": "Siehe Log", "files": (io.BytesIO(b"timeout"), "vpn.log")}
    answer = browser.submit(HERE, f"{HERE}/reply", **sent)  # type: ignore[arg-type]
    assert answer.status_code == 303
    browser.submit(HERE, f"{HERE}/note", body="Nur für uns")
    browser.submit(HERE, f"{HERE}/inbound", body="Geht wieder", sender="Sabine Krüger", channel="email")
    assert [(row.kind, row.body) for row in stored(app, TicketMessage)] == [
        ("reply", "Siehe Log"),
        ("note", "Nur für uns"),
        ("inbound", "Geht wieder"),
    ]
    page = browser.page(HERE)
    link = page.find("a", string=lambda text: text == "vpn.log") or page.select_one("#thread .files a")
    assert isinstance(link, Tag)
    file = browser.get(str(link["href"]))
    assert file.data == b"timeout"
    assert file.headers["Content-Disposition"] == "attachment; filename=vpn.log; filename*=UTF-8''vpn.log"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_a_files_name_arrives_whatever_its_letters(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    sent = {"files": (io.BytesIO(b"%PDF-1.7"), "Prüfbericht (Süd).pdf")}
    assert browser.submit(HERE, f"{HERE}/attachments", **sent).status_code == 303  # type: ignore[arg-type]
    link = browser.page(HERE).select_one("#files .files a")
    assert isinstance(link, Tag)
    header = browser.get(str(link["href"])).headers["Content-Disposition"]
    assert header == (
        "attachment; filename=\"Pr_fbericht (S_d).pdf\"; filename*=UTF-8''Pr%C3%BCfbericht%20%28S%C3%BCd%29.pdf"
    )


def test_a_refused_file_keeps_the_text(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    sent = {"body": "Anbei die Rechnung", "files": (io.BytesIO(b"MZ" + b"\0" * 99), "rechnung.pdf")}
    refused = browser.submit(HERE, f"{HERE}/reply", **sent)  # type: ignore[arg-type]
    assert refused.status_code == 422
    assert "rechnung.pdf is EXE" in text_of(refused)
    assert "Anbei die Rechnung" in refused.text
    assert stored(app, TicketMessage) == []


def test_a_file_of_another_ticket_is_not_given_out(browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    sent = {"files": (io.BytesIO(b"geheim"), "a.txt")}
    browser.submit(HERE, f"{HERE}/attachments", **sent)  # type: ignore[arg-type]
    link = browser.page(HERE).select_one("#files .files a")
    assert isinstance(link, Tag)
    assert browser.get(str(link["href"])).status_code == 200
    assert browser.get(str(link["href"]).replace("2001", "2002")).status_code == 404


def test_a_reply_crossing_a_message_is_shown_before_it_is_recorded(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser)
    before = _form(browser, f"{HERE}/reply")
    browser.submit(HERE, f"{HERE}/inbound", body="Hat sich erledigt")
    crossed = browser.post(f"{HERE}/reply", data={**before, "body": "Wir kommen um drei"})
    assert crossed.status_code == 409
    assert "Hat sich erledigt" in crossed.text and "Wir kommen um drei" in crossed.text
    assert browser.submit(HERE, f"{HERE}/reply", body="Wir kommen um drei").status_code == 303


def _form(browser: Browser, action: str) -> dict[str, str]:
    form = browser.page(HERE).find("form", attrs={"action": action})
    assert isinstance(form, Tag)
    return {
        str(tag["name"]): str(tag.get("value", "")) for tag in form.find_all("input") if tag.get("name") != "files"
    }


def test_a_reply_to_a_ticket_that_went_to_a_colleague_is_not_lost(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser, Role.TECHNICIAN)
    before = _form(browser, f"{HERE}/reply")
    meanwhile(app, world, assignee_id=world.colleague)
    refused = browser.post(f"{HERE}/reply", data={**before, "body": "Ein langer Text"})
    assert refused.status_code == 403
    assert "Ein langer Text" in refused.text


def test_an_edit_is_saved(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    page = f"{HERE}/edit"
    values = {
        "subject": "VPN",
        "priority": "high",
        "concern": "defect",
        "assignee_id": str(world.colleague),
        "status": "scheduled",
        "scheduled_at": "2026-12-01T09:30",
    }
    assert browser.submit(page, page, **values).status_code == 303
    saved = ticket(app)
    assert (saved.subject, saved.priority, saved.concern, saved.status) == ("VPN", "high", "defect", "scheduled")
    assert saved.scheduled_at is not None and saved.scheduled_at.astimezone(UTC).hour == 8
    assert "Tarek Kaya" in browser.page(HERE).get_text()


def test_the_second_of_two_edits_chooses_field_by_field(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser)
    page = f"{HERE}/edit"
    before = _as_edit(browser)
    meanwhile(app, world, priority=Priority.URGENT.value, status=Status.WAITING_VENDOR.value)
    told = browser.post(page, data={**before, "subject": "VPN im Hotel", "priority": "high"})
    assert told.status_code == 409
    text = text_of(told)
    assert "Tarek Kaya" in text and "VPN im Hotel" in text and "Urgent" in text and "Waiting for vendor" in text
    form = _conflict(told.text)
    # Mine where I changed something, theirs where only they did.
    assert form["choice-priority"] == form["choice-subject"] == "mine"
    assert form["choice-status"] == "theirs"
    assert browser.post(page, data={**form, "choice-priority": "theirs"}).status_code == 303
    saved = ticket(app)
    assert (saved.subject, saved.priority, saved.status) == ("VPN im Hotel", "urgent", "waiting_vendor")


def test_two_edits_of_different_fields_are_both_kept(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    before = _as_edit(browser)
    meanwhile(app, world, product="VPN-Client")
    told = browser.post(f"{HERE}/edit", data={**before, "subject": "Neu"})
    form = _conflict(told.text)
    assert browser.post(f"{HERE}/edit", data=form).status_code == 303
    saved = ticket(app)
    assert (saved.subject, saved.product) == ("Neu", "VPN-Client")


def test_who_is_overtaken_twice_is_told_twice(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    before = _as_edit(browser)
    meanwhile(app, world, priority="urgent")
    form = _conflict(browser.post(f"{HERE}/edit", data={**before, "priority": "high"}).text)
    meanwhile(app, world, priority="low")
    again = browser.post(f"{HERE}/edit", data=form)
    assert again.status_code == 409
    assert "Low" in text_of(again)


def _as_edit(browser: Browser) -> dict[str, str]:
    return _filled(browser.page(f"{HERE}/edit").find("form", attrs={"action": f"{HERE}/edit"}))


def _conflict(html: str) -> dict[str, str]:
    return _filled(BeautifulSoup(html, "html.parser").find("form", attrs={"action": f"{HERE}/edit"}))


def _filled(form: object) -> dict[str, str]:
    assert isinstance(form, Tag)
    values = {}
    for tag in form.find_all("input"):
        if tag.get("type") != "radio" or tag.has_attr("checked"):
            values[str(tag["name"])] = str(tag.get("value", ""))
    for tag in form.find_all("select"):
        chosen = tag.find("option", selected=True)
        values[str(tag["name"])] = str(chosen["value"]) if chosen else ""
    return values


def test_merging_shows_first_what_moves(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    with app.app_context():
        with transaction() as session:
            source = session.execute(select(Ticket).where(Ticket.number == "2001")).scalar_one()
            technician = session.get_one(User, world.colleague)
            start = NOW - timedelta(minutes=30)
            session.add(
                TimeEntry(
                    ticket_id=source.id,
                    customer_id=source.customer_id,
                    technician_id=technician.id,
                    started_at=start,
                    ended_at=start + timedelta(minutes=12),
                    treatment="package",
                )
            )
        db.session.remove()
    english(browser)
    page = f"{HERE}/merge?into=2002"
    assert "12 min" in browser.page(page).get_text().replace("\N{NO-BREAK SPACE}", " ")
    assert browser.submit(page, f"{HERE}/merge").location == "/tickets/2002"
    assert ticket(app).status == "merged"
    assert "/tickets/2002" in browser.get(HERE).text
    assert "#2001" in browser.page("/tickets/2002").get_text()
    assert browser.get(f"{HERE}/edit").status_code == 200
    assert browser.post(f"{HERE}/reply", data=_token(browser) | {"body": "Zu spät"}).status_code == 409


def _token(browser: Browser) -> dict[str, str]:
    field = browser.page("/tickets/2002").find("input", attrs={"name": "csrf_token"})
    assert isinstance(field, Tag)
    return {"csrf_token": str(field["value"])}


@pytest.mark.parametrize(
    ("into", "sentence"), [("9999", "does not exist"), ("2001", "another ticket than this one")]
)
def test_a_merge_that_cannot_be_says_why(
    browser: Browser, world: SimpleNamespace, into: str, sentence: str
) -> None:
    english(browser)
    refused = browser.get(f"{HERE}/merge?into={into}")
    assert refused.status_code == 422
    assert sentence in text_of(refused)


def test_a_ticket_moves_to_another_customer_with_a_reason(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser)
    page = f"{HERE}/move"
    refused = browser.submit(page, page, customer="Öztürk", reason=" ")
    assert refused.status_code == 422
    several = browser.submit(page, page, customer="kesler", reason="Falsch zugeordnet")
    assert several.status_code == 422 and several.text.count('type="radio"') == 2
    assert browser.submit(page, page, customer="oeztuerk", reason="Falsch zugeordnet").status_code == 303
    assert "Bäckerei Öztürk" in browser.page(HERE).get_text()
    history = browser.page(f"{HERE}/history").get_text()
    assert "Falsch zugeordnet" in history and "Autohaus Kessler KG" in history


def test_a_ticket_is_scheduled_for_a_time_on_the_wall(
    app: Flask, browser: Browser, world: SimpleNamespace
) -> None:
    english(browser)
    assert browser.submit(HERE, f"{HERE}/schedule", at="2026-12-01T09:30").status_code == 303
    saved = ticket(app)
    assert saved.status == "scheduled"
    assert saved.scheduled_at is not None and saved.scheduled_at.astimezone(UTC).isoformat() == (
        "2026-12-01T08:30:00+00:00"
    )


def test_material_is_recorded_on_the_ticket(app: Flask, browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    page = f"{HERE}/materials"
    wrong = browser.submit(page, page, description="SSD 1 TB", net="teuer")
    assert wrong.status_code == 422 and "SSD 1 TB" in wrong.text
    assert browser.submit(page, page, description="SSD 1 TB", net="34,50").status_code == 303
    credit = browser.submit(page, page, description="Kulanz", net="-10", reason="Ärger")
    assert credit.status_code == 422 and "granted by a manager" in text_of(credit) and "Ärger" in credit.text
    assert [(row.description, str(row.net)) for row in stored(app, Material)] == [("SSD 1 TB", "34.5000")]
    assert "1 item" in browser.page(HERE).get_text()


def test_the_history_is_a_page_and_a_fragment(browser: Browser, world: SimpleNamespace) -> None:
    english(browser)
    browser.submit(f"{HERE}/edit", f"{HERE}/edit", priority="urgent")
    assert "Normal → Urgent" in " ".join(browser.page(f"{HERE}/history").get_text(" ").split())
    part = browser.get(f"{HERE}/history", headers={"HX-Request": "true"})
    assert "<html" not in part.text and "Urgent" in part.text


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN])
def test_the_page_takes_ten_queries_however_long_the_thread(
    app: Flask, browser: Browser, world: SimpleNamespace, role: Role
) -> None:
    english(browser, role)
    browser.page(HERE)
    short = _sent(app, browser)
    with app.app_context():
        with transaction() as session:
            found = session.execute(select(Ticket).where(Ticket.number == "2001")).scalar_one()
            company = Company.__new__(Company)
            company.session, company.technician = session, session.get_one(User, world.colleague)
            for number in range(30):
                said = {"actor_id": world.colleague, "now": NOW}
                upload = [threads.Upload("a.txt", str(number).encode())]
                threads.reply(session, found.id, f"Antwort {number}", uploads=upload, **said)
                at = NOW - timedelta(days=1, minutes=10 * number)
                company.entry(session.get_one(Customer, found.customer_id), 5, ticket=found, at=at)
        db.session.remove()
    long = _sent(app, browser)
    assert len(short) == len(long) <= 10, "\n\n".join(long)


def _sent(app: Flask, browser: Browser) -> list[str]:
    with app.app_context(), queries() as sent:
        browser.page(HERE)
    return sent
