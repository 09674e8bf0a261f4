from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import days_in, next_month
from ptdash.domain.settlement import (
    DayMinutes,
    DeviceFacts,
    Line,
    LineKind,
    MaintenanceFacts,
    MaterialFacts,
    MonthFacts,
    PackagePrice,
    Rates,
    SupportFacts,
    duplicated_fee,
    owed,
)

MONTH = date(2026, 9, 1)
RATES = Rates(
    packages={
        "S": PackagePrice(Decimal(15), 10),
        "M": PackagePrice(Decimal(40), 30),
        "L": PackagePrice(Decimal(80), 60),
    },
    overage=Decimal("1.5000"),
    separate=Decimal("1.6667"),
)


def support(package="M", starts_on=date(2026, 1, 1), ends_before=None, changes=(), contract_id=1):
    return SupportFacts(contract_id, f"SV-{contract_id}", starts_on, ends_before, package, changes)


def worked(minutes, treatment=Treatment.PACKAGE, day=date(2026, 9, 15)):
    return DayMinutes(day, treatment, minutes)


def lines(facts, rates=RATES):
    return [(line.kind.value, str(line.quantity), line.net_cents) for line in owed(facts, rates).lines]


def test_minutes_past_the_package_are_billed_to_the_minute():
    facts = MonthFacts(MONTH, (support(),), minutes=(worked(20), worked(23, day=date(2026, 9, 20))))
    assert lines(facts) == [("package_fee", "1", 4000), ("overage", "13", 1950)]


def test_unused_minutes_expire_and_cost_nothing_more():
    settled = owed(MonthFacts(MONTH, (support(),), minutes=(worked(12),)), RATES).settlements[0]
    assert (settled.used_minutes, settled.covered_minutes, settled.overage_minutes, settled.expired_minutes) == (
        (12, 12, 0, 18)
    )


def test_a_contract_that_starts_within_the_month_is_billed_by_days():
    facts = MonthFacts(MONTH, (support(starts_on=date(2026, 9, 10)),))
    settled = owed(facts, RATES).settlements[0]
    assert (settled.included_minutes, settled.base_cents) == (21, 2800)


def test_an_ended_contract_is_not_billed():
    assert lines(MonthFacts(MONTH, (support(ends_before=MONTH),))) == []


def test_a_package_change_within_the_month_counts_from_the_next_month():
    contract = support(changes=((date(2026, 9, 15), "L"), (date(2026, 10, 1), "S")))
    assert owed(MonthFacts(MONTH, (contract,)), RATES).settlements[0].package == "M"
    assert owed(MonthFacts(next_month(MONTH), (contract,)), RATES).settlements[0].package == "S"


def test_package_minutes_on_a_day_without_a_package_are_billed_separately_and_say_so():
    facts = MonthFacts(MONTH, (support(starts_on=date(2026, 9, 16)),), minutes=(worked(10),))
    line = owed(facts, RATES).lines[-1]
    assert (line.kind, line.net_cents) == (LineKind.SEPARATE, 1667)
    assert line.explanation == {"separate_minutes": 0, "without_package_minutes": 10}


def test_maintenance_warranty_and_goodwill_cost_nothing():
    free = (Treatment.MAINTENANCE, Treatment.WARRANTY, Treatment.GOODWILL)
    assert lines(MonthFacts(MONTH, minutes=tuple(worked(50, t) for t in free))) == []


def test_two_contracts_in_one_month_each_have_their_own_days():
    first = support(package="S", ends_before=date(2026, 9, 16))
    second = support(package="L", starts_on=date(2026, 9, 16), contract_id=2)
    facts = MonthFacts(MONTH, (first, second), minutes=(worked(7), worked(40, day=date(2026, 9, 16))))
    assert [
        (s.contract, s.included_minutes, s.used_minutes, s.base_cents) for s in owed(facts, RATES).settlements
    ] == [
        ("SV-1", 5, 7, 750),
        ("SV-2", 30, 40, 4000),
    ]


def device(number, fee="9.90", included_from=date(2026, 1, 1), ends_before=None):
    return DeviceFacts(number, f"D-{number}", included_from, ends_before, Decimal(fee))


def maintenance(*devices, ends_before=None, fee="29.00", changes=()):
    return MaintenanceFacts(5, "WV-5", date(2026, 1, 1), ends_before, Decimal(fee), changes, devices)


def test_devices_of_the_same_amount_stand_in_one_line():
    contract = maintenance(device(1), device(2), device(3, "14.50"), device(4, included_from=date(2026, 9, 21)))
    facts = MonthFacts(MONTH, maintenance=(contract,))
    assert lines(facts) == [
        ("maintenance_fee", "1", 2900),
        ("device_fee", "1", 330),
        ("device_fee", "2", 1980),
        ("device_fee", "1", 1450),
    ]


