"""Devices into maintenance contracts and out of them: every refusal with its sentence."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ptdash.domain.errors import NotFound
from ptdash.models import Acceptance, AuditEvent, ContractDevice, Device, DeviceProposal, Invoice, StaleCustomer
from ptdash.services import cancellations, posted
from ptdash.services.acceptances.gates import AcceptanceMissing, AcceptanceRefused, AcceptanceRevoked
from ptdash.services.acceptances.proposing import DeviceRetired
from ptdash.services.contract_changes import including
from ptdash.services.contract_changes.contract import FeeUnreadable, NotMaintenance, PostedAlready
from ptdash.services.posted import Confirmed
from tests.services.test_period_close import close

DAY = date(2026, 10, 12)


@pytest.fixture
def customer(company):
    return company.customer(number="10005")


@pytest.fixture
def contract(company, customer):
    return company.maintenance(customer, number="WV-1")


@pytest.fixture
def device(company, customer):
    return company.device(customer)


@pytest.fixture
def include(session, contract, actor):
    def include(device, included_from=DAY, fee="9.90", number="WV-1", **more):
        return including.include_device(
            session,
            number,
            device.inventory_number,
            included_from=included_from,
            monthly_fee=Decimal(fee),
            **actor,
            **more,
        )

    return include


@pytest.fixture
def remove(session, actor):
    def remove(device, included_until, number="WV-1", **more):
        return including.remove_device(
            session, number, device.inventory_number, included_until=included_until, **actor, **more
        )

    return remove


def accept(company, device, day, outcome="accepted", **more):
    company.add(
        Acceptance(
            device_id=device.id, inspected_on=day, outcome=outcome, inspector_id=company.technician.id, **more
        )
    )


def test_a_device_enters_and_is_on_record(session, device, include):
    row = include(device)
    assert (row.included_from, row.ends_before, row.monthly_fee) == (DAY, None, Decimal("9.90"))
    event = session.execute(select(AuditEvent)).scalar_one()
    assert (event.action, event.subject_id) == ("include_device", "WV-1")
    assert event.after["device"] == device.inventory_number


def test_it_ends_with_its_contract_or_before(session, company, customer, device, include):
    company.maintenance(customer, number="WV-2", ends_before=date(2027, 1, 1))
    assert include(device, number="WV-2").ends_before == date(2027, 1, 1)
    other = company.device(customer)
    assert include(other, included_until=date(2026, 11, 30)).ends_before == date(2026, 12, 1)


def test_who_waited_waits_no_longer(session, company, contract, device, include, actor):
    company.add(
        DeviceProposal(
            device_id=device.id, contract_id=contract.id, monthly_fee=Decimal(1), proposed_at=actor["now"]
        )
    )
    include(device)
    assert session.execute(select(DeviceProposal)).all() == []


# The gate


def test_a_foreign_device_without_acceptance_is_named(company, customer, include):
    foreign = company.device(customer, ours=False)
    with pytest.raises(
        AcceptanceMissing, match="needs a signed acceptance, and there is none up to 2026-10-12"
    ) as no:
        include(foreign)
    assert no.value.params["device"] == foreign.inventory_number


def test_a_refused_one_needs_another_inspection(company, customer, include):
    foreign = company.device(customer, ours=False)
    accept(company, foreign, date(2026, 10, 1), "refused")
    with pytest.raises(AcceptanceRefused, match="refused on 2026-10-01"):
        include(foreign)


def test_a_revoked_one_needs_a_new_acceptance(company, customer, include):
    foreign = company.device(customer, ours=False)
    accept(company, foreign, date(2026, 9, 1), revoked_on=date(2026, 10, 1), revoke_reason="Falsches Gerät")
    with pytest.raises(AcceptanceRevoked, match="revoked on 2026-10-01"):
        include(foreign)


def test_it_enters_from_the_day_of_its_acceptance_on(company, customer, include):
    foreign = company.device(customer, ours=False)
    accept(company, foreign, DAY, "accepted_with_reservations")
    with pytest.raises(AcceptanceMissing):
        include(foreign, included_from=DAY - timedelta(days=1))
    assert include(foreign).included_from == DAY


# What else is refused


def test_another_customers_device_is_refused(company, include):
    stranger = company.device(company.customer(number="10009"))
    with pytest.raises(including.OtherCustomer, match="customer 10009, contract WV-1 to customer 10005"):
        include(stranger)


def test_a_retired_device_is_refused(session, device, include):
    device.retired_on = date(2026, 10, 1)
    with pytest.raises(DeviceRetired, match="retired since 2026-10-01"):
        include(device)


def test_a_device_in_a_contract_is_refused_with_that_contract(company, customer, device, include):
    include(device)
    company.maintenance(customer, number="WV-2")
    with pytest.raises(including.InContract, match="in contract WV-1 from 2026-10-12 on"):
        include(device, date(2026, 12, 1), number="WV-2")
    with pytest.raises(including.InContract, match="in contract WV-1"):
        include(device, date(2026, 10, 1), number="WV-2")


def test_before_another_inclusion_it_may_be_elsewhere(company, customer, device, include):
    company.maintenance(customer, number="WV-2")
    include(device, date(2026, 12, 1))
    with pytest.raises(including.InContract, match="from 2026-12-01"):
        include(device, number="WV-2")
    assert include(device, number="WV-2", included_until=date(2026, 11, 30)).included_from == DAY


@pytest.mark.parametrize(
    ("first", "last", "refusal", "sentence"),
    [
        (date(2025, 12, 31), None, including.BeforeContract, "WV-2 starts on 2026-01-01"),
        (date(2027, 1, 1), None, including.AfterContract, "WV-2 ends on 2026-12-31"),
        (DAY, date(2027, 1, 1), including.AfterContract, "WV-2 ends on 2026-12-31"),
        (DAY, date(2026, 10, 11), including.UntilBeforeFrom, "cannot leave before"),
    ],
)
def test_outside_the_contracts_life_nothing_is_included(
    company, customer, device, include, first, last, refusal, sentence
):
    company.maintenance(customer, number="WV-2", ends_before=date(2027, 1, 1))
    with pytest.raises(refusal, match=sentence):
        include(device, first, number="WV-2", included_until=last)


def test_a_support_contract_has_no_devices(company, customer, device, include):
    company.support(customer, number="SV-1")
    with pytest.raises(NotMaintenance, match="SV-1 is a support contract"):
        include(device, number="SV-1")


def test_what_does_not_exist_is_not_found(device, include):
    with pytest.raises(NotFound, match="WV-9"):
        include(device, number="WV-9")
    with pytest.raises(NotFound, match="D-404"):
        include(Device(inventory_number="D-404"))


def test_a_fee_is_not_below_zero(device, include):
    with pytest.raises(FeeUnreadable):
        include(device, fee="-0.01")


# Out again


def test_it_leaves_on_its_last_day_and_may_stay_after_all(session, device, include, remove):
    row = include(device)
    remove(device, date(2026, 12, 31))
    assert (row.included_until, row.ends_before) == (date(2026, 12, 31), date(2027, 1, 1))
    with pytest.raises(including.NothingChanges):
        remove(device, date(2026, 12, 31))
    remove(device, None)
    assert (row.included_until, row.ends_before) == (None, None)


def test_it_does_not_stay_where_it_has_gone_on_to_another(company, customer, device, include, remove):
    company.maintenance(customer, number="WV-2")
    include(device, included_until=date(2026, 11, 30))
    include(device, date(2026, 12, 1), number="WV-2")
    with pytest.raises(including.InContract, match="in contract WV-2 from 2026-12-01"):
        remove(device, None)


@pytest.mark.parametrize(
    ("last", "refusal"),
    [(date(2026, 10, 11), including.UntilBeforeFrom), (date(2027, 1, 1), including.AfterContract)],
)
def test_it_leaves_within_its_time(company, customer, device, include, remove, last, refusal):
    company.maintenance(customer, number="WV-2", ends_before=date(2027, 1, 1))
    include(device, number="WV-2")
    with pytest.raises(refusal):
        remove(device, last, number="WV-2")


def test_what_never_was_in_the_contract_does_not_leave_it(contract, device, remove):
    with pytest.raises(NotFound):
        remove(device, date(2026, 12, 31))


def test_an_inclusion_by_mistake_is_taken_back(session, device, include, actor):
    include(device)
    including.take_back_inclusion(session, "WV-1", device.inventory_number, **actor)
    assert session.execute(select(ContractDevice)).all() == []


# Posted months


@pytest.fixture
def september(session, contract):
    """Is posted: 29.00 for WV-1."""
    close(session)


def test_an_inclusion_in_posted_months_shows_its_difference_first(session, september, device, include):
    found = including.preview_include(
        session,
        "WV-1",
        device.inventory_number,
        included_from=date(2026, 9, 16),
        monthly_fee=Decimal(10),
    )
    assert [(row.month, row.before_cents, row.after_cents) for row in found] == [(date(2026, 9, 1), 2900, 3400)]
    assert session.execute(select(ContractDevice)).all() == []
    for confirmed, refusal in (
        (Confirmed(), posted.ReachNotSeen),
        (Confirmed(499, "Gerät stand im Lager"), posted.ReachNotSeen),
        (Confirmed(500, ""), posted.ReachReasonMissing),
    ):
        with pytest.raises(refusal), session.begin_nested():
            include(device, date(2026, 9, 16), "10.00", confirmed=confirmed)
    include(device, date(2026, 9, 16), "10.00", confirmed=Confirmed(500, "Gerät stand im Lager"))
    assert session.execute(select(StaleCustomer.since)).scalar_one() == date(2026, 9, 1)


def test_a_later_known_end_shows_its_difference_first(session, company, contract, device, remove):
    company.include(contract, device, "30.00")
    close(session)
    found = including.preview_remove(session, "WV-1", device.inventory_number, included_until=date(2026, 9, 15))
    assert [row.difference_cents for row in found] == [-1500]
    with pytest.raises(posted.ReachNotSeen), session.begin_nested():
        remove(device, date(2026, 9, 15))
    remove(device, date(2026, 9, 15), confirmed=Confirmed(-1500, "Schon im September abgeholt"))
    row = session.execute(select(ContractDevice)).scalar_one()
    assert row.ends_before == date(2026, 9, 16)
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "remove_device")).scalar_one()
    assert event.after["posted_difference_cents"] == -1500


def test_a_cancelled_month_needs_no_reason(session, september, device, include, actor):
    number = session.execute(select(Invoice.number)).scalar_one()
    cancellations.cancel(session, number, "Gerät vergessen", business_day=DAY, **actor)
    assert include(device, date(2026, 9, 16)).included_from == date(2026, 9, 16)


def test_what_was_posted_is_not_taken_back(session, company, contract, device, actor):
    company.include(contract, device)
    close(session)
    with pytest.raises(PostedAlready, match="before 2026-10-01"):
        including.take_back_inclusion(session, "WV-1", device.inventory_number, **actor)


# The database refuses the same, whoever asks


def refused(session, sql, **values):
    session.flush()
    with pytest.raises(DBAPIError) as caught, session.begin_nested():
        session.execute(text(sql), values)
    diag = caught.value.orig.diag
    return caught.value.orig.sqlstate, diag.constraint_name


SUPPORT_SQL = """INSERT INTO contracts (number, customer_id, kind, package, starts_on, ends_before, term_months,
                 notice_months, renewal_months)
                 VALUES (:number, :customer, 'support', 'M', :first, :before, 6, 1, 6)"""
INCLUDE_SQL = """INSERT INTO contract_devices (contract_id, device_id, included_from, ends_before, monthly_fee)
                 VALUES (:contract, :device, :first, :before, 9.90)"""


@pytest.mark.parametrize(
    ("first", "before", "overlaps"),
    [
        (date(2026, 6, 30), None, True),
        (date(2026, 1, 1), date(2026, 1, 2), True),
        (date(2025, 1, 1), date(2026, 1, 2), True),
        (date(2025, 1, 1), None, True),
        (date(2025, 1, 1), date(2026, 1, 1), False),
        (date(2026, 7, 1), None, False),
    ],
)
def test_two_support_packages_on_one_day(session, company, customer, first, before, overlaps):
    """The first one's `ends_before` is 1 July 2026."""
    company.support(customer, ends_before=date(2026, 7, 1))
    values = {"number": "SV-77", "customer": customer.id, "first": first, "before": before}
    if overlaps:
        assert refused(session, SUPPORT_SQL, **values) == ("23P01", "ex_contracts_one_support_package")
    else:
        session.execute(text(SUPPORT_SQL), values)


