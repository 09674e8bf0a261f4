"""A contract on screen: who sees what, what is made and changed, in which words it is refused."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from ptdash.db import db, transaction
from ptdash.models import (
    Acceptance,
    AuditEvent,
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProduct,
    DeviceProposal,
    FeeChange,
    PackageChange,
    Role,
    SoftwareAgreement,
    User,
)
from ptdash.services import contracts
from tests.blueprints.browser import HTMX, Browser, text_of
from tests.company import Company
from tests.conftest import NOW
from tests.counting import queries
from tests.services.test_period_close import close

SV, WV = "/contracts/SV-1", "/contracts/WV-1"
NEW = "/contracts/new"
# Long before and after any day on which these tests run.
FIRST = date(2026, 1, 1)


@pytest.fixture
def house(app: Flask) -> None:
    """Autohaus Kessler has both kinds, a device of ours in the contract, and a foreign one without acceptance."""
    with app.app_context():
        with transaction() as session:
            company = Company(session)
            kessler = company.customer(number="10005", name="Autohaus Kessler KG")
            company.support(kessler, number="SV-1", starts_on=FIRST)
            contract = company.maintenance(kessler, number="WV-1", starts_on=FIRST)
            contract.active_station_procedure = "Vorher anrufen"
            for number, ours in (("NB-1", True), ("NB-2", True), ("DR/4", False)):
                device = company.device(kessler, ours=ours)
                device.inventory_number = device.name = number
                if number == "NB-1":
                    company.include(contract, device)
            company.customer(number="10006", name="Bäckerei Lindner")
        db.session.remove()


@pytest.fixture
def manager(browser: Browser, house: None) -> Browser:
    browser.sign_in(Role.MANAGER)
    return browser


def stored(app: Flask, model: type) -> list:
    with app.app_context(), transaction() as session:
        return list(session.execute(select(model)).scalars())


def accept(app: Flask, number: str = "DR/4", on: date = date(2026, 2, 1)) -> None:
    with app.app_context(), transaction() as session:
        device = session.execute(select(Device).where(Device.inventory_number == number)).scalar_one()
        inspector = session.execute(select(User.id).order_by(User.id).limit(1)).scalar_one()
        session.add(Acceptance(device_id=device.id, inspected_on=on, outcome="accepted", inspector_id=inspector))


# Who sees what

WRITING = [
    NEW,
    f"{SV}/package",
    f"{WV}/fee",
    f"{WV}/terms",
    f"{WV}/procedure",
    f"{WV}/agreements",
    f"{WV}/devices/add",
    f"{WV}/devices/NB-1/remove",
]


def test_a_dispatcher_reads_and_changes_nothing(browser: Browser, house: None) -> None:
    browser.sign_in(Role.DISPATCHER)
    for path in (SV, WV):
        page = browser.page(path)
        assert page.find("main").find_all("form") == []
        assert "/notice" not in str(page.find("main"))
    for path in WRITING:
        browser.page(path, 403)


def test_a_technician_sees_devices_and_procedure_and_no_money(browser: Browser, house: None) -> None:
    browser.sign_in(Role.TECHNICIAN)
    text = browser.page(WV).get_text()
    assert "NB-1" in text
    assert "Vorher anrufen" in text
    assert "€" not in text
    browser.page(SV, 403)
    for path in WRITING:
        browser.page(path, 403)


def test_an_administrator_has_no_contracts(browser: Browser, house: None) -> None:
    browser.sign_in(Role.ADMIN)
    for path in (SV, WV, *WRITING):
        browser.page(path, 403)


def test_what_does_not_exist_is_not_found(manager: Browser) -> None:
    for path in ("/contracts/SV-9", "/contracts/WV-9/terms", "/contracts/WV-9/devices/add"):
        manager.page(path, 404)
    manager.page(f"{WV}/devices/NB-2/remove", 404)


def test_each_kind_has_its_own_changes(manager: Browser) -> None:
    for path in (f"{WV}/package", f"{SV}/fee", f"{SV}/devices/add"):
        manager.page(path, 422)


def test_the_page_asks_as_often_with_many_devices(app: Flask, manager: Browser) -> None:
    with app.app_context():
        asked_for(manager)  # the first page of a session notes that it is used
        few = asked_for(manager)
        with transaction() as session:
            contract = session.execute(select(Contract).where(Contract.number == "WV-1")).scalar_one()
            for n in range(40):
                number = f"X-{n}"
                device = Device(
                    inventory_number=number,
                    customer_id=contract.customer_id,
                    type="notebook",
                    name=number,
                    purchased_from_us=True,
                )
                session.add(device)
                session.flush()
                session.add(
                    ContractDevice(
                        contract_id=contract.id, device_id=device.id, included_from=FIRST, monthly_fee=n
                    )
                )
        assert asked_for(manager) == few


def asked_for(manager: Browser) -> int:
    db.session.remove()
    with queries() as sent:
        manager.page(WV)
    return len(sent)


# Making one


def test_the_form_comes_with_what_is_promised(manager: Browser) -> None:
    for kind, months in (("support", ("6", "1", "6")), ("maintenance", ("12", "1", "12"))):
        page = manager.page(f"{NEW}?kind={kind}&customer=10006")
        names = ("term_months", "notice_months", "renewal_months")
        assert tuple(page.find(id=name)["value"] for name in names) == months
        assert page.find("option", selected=True)["value"] == "10006"


def test_a_maintenance_contract_is_made(app: Flask, manager: Browser) -> None:
    answer = manager.submit(
        f"{NEW}?kind=maintenance&customer=10006",
        NEW,
        starts_on="2026-12-01",
        monthly_fee="29,00",
        active_station_procedure="Nur nach Ladenschluss",
    )
    assert (answer.status_code, answer.location) == (303, "/contracts/WV-2001")
    made = next(row for row in stored(app, Contract) if row.number == "WV-2001")
    assert (made.term_months, made.renewal_months, str(made.monthly_fee)) == (12, 12, "29.00")
    assert "Nur nach Ladenschluss" in manager.page("/contracts/WV-2001").get_text()


def test_what_is_typed_is_said_at_once(manager: Browser) -> None:
    asked = {
        "kind": "support",
        "customer": "10006",
        "starts_on": "2026-12-01",
        "package": "M",
        "term_months": "6",
        "notice_months": "1",
        "renews": "y",
        "renewal_months": "6",
    }
    answer = manager.get(f"{NEW}/result", query_string=asked, headers=HTMX)
    text = text_of(answer)
    for part in ("40,00 €", "01.12.2026 – 31.05.2027", "30.04.2027", "Dezember 2026"):
        assert part in text
    again = text_of(manager.get(f"{NEW}/result", query_string=asked | {"customer": "10005"}, headers=HTMX))
    assert "SV-1" in again


def test_a_refusal_keeps_what_was_typed(app: Flask, manager: Browser) -> None:
    answer = manager.submit(
        f"{NEW}?kind=support&customer=10005", NEW, starts_on="2026-12-01", package="L", term_months="3"
    )
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "SV-1" in text
    assert 'value="3"' in text
    assert len(stored(app, Contract)) == 2


def test_a_start_in_posted_months_is_saved_after_its_difference_was_seen(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        close(session)
    typed = {"starts_on": "2026-09-16", "package": "M"}
    url = f"{NEW}?kind=support&customer=10006"
    first = manager.submit(url, NEW, **typed)
    assert first.status_code == 409
    assert "+20,00 €" in text_of(first)
    without = manager.submit(url, NEW, **typed, seen_cents="2000")
    assert without.status_code == 422
    answer = manager.submit(url, NEW, **typed, seen_cents="2000", reason="Vertrag kam erst heute zurück")
    assert answer.status_code == 303


def test_what_follows_a_contract_begins_as_it_ended(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        contract = session.execute(select(Contract).where(Contract.number == "WV-1")).scalar_one()
        contract.renewal_months = None
        contracts.store_ends(session, [contract.id])
    page = manager.page(f"{NEW}?follows=WV-1")
    assert page.find(id="starts_on")["value"] == "2027-01-01"
    assert page.find("textarea").get_text().strip() == "Vorher anrufen"
    answer = manager.submit(f"{NEW}?follows=WV-1", NEW, monthly_fee="31,00")
    assert (answer.status_code, answer.location) == (303, "/contracts/WV-2001")
    assert "WV-2001" in manager.page(WV).get_text()


def test_a_changed_contract_takes_devices_and_agreements_along(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        contract = session.execute(select(Contract).where(Contract.number == "WV-1")).scalar_one()
        contract.renewal_months = None
        session.add(FeeChange(contract_id=contract.id, effective_on=date(2026, 12, 1), monthly_fee=35))
        session.add(SoftwareAgreement(contract_id=contract.id, product="Lexware", agreement="nur Updates"))
        contracts.store_ends(session, [contract.id])
    follow = f"{NEW}?follows=WV-1"
    page = manager.page(follow)
    assert page.find(id="monthly_fee")["value"] == "35,00"
    assert "44,90 € netto im Monat, mit 1 Gerät" in " ".join(page.find(id="result").get_text().split())
    assert manager.submit(follow, NEW, monthly_fee="31,00").status_code == 303
    after = manager.page("/contracts/WV-2001")
    assert "NB-1" in after.find(id="devices").get_text()
    assert "Lexware" in after.find(id="agreements").get_text()
    assert "Gebühr ohne Geräte31,00" in after.find(id="facts").get_text()
    (_, taken) = stored(app, ContractDevice)
    assert (taken.included_from, taken.ends_before) == (date(2027, 1, 1), date(2028, 1, 1))


def test_a_changed_contract_can_do_without_the_devices(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        contract = session.execute(select(Contract).where(Contract.number == "WV-1")).scalar_one()
        contract.renewal_months = None
        contracts.store_ends(session, [contract.id])
    answer = manager.submit(f"{NEW}?follows=WV-1", NEW, takes_over="")
    assert answer.status_code == 303
    assert len(stored(app, ContractDevice)) == 1


# Changing it


def test_another_package_from_its_earliest_day(app: Flask, manager: Browser) -> None:
    answer = manager.submit(f"{SV}/package", f"{SV}/package", package="L", effective_on="")
    assert answer.status_code == 303
    (change,) = stored(app, PackageChange)
    assert (change.package, change.effective_on.day) == ("L", 1)
    take_back = f"{SV}/package/{change.effective_on.isoformat()}/take-back"
    assert manager.submit(SV, take_back).status_code == 303
    assert stored(app, PackageChange) == []


def test_a_day_that_does_not_fit_is_told_at_its_field(manager: Browser) -> None:
    answer = manager.submit(f"{SV}/package", f"{SV}/package", package="L", effective_on="2030-02-02")
    assert answer.status_code == 422
    assert "02.02.2030" in text_of(answer)


def test_the_fee_of_a_later_month(app: Flask, manager: Browser) -> None:
    assert manager.submit(f"{WV}/fee", f"{WV}/fee", monthly_fee="viel").status_code == 422
    assert manager.submit(f"{WV}/fee", f"{WV}/fee", monthly_fee="35,50").status_code == 303
    (change,) = stored(app, FeeChange)
    assert str(change.monthly_fee) == "35.50"
    answer = manager.submit(WV, f"{WV}/fee/{change.effective_on.isoformat()}/take-back")
    assert answer.status_code == 303


def test_terms_before_the_start(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        customer_id = session.execute(select(Customer.id).where(Customer.number == "10006")).scalar_one()
        months = {"term_months": 12, "notice_months": 1, "renewal_months": 12}
        session.add(
            Contract(
                number="WV-7",
                customer_id=customer_id,
                kind="maintenance",
                monthly_fee=1,
                starts_on=date(2035, 1, 1),
                **months,
            )
        )
    answer = manager.submit("/contracts/WV-7/terms", "/contracts/WV-7/terms", notice_months="3")
    assert answer.status_code == 303
    assert next(row for row in stored(app, Contract) if row.number == "WV-7").notice_months == 3


def test_procedure_and_agreements(app: Flask, manager: Browser) -> None:
    assert manager.submit(f"{WV}/procedure", f"{WV}/procedure", text="Abends").status_code == 303
    assert manager.submit(f"{WV}/agreements", f"{WV}/agreements", product="DATEV").status_code == 422
    answer = manager.submit(f"{WV}/agreements", f"{WV}/agreements", product="DATEV", agreement="Nach Aufwand")
    assert answer.status_code == 303
    text = manager.page(WV).get_text()
    assert "Abends" in text
    assert "Nach Aufwand" in text
    assert manager.submit(WV, f"{WV}/agreements/withdraw").status_code == 303
    assert stored(app, SoftwareAgreement) == []
    assert {event.action for event in stored(app, AuditEvent) if event.subject == "contract"} == {
        "set_procedure",
        "agree_on_software",
        "withdraw_agreement",
    }


def test_an_agreement_offers_the_foreign_software_of_the_devices(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        device = session.execute(select(Device).where(Device.inventory_number == "NB-1")).scalar_one()
        for product, source in (("Lexware", "foreign"), ("Office", "ours")):
            session.add(DeviceProduct(device_id=device.id, product=product, source=source))
    page = manager.page(f"{WV}/agreements")
    offered = page.find(id=page.find(id="product")["list"])
    assert [option["value"] for option in offered.find_all("option")] == ["Lexware"]


# Devices


def test_a_foreign_device_is_refused_with_the_way_to_its_acceptance(app: Flask, manager: Browser) -> None:
    form = {"device": "DR/4", "included_from": "2026-11-01", "monthly_fee": "9,90"}
    answer = manager.submit(f"{WV}/devices/add", f"{WV}/devices/add", **form)
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert 'href="/devices/DR~2F4#acceptance"' in text
    assert "needs a signed acceptance" in text or "Abnahme" in text
    live = manager.get(f"{WV}/devices/add/result", query_string=form, headers=HTMX)
    assert "/devices/DR~2F4#acceptance" in live.get_data(as_text=True)
    accept(app)
    assert manager.submit(f"{WV}/devices/add", f"{WV}/devices/add", **form).status_code == 303
    assert "DR/4" in manager.page(WV).get_text()


def test_what_waits_comes_with_its_fee(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        found = dict(session.execute(select(Device.inventory_number, Device.id)).all())
        contract_id = session.execute(select(Contract.id).where(Contract.number == "WV-1")).scalar_one()
        waiting = {"contract_id": contract_id, "monthly_fee": 12, "proposed_at": NOW}
        session.add_all(DeviceProposal(device_id=found[number], **waiting) for number in ("NB-2", "DR/4"))
    page = manager.page(WV)
    assert page.find("a", href=f"{WV}/devices/add?device=NB-2")
    assert page.find("a", href="/devices/DR~2F4#acceptance")
    form = manager.page(f"{WV}/devices/add?device=NB-2")
    assert form.find(id="monthly_fee")["value"] == "12,00"
    answer = manager.submit(f"{WV}/devices/add?device=NB-2", f"{WV}/devices/add")
    assert answer.status_code == 303
    assert [row.device_id for row in stored(app, DeviceProposal)] == [found["DR/4"]]


def test_a_device_leaves_and_stays_after_all(app: Flask, manager: Browser) -> None:
    path = f"{WV}/devices/NB-1/remove"
    assert manager.submit(path, path, included_until="2035-12-31").status_code == 303
    assert manager.submit(WV, path).status_code == 303
    (row,) = stored(app, ContractDevice)
    assert row.included_until is None


def test_a_later_known_end_is_saved_after_its_difference_was_seen(app: Flask, manager: Browser) -> None:
    with app.app_context(), transaction() as session:
        close(session)
    path = f"{WV}/devices/NB-1/remove"
    first = manager.submit(path, path, included_until="2026-09-10")
    assert first.status_code == 409
    assert "−6,60 €" in text_of(first)
    answer = manager.submit(path, path, included_until="2026-09-10", seen_cents="-660", reason="Schon abgeholt")
    assert answer.status_code == 303
    assert "Schon abgeholt" in manager.page(WV).get_text()


def test_an_inclusion_by_mistake_is_taken_back(app: Flask, manager: Browser) -> None:
    answer = manager.submit(f"{WV}/devices/NB-1/remove", f"{WV}/devices/NB-1/take-back")
    assert answer.status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ContractDevice)) == 0
