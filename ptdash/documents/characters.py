"""Texts in the characters of Western Europe, for whatever knows no others."""

import unicodedata

ENCODING = "cp1252"
# Letters that are no others with an accent.
PLAIN = {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Ħ": "H", "ħ": "h", "ẞ": "SS", "−": "–"}


def nearest(value: str) -> str:
    """The text in the characters of Windows-1252: without accents that it does not know, or `?`; a control
    character that no import refused (a bell, an escape) is a blank."""
    return "".join(
        " " if _is_control(sign) else sign if _is_known(sign) else _without_accent(sign) for sign in value
    )


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) == "Cc" and sign not in "\t\n\r"


def _without_accent(sign: str) -> str:
    plain = PLAIN.get(sign) or "".join(
        part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)
    )
    return plain if plain and _is_known(plain) else "?"


def _is_known(text: str) -> bool:
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True
