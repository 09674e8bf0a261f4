"""The notice page: the verdict while typing, recording, the letters, taking it back."""

from datetime import date, datetime
from io import BytesIO

import pytest

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.models import Contract, ContractNotice, Role
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.blueprints.conftest import MakeApp, browser_on
from tests.company import Company
from tests.services.test_period_close import close

TODAY = date(2026, 6, 2)
PAGE = "/contracts/SV-1012/notice"


@pytest.fixture
def manager(make_app: MakeApp) -> Browser:
    app = make_app(today=TODAY)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            rehn = company.customer(name="Fahrschule Rehn GmbH", email="kontakt@rehn.example")
            company.support(rehn, starts_on=date(2024, 1, 1), number="SV-1012")
        db.session.remove()
    browser = browser_on(app)
    browser.sign_in(Role.MANAGER)
    return browser


def result(browser: Browser, **values: str) -> str:
    query = "&".join(f"{key}={value}" for key, value in ({"kind": "ordinary"} | values).items())
    answer = browser.get(f"{PAGE}/result?{query}", headers=HTMX)
    assert answer.status_code == 200
    return text_of(answer)


def ends(browser: Browser) -> date | None:
    with browser.application.app_context():
        contract = db.session.query(Contract).filter_by(number="SV-1012").one()
        return contract.ends_before


def test_the_page_opens_with_the_verdict_of_today(manager: Browser) -> None:
    text = manager.page(PAGE).get_text()
    assert "2 Tage zu spät, Eingang 02.06.2026" in text
    assert "endet zum 31.12.2026" in text


def test_on_the_deadline(manager: Browser) -> None:
    text = result(manager, received_on="2026-05-31")
    assert (
        "Fristgerecht, Eingang 31.05.2026 endet zum 30.06.2026 Letzte Rechnung: Juni 2026, 40,00 € netto." in text
    )
    assert "5. Laufzeit endet 30.06.2026" in text
    assert "Eingang, letzter Tag der Frist 31.05.2026" in text
    assert "Der 31.05.2026 war ein Sonntag. Das verschiebt die Frist nicht (BGH III ZR 172/04)." in text
    assert "Eingang bis 31.05.2026 endet 30.06.2026" in text
    assert "Eingang 01.06. bis 30.11.2026 endet 31.12.2026" in text
    assert "Kündigung zum 30.06.2026 erfassen" in text


def test_a_day_late(manager: Browser) -> None:
    text = result(manager, received_on="2026-06-01")
    assert "Einen Tag zu spät, Eingang 01.06.2026 endet zum 31.12.2026" in text
    assert "Noch 6 Rechnungen, 240,00 € netto." in text
    assert "Eingang, 1 Tag nach der Frist 01.06.2026" in text
    assert "6. Laufzeit endet 31.12.2026" in text
    assert "Kündigung zum 31.12.2026 erfassen" in text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"received_on": ""}, "Geben Sie den Tag des Eingangs ein"),
        ({"received_on": "31.5."}, "Geben Sie den Tag des Eingangs ein"),
        ({"received_on": "2026-06-03"}, "Der 03.06.2026 kommt erst noch."),
        ({"received_on": "2026-06-01", "kind": "extraordinary"}, "braucht den letzten Vertragstag"),
    ],
)
def test_what_cannot_be_judged_yet_says_why(manager: Browser, values: dict[str, str], sentence: str) -> None:
    assert sentence in result(manager, **values)


def test_without_script_the_check_shows_the_result_and_keeps_what_was_typed(manager: Browser) -> None:
    answer = manager.submit(PAGE, PAGE, received_on="2026-05-31", note="Kulanz?", check="1", seen_end="")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Kündigung zum 30.06.2026 erfassen" in text
    assert 'value="2026-05-31"' in text
    assert "Kulanz?" in text
    assert ends(manager) is None


def test_recording_ends_the_contract_and_keeps_proof_and_letter(manager: Browser) -> None:
    proof = (BytesIO(b"From: a@b.example\n\nHiermit"), "Kuendigung.eml")
    answer = manager.submit(
        PAGE, PAGE, received_on="2026-05-31", channel="email", kind="ordinary", confirm="y",
        seen_end="2026-06-30", proof=proof,
    )  # fmt: skip
    assert answer.status_code == 303
    assert ends(manager) == date(2026, 7, 1)
    history = manager.page(PAGE).select_one("#history")
    text = " ".join(history.get_text(" ").split())
    assert "Ordentlich, Eingang 31.05.2026 · E-Mail endet 30.06.2026" in text
    assert "wartet auf Versand" in text
    files = {link.get_text(): manager.get(link["href"]) for link in history.select("a.file-link")}
    assert set(files) == {"Nachweis: Kuendigung.eml", "Kuendigung-SV-1012.pdf"}
    letter = files["Kuendigung-SV-1012.pdf"]
    assert letter.data.startswith(b"%PDF")
    assert letter.headers["Content-Disposition"] == "attachment; filename=Kuendigung-SV-1012.pdf"


def test_the_button_confirms_the_day_that_it_named(manager: Browser) -> None:
    answer = manager.submit(PAGE, PAGE, received_on="2026-06-01", kind="ordinary", seen_end="2026-06-30")
    assert answer.status_code == 422
    assert "Mit diesen Angaben endet der Vertrag zum 31.12.2026." in text_of(answer)
    assert ends(manager) is None


