"""Names stand where a German looks for them: DIN 5007-1."""

import pytest

from ptdash.domain.sorting import sort_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Bäckerei Große", "backerei grosse"),
        ("MÜLLER & Söhne", "muller & sohne"),
        ("Praxis Dr. Yıldız", "praxis dr. yildiz"),
        ("İstanbul", "istanbul"),
        ("Café Renée", "cafe renee"),
        ("Ærø Łódź", "aero lodz"),
        ("  Weiß", "weiss"),
        ("STRAẞE", "strasse"),
        ("", ""),
    ],
)
def test_umlauts_and_accents_sort_as_their_letters(name: str, key: str) -> None:
    assert sort_key(name) == key


def test_umlauts_stand_among_their_letters_and_not_at_the_end() -> None:
    assert sorted(["Zander", "Özer", "Ofen", "Ähre", "Adler"], key=sort_key) == [
        "Adler",
        "Ähre",
        "Ofen",
        "Özer",
        "Zander",
    ]
