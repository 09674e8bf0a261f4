"""Which VAT a customer's invoice carries."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# Member states by ISO 3166 code.
EU = frozenset(
    [
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT"),
        *("LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    ]
)


class VatCategory(StrEnum):
    """UNTDID 5305, as EN 16931 BT-151 uses it."""

    STANDARD = "S"
    REVERSE_CHARGE = "AE"


@dataclass(frozen=True)
class Vat:
    category: VatCategory
    rate: Decimal


def vat_category(country: str, vat_id: str, is_consumer: bool, decision: str | None) -> VatCategory | None:
    """Germany: standard rate. A business elsewhere in the EU with a VAT id: reverse charge
    (Art. 196 of Directive 2006/112/EC, UStG 13b). Anybody else: what a person decided, else None.
    """
    if decision is not None:
        return VatCategory.REVERSE_CHARGE if decision == "reverse_charge" else VatCategory.STANDARD
    if country == "DE":
        return VatCategory.STANDARD
    if country in EU and vat_id and not is_consumer:
        return VatCategory.REVERSE_CHARGE
    return None


def vat_for(category: VatCategory, standard_rate: Decimal) -> Vat:
    """The category with its rate in percent; reverse charge carries 0 %."""
    return Vat(category, Decimal(0) if category is VatCategory.REVERSE_CHARGE else standard_rate)
