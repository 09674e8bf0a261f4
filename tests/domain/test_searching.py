"""What is typed and what is searched are folded alike: by Python, and by the database."""

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ptdash.db import db
from ptdash.domain.searching import fold, words

# What a person can type or an import can bring; the database stores no NUL and may know newer signs than Python.
LETTERS = "aeouäöüÄÖÜßẞéÉñçÇøØæÆǼœłŁđÐþÞıİ ΣσςΑß²½ﬁﬀÅがأ\u0308\u0301\u0327\u093cxX1-"
OTHERS = st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0")
TYPED = st.text(st.one_of(st.sampled_from(LETTERS), OTHERS))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Mueller", "Müller"),
        ("muller", "MÜLLER"),
        ("Gross", "Groß"),
        ("strasse", "STRAẞE"),
        ("Jose", "José"),
        ("Yildiz", "Yıldız"),
        ("Koeln", "Köln"),
        ("Baer", "Bär"),
        ("Lodz", "Łódź"),
    ],
)
def test_however_it_is_spelled_it_is_found(typed: str, found: str) -> None:
    assert fold(typed) == fold(found)


def test_a_search_asks_for_each_of_its_words() -> None:
    assert words("  Müller   Drucker ") == ["muller", "drucker"]
    assert words("   ") == []


def test_the_database_folds_as_python_does(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:

        @settings(max_examples=500, deadline=None)
        @given(TYPED)
        def alike(typed: str) -> None:
            by_database = connection.execute(text("SELECT fold(:typed)"), {"typed": typed}).scalar_one()
            assert by_database == fold(typed), ascii(typed)

        alike()
