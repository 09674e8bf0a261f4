"""Which contracts a new price reaches."""

from datetime import date

import pytest

from ptdash.domain.reach import reached_from

NOVEMBER, DECEMBER, JANUARY, FEBRUARY = (
    date(2026, 11, 1),
    date(2026, 12, 1),
    date(2027, 1, 1),
    date(2027, 2, 1),
)
FOR_EVER = (date(2026, 1, 15), None)


@pytest.mark.parametrize(
    ("initial", "changes", "life", "valid", "reached"),
    [
        ("M", [], FOR_EVER, (DECEMBER, None), DECEMBER),
        ("S", [], FOR_EVER, (DECEMBER, None), None),
        # Ended before, or begins later: then from its first day.
        ("M", [], (date(2026, 1, 1), DECEMBER), (DECEMBER, None), None),
        ("M", [], (date(2026, 1, 1), date(2026, 12, 15)), (DECEMBER, None), DECEMBER),
        ("M", [], (date(2026, 12, 17), None), (DECEMBER, None), date(2026, 12, 17)),
        # A price that a later one follows.
        ("M", [], (JANUARY, None), (DECEMBER, JANUARY), None),
        # Changed to the package, or away from it.
        ("S", [(JANUARY, "M")], FOR_EVER, (DECEMBER, None), JANUARY),
        ("M", [(DECEMBER, "L")], FOR_EVER, (DECEMBER, None), None),
        ("M", [(JANUARY, "L")], FOR_EVER, (DECEMBER, None), DECEMBER),
        ("M", [(NOVEMBER, "L"), (FEBRUARY, "M")], FOR_EVER, (DECEMBER, None), FEBRUARY),
        # Within a month a change counts from the next.
        ("S", [(date(2026, 12, 10), "M")], FOR_EVER, (DECEMBER, None), JANUARY),
        ("S", [(date(2026, 12, 10), "M"), (date(2026, 12, 20), "L")], FOR_EVER, (DECEMBER, None), None),
    ],
)
def test_a_price_of_package_m_reaches(initial, changes, life, valid, reached):
    assert reached_from("M", initial, changes, life, valid) == reached