def test_an_important_reason_needs_its_end_and_reason(manager: Browser) -> None:
    sent = {"received_on": "2026-06-01", "kind": "extraordinary"}
    answer = manager.submit(PAGE, PAGE, **sent)
    assert answer.status_code == 422
    assert "braucht den letzten Vertragstag" in text_of(answer)
    answer = manager.submit(PAGE, PAGE, **sent, ends_on="2026-06-15")
    assert "Nennen Sie den Grund" in text_of(answer)
    assert manager.submit(PAGE, PAGE, **sent, ends_on="2026-06-15", reason="Insolvenz").status_code == 303
    assert ends(manager) == date(2026, 6, 16)


def test_a_second_notice_of_the_day_is_refused_at_its_field(manager: Browser) -> None:
    manager.submit(PAGE, PAGE, received_on="2026-05-31", kind="ordinary")
    answer = manager.submit(PAGE, PAGE, received_on="2026-05-31", kind="ordinary")
    assert answer.status_code == 422
    assert "Eine Kündigung von SV-1012 mit Eingang 31.05.2026 ist schon erfasst." in text_of(answer)


def test_posted_months_show_their_difference_and_ask_for_the_reason(manager: Browser) -> None:
    with manager.application.app_context():
        with transaction() as session:
            close(session, date(2026, 5, 1), date(2026, 6, 1))
        db.session.remove()
    sent = {"received_on": "2026-05-10", "kind": "extraordinary", "ends_on": "2026-05-16"}
    assert "Mai 2026 40,00 € → 20,65 €" in result(manager, **sent)
    answer = manager.submit(PAGE, PAGE, **sent, reason="Erst heute bekannt")
    assert answer.status_code == 422
    assert 'name="seen_cents" value="-1935"' in answer.get_data(as_text=True)
    assert manager.submit(PAGE, PAGE, **sent, reason="Erst heute bekannt", seen_cents="-1935").status_code == 303


def test_withdrawing_reopens_the_contract_and_stays_on_record(manager: Browser) -> None:
    manager.submit(PAGE, PAGE, received_on="2026-05-31", kind="ordinary")
    action = "/contracts/SV-1012/notices/2026-05-31/withdraw"
    assert manager.page(PAGE).find("a", attrs={"href": action})
    text = " ".join(manager.page(action).find(id="withdraw").get_text(" ").split())
    assert "Läuft bis 30.06.2026 und verlängert sich dann um 6 Monate: Der letzte Tag für eine Kündigung" in text
    assert "Bisher endet zum 30.06.2026 Danach läuft weiter" in text
    assert manager.submit(action, action).status_code == 303
    assert ends(manager) is None
    page = manager.page(PAGE)
    assert "zurückgenommen 02.06.2026" in page.get_text()
    assert not page.find("a", attrs={"href": action})
    assert manager.get(action).status_code == 404
    with manager.application.app_context():
        assert db.session.query(ContractNotice).count() == 1
    assert manager.post(action, data={}).status_code in (400, 404)


def test_a_withdrawal_that_a_successor_forbids_says_so_on_its_page(manager: Browser) -> None:
    manager.submit(PAGE, PAGE, received_on="2026-05-31", kind="ordinary")
    with manager.application.app_context(), transaction() as session:
        contract = session.query(Contract).filter_by(number="SV-1012").one()
        session.add(
            Contract(
                number="SV-1013", customer_id=contract.customer_id, kind="support", package="S",
                starts_on=date(2026, 7, 1), term_months=6, notice_months=1, renewal_months=6,
            )
        )  # fmt: skip
    action = "/contracts/SV-1012/notices/2026-05-31/withdraw"
    answer = manager.submit(action, action)
    assert answer.status_code == 409
    assert "SV-1013" in text_of(answer)
    assert ends(manager) == date(2026, 7, 1)


def test_a_file_of_another_contract_is_not_found(manager: Browser) -> None:
    manager.submit(PAGE, PAGE, received_on="2026-05-31", kind="ordinary")
    assert manager.get("/contracts/SV-1012/files/1").status_code == 200
    assert manager.get("/contracts/SV-1012/files/2").status_code == 404
    assert manager.get("/contracts/SV-9/files/1").status_code == 404


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.ADMIN])
def test_only_managers_record_notices(manager: Browser, role: Role) -> None:
    manager.sign_in(role)
    for path in (PAGE, f"{PAGE}/result"):
        assert manager.get(path).status_code == 403


def test_an_unknown_contract_is_not_found(manager: Browser) -> None:
    assert manager.get("/contracts/SV-0/notice").status_code == 404
    assert manager.get("/contracts/SV-0/decision").status_code == 404


def test_of_equally_cheap_packages_the_present_one_is_the_cheapest(make_app: MakeApp) -> None:
    """14 minutes: package S and 4 more cost 21.00, and so do 14 without a package."""
    app = make_app(today=TODAY)
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            company.price("separate_minute", "1.5", date(2026, 4, 1))
            customer = company.customer()
            company.support(customer, "S", number="SV-1012")
            company.entry(customer, 14, at=datetime(2026, 4, 10, 10, tzinfo=BERLIN))
            close(session, date(2026, 4, 1))
        db.session.remove()
    browser = browser_on(app)
    browser.sign_in(Role.MANAGER)
    advice = browser.page(PAGE).find(id="advice")
    assert "Das jetzige Paket ist das günstigste" in advice.get_text()
    (cheapest,) = [row.th.get_text() for row in advice.select("tr") if "am günstigsten" in row.get_text()]
    assert cheapest.split() == ["S", "jetzt", "am", "günstigsten"]