@pytest.mark.parametrize(("first", "overlaps"), [(date(2026, 6, 30), True), (date(2026, 7, 1), False)])
def test_a_device_in_two_running_contracts(session, company, customer, device, first, overlaps):
    company.include(company.maintenance(customer, ends_before=date(2026, 7, 1)), device)
    other = company.maintenance(customer)
    values = {"contract": other.id, "device": device.id, "first": first, "before": None}
    if overlaps:
        assert refused(session, INCLUDE_SQL, **values) == ("23P01", "ex_contract_devices_one_contract")
    else:
        session.execute(text(INCLUDE_SQL), values)


@pytest.mark.parametrize(
    ("outcome", "revoked_on", "let_in"),
    [
        (None, None, False),
        ("refused", None, False),
        ("accepted", DAY, False),
        ("accepted", DAY + timedelta(days=1), True),
        ("accepted_with_reservations", None, True),
    ],
)
def test_a_foreign_device_without_acceptance(session, company, customer, contract, outcome, revoked_on, let_in):
    foreign = company.device(customer, ours=False)
    if outcome:
        reason = {"revoked_on": revoked_on, "revoke_reason": "Falsches Gerät"} if revoked_on else {}
        accept(company, foreign, DAY - timedelta(days=5), outcome, **reason)
    values = {"contract": contract.id, "device": foreign.id, "first": DAY, "before": None}
    if let_in:
        session.execute(text(INCLUDE_SQL), values)
    else:
        assert refused(session, INCLUDE_SQL, **values) == ("PD004", None)
