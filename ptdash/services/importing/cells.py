"""What one cell of an import file may hold: text to value, or the reason why not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ptdash.domain.periods import YEARS
from ptdash.domain.walltime import WallTimeNever, WallTimeTwice, berlin_instant

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
COMMA_NUMBER = re.compile(r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:\.[0-9]{3}){1,4}),[0-9]{1,15}")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")
DAY = re.compile(r"(?:(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})|"
                 r"(?P<gd>[0-9]{2})\.(?P<gm>[0-9]{2})\.(?P<gy>[0-9]{4}))")  # fmt: skip
CLOCK = re.compile(
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
    r" ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
PLAIN_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}):([0-5][0-9])(?::([0-5][0-9]))?")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
TRUTH = {"yes": True, "ja": True, "1": True, "no": False, "nein": False, "0": False}

Parse = Callable[[str], Any]


class BadCell(Exception):
    """A cell that cannot be read: the code of the error and its sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Column:
    """How the cells of a column are read. A cell that is not `required` may be empty and is `empty` then."""

    parse: Parse
    required: bool = False
    empty: Any = None
    refers_to: str = ""  # the file whose key the cell holds


def text(most: int = 500) -> Parse:
    def parse(cell: str) -> str:
        if len(cell) > most:
            raise BadCell("too_long", f"This text has {len(cell)} characters. At most {most} are possible.")
        return cell

    return parse


def key(most: int = 100) -> Column:
    """What tells one row from another."""
    return Column(text(most), required=True)


def reference(file: str, *, required: bool = True, parse: Parse | None = None) -> Column:
    """The key of a row of another file. The same few are read again and again: they are kept."""
    return Column(lru_cache(10_000)(parse or text(100)), required=required, refers_to=file)


def words(most: int = 500) -> Column:
    """Text that may be empty."""
    return Column(text(most), empty="")


def one_of(*choices: str) -> Parse:
    def parse(cell: str) -> str:
        if cell not in choices:
            raise BadCell("unknown_value", f"'{cell[:50]}' is not known here. Give one of {', '.join(choices)}.")
        return cell

    return parse


def email(cell: str) -> str:
    if len(cell) > 200 or not EMAIL.fullmatch(cell):
        raise BadCell("invalid_email", f"'{cell[:80]}' is not an e-mail address.")
    return cell


def user_email(cell: str) -> str:
    """The address somebody signs in with, in small letters: they do not tell people apart."""
    return email(cell).lower()


def truth(cell: str) -> bool:
    value = TRUTH.get(cell.lower())
    if value is None:
        raise BadCell("invalid_boolean", f"'{cell[:50]}' is neither yes nor no. Give yes or no (ja, nein, 1, 0).")
    return value


def number(decimals: int, least: Decimal | int = 0, most: Decimal | int = 1_000_000) -> Parse:
    """A decimal number with at most so many decimals: 1234.56 or 1.234,56."""

    def parse(cell: str) -> Decimal:
        if PLAIN_NUMBER.fullmatch(cell):
            value = Decimal(cell)
        elif COMMA_NUMBER.fullmatch(cell):
            value = Decimal(cell.replace(".", "").replace(",", "."))
        else:
            raise BadCell("invalid_number", f"'{cell[:50]}' is not a number. Write 1234.56 or 1.234,56.")
        if value != round(value, decimals):
            raise BadCell("too_many_decimals", f"'{cell}' has more than {decimals} decimals.")
        _refuse_outside(value, cell, least, most)
        return value

    return parse


def whole(least: int = 0, most: int = 1_000_000) -> Parse:
    """A whole number."""

    def parse(cell: str) -> int:
        if not WHOLE_NUMBER.fullmatch(cell):
            raise BadCell("invalid_number", f"'{cell[:50]}' is not a whole number.")
        value = int(cell)
        _refuse_outside(value, cell, least, most)
        return value

    return parse


def _refuse_outside(value: Decimal | int, cell: str, least: Decimal | int, most: Decimal | int) -> None:
    if value < least:
        raise BadCell("too_small", f"{cell} is too small. The least that is possible is {least}.")
    if value > most:
        raise BadCell("too_large", f"{cell} is too large. The most that is possible is {most}.")


