"""Days, amounts and numbers as German documents write them, whoever prints them."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from ptdash.config import BERLIN

LOCALE = Locale.parse("de_DE")


def day(value: date | datetime) -> str:
    """22.11.2026; of an instant its day in Berlin."""
    local = value.astimezone(BERLIN) if isinstance(value, datetime) else value
    return f"{local:%d.%m.}{local.year:04d}"


@lru_cache(maxsize=1000)
def month(value: date) -> str:
    """November 2026"""
    return format_date(value, "MMMM yyyy", locale=LOCALE)


def time_of_day(value: datetime) -> str:
    """09:12, in Berlin."""
    return f"{value.astimezone(BERLIN):%H:%M}"


def euros(cents: int) -> str:
    """1.234,56 €, with a true minus."""
    amount = format_decimal(Decimal(abs(cents)) / 100, "#,##0.00", locale=LOCALE)
    return f"{'−' if cents < 0 else ''}{amount} €"


def number(value: Decimal | int) -> str:
    """As many decimals as the number has: 1,5 or 12."""
    plain = format_decimal(abs(Decimal(value)), "#,##0.####", locale=LOCALE)
    return f"{'−' if value < 0 else ''}{plain}"


def price(value: Decimal) -> str:
    """An amount of euros with all of its decimals, at least two: 1,50 € or 1,6667 €."""
    return f"{format_decimal(value, '#,##0.00##', locale=LOCALE)} €"


def country(code: str) -> str:
    """The name of a country: Österreich for AT; the code where it has none."""
    return str(LOCALE.territories.get(code, code))
