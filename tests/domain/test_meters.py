from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.meters import Meter, MonthRates, cost_of, month_meters
from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import Span
from ptdash.domain.settlement import DayMinutes, MonthFacts, owed
from tests.domain.test_settlement import MONTH, RATES, support, worked

MONTH_RATES = MonthRates(RATES.packages, RATES.overage, RATES.separate)
DAY = date(2026, 9, 20)

days = st.integers(0, 29).map(lambda n: MONTH + timedelta(days=n))
worked_minutes = st.builds(DayMinutes, days, st.sampled_from(Treatment), st.integers(0, 90))
rates = st.decimals("0", "9", places=4)
lives = st.sampled_from(
    [
        (),
        (support(),),
        (support("S", starts_on=date(2026, 9, 10)),),
        (support(ends_before=date(2026, 9, 12)), support("L", starts_on=date(2026, 9, 15), contract_id=2)),
    ]
)


ONE_PACKAGE = (support(),)


def meters(*minutes, contracts=ONE_PACKAGE, rates=MONTH_RATES):
    return month_meters(MonthFacts(MONTH, contracts, minutes=minutes), rates)


def meter(used, included=30):
    return Meter(1, "SV-1", "M", Span(MONTH, 30), included, used)


@given(
    lives,
    st.lists(worked_minutes, max_size=6),
    st.sampled_from(Treatment),
    st.integers(1, 200),
    days,
    rates,
    rates,
)
def test_the_price_of_a_booking_is_what_the_month_grows_by(
    contracts, done, treatment, minutes, day, over, separate
):
    of_month = replace(RATES, overage=over, separate=separate)
    facts = MonthFacts(MONTH, contracts, minutes=tuple(done))
    after = replace(facts, minutes=(*facts.minutes, DayMinutes(day, treatment, minutes)))
    known = month_meters(facts, MonthRates(of_month.packages, over, separate))
    cost = cost_of(known, treatment, minutes, day)
    assert cost.cents == owed(after, of_month).net_cents - owed(facts, of_month).net_cents
    assert cost.free + cost.charged in (0, minutes)


def test_thirteen_minutes_of_which_four_are_free():
    cost = cost_of(meters(worked(26)), Treatment.PACKAGE, 13, DAY)
    assert (cost.free, cost.charged, cost.rate, cost.cents) == (4, 9, Decimal("1.5000"), 1350)


def test_separate_minutes_leave_the_package_alone():
    cost = cost_of(meters(worked(0)), Treatment.SEPARATE, 13, DAY)
    assert (cost.free, cost.charged, cost.cents, cost.without_package) == (0, 13, 2167, False)


def test_package_minutes_on_a_day_without_a_package_are_separate_and_say_so():
    cost = cost_of(meters(contracts=()), Treatment.PACKAGE, 10, DAY)
    assert (cost.charged, cost.cents, cost.without_package) == (10, 1667, True)


def test_what_is_not_billed_costs_nothing():
    for treatment in (Treatment.MAINTENANCE, Treatment.WARRANTY, Treatment.GOODWILL):
        assert cost_of(meters(worked(40)), treatment, 13, DAY).cents == 0


def test_a_rate_that_is_not_set_is_not_taken_for_zero():
    unset = replace(MONTH_RATES, overage=None)
    assert cost_of(meters(worked(26), rates=unset), Treatment.PACKAGE, 13, DAY).cents is None
    assert cost_of(meters(worked(2), rates=unset), Treatment.PACKAGE, 13, DAY).cents == 0


def test_the_highest_share_reached_is_told():
    assert [meter(used).level for used in (0, 23, 24, 29, 30, 44)] == [None, None, 80, 80, 100, 100]
    assert [meter(used, included=0).level for used in (0, 1)] == [None, 100]


def test_what_is_left_and_what_is_too_much():
    assert [(m.left, m.overage) for m in (meter(12), meter(30), meter(43))] == [(18, 0), (0, 0), (0, 13)]


def test_of_two_contracts_in_a_month_each_day_has_its_own():
    found = meters(
        contracts=(support(ends_before=date(2026, 9, 12)), support(starts_on=date(2026, 9, 15), contract_id=2))
    )
    assert [found.on(date(2026, 9, day)) and found.on(date(2026, 9, day)).contract for day in (11, 13, 15)] == [
        "SV-1",
        None,
        "SV-2",
    ]
    assert found.nearest(date(2026, 9, 13)).contract == "SV-2"
