"""Countries and VAT ids as every way in takes them: by the countries that there are."""

from functools import cache

import pycountry

from ptdash.domain import countries


@cache
def _codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def clean_country(text: str) -> str:
    """A country's code in capitals. Raises CountryUnreadable."""
    return countries.clean_country(text, _codes())


def clean_vat_id(text: str) -> str:
    """A VAT id without blanks, in capitals; empty stays empty. Raises VatIdUnreadable."""
    return countries.clean_vat_id(text, _codes())