def test_a_device_is_billed_only_while_its_contract_runs():
    facts = MonthFacts(MONTH, maintenance=(maintenance(device(1), ends_before=date(2026, 9, 11)),))
    assert lines(facts) == [("maintenance_fee", "1", 967), ("device_fee", "1", 330)]


def test_a_fee_is_dated_like_a_price():
    contract = maintenance(changes=((MONTH, Decimal("35.00")), (next_month(MONTH), Decimal("40.00"))))
    assert lines(MonthFacts(MONTH, maintenance=(contract,))) == [("maintenance_fee", "1", 3500)]


def test_material_is_quantity_times_price():
    item = MaterialFacts(1, date(2026, 9, 5), "SSD 1 TB", Decimal(3), Decimal("34.50"))
    assert lines(MonthFacts(MONTH, materials=(item,))) == [("material", "3", 10350)]


def test_lines_of_zero_are_left_out():
    free = MaterialFacts(1, date(2026, 9, 5), "Kabel", Decimal(1), Decimal(0))
    assert lines(MonthFacts(MONTH, maintenance=(maintenance(device(1, "0"), fee="0"),), materials=(free,))) == []


def test_the_same_fee_twice_is_found():
    def fee(contract):
        return Line(
            LineKind.PACKAGE_FEE, Decimal(1), "month", Decimal(15), MONTH, MONTH, contract, f"SV-{contract}"
        )

    assert duplicated_fee([fee(1), fee(2)]) is None
    assert duplicated_fee([fee(1), fee(2), fee(1)]) == "SV-1"


# Random months, against sums taken day by day --------------------------------------------------------

months = st.dates(date(2024, 1, 1), date(2030, 12, 1)).map(lambda d: d.replace(day=1))


@st.composite
def month_facts(draw):
    month = draw(months)
    day = st.integers(-40, 70).map(lambda n: month + timedelta(days=n))
    cuts = sorted(set(draw(st.lists(day, max_size=4))))
    contracts = tuple(
        support(draw(st.sampled_from("SML")), start, end, contract_id=i)
        for i, (start, end) in enumerate(pairwise([*cuts, None]))
        if draw(st.booleans())
    )
    in_month = st.integers(0, days_in(month) - 1).map(lambda n: month + timedelta(days=n))
    minutes = draw(
        st.lists(
            st.builds(DayMinutes, in_month, st.sampled_from(list(Treatment)), st.integers(1, 90)), max_size=30
        )
    )
    devices = tuple(
        device(i, draw(st.sampled_from(["0.00", "9.90", "14.50"])), draw(day))
        for i in range(draw(st.integers(0, 5)))
    )
    fee = draw(st.sampled_from(["0.00", "29.00", "59.90"]))
    return MonthFacts(
        month, contracts, (replace(maintenance(*devices, fee=fee), starts_on=draw(day)),), tuple(minutes)
    )


@given(month_facts())
def test_every_minute_is_settled_billed_or_free(facts):
    result = owed(facts, RATES)
    by_treatment = {t: sum(m.minutes for m in facts.minutes if m.treatment is t) for t in Treatment}
    separate = sum(int(line.quantity) for line in result.lines if line.kind is LineKind.SEPARATE)
    used = sum(s.used_minutes for s in result.settlements)
    assert used + separate == by_treatment[Treatment.PACKAGE] + by_treatment[Treatment.SEPARATE]
    for s in result.settlements:
        assert s.used_minutes == s.covered_minutes + s.overage_minutes
        assert s.included_minutes == s.covered_minutes + s.expired_minutes
        assert s.covered_minutes == min(s.used_minutes, s.included_minutes)


@given(month_facts(), st.randoms())
def test_the_order_of_the_facts_does_not_matter(facts, random):
    mixed = list(facts.minutes)
    random.shuffle(mixed)
    assert owed(replace(facts, minutes=tuple(mixed)), RATES) == owed(facts, RATES)


@given(month_facts())
def test_days_are_counted_one_by_one(facts):
    days = [facts.month + timedelta(days=n) for n in range(days_in(facts.month))]
    settled = {s.contract_id: s for s in owed(facts, RATES).settlements}
    for contract in facts.support:
        running = [
            d for d in days if contract.starts_on <= d and (not contract.ends_before or d < contract.ends_before)
        ]
        assert (contract.id in settled) == bool(running)
        if running:
            assert (settled[contract.id].span.first, settled[contract.id].span.days) == (running[0], len(running))


@given(month_facts())
def test_no_line_is_zero_and_every_line_is_quantity_times_price(facts):
    for line in owed(facts, RATES).lines:
        assert line.net_cents != 0
        assert line.quantity * line.unit_price * 100 - line.net_cents <= Decimal("0.5")
        assert facts.month <= line.service_from <= line.service_until < next_month(facts.month)
