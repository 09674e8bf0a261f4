"""Package advice from posted months, and the outbox's own rules."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.config import BERLIN
from ptdash.domain.advice import UsedMonth, advise
from ptdash.domain.settlement import PackagePrice, Rates
from ptdash.services import advice
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close

RATES = Rates(
    {"S": PackagePrice(Decimal(15), 10), "M": PackagePrice(Decimal(40), 30), "L": PackagePrice(Decimal(80), 60)},
    overage=Decimal("1.5"),
    separate=Decimal("1.6667"),
)


def used(*minutes):
    return advise([UsedMonth(each, RATES) for each in minutes])


def test_the_example_of_a_customer_who_outgrew_its_package():
    found = used(40, 10)
    assert found.costs == {None: 6667 + 1667, "S": 1500 + 4500 + 1500, "M": 4000 + 1500 + 4000, "L": 16000}
    assert found.best == "S"
    assert found.saving("M") == 2000


def test_who_uses_nothing_needs_no_package():
    assert used(0, 0).best is None


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_no_package_is_cheaper_than_the_best_and_months_add_up(minutes):
    found = used(*minutes)
    assert all(found.saving(package) >= 0 for package in found.costs)
    each = [used(one).costs for one in minutes]
    assert found.costs == {package: sum(costs[package] for costs in each) for package in found.costs}


@pytest.fixture
def company(session):
    return Company(session)


def on(month, day=10):
    return datetime(2026, month, day, 10, tzinfo=BERLIN)


def test_the_posted_package_minutes_of_the_last_six_months_count(session, company):
    customer = company.customer()
    company.support(customer, "M")
    for month in range(1, 10):
        company.entry(customer, month, at=on(month))
        company.entry(customer, 100, "goodwill", at=on(month, 11))
    for month in range(1, 9):
        close(session, date(2026, month, 1), date(2026, month + 1, 5))
    found = advice.of_customer(session, customer.number)
    assert found.months == tuple((date(2026, month, 1), month) for month in range(3, 9))
    assert found.minutes == 33
    assert found.advice.best == "S" or found.advice.best is None


def test_minutes_without_a_package_count_and_late_ones_do_not(session, company):
    customer = company.customer()
    company.entry(customer, 12, at=on(8))
    close(session, date(2026, 8, 1), date(2026, 9, 5))
    company.entry(customer, 50, at=on(8))
    assert advice.of_customer(session, customer.number).months == ((date(2026, 8, 1), 12),)


def test_before_the_first_posted_month_there_is_no_advice(session, company):
    assert advice.of_customer(session, company.customer().number) is None
    assert NOW
