"""Numbers as people type them."""

import re
from decimal import Decimal

# 1,50 · 1.234,50 · 1.50; a lone point before three digits could be either, so it is refused.
COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+")
POINT = re.compile(r"-?\d+(\.(\d{1,2}|\d{4,}))?")


def read_decimal(text: str | None) -> Decimal | None:
    """A decimal number with a comma (or a point), the euro sign and spaces left out; None where it is none."""
    typed = re.sub(r"[\s€%]", "", text or "").replace("\N{MINUS SIGN}", "-")
    if COMMA.fullmatch(typed):
        return Decimal(typed.replace(".", "").replace(",", "."))
    return Decimal(typed) if POINT.fullmatch(typed) else None


def read_whole(text: str | None) -> int | None:
    """A whole number of at most six digits; None where it is none."""
    typed = (text or "").strip()
    return int(typed) if re.fullmatch(r"\d{1,6}", typed, re.ASCII) else None
