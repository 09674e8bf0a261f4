"""Which customers stand out from the month before."""

import pytest

from ptdash.domain.comparison import jump


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (4000, 4000, None),
        (0, 0, None),
        # One month without anything stands out, however small the other.
        (0, 100, "new"),
        (100, 0, "gone"),
        # More than a quarter, but not more than 20 EUR.
        (1000, 3000, None),
        (1000, 3001, "up"),
        # More than 20 EUR, but not more than a quarter.
        (100_000, 125_000, None),
        (100_000, 125_001, "up"),
        (100_000, 75_000, None),
        (100_000, 74_999, "down"),
        # Credits.
        (-5000, 5000, "up"),
        (5000, -5000, "down"),
    ],
)
def test_an_amount_stands_out(before, after, found):
    assert jump(before, after) == found
