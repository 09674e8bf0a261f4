"""Package and fee from a day on."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from ptdash.domain import packages
from ptdash.domain.errors import NotFound
from ptdash.models import AuditEvent, FeeChange, Invoice, PackageChange
from ptdash.services import cancellations
from ptdash.services.contract_changes import prices
from ptdash.services.contract_changes.contract import FeeUnreadable, NotMaintenance, NotSupport, PostedAlready
from tests.services.test_period_close import close

OCTOBER = date(2026, 10, 1)
JANUARY = date(2027, 1, 1)


@pytest.fixture
def customer(company):
    return company.customer()


@pytest.fixture
def contract(company, customer):
    """Terms from 1 January and 1 July."""
    return company.support(customer, number="SV-1")


@pytest.fixture
def change(session, contract, actor):
    def change(package, effective_on, number="SV-1"):
        prices.change_package(session, number, package, effective_on, **actor)

    return change


@pytest.fixture
def change_fee(session, actor):
    def change_fee(fee, effective_on, number="WV-1"):
        prices.change_fee(session, number, Decimal(fee), effective_on, **actor)

    return change_fee


def planned(session):
    rows = session.execute(select(PackageChange).order_by(PackageChange.effective_on)).scalars()
    return [(row.effective_on, row.package) for row in rows]


def test_up_on_a_first_and_down_with_a_term(session, change):
    change("L", OCTOBER)
    change("S", JANUARY)
    assert planned(session) == [(OCTOBER, "L"), (JANUARY, "S")]
    events = session.execute(select(AuditEvent.before, AuditEvent.after).order_by(AuditEvent.id)).all()
    assert [(before["package"], after["package"]) for before, after in events] == [("M", "L"), ("L", "S")]


@pytest.mark.parametrize(
    ("package", "day", "refusal"),
    [
        ("L", date(2026, 10, 2), packages.UpgradeNotOnFirst),
        ("S", OCTOBER, packages.DowngradeInsideTerm),
        ("M", OCTOBER, packages.SamePackage),
        ("XL", OCTOBER, prices.PackageUnknown),
        ("L", date(2025, 12, 1), packages.ChangeBeforeStart),
    ],
)
def test_any_other_change_is_refused(change, package, day, refusal):
    with pytest.raises(refusal):
        change(package, day)


def test_nothing_changes_after_the_end(company, change):
    company.support(company.customer(), number="SV-2", ends_before=OCTOBER)
    with pytest.raises(packages.ChangeAfterEnd, match="SV-2 does not run on 2026-10-01"):
        change("L", OCTOBER, "SV-2")


def test_a_change_of_the_same_day_is_replaced(session, company, change):
    company.support(company.customer(), "S", number="SV-2")
    change("M", OCTOBER, "SV-2")
    change("L", OCTOBER, "SV-2")
    assert planned(session) == [(OCTOBER, "L")]


def test_a_planned_upgrade_that_would_become_a_downgrade_is_named(company, change):
    company.support(company.customer(), "S", number="SV-2")
    change("M", date(2026, 11, 1), "SV-2")
    with pytest.raises(prices.LaterChangeInTheWay, match="package M that is planned for 2026-11-01"):
        change("L", OCTOBER, "SV-2")


def test_what_is_planned_can_be_taken_back(session, change, actor):
    change("L", OCTOBER)
    prices.take_back_package(session, "SV-1", OCTOBER, **actor)
    assert planned(session) == []
    with pytest.raises(NotFound):
        prices.take_back_package(session, "SV-1", OCTOBER, **actor)


def test_taking_back_leaves_nothing_impossible_behind(session, change, actor):
    change("L", OCTOBER)
    change("S", JANUARY)
    change("M", date(2027, 2, 1))
    with pytest.raises(prices.LaterChangeInTheWay, match="2027-02-01"):
        prices.take_back_package(session, "SV-1", JANUARY, **actor)


def test_posted_months_keep_their_package(session, customer, change, actor):
    close(session)
    with pytest.raises(PostedAlready, match="before 2026-10-01 are posted"):
        change("L", date(2026, 9, 1))
    change("L", OCTOBER)
    close(session, OCTOBER, date(2026, 11, 5))
    with pytest.raises(PostedAlready):
        prices.take_back_package(session, "SV-1", OCTOBER, **actor)


def test_a_cancelled_month_is_open_again(session, change, actor):
    close(session)
    invoice = session.execute(select(Invoice)).scalar_one()
    cancellations.cancel(session, invoice.number, "Falsches Paket", business_day=date(2026, 10, 6), **actor)
    change("L", date(2026, 9, 1))
    assert planned(session) == [(date(2026, 9, 1), "L")]


def test_the_fee_changes_on_the_first_of_an_open_month(session, company, customer, change_fee):
    company.maintenance(customer, number="WV-1")
    change_fee("35.50", OCTOBER)
    change_fee("36.00", OCTOBER)
    row = session.execute(select(FeeChange)).scalar_one()
    assert (row.effective_on, row.monthly_fee) == (OCTOBER, Decimal("36.00"))


@pytest.mark.parametrize(
    ("fee", "day", "refusal"),
    [
        ("29.00", OCTOBER, prices.SameFee),
        ("30.00", date(2026, 10, 15), prices.FeeNotOnFirst),
        ("-1", OCTOBER, FeeUnreadable),
        ("30.00", date(2026, 9, 1), PostedAlready),
        ("30.00", date(2025, 9, 1), packages.ChangeBeforeStart),
    ],
)
def test_any_other_fee_is_refused(session, company, customer, change_fee, fee, day, refusal):
    company.maintenance(customer, number="WV-1")
    close(session)
    with pytest.raises(refusal):
        change_fee(fee, day)


def test_a_change_of_the_fee_is_taken_back_while_it_is_not_posted(session, company, customer, change_fee, actor):
    company.maintenance(customer, number="WV-1")
    change_fee("30.00", OCTOBER)
    prices.take_back_fee(session, "WV-1", OCTOBER, **actor)
    assert session.execute(select(FeeChange)).all() == []


def test_each_kind_has_its_own(session, company, customer, change, change_fee, contract):
    company.maintenance(customer, number="WV-1")
    with pytest.raises(NotSupport, match="WV-1 is a maintenance contract"):
        change("L", OCTOBER, "WV-1")
    with pytest.raises(NotMaintenance, match="SV-1 is a support contract"):
        change_fee("30.00", OCTOBER, "SV-1")
    with pytest.raises(NotFound):
        change("L", OCTOBER, "SV-9")
