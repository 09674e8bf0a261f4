"""Countries and VAT ids, whoever types them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.countries import (
    VAT_PREFIXES,
    CountryUnreadable,
    VatIdUnreadable,
    clean_country,
    clean_vat_id,
    is_vat_id_of,
)

KNOWN = frozenset({"DE", "AT", "GR", "GB", "CH"})
PREFIXES = sorted({*KNOWN, *VAT_PREFIXES.values()})
BLANKS = st.text(" \t\u00a0", max_size=2)


@given(st.sampled_from(sorted(KNOWN)), BLANKS, BLANKS)
def test_a_known_country_is_taken_in_any_case(code: str, before: str, after: str) -> None:
    assert clean_country(before + code.lower() + after, KNOWN) == code


@given(st.text(max_size=4).filter(lambda text: text.strip().upper() not in KNOWN))
def test_anything_else_is_no_country(text: str) -> None:
    with pytest.raises(CountryUnreadable):
        clean_country(text, KNOWN)


@given(
    st.sampled_from(sorted({*KNOWN, *VAT_PREFIXES.values()})),
    st.text("0123456789AZ", min_size=2, max_size=12),
    BLANKS,
)
def test_a_vat_id_begins_with_a_code_and_loses_its_blanks(prefix: str, rest: str, blank: str) -> None:
    assert clean_vat_id(f"{prefix.lower()}{blank}{rest}{blank}", KNOWN) == prefix + rest


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=14).filter(
        lambda text: text[:2] not in PREFIXES
    )
)
def test_without_a_code_it_is_no_vat_id(text: str) -> None:
    with pytest.raises(VatIdUnreadable):
        clean_vat_id(text, KNOWN)


def test_none_is_none() -> None:
    assert clean_vat_id("  ", KNOWN) == ""


@pytest.mark.parametrize(
    ("country", "vat_id", "fits"),
    [("DE", "DE123456789", True), ("GR", "EL123456789", True), ("GB", "XI123456789", True), ("AT", "DE1", False)],
)
def test_greece_and_northern_ireland_have_their_own_prefix(country: str, vat_id: str, fits: bool) -> None:
    assert is_vat_id_of(country, vat_id) is fits