def day(cell: str) -> date:
    """A calendar day: 2026-10-31 or 31.10.2026."""
    found = DAY.fullmatch(cell)
    if not found:
        raise BadCell("invalid_date", f"'{cell[:50]}' is not a date. Write 2026-10-31 or 31.10.2026.")
    return _day(found)


def first_of_month(cell: str) -> date:
    value = day(cell)
    if value.day != 1:
        raise BadCell("not_first_of_month", f"{cell} is not the first day of a month.")
    return value


def instant(cell: str) -> datetime:
    """A moment, as UTC: Berlin wall time (date and hh:mm, with or without seconds) unless it has an offset."""
    plain = PLAIN_TIME.fullmatch(cell)
    if plain and (hour := _plain_hour(plain[1])):
        return hour + timedelta(minutes=int(plain[2]), seconds=int(plain[3] or 0))
    found, clock = DAY.match(cell), None
    if found and cell[found.end() : found.end() + 1] in ("T", " "):
        clock = CLOCK.fullmatch(cell, found.end() + 1)
    if not found or not clock:
        raise BadCell(
            "invalid_time",
            f"'{cell[:50]}' is not a time. Write 2026-10-31 14:30 (with :00 for seconds), "
            "and where it is not Berlin time its offset: 2026-10-31T14:30+01:00.",
        )
    on = _day(found)
    try:
        fraction = (clock["fraction"] or "").ljust(6, "0")
        wall = datetime(  # noqa: DTZ001 — wall time; the zone is decided below
            on.year,
            on.month,
            on.day,
            int(clock["hour"]),
            int(clock["minute"]),
            int(clock["second"] or 0),
            int(fraction),
        )
    except ValueError:
        raise BadCell("invalid_time", f"'{cell}' has no real time of day.") from None
    return (wall - _offset(cell, clock["offset"])).replace(tzinfo=UTC) if clock["offset"] else _berlin(wall, cell)


@lru_cache(10_000)
def _plain_hour(text: str) -> datetime | None:
    """The instant an hour of a day begins in Berlin, None where there is something to say about it.

    The clocks are only ever changed at full hours. Most times of a file share their hour with others.
    """
    try:
        return instant(f"{text}:00:00.0")
    except BadCell:
        return None


def _day(found: re.Match[str]) -> date:
    parts = (found["y"], found["m"], found["d"]) if found["y"] else (found["gy"], found["gm"], found["gd"])
    year, month, day_of_month = map(int, parts)
    try:
        value = date(year, month, day_of_month)
    except ValueError:
        raise BadCell("invalid_date", f"{found[0]} is not a day of the calendar.") from None
    if year not in YEARS:
        raise BadCell("invalid_date", f"{found[0]} is not between the years {YEARS[0]} and {YEARS[-1]}.")
    return value


def _offset(cell: str, offset: str) -> timedelta:
    if offset in "Zz":
        return timedelta(0)
    digits = offset[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise BadCell("invalid_time", f"'{cell}' has an offset that no place on earth has.")
    return timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)


def _berlin(wall: datetime, cell: str) -> datetime:
    """The instant a clock in Berlin shows this; refused where it shows it twice a year, or never."""
    try:
        return berlin_instant(wall)
    except WallTimeTwice as error:
        first, second = (_signed(timezone(offset)) for offset in error.offsets)
        raise BadCell(
            "ambiguous_time",
            f"{cell} exists twice in Berlin: the clocks are put back that night. "
            f"Add the offset that is meant, {first} for the first or {second} for the second.",
        ) from None
    except WallTimeNever as error:
        first, second = (_signed(timezone(offset)) for offset in error.offsets)
        raise BadCell(
            "nonexistent_time",
            f"{cell} does not exist in Berlin: the clocks are put forward that night. "
            f"Correct it, or add the offset that is meant, {first} or {second}.",
        ) from None


def _signed(zone: timezone) -> str:
    return str(zone).removeprefix("UTC") or "+00:00"
