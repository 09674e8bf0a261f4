"""What one cell may hold."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.periods import BERLIN
from ptdash.services.importing.cells import BadCell, day, instant, number, truth


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1234,56", "1234.56"),
        ("1.234", "1.234"),
        ("12.345.678,9", "12345678.9"),
        ("0,10", "0.10"),
        ("7", "7"),
        ("2.500000", "2.5"),
        ("-3", "-3"),
    ],
)
def test_a_comma_is_decimal_and_a_dot_groups_only_before_one(cell: str, value: str) -> None:
    assert number(4, least=-10, most=100_000_000)(cell) == Decimal(value)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "1,2,3",
        "1.2,3",
        "1234.567,8",
        "1,234.5",
        "1 234",
        "+1",
        ".5",
        "5.",
        ",5",
        "1e3",
        "NaN",
        "inf",
        "१",
        "1_0",
    ],
)
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(BadCell) as refused:
        number(4)(cell)
    assert refused.value.code == "invalid_number"


@pytest.mark.parametrize("cell", ["2026-10-31", "31.10.2026"])
def test_a_day_is_written_in_two_ways(cell: str) -> None:
    assert day(cell) == date(2026, 10, 31)


@pytest.mark.parametrize(
    "cell",
    ["2026-02-29", "31.11.2026", "2026-1-1", "1.1.2026", "20261031", "2026-W01-1", "31/10/2026", "2201-01-01"],
)
def test_what_is_no_day_is_refused(cell: str) -> None:
    with pytest.raises(BadCell) as refused:
        day(cell)
    assert refused.value.code == "invalid_date"


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2026-10-31 14:30", "2026-10-31 13:30"),
        ("2026-07-31T14:30:05", "2026-07-31 12:30:05"),
        ("31.10.2026 14:30", "2026-10-31 13:30"),
        ("31.10.2026 14:30:59", "2026-10-31 13:30:59"),
        ("2026-10-31T14:30Z", "2026-10-31 14:30"),
        ("2026-10-31 14:30:00 +02:00", "2026-10-31 12:30"),
        ("2026-10-31T14:30-0330", "2026-10-31 18:00"),
        ("2026-10-25T02:50+02:00", "2026-10-25 00:50"),
        ("2026-10-25T02:50+01:00", "2026-10-25 01:50"),
        ("2026-03-29 01:59:59", "2026-03-29 00:59:59"),
        ("2026-03-29 03:00", "2026-03-29 01:00"),
        ("2026-10-31 14:30:00.5", "2026-10-31 13:30:00.500000"),
    ],
)
def test_times_are_those_of_berlin_unless_they_say_otherwise(cell: str, utc: str) -> None:
    assert instant(cell) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("cell", ["2026-03-29 02:00", "29.03.2026 02:59:59", "2026-03-29T02:30"])
def test_a_time_that_never_was_asks_for_its_offset(cell: str) -> None:
    with pytest.raises(BadCell, match="\\+01:00 or \\+02:00") as refused:
        instant(cell)
    assert refused.value.code == "nonexistent_time"


@pytest.mark.parametrize("cell", ["2026-10-25 02:00", "25.10.2026 02:59:59", "2026-10-25T02:30"])
def test_a_time_that_was_twice_asks_for_its_offset(cell: str) -> None:
    with pytest.raises(BadCell, match="\\+02:00 for the first or \\+01:00 for the second") as refused:
        instant(cell)
    assert refused.value.code == "ambiguous_time"


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.replace(microsecond=0)))  # noqa: DTZ001
def test_every_berlin_time_that_is_once_a_year_comes_back(wall: datetime) -> None:
    readings = {wall.replace(tzinfo=BERLIN, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(readings) == 1:
        assert instant(wall.isoformat()) == readings.pop()
    else:
        with pytest.raises(BadCell):
            instant(wall.isoformat())


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_time_with_an_offset_is_that_much_away_from_utc(wall: datetime, minutes: int) -> None:
    sign, rest = ("-" if minutes < 0 else "+"), abs(minutes)
    cell = f"{wall.isoformat()}{sign}{rest // 60:02}:{rest % 60:02}"
    assert instant(cell) == (wall - timedelta(minutes=minutes)).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "value"), [("yes", True), ("JA", True), ("1", True), ("No", False), ("nein", False)]
)
def test_yes_and_no_in_two_languages(cell: str, value: bool) -> None:
    assert truth(cell) is value


@pytest.mark.parametrize("cell", ["true", "x", "2", "y"])
def test_anything_else_is_neither(cell: str) -> None:
    with pytest.raises(BadCell):
        truth(cell)
