"""Numbers, money and dates as people read them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask, g

from ptdash.domain.notices import WithdrawnTooLate
from ptdash.web import formats

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def german(migrated_app: Flask) -> Iterator[None]:
    with migrated_app.test_request_context():
        g.language = "de"
        yield


@pytest.fixture
def english(migrated_app: Flask) -> Iterator[None]:
    with migrated_app.test_request_context():
        g.language = "en"
        yield


@pytest.mark.parametrize(
    ("cents", "text"),
    [(123456, "1.234,56"), (0, "0,00"), (-4500, "−45,00"), (5, "0,05"), (100_000_000, "1.000.000,00")],
)
def test_euros_have_a_comma_and_a_true_minus(german: None, cents: int, text: str) -> None:
    assert formats.eur(cents) == f"{text}{NBSP}€"


def test_english_euros(english: None) -> None:
    assert formats.eur(-123456) == "−€1,234.56"


@pytest.mark.parametrize(("cents", "text"), [(68745, "+687,45"), (-68745, "−687,45"), (0, "0,00")])
def test_a_difference_says_its_direction(german: None, cents: int, text: str) -> None:
    assert formats.signed_eur(cents) == f"{text}{NBSP}€"


@pytest.mark.parametrize(
    ("net", "text"), [("1.5", "1,50"), ("1.2345", "1,2345"), ("0.125", "0,125"), ("40", "40,00")]
)
def test_a_unit_price_keeps_up_to_four_decimals(german: None, net: str, text: str) -> None:
    assert formats.rate(Decimal(net)) == f"{text}{NBSP}€"


@pytest.mark.parametrize(
    ("share", "digits", "text"), [(0.625, 0, "62"), (0.025, 1, "2,5"), (-0.1, 0, "−10"), (1, 0, "100")]
)
def test_percent(german: None, share: float, digits: int, text: str) -> None:
    assert formats.percent(share, digits) == f"{text}{NBSP}%"


def test_days(german: None) -> None:
    tuesday = date(2026, 11, 17)
    assert formats.day(tuesday) == "17.11.2026"
    assert formats.short_day(tuesday) == "Di 17.11."
    assert formats.weekday_day(tuesday) == "Di, 17.11.2026"
    assert formats.day_of_month(tuesday) == "Di 17."
    assert formats.month(tuesday) == "November 2026"


def test_english_days(english: None) -> None:
    tuesday = date(2026, 11, 17)
    assert formats.day(tuesday) == "17 Nov 2026"
    assert formats.short_day(tuesday) == "Tue 17 Nov"
    assert formats.weekday_day(tuesday) == "Tue, 17 Nov 2026"


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), f"01.02.2026, 00:30{NBSP}Uhr"),
        (datetime(2026, 7, 31, 22, 30, tzinfo=UTC), f"01.08.2026, 00:30{NBSP}Uhr"),
    ],
)
def test_an_instant_is_told_in_berlin_time(german: None, instant: datetime, text: str) -> None:
    assert formats.instant(instant) == text
    assert formats.clock(instant) == "00:30"


def test_what_is_not_there_is_a_dash(german: None) -> None:
    assert {formats.eur(None), formats.minutes(None), formats.day(None), formats.instant(None)} == {"–"}


def test_minutes_keep_their_unit(german: None) -> None:
    assert formats.minutes(1234) == f"1.234{NBSP}min"


def test_a_number_to_copy_keeps_its_characters_and_is_escaped(german: None) -> None:
    assert formats.nb("RE-2026-00412") == '<span class="nowrap">RE-2026-00412</span>'
    assert "<b>" not in formats.nb("<b>")


@pytest.mark.parametrize(
    ("name", "letters"), [("Miriam Vogt", "MV"), ("Anna Maria Özil", "AÖ"), ("Cher", "C"), ("", "?")]
)
def test_initials(name: str, letters: str) -> None:
    assert formats.initials(name) == letters


def test_a_refusal_writes_its_days_as_people_do(german: None) -> None:
    said = formats.sentence(WithdrawnTooLate(contract="SV-1", day=date(2026, 7, 1)))
    assert "01.07.2026" in said and "2026-07-01" not in said
