"""Numbers, money and dates as people read them, by Babel in the language of the page; never by hand."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask
from flask_babel import gettext
from markupsafe import Markup, escape

from ptdash.config import BERLIN
from ptdash.domain.errors import DomainError
from ptdash.web.locale import locale

NONE = "–"
DAY = {"de": "dd.MM.yyyy", "en": "d MMM yyyy"}
DAY_MONTH = {"de": "dd.MM.", "en": "d MMM"}
DAY_OF_MONTH = {"de": "EEE d.", "en": "EEE d"}
SHORT_DAY = {"de": "EEE dd.MM.", "en": "EEE d MMM"}
WEEKDAY_DAY = {"de": "EEE, dd.MM.yyyy", "en": "EEE, d MMM yyyy"}
INSTANT = {"de": "dd.MM.yyyy, HH:mm\N{NO-BREAK SPACE}'Uhr'", "en": "d MMM yyyy, HH:mm"}


def init_app(app: Flask) -> None:
    app.jinja_env.globals["language"] = language
    for function in (
        capped,
        clock,
        day,
        day_month,
        day_of_month,
        eur,
        filesize,
        initials,
        instant,
        minutes,
        month,
        month_name,
        month_short,
        nb,
        number,
        percent,
        rate,
        short_day,
        signed_eur,
        weekday,
        weekday_day,
        weekday_short,
    ):
        app.jinja_env.filters[function.__name__] = function


def eur(cents: int | None) -> str:
    """`123456` -> `1.234,56 €`, with a true minus."""
    return NONE if cents is None else _eur(cents, locale())


@lru_cache(4096)
def _eur(cents: int, locale: Locale) -> str:
    """Remembered: a long list writes the same amounts again and again."""
    return _minus(format_currency(Decimal(cents) / 100, "EUR", locale=locale))


def signed_eur(cents: int | None) -> str:
    """A difference: `68745` -> `+687,45 €`."""
    return f"+{eur(cents)}" if cents and cents > 0 else eur(cents)


def rate(net: Decimal | None) -> str:
    """A unit price in euros with two to four decimals: `1.5` -> `1,50 €`, `0.1234` -> `0,1234 €`."""
    if net is None:
        return NONE
    pattern = locale().currency_formats["standard"].pattern.replace("0.00", "0.00##")
    return _minus(format_currency(net, "EUR", format=pattern, currency_digits=False, locale=locale()))


def number(value: int | Decimal | None) -> str:
    """`1234.5` -> `1.234,5`."""
    return NONE if value is None else _decimal(value, locale())


@lru_cache(maxsize=2000, typed=True)
def _decimal(value: int | Decimal, spoken: Locale) -> str:
    """Pages say the same few numbers again and again, and Babel reads its pattern anew for each."""
    return _minus(format_decimal(value, locale=spoken))


def capped(value: int) -> str:
    """A count that stops at 1000: `999+`."""
    return number(value) if value < 1000 else f"{number(999)}+"


def filesize(size: int) -> str:
    """A file's size: `1234567` -> `1,2 MB`, never less than a tenth of a kilobyte."""
    kilo = max(Decimal(size) / 1000, Decimal("0.1"))
    value, unit = (kilo / 1000, "MB") if kilo >= 1000 else (kilo, "kB")
    return f"{number(round(value, 1))}\N{NO-BREAK SPACE}{unit}"


def minutes(value: int | None) -> str:
    """`45` -> `45 min`."""
    return NONE if value is None else f"{number(value)}\N{NO-BREAK SPACE}min"


def percent(share: float | Decimal | None, digits: int = 0) -> str:
    """`0.62` -> `62 %`."""
    if share is None:
        return NONE
    return _minus(
        format_percent(round(Decimal(str(share)), digits + 2), decimal_quantization=False, locale=locale())
    )


def day(value: date | None) -> str:
    """`22.11.2026`."""
    return NONE if value is None else _day(value, language())


@lru_cache(4096)
def _day(value: date, spoken: str) -> str:
    return format_date(value, DAY[spoken], locale=spoken)


def day_of_month(value: date) -> str:
    """`Mo 16.`, where the month is clear."""
    return format_date(value, DAY_OF_MONTH[language()], locale=locale()).replace(".", "", 1)


def short_day(value: date) -> str:
    """`Mo 16.11.`, where the year is clear."""
    return _short_day(value, language())


@lru_cache(4096)
def _short_day(value: date, spoken: str) -> str:
    """Remembered, as every other day: a page of the queue writes the same few in every row."""
    return format_date(value, SHORT_DAY[spoken], locale=spoken).replace(".", "", 1)


def day_month(value: date) -> str:
    """`30.06.`, where weekday and year are clear."""
    return _day_month(value, language())


@lru_cache(4096)
def _day_month(value: date, spoken: str) -> str:
    """Remembered, as `_day`: the rows of a list are of a few days."""
    return format_date(value, DAY_MONTH[spoken], locale=spoken)


def weekday(value: date) -> str:
    """`Sonntag`."""
    return format_date(value, "EEEE", locale=locale())


def weekday_short(value: date) -> str:
    """`So`."""
    return format_date(value, "EEE", locale=locale()).replace(".", "")


def weekday_day(value: date) -> str:
    """`Di, 17.11.2026`."""
    return format_date(value, WEEKDAY_DAY[language()], locale=locale()).replace(".,", ",", 1)


def month(value: date) -> str:
    """`Oktober 2026`."""
    return format_date(value, "LLLL yyyy", locale=locale())


def month_name(value: date) -> str:
    """`Oktober`, where the year is clear."""
    return format_date(value, "LLLL", locale=locale())


def month_short(value: date) -> str:
    """`Okt`, where the year is clear."""
    return format_date(value, "LLL", locale=locale()).replace(".", "")


def instant(value: datetime | None) -> str:
    """A stored instant as Berlin wall time: `22.11.2026, 10:39 Uhr`."""
    if value is None:
        return NONE
    return format_datetime(value, INSTANT[language()], tzinfo=BERLIN, locale=locale())


def clock(value: datetime) -> str:
    """A stored instant's Berlin time of day: `10:39`."""
    return _clock(value.astimezone(BERLIN).time().replace(second=0, microsecond=0), locale())


@lru_cache(2000)
def _clock(value: time, spoken: Locale) -> str:
    return format_time(value, "HH:mm", locale=spoken)


def nb(value: object) -> Markup:
    """Contract and invoice numbers break at their hyphen otherwise; the characters stay as they are to copy."""
    return Markup('<span class="nowrap">{}</span>').format(escape(str(value)))


def initials(name: str) -> str:
    """`Miriam Vogt` -> `MV`."""
    words = name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"


def language() -> str:
    return "en" if locale().language == "en" else "de"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def as_written(_name: str, value: object) -> object:
    """A parameter of a sentence as people write it: days."""
    return day(value) if isinstance(value, date) and not isinstance(value, datetime) else value


def sentence(error: DomainError, word: Callable[[str, object], object] = as_written) -> str:
    """What a rule refuses, in the language of the page; `word` says how its parameters (name, value) read."""
    params = {name: word(name, value) for name, value in error.params.items()}
    return str(gettext(error.message) % params)
