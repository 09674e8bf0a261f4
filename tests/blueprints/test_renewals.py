"""The renewals page, its filters and its file; decisions from it; what the overview says of contracts."""

from datetime import date

import pytest
from flask import Flask

from ptdash.db import db, transaction
from ptdash.models import ContractDecision, Role
from ptdash.services import contracts, reminders
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.blueprints.conftest import MakeApp, browser_on
from tests.company import Company
from tests.conftest import NOW
from tests.counting import queries

TODAY = date(2026, 11, 17)


@pytest.fixture
def on_day(make_app: MakeApp) -> Browser:
    """Four contracts on 17 Nov 2026: two ask for a decision, one was given notice of, one has ended."""
    app = make_app(today=TODAY)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            brandt = company.customer(name="Kanzlei Brandt & Partner")
            company.support(brandt, "M", number="SV-1022")
            ending = company.maintenance(
                company.customer(name="Hofmann Logistik"), "412.00", number="WV-2009", renewal_months=None
            )
            contracts.store_ends(session, [ending.id])
            leaving = company.customer(name="Zahnarztpraxis Dr. Yıldız")
            company.support(leaving, "S", number="SV-1030", ends_before=date(2027, 1, 1))
            company.support(company.customer(name="=Alt"), number="SV-1001", ends_before=date(2026, 3, 1))
        db.session.remove()
    browser = browser_on(app)
    browser.sign_in(Role.MANAGER)
    return browser


def numbers(browser: Browser, address: str) -> list[str]:
    rows = browser.page(address).select("#contracts tbody tr")
    return [row.select_one(".nowrap").get_text() for row in rows]


def test_the_timeline_shows_what_runs_and_what_asks_first(on_day: Browser) -> None:
    assert numbers(on_day, "/contracts/") == ["SV-1022", "WV-2009", "SV-1030"]
    page = on_day.page("/contracts/")
    assert "noch 13 Tage" in page.get_text()
    assert len(page.select("svg.tl[role=img]")) == 3
    label = page.select_one("svg.tl[role=img]")["aria-label"]
    assert label == "SV-1022: Laufzeit bis 31.12.2026, kündbar bis 30.11.2026"


def test_the_figures_tell_what_is_at_stake(on_day: Browser) -> None:
    text = " ".join(on_day.page("/contracts/").select_one(".kpis").get_text(" ").split())
    assert "Frist in 30 Tagen 1 40,00 € pro Monat betroffen" in text
    assert "Gekündigt 1 −15,00 € ab 01.01.2027" in text
    assert "Wiederkehrend netto 467,00 €" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?view=archive", ["SV-1001"]),
        ("?view=notices", ["SV-1030"]),
        ("?view=list&kind=maintenance", ["WV-2009"]),
        ("?q=yildiz", ["SV-1030"]),
        ("?q=hofmann+WV", ["WV-2009"]),
        ("?within=30", ["SV-1022"]),
        ("?within=nonsense&kind=nonsense&view=nonsense", ["SV-1022", "WV-2009", "SV-1030"]),
    ],
)
def test_filters_stand_in_the_address(on_day: Browser, query: str, expected: list[str]) -> None:
    assert numbers(on_day, f"/contracts/{query}") == expected


def test_filters_without_a_hit_offer_to_reset_them(on_day: Browser) -> None:
    page = on_day.page("/contracts/?q=nobody")
    assert "Kein Vertrag passt zu diesen Filtern" in page.get_text()
    assert page.find("a", string="Filter zurücksetzen")["href"] == "/contracts/"


def test_who_was_given_notice_of_shows_the_deadline_and_the_end(on_day: Browser) -> None:
    row = next(
        row for row in on_day.page("/contracts/").select("#contracts tbody tr") if "SV-1030" in row.get_text()
    )
    assert row.select_one(".c-nd .num").get_text() == "30.11.2026"
    assert "gekündigt" in row.select_one(".c-nd").get_text()
    assert "endet 31.12.2026" in row.select_one(".c-v").get_text()


def test_a_search_while_typing_answers_with_the_table_only(on_day: Browser) -> None:
    answer = on_day.get("/contracts/?q=brandt", headers=HTMX)
    assert answer.get_data(as_text=True).lstrip().startswith('<div id="contracts"')


