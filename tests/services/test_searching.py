"""What a search finds."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import Customer
from ptdash.services.searching import matches
from tests.company import Company


@pytest.fixture
def company(session: Session) -> Company:
    company = Company(session)
    company.customer(number="10005", name="Autohaus Kessler KG", city="Münster")
    company.customer(number="10006", name="Bäckerei Öztürk", city="Köln")
    company.customer(number="10007", name="100 % Bio GmbH", city="Aachen")
    return company


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["10005", "10006", "10007"]),
        ("kessler", ["10005"]),
        ("KESSLER autohaus", ["10005"]),
        ("kesler", ["10005"]),
        ("kessller", ["10005"]),
        ("oeztuerk", ["10006"]),
        ("ozturk", ["10006"]),
        ("Muenster", ["10005"]),
        ("10006", ["10006"]),
        ("1000", ["10005", "10006", "10007"]),
        ("kessler köln", []),
        ("%", ["10007"]),
        ("10_05", []),
        ("xyz", []),
    ],
)
def test_every_word_has_to_be_there_whatever_its_spelling(company: Company, typed: str, found: list[str]) -> None:
    rows = company.session.execute(
        select(Customer.number).where(matches(Customer.search, typed)).order_by(Customer.number)
    )
    assert list(rows.scalars()) == found
