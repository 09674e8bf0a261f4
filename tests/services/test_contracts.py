"""Renewals as a day sees them, and the stored ends of contracts and their devices."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from ptdash.models import (
    Contract,
    ContractDevice,
    ContractNotice,
    Customer,
    Device,
    FeeChange,
    PackageChange,
    Price,
)
from ptdash.services import contracts


@pytest.fixture
def book(session):
    return Book(session)


class Book:
    """Writes facts the way an import does, with one customer unless another is asked for."""

    def __init__(self, session):
        self.session = session
        self.customer = self.add(Customer(number="10001", name="Muster GmbH", sort_key="muster gmbh"))

    def add(self, row):
        self.session.add(row)
        self.session.flush()
        return row

    def consumer(self):
        return self.add(Customer(number="10002", name="Eva Muster", sort_key="muster eva", is_consumer=True))

    def support(self, number="SV-1", customer=None, starts_on=date(2026, 1, 1), package="M", renewal_months=6):
        return self.add(
            Contract(
                number=number,
                customer_id=(customer or self.customer).id,
                kind="support",
                package=package,
                starts_on=starts_on,
                term_months=6,
                notice_months=1,
                renewal_months=renewal_months,
            )
        )

    def maintenance(self, number="WV-1", starts_on=date(2026, 1, 1), fee="29.00", renewal_months=12):
        return self.add(
            Contract(
                number=number,
                customer_id=self.customer.id,
                kind="maintenance",
                monthly_fee=Decimal(fee),
                starts_on=starts_on,
                term_months=12,
                notice_months=1,
                renewal_months=renewal_months,
            )
        )

    def device(self, contract, included_from, included_until=None, fee="9.90", device=None):
        device = device or self.add(
            Device(
                inventory_number=f"{contract.number}-{included_from}-{fee}",
                customer_id=self.customer.id,
                type="pc",
                name="PC",
                purchased_from_us=True,
            )
        )
        return self.add(
            ContractDevice(
                contract_id=contract.id,
                device_id=device.id,
                included_from=included_from,
                included_until=included_until,
                ends_before=contracts.device_ends_before(included_until, contract.ends_before),
                monthly_fee=Decimal(fee),
            )
        )

    def notice(self, contract, received_on, ends_on=None):
        kind = "extraordinary" if ends_on else "ordinary"
        notice = ContractNotice(contract_id=contract.id, received_on=received_on, kind=kind, ends_on=ends_on)
        return self.add(notice)


def only(session, on):
    (row,) = contracts.renewals(session, on)
    return row


# Renewals


def test_a_running_contract_as_the_interface_shows_it(session, book):
    book.support()
    assert contracts.renewals(session, date(2026, 10, 5)) == [
        {
            "contract": "SV-1",
            "customer": "10001",
            "kind": "support",
            "state": "active",
            "term_starts_on": "2026-07-01",
            "term_ends_on": "2026-12-31",
            "notice_deadline": "2026-11-30",
            "renews_on": "2027-01-01",
            "ends_on": None,
            "monthly_net_cents": 4000,
        }
    ]


def test_contracts_come_in_the_order_of_their_numbers(session, book):
    for number in ("WV-2", "WV-10", "WV-1"):
        book.maintenance(number)
    assert [row["contract"] for row in contracts.renewals(session, date(2026, 10, 5))] == ["WV-1", "WV-10", "WV-2"]


def test_a_notice_is_known_from_the_day_of_its_receipt(session, book):
    book.notice(book.support(), date(2026, 10, 12), date(2026, 10, 20))
    seen = [only(session, date(2026, 10, day)) for day in (11, 12, 20, 21)]
    assert [row["state"] for row in seen] == ["active", "notice_given", "notice_given", "ended"]
    assert [row["ends_on"] for row in seen] == [None, *["2026-10-20"] * 3]
    assert [row["renews_on"] for row in seen] == ["2027-01-01", None, None, None]


def test_a_consumers_contract_goes_on_without_a_term(session, book):
    book.support(customer=book.consumer())
    row = only(session, date(2026, 10, 5))
    assert (row["state"], row["term_starts_on"]) == ("active", "2026-07-01")
    assert (row["term_ends_on"], row["notice_deadline"], row["renews_on"], row["ends_on"]) == (None,) * 4


def test_the_package_and_the_price_of_the_day_count(session, book):
    contract = book.support()
    book.add(PackageChange(contract_id=contract.id, effective_on=date(2026, 11, 1), package="L"))
    book.add(Price(item="package_L", valid_from=date(2026, 12, 1), net=Decimal("85.50"), included_minutes=60))
    days = (date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 1))
    assert [only(session, day)["monthly_net_cents"] for day in days] == [4000, 8000, 8550]


def test_a_day_before_any_price_shows_none(session, book):
    book.support()
    assert only(session, date(2023, 12, 31))["monthly_net_cents"] is None


def test_maintenance_costs_its_fee_and_the_devices_of_the_day(session, book):
    contract = book.maintenance()
    book.device(contract, date(2026, 1, 1))
    book.device(contract, date(2026, 10, 12), date(2026, 11, 17), fee="24.00")
    book.add(FeeChange(contract_id=contract.id, effective_on=date(2026, 12, 1), monthly_fee=Decimal("31.00")))
    days = [date(2026, 10, 11), date(2026, 10, 12), date(2026, 11, 17), date(2026, 11, 18), date(2026, 12, 1)]
    assert [only(session, day)["monthly_net_cents"] for day in days] == [3890, 6290, 6290, 3890, 4090]


def test_a_draft_costs_what_is_known_on_the_day(session, book):
    book.device(book.maintenance(starts_on=date(2026, 11, 1)), date(2026, 11, 1))
    row = only(session, date(2026, 10, 5))
    assert (row["state"], row["monthly_net_cents"]) == ("draft", 2900)


def test_an_ended_contract_costs_what_its_last_day_cost(session, book):
    contract = book.maintenance()
    book.device(contract, date(2026, 1, 1))
    book.device(contract, date(2026, 1, 1), date(2026, 6, 30), fee="24.00")
    book.add(FeeChange(contract_id=contract.id, effective_on=date(2026, 12, 1), monthly_fee=Decimal("31.00")))
    book.notice(contract, date(2026, 10, 12), date(2026, 10, 20))
    contracts.store_ends(session, [contract.id])
    row = only(session, date(2027, 3, 1))
    assert (row["state"], row["ends_on"], row["monthly_net_cents"]) == ("ended", "2026-10-20", 3890)


def test_the_number_of_queries_does_not_grow_with_the_contracts(session, book):
    def count():
        seen = []
        session.flush()
        session.expire_all()
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", listener := lambda *args: seen.append(args[2]))
        contracts.renewals(session, date(2026, 10, 5))
        event.remove(engine, "before_cursor_execute", listener)
        return len(seen)

    book.device(book.maintenance(), date(2026, 1, 1))
    few = count()
    session.add_all(
        Contract(
            number=f"WV-{n}",
            customer_id=book.customer.id,
            kind="maintenance",
            monthly_fee=Decimal(10),
            starts_on=date(2026, 1, 1),
            term_months=12,
            notice_months=1,
        )
        for n in range(2, 1200)
    )
    assert count() == few


# Stored ends


def test_the_end_of_a_contract_ends_its_devices(session, book):
    contract = book.maintenance()
    staying = book.device(contract, date(2026, 1, 1))
    left_before = book.device(contract, date(2026, 1, 1), date(2026, 6, 30), fee="1.00")
    leaving_later = book.device(contract, date(2026, 1, 1), date(2026, 11, 17), fee="2.00")
    book.notice(contract, date(2026, 10, 12), date(2026, 10, 20))
    assert contracts.store_ends(session, [contract.id]) == ["WV-1"]
    assert contract.ends_before == date(2026, 10, 21)
    assert staying.ends_before == leaving_later.ends_before == date(2026, 10, 21)
    assert left_before.ends_before == date(2026, 7, 1)


def test_a_withdrawal_reopens_the_contract_and_its_devices(session, book):
    contract = book.maintenance()
    staying = book.device(contract, date(2026, 1, 1))
    leaving_later = book.device(contract, date(2026, 1, 1), date(2026, 11, 17), fee="2.00")
    notice = book.notice(contract, date(2026, 10, 12), date(2026, 10, 20))
    contracts.store_ends(session, [contract.id])
    notice.withdrawn_on = date(2026, 10, 14)
    assert contracts.store_ends(session, [contract.id]) == ["WV-1"]
    assert (contract.ends_before, staying.ends_before) == (None, None)
    assert leaving_later.ends_before == date(2026, 11, 18)


def test_without_renewal_the_end_is_stored_from_the_beginning(session, book):
    contract = book.maintenance(renewal_months=None)
    contracts.store_ends(session, [contract.id])
    assert contract.ends_before == date(2027, 1, 1)
    assert contracts.store_ends(session, [contract.id]) == []


def test_only_the_contracts_asked_for_are_touched(session, book):
    asked, other = book.maintenance("WV-1", renewal_months=None), book.maintenance("WV-2", renewal_months=None)
    assert contracts.store_ends(session, [asked.id]) == ["WV-1"]
    assert other.ends_before is None
    stored_and_derived = [(row.ends_before, derived) for row, derived in contracts.derived_ends(session)]
    assert stored_and_derived == [(date(2027, 1, 1), date(2027, 1, 1)), (None, date(2027, 1, 1))]


def test_a_contract_cannot_be_reopened_over_its_successor(session, book):
    contract = book.support()
    notice = book.notice(contract, date(2026, 5, 4))
    contracts.store_ends(session, [contract.id])
    book.support("SV-2", starts_on=date(2026, 7, 1))
    notice.withdrawn_on = date(2026, 6, 1)
    with pytest.raises(IntegrityError, match="ex_contracts_one_support_package"):
        contracts.store_ends(session, [contract.id])


def test_a_device_cannot_enter_after_the_end(session, book):
    contract = book.maintenance()
    book.device(contract, date(2026, 11, 1))
    book.notice(contract, date(2026, 10, 12), date(2026, 10, 31))
    with pytest.raises(contracts.DeviceEntersAfterEnd, match="WV-1 on 2026-11-01"):
        contracts.store_ends(session, [contract.id])


def test_a_contract_cannot_end_before_it_starts(session, book):
    contract = book.maintenance()
    book.notice(contract, date(2025, 12, 1), date(2025, 12, 31))
    with pytest.raises(contracts.EndsBeforeItStarts, match="end on 2025-12-31"):
        contracts.store_ends(session, [contract.id])


def test_what_was_stored_is_what_the_database_has(session, book):
    contract = book.maintenance()
    book.notice(contract, date(2026, 10, 12), date(2026, 10, 20))
    contracts.store_ends(session, [contract.id])
    assert session.execute(select(Contract.ends_before)).scalar_one() == date(2026, 10, 21)
