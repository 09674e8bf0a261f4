"""Countries (ISO 3166-1 alpha-2), and VAT ids, which begin with them. `known` are the codes that there are."""

import re
from collections.abc import Container

from ptdash.domain.errors import Invalid

# What a VAT id begins with where it is not the country's own code (EN 16931 BR-CO-09): Greece, Northern Ireland.
VAT_PREFIXES = {"GR": "EL", "GB": "XI"}


class CountryUnreadable(Invalid):
    message = "Give the country as two letters, for example DE."


class VatIdUnreadable(Invalid):
    message = "A VAT id begins with the code of its country, for example DE123456789."


def clean_country(text: str, known: Container[str]) -> str:
    """A country's code in capitals. Raises CountryUnreadable."""
    code = text.strip().upper()
    if code not in known:
        raise CountryUnreadable()
    return code


def clean_vat_id(text: str, known: Container[str]) -> str:
    """A VAT id without blanks, in capitals; empty stays empty. Raises VatIdUnreadable."""
    vat_id = re.sub(r"\s", "", text).upper()
    if vat_id and not (
        re.fullmatch(r"[A-Z]{2}[0-9A-Z+*.]{2,12}", vat_id)
        and (vat_id[:2] in VAT_PREFIXES.values() or vat_id[:2] in known)
    ):
        raise VatIdUnreadable()
    return vat_id


def is_vat_id_of(country: str, vat_id: str) -> bool:
    """Whether a VAT id begins as those of a country do."""
    return vat_id[:2] in (country, VAT_PREFIXES.get(country))
