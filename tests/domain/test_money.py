from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.money import cents, line_cents, pro_rata_cents, vat_cents


@pytest.mark.parametrize(
    ("euros", "expected"), [("0.005", 1), ("0.0049", 0), ("-0.005", -1), ("17.335", 1734), ("2.675", 268)]
)
def test_half_a_cent_is_rounded_away_from_zero(euros, expected):
    assert cents(Decimal(euros)) == expected


def test_thirteen_minutes_are_rounded_once_and_not_by_the_minute():
    assert line_cents(13, Decimal("1.3333")) == 1733


@pytest.mark.parametrize(("net", "vat"), [(5950, 1131), (14583, 2771), (25440, 4834), (10324, 1962)])
def test_vat_is_rounded_once_on_the_sum(net, vat):
    assert vat_cents(net, Decimal(19)) == vat


def rounded_half_up(value: Fraction) -> int:
    """The slow and obvious way: the integer part, and one more from half on."""
    whole, rest = divmod(abs(value), 1)
    return (1 if value >= 0 else -1) * (int(whole) + (1 if rest >= Fraction(1, 2) else 0))


@given(st.decimals("0", "9999", places=4), st.integers(0, 100_000))
def test_a_line_is_quantity_times_price_to_the_cent(price, quantity):
    assert line_cents(quantity, price) == rounded_half_up(Fraction(price) * quantity * 100)


@given(
    st.decimals("0", "9999", places=2),
    st.integers(28, 31).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_a_monthly_fee_is_shared_by_days(fee, days):
    assert pro_rata_cents(fee, *days) == rounded_half_up(Fraction(fee) * 100 * days[0] / days[1])
