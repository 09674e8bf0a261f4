"""When a support package may change."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain import packages
from ptdash.domain.packages import DowngradeInsideTerm, SamePackage, UpgradeNotOnFirst
from ptdash.domain.terms import ContractFacts, term_on
from tests.domain.test_notices import FACTS

# Terms: 15 Mar to 14 Sep, 15 Sep to 14 Mar, …
FACTS_OF_MARCH = ContractFacts(date(2026, 3, 15), term_months=6, notice_months=1, renewal_months=6)
SIZES = st.sampled_from(packages.SIZES)


def fault(before, after, on, facts=FACTS_OF_MARCH):
    return type(packages.fault("SV-1", facts, before, after, on))


def test_an_upgrade_starts_on_the_first_of_any_month():
    assert fault("S", "M", date(2026, 5, 1)) is type(None)
    assert fault("S", "L", date(2026, 9, 15)) is UpgradeNotOnFirst


def test_a_downgrade_starts_with_a_term():
    assert fault("L", "M", date(2026, 9, 15)) is type(None)
    assert fault("L", "S", date(2026, 10, 1)) is DowngradeInsideTerm


def test_the_same_package_is_no_change():
    assert fault("M", "M", date(2026, 9, 15)) is SamePackage


def test_a_consumers_time_without_an_end_has_no_terms_but_months():
    consumer = replace(FACTS_OF_MARCH, is_consumer=True)
    assert fault("L", "S", date(2026, 10, 1), consumer) is type(None)
    assert fault("L", "S", date(2026, 8, 1), consumer) is DowngradeInsideTerm


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 14), packages.ChangeBeforeStart),
        (date(2026, 3, 15), type(None)),
        (date(2026, 9, 14), type(None)),
        (date(2026, 9, 15), packages.ChangeAfterEnd),
    ],
)
def test_a_package_changes_while_its_contract_runs(day, expected):
    assert type(packages.outside("SV-1", FACTS_OF_MARCH, date(2026, 9, 15), day)) is expected


def test_the_first_change_that_a_new_one_makes_impossible_is_told():
    planned = [(date(2026, 5, 1), "L"), (date(2026, 7, 1), "M")]
    assert packages.first_fault("SV-1", FACTS_OF_MARCH, "S", planned, date(2026, 5, 1)) == date(2026, 7, 1)
    assert packages.first_fault("SV-1", FACTS_OF_MARCH, "S", planned[1:], date(2026, 4, 1)) is None


@given(FACTS, SIZES, SIZES, st.integers(0, 4000))
def test_the_earliest_day_is_allowed_and_none_before_it_is(facts, before, after, later):
    if before == after:
        return
    day = facts.starts_on + timedelta(days=later)
    found = packages.earliest(facts, before, after, day)
    if found is None:
        assert facts.renewal_months is None
        assert day > facts.starts_on
        return
    assert found >= day
    assert packages.fault("SV-1", facts, before, after, found) is None
    for passed in range(min((found - day).days, 400)):
        assert packages.fault("SV-1", facts, before, after, day + timedelta(days=passed)) is not None


@given(FACTS, st.integers(0, 4000))
def test_a_term_begins_once(facts, later):
    """On its own first day and, while it has an end, on no other."""
    day = facts.starts_on + timedelta(days=later)
    term = term_on(facts, day)
    if term.ends_on is not None:
        assert packages.begins_a_term(facts, day) == (day == term.starts_on)
