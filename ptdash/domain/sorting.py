"""How names are put in order: DIN 5007-1, as in a dictionary."""

import unicodedata

# What decomposition leaves alone, or what DIN 5007-1 spells in its own way.
SPELLED = str.maketrans(
    {"ß": "ss", "ı": "i", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th"}
)


def sort_key(name: str) -> str:
    """The text a name is sorted by (DIN 5007-1): small letters, ä as a, ö as o, ü as u, ß as ss, no accents."""
    spelled = name.strip().lower().translate(SPELLED)
    return "".join(c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
