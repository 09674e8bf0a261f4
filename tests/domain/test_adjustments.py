from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.adjustments import Adjustment, differences, take
from ptdash.domain.vat import Vat, VatCategory

JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))
STANDARD = Vat(VatCategory.STANDARD, Decimal(19))
OLD = Vat(VatCategory.STANDARD, Decimal(16))


def amounts(taken):
    return [(a.month, a.cents, a.waits) for a in taken]


def test_what_is_owed_and_issued_alike_leaves_nothing():
    assert differences(JULY, {STANDARD: 4000}, {STANDARD: 4000}) == []


def test_a_cancelled_month_owes_everything_again():
    assert differences(JULY, {STANDARD: 4000}, {STANDARD: 0}) == [Adjustment(JULY, STANDARD, 4000)]


def test_another_rate_is_another_difference():
    assert differences(JULY, {STANDARD: 4000}, {OLD: 4000}) == [
        Adjustment(JULY, OLD, -4000),
        Adjustment(JULY, STANDARD, 4000),
    ]


def test_a_negative_difference_is_taken_as_far_as_the_lines_cover_it_oldest_first():
    found = [Adjustment(AUGUST, STANDARD, -3000), Adjustment(JULY, STANDARD, -2500)]
    assert amounts(take(found, {STANDARD: 4000}, month=OCTOBER, correction=False)) == [
        (JULY, -2500, 0),
        (AUGUST, -1500, -1500),
    ]


def test_a_positive_difference_makes_room_for_a_negative_one():
    found = [Adjustment(AUGUST, STANDARD, -3000), Adjustment(JULY, STANDARD, 1000)]
    assert amounts(take(found, {STANDARD: 500}, month=OCTOBER, correction=False)) == [
        (JULY, 1000, 0),
        (AUGUST, -1500, -1500),
    ]


def test_lines_of_another_rate_cover_nothing():
    assert amounts(take([Adjustment(JULY, OLD, -100)], {STANDARD: 4000}, month=OCTOBER, correction=False)) == [
        (JULY, 0, -100)
    ]


def test_a_credit_takes_no_more_than_there_is_and_the_rest_is_held_back():
    assert amounts(take([], {STANDARD: -2500}, month=OCTOBER, correction=False)) == [(OCTOBER, 2500, -2500)]
    found = [Adjustment(JULY, STANDARD, 1000)]
    assert amounts(take(found, {STANDARD: -2500}, month=OCTOBER, correction=False)) == [
        (JULY, 1000, 0),
        (OCTOBER, 1500, -1500),
    ]


def test_a_correction_invoice_takes_everything():
    found = [Adjustment(JULY, STANDARD, -2500)]
    assert amounts(take(found, {}, month=OCTOBER, correction=True)) == [(JULY, -2500, 0)]


cents = st.integers(-10_000, 10_000).filter(bool)
vats = st.sampled_from((STANDARD, OLD))
found = st.lists(
    st.builds(Adjustment, st.sampled_from((JULY, AUGUST, SEPTEMBER)), vats, cents),
    unique_by=lambda a: (a.month, a.vat.rate),
)
own = st.dictionaries(vats, st.integers(-10_000, 10_000))


@given(found, own, st.booleans())
def test_nothing_is_lost_and_no_rate_turns_negative(differences, lines, correction):
    taken = take(differences, lines, month=OCTOBER, correction=correction)
    # A line of the month itself only holds back what a credit takes too much.
    assert sum(a.cents + a.waits for a in taken) == sum(a.cents for a in differences)
    assert all(a.cents + a.waits == 0 for a in taken if a.month == OCTOBER)
    if not correction:
        for vat in (STANDARD, OLD):
            assert lines.get(vat, 0) + sum(a.cents for a in taken if a.vat == vat) >= 0
            rest = [a for a in taken if a.vat == vat and a.waits]
            # What waits, waits because nothing was left to cover it.
            if rest:
                assert lines.get(vat, 0) + sum(a.cents for a in taken if a.vat == vat) == 0
    else:
        assert not any(a.waits for a in taken)