def test_the_file_holds_what_the_page_shows(on_day: Browser) -> None:
    answer = on_day.get("/contracts/contracts.csv?view=archive")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="vertraege-2026-11-17.csv"'
    lines = answer.get_data().decode("utf-8-sig").split("\r\n")
    assert lines[0].startswith("Vertrag;Kundennummer;Kunde;")
    assert lines[1].split(";")[:6] == ["SV-1001", "10007", "'=Alt", "Support", "M", "Beendet"]
    assert on_day.get("/contracts/contracts.csv").get_data().decode("utf-8-sig").count("\r\n") == 4


def test_renewing_from_the_page_makes_the_contract_that_follows(on_day: Browser) -> None:
    page = "/contracts/WV-2009/decision"
    assert on_day.page("/contracts/").find("a", attrs={"href": page})
    answer = on_day.submit(page, page, decision="renew")
    assert answer.status_code == 303
    text = on_day.page("/contracts/").get_text()
    assert "danach WV-2010" in text
    assert "WV-2010" in numbers(on_day, "/contracts/?view=list")


def test_letting_a_contract_end_asks_for_the_reason(on_day: Browser) -> None:
    page = "/contracts/WV-2009/decision"
    answer = on_day.submit(page, page, decision="let_end")
    assert answer.status_code == 422
    assert "Sagen Sie, warum der Vertrag endet" in text_of(answer)
    assert on_day.submit(page, page, decision="let_end", reason="Kunde wechselt").status_code == 303
    with on_day.application.app_context():
        kept = db.session.get(ContractDecision, (2, date(2026, 12, 31)))
        assert (kept.decision, kept.reason) == ("let_end", "Kunde wechselt")
    assert "läuft aus" in on_day.page("/contracts/").get_text()


def test_what_renews_itself_can_be_let_go_on(on_day: Browser) -> None:
    page = "/contracts/SV-1022/decision"
    assert "Von selbst verlängern lassen" in on_day.page(page).get_text()
    assert on_day.submit(page, page, decision="renew").status_code == 303
    assert "Verlängerung entschieden" in on_day.page("/contracts/").get_text()


def test_the_sidebar_counts_the_open_decisions(on_day: Browser) -> None:
    with on_day.application.app_context():
        with transaction() as session:
            reminders.due(session, TODAY, NOW)
        db.session.remove()
    link = on_day.page("/").select_one('nav a[href="/contracts/"]')
    assert link.select_one(".n").get_text() == "2"


def test_the_overview_names_what_is_to_be_decided(on_day: Browser) -> None:
    text = " ".join(on_day.page("/").select_one("#to-do").get_text(" ").split())
    assert "WV-2009 Hofmann Logistik endet zum 31.12.2026" in text
    assert "1 Vertrag mit Kündigungstermin in 13 Tagen" in text
    assert "SV-1022 Kanzlei Brandt & Partner : spätester Eingang 30.11.2026" in text.replace(
        "Partner:", "Partner :"
    )


def test_a_dispatcher_reads_and_decides_nothing(on_day: Browser) -> None:
    on_day.sign_in(Role.DISPATCHER)
    page = on_day.page("/contracts/")
    assert "Entscheiden" not in page.get_text()
    assert on_day.get("/contracts/contracts.csv").status_code == 200
    for path in ("/contracts/WV-2009/decision", "/contracts/WV-2009/notice"):
        assert on_day.get(path).status_code == 403


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMIN])
def test_contracts_are_not_for_everybody(browser: Browser, role: Role) -> None:
    browser.sign_in(role)
    assert browser.get("/contracts/").status_code == 403
    assert browser.get("/contracts/contracts.csv").status_code == 403


def test_five_hundred_contracts_on_a_page_in_as_many_queries_as_five(app: Flask, browser: Browser) -> None:
    def asked() -> int:
        with app.app_context(), queries() as seen:
            answer = browser.get("/contracts/")
        assert answer.status_code == 200
        return len(seen)

    browser.sign_in(Role.MANAGER)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            for _ in range(5):
                company.support(company.customer())
        db.session.remove()
    few = asked()
    with app.app_context():
        with transaction() as session:
            company.session = session
            for _ in range(245):
                customer = company.customer()
                company.support(customer)
                company.maintenance(customer)
        db.session.remove()
    assert asked() == few
