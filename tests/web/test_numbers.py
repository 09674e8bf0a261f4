"""Numbers as people type them."""

from decimal import Decimal

import pytest

from ptdash.web.numbers import read_decimal, read_whole


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1,50", "1.50"),
        (" 42,00 € ", "42.00"),
        ("1.234,5", "1234.5"),
        ("1234", "1234"),
        ("1.50", "1.50"),
        ("0,1234", "0.1234"),
        ("1.2345", "1.2345"),
        ("−3,20", "-3.20"),
        ("19 %", "19"),
    ],
)
def test_a_decimal_number_is_read_with_comma_or_point(typed, read):
    assert read_decimal(typed) == Decimal(read)


@pytest.mark.parametrize("typed", ["", None, "zwei", "1.234", "1,5,0", "1.23,5", "NaN", "Infinity", "1e3", ",5"])
def test_what_is_no_number_or_could_be_two_is_not_read(typed):
    assert read_decimal(typed) is None


@pytest.mark.parametrize(
    ("typed", "read"), [("30", 30), (" 0 ", 0), ("", None), ("3,5", None), ("-1", None), ("²", None)]
)
def test_a_whole_number_is_read(typed, read):
    assert read_whole(typed) == read
