"""The price list: what a new price needs, what it must not touch, and whom it reaches."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from ptdash.models import AuditEvent, Price
from ptdash.services import prices
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import OCTOBER, SEPTEMBER, close

DECEMBER = date(2026, 12, 1)


@pytest.fixture
def company(session):
    return Company(session)


def change(session, item, valid_from, net, minutes=None) -> None:
    prices.change(session, item, valid_from, Decimal(net), minutes, actor_id=None, now=NOW)


def test_a_new_price_counts_from_its_month_on(session, company):
    change(session, "overage_minute", OCTOBER, "1.7525")
    assert prices.valid_on(session, SEPTEMBER).rates.overage == Decimal("1.5")
    assert prices.valid_on(session, date(2026, 10, 31)).rates.overage == Decimal("1.7525")


def test_a_change_leaves_what_was_there_before(session, company):
    change(session, "package_M", OCTOBER, "42", 30)
    change(session, "package_M", OCTOBER, "43.50", 35)
    events = session.execute(select(AuditEvent).order_by(AuditEvent.id)).scalars().all()
    assert [(e.action, e.subject_id) for e in events] == [("change_price", "package_M 2026-10-01")] * 2
    assert events[0].before is None
    assert events[1].before == {"net": "42.0000", "included_minutes": 30}
    assert events[1].after == {"net": "43.50", "included_minutes": 35}


@pytest.mark.parametrize(
    ("item", "valid_from", "net", "minutes", "refusal"),
    [
        ("package_X", OCTOBER, "40", 30, prices.UnknownItem),
        ("package_M", date(2026, 10, 2), "40", 30, prices.PriceWithinMonth),
        ("package_M", OCTOBER, "-0.01", 30, prices.PriceNegative),
        ("package_M", OCTOBER, "40.00001", 30, prices.PriceTooPrecise),
        ("vat_standard", OCTOBER, "19.001", None, prices.PriceTooPrecise),
        ("vat_standard", OCTOBER, "100.01", None, prices.PriceTooLarge),
        ("package_M", OCTOBER, "1000000.01", 30, prices.PriceTooLarge),
        ("package_M", OCTOBER, "40", None, prices.MinutesMissing),
        ("package_M", OCTOBER, "40", -1, prices.MinutesMissing),
        ("overage_minute", OCTOBER, "1.5", 30, prices.MinutesNotAllowed),
    ],
)
def test_what_is_no_price_is_refused(session, item, valid_from, net, minutes, refusal):
    with pytest.raises(refusal):
        change(session, item, valid_from, net, minutes)


def test_a_month_whose_run_has_begun_keeps_its_prices(session, company):
    close(session)
    with pytest.raises(prices.PriceInUse) as refused:
        change(session, "overage_minute", SEPTEMBER, "2")
    assert refused.value.params == {"month": "2026-09"}
    change(session, "overage_minute", OCTOBER, "2")


def test_an_earlier_price_can_be_entered_where_a_later_one_counts_for_what_has_begun(session, company):
    company.price("overage_minute", "1.6", date(2026, 8, 1))
    close(session)
    change(session, "overage_minute", date(2026, 7, 1), "1.55")
    with pytest.raises(prices.PriceInUse):
        change(session, "overage_minute", date(2026, 8, 1), "1.55")


def test_the_list_says_what_is_past_current_and_to_come(session, company):
    company.price("overage_minute", "1.6", date(2026, 6, 1))
    company.price("overage_minute", "1.7", DECEMBER)
    rows = [row for row in prices.listed(session, date(2026, 10, 5)) if row.item == "overage_minute"]
    assert [(row.valid_from, row.state) for row in rows] == [
        (DECEMBER, "future"),
        (date(2026, 6, 1), "current"),
        (date(2024, 1, 1), "past"),
    ]


# Touched ---------------------------------------------------------------------------------------------


def numbers(session, item, valid_from=DECEMBER) -> list[str]:
    return [row.number for row in prices.touched(session, item, valid_from).contracts]


def test_a_package_price_touches_the_contracts_that_will_have_the_package(session, company):
    medium = company.support(company.customer())
    changed = company.support(company.customer(), "S")
    company.package_change(changed, date(2027, 1, 1), "M")
    company.support(company.customer(), "L")
    company.support(company.customer(), ends_before=DECEMBER)
    company.maintenance(company.customer())
    assert numbers(session, "package_M") == [medium.number, changed.number]
    assert prices.touched(session, "package_M", DECEMBER).contracts[1].reached_from == date(2027, 1, 1)


def test_the_overage_rate_touches_every_support_contract_that_runs(session, company):
    running = [company.support(company.customer(), package) for package in "SML"]
    company.support(company.customer(), ends_before=DECEMBER)
    assert numbers(session, "overage_minute") == [contract.number for contract in running]


def test_a_price_that_another_follows_touches_nobody_after_that(session, company):
    company.support(company.customer(), starts_on=date(2027, 1, 1))
    company.price("overage_minute", "1.7", date(2027, 1, 1))
    assert numbers(session, "overage_minute") == []


@pytest.mark.parametrize("item", ["separate_minute", "vat_standard"])
def test_what_concerns_everybody_counts_customers(session, company, item):
    company.customer()
    company.maintenance(company.customer())
    assert prices.touched(session, item, DECEMBER) == prices.Touched([], 2)


def test_the_database_agrees_with_what_is_in_use(session, company):
    """A refusal comes from the service, in words, before the trigger would fire."""
    close(session)
    with pytest.raises(prices.PriceInUse):
        change(session, "separate_minute", date(2024, 1, 1), "3")
    assert session.get(Price, ("separate_minute", date(2024, 1, 1))).net == Decimal("1.6667")
