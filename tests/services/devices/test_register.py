"""Entering, changing and retiring devices."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import AuditEvent, Customer, Device, DeviceProposal
from ptdash.services.devices import register
from ptdash.services.devices.register import DeviceData, ProductData
from tests.company import Company

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
TODAY = NOW.date()
NOTEBOOK = DeviceData("KES-NB-019", "10001", "notebook", "Notebook 19", "Lenovo", "ThinkPad E16", "PF-5K7Q2M")
OFFICE = ProductData("Microsoft 365 Apps", "Microsoft", "2508")


def create(session: Session, data: DeviceData = NOTEBOOK, *products: ProductData) -> Device:
    return register.create(session, data, list(products), actor_id=None, now=NOW)


def change(session: Session, data: DeviceData, *products: ProductData, seen: str | None = None) -> Device:
    return register.change(session, data.inventory_number, data, list(products), seen=seen, actor_id=None, now=NOW)


def test_what_is_entered_is_stored(session: Session, customer: Customer) -> None:
    device = create(session, NOTEBOOK, OFFICE, ProductData(" "))
    assert register.data_of(session, device) == (NOTEBOOK, [OFFICE])
    event = session.execute(select(AuditEvent)).scalar_one()
    assert (event.action, event.subject, event.subject_id) == ("add", "device", "KES-NB-019")


@pytest.mark.parametrize("field", register.REQUIRED)
def test_what_is_required_is_asked_for(session: Session, customer: Customer, field: str) -> None:
    with pytest.raises(register.DeviceFieldMissing):
        create(session, replace(NOTEBOOK, **{field: " "}))


def test_a_manufacturer_gives_a_serial_number_once(session: Session, customer: Customer) -> None:
    create(session)
    with pytest.raises(register.SerialNumberTaken, match="KES-NB-019 has the serial number PF-5K7Q2M already"):
        create(session, replace(NOTEBOOK, inventory_number="KES-NB-020"))
    create(session, replace(NOTEBOOK, inventory_number="KES-NB-020", manufacturer="HP"))
    create(session, replace(NOTEBOOK, inventory_number="KES-NB-021", serial_number=""))
    create(session, replace(NOTEBOOK, inventory_number="KES-NB-022", serial_number=""))


def test_an_inventory_number_is_taken_once(session: Session, customer: Customer) -> None:
    create(session)
    with pytest.raises(register.InventoryNumberTaken):
        create(session, replace(NOTEBOOK, serial_number="X"))
    assert session.execute(select(Device)).scalars().all()


def test_only_what_changed_is_audited(session: Session, customer: Customer) -> None:
    create(session, NOTEBOOK, OFFICE)
    change(session, replace(NOTEBOOK, model="ThinkPad E16 Gen 2"), OFFICE)
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "change")).scalar_one()
    assert event.before == {"model": "ThinkPad E16"}
    assert event.after == {"model": "ThinkPad E16 Gen 2"}


def test_a_product_stands_once(session: Session, customer: Customer) -> None:
    with pytest.raises(register.ProductTwice):
        create(session, NOTEBOOK, OFFICE, OFFICE)


def test_what_somebody_else_saved_is_not_overwritten(session: Session, customer: Customer) -> None:
    seen = register.fingerprint(*register.data_of(session, create(session)))
    change(session, replace(NOTEBOOK, name="Empfang"), seen=seen)
    with pytest.raises(register.StaleDevice):
        change(session, replace(NOTEBOOK, name="Lager"), seen=seen)


def test_a_device_in_a_contract_stays_with_its_customer(session: Session, company: Company) -> None:
    customer, other = company.customer(number="10001"), company.customer(number="10099")
    device = create(session)
    change(session, replace(NOTEBOOK, customer=other.number))
    change(session, replace(NOTEBOOK, customer=customer.number))
    company.include(company.maintenance(customer), device)
    with pytest.raises(register.OwnerKept):
        change(session, replace(NOTEBOOK, customer=other.number))


def test_a_device_in_a_contract_is_not_said_to_be_foreign(session: Session, company: Company) -> None:
    device = create(session) if company.customer(number="10001") else None
    assert device
    company.include(company.maintenance(session.get_one(Customer, device.customer_id), number="WV-1"), device)
    with pytest.raises(register.OriginKept, match="WV-1"):
        change(session, replace(NOTEBOOK, purchased_from_us=False))


def test_a_retired_device_is_in_no_contract_and_waits_for_none(session: Session, company: Company) -> None:
    customer = company.customer(number="10001")
    device = create(session)
    contract = company.maintenance(customer, number="WV-1")
    row = company.include(contract, device)
    with pytest.raises(register.StillInContract, match="WV-1"):
        register.retire(session, "KES-NB-019", TODAY, "", actor_id=None, now=NOW)
    row.ends_before = row.included_until = TODAY
    company.add(DeviceProposal(device_id=device.id, contract_id=contract.id, monthly_fee=9, proposed_at=NOW))
    register.retire(session, "KES-NB-019", TODAY, "Defekt", actor_id=None, now=NOW)
    assert device.retired_on == TODAY
    assert session.execute(select(DeviceProposal)).first() is None
    register.bring_back(session, "KES-NB-019", actor_id=None, now=NOW)
    assert device.retired_on is None


def test_a_device_is_not_retired_before_it_was_bought(session: Session, customer: Customer) -> None:
    create(session, replace(NOTEBOOK, purchased_on=date(2026, 3, 1)))
    with pytest.raises(register.RetiredBefore):
        register.retire(session, "KES-NB-019", date(2026, 2, 28), "", actor_id=None, now=NOW)
