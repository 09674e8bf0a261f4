"""The list of devices: search, filters, pages; and out to CSV and in again."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import DeviceState
from ptdash.models import Acceptance, Customer, Device, DeviceProduct, Inspection
from ptdash.services.devices import listing, reading, transfer
from ptdash.services.devices.listing import Filters
from tests.company import Company

TODAY = date(2026, 11, 17)
NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)


def numbers(session: Session, **filters: str) -> list[str]:
    return [row.device.inventory_number for row in listing.page(session, Filters(**filters), TODAY).rows]


@pytest.fixture
def devices(session: Session, company: Company, customer: Customer) -> dict[str, Device]:
    """One device of every state."""
    other = company.customer(number="10002", name="Müller & Söhne")
    found = {}
    for name, whose, ours in (
        ("contract", customer, True),
        ("eligible", customer, True),
        ("proposed", other, False),
        ("inspected", other, False),
        ("retired", customer, True),
    ):
        device = company.device(whose, ours=ours)
        device.inventory_number = device.name = name
        found[name] = device
    found["proposed"].manufacturer, found["proposed"].type = "Müller Gerätebau", "printer"
    found["retired"].retired_on = TODAY
    company.include(company.maintenance(customer, number="WV-1"), found["contract"])
    company.add(Inspection(device_id=found["inspected"].id, started_at=NOW))
    session.flush()
    return found


def test_every_state_is_found_by_its_name(session: Session, devices: dict[str, Device]) -> None:
    states = {
        "contract": DeviceState.IN_CONTRACT,
        "eligible": DeviceState.ELIGIBLE,
        "proposed": DeviceState.PROPOSED,
        "inspected": DeviceState.UNDER_INSPECTION,
        "retired": DeviceState.RETIRED,
    }
    for name, state in states.items():
        assert numbers(session, state=state) == [name]
        assert reading.page(session, name, TODAY).state is state
    everything = listing.page(session, Filters(text="e"), TODAY).rows
    assert {row.device.inventory_number: row.state for row in everything}.items() <= states.items()


def test_retired_ones_are_out_of_the_way(session: Session, devices: dict[str, Device]) -> None:
    assert "retired" not in numbers(session)
    assert numbers(session, text="retired") == ["retired"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"text": "muller geratebau"}, ["proposed"]),
        ({"customer": "10002"}, ["inspected", "proposed"]),
        ({"type": "printer"}, ["proposed"]),
        ({"bought": "foreign"}, ["inspected", "proposed"]),
        ({"contract": "in"}, ["contract"]),
        ({"contract": "out", "bought": "ours"}, ["eligible"]),
    ],
)
def test_filters_go_together(
    session: Session, devices: dict[str, Device], filters: dict[str, str], found: list[str]
) -> None:
    assert numbers(session, **filters) == found


def test_pages_follow_one_another_and_lead_back(
    session: Session, company: Company, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for place in range(7):
        company.device(customer).inventory_number = f"D-{place}"
    session.flush()
    first = listing.page(session, Filters(), TODAY)
    second = listing.page(session, Filters(), TODAY, after=first.after)
    third = listing.page(session, Filters(), TODAY, after=second.after)
    shown = [row.device.inventory_number for page in (first, second, third) for row in page.rows]
    assert shown == [f"D-{place}" for place in range(7)]
    assert (first.before, third.after, third.total) == (None, None, 7)
    back = listing.page(session, Filters(), TODAY, before=third.before)
    assert back.rows == second.rows
    start = listing.page(session, Filters(), TODAY, before=back.before)
    assert (start.rows, start.before) == (first.rows, None)


def test_what_is_exported_can_be_imported_again(session: Session, devices: dict[str, Device]) -> None:
    device = devices["proposed"]
    device.name, device.purchased_on = 'Drucker; "Lager"', date(2026, 3, 1)
    session.add(DeviceProduct(device_id=device.id, product="Scanner", version="2.1", source="foreign"))
    session.flush()
    rows = listing.everything(session, Filters(), TODAY)
    contents = {
        "devices.csv": transfer.devices_csv(rows),
        "device_products.csv": transfer.products_csv(session, rows),
    }
    result = transfer.import_files(session, contents, dry_run=False, today=TODAY, actor_id=1, now=NOW)
    assert result.ok, result.errors
    assert (result.unchanged["devices.csv"], result.unchanged["device_products.csv"]) == (4, 1)


def test_a_dry_run_names_every_error_and_writes_nothing(
    session: Session, company: Company, customer: Customer
) -> None:
    rows = (
        "inventory_number;customer;type;name;purchased_from_us\n"
        "A-1;10001;notebook;Notebook;no\nA-2;99999;notebook;Notebook;vielleicht\n"
    )
    result = transfer.import_files(
        session, {"devices.csv": rows.encode()}, dry_run=True, today=TODAY, actor_id=1, now=NOW
    )
    assert {problem.field for problem in result.errors} == {"customer", "purchased_from_us"}
    assert numbers(session) == []


def test_the_page_of_a_device_knows_its_gate(session: Session, company: Company, devices: dict) -> None:
    device = devices["proposed"]
    assert reading.page(session, "proposed", TODAY).gate == "missing"
    company.add(
        Acceptance(device_id=device.id, inspected_on=TODAY, outcome="accepted", inspector_id=company.technician.id)
    )
    page = reading.page(session, "proposed", TODAY)
    assert (page.gate, page.state) == ("open", "eligible")
    assert page.acceptances[0].inspector == "Tarek Kaya"
