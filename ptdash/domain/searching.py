"""How text is compared when somebody searches: spelling of umlauts and accents does not matter."""

import re
import unicodedata

from ptdash.domain.sorting import SPELLED

ACCENTS = re.compile("[\u0300-\u036f]")
DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


def fold(text: str) -> str:
    """Small letters without accents; ä, ae and a are the same, so are ö and ü: Mueller finds Müller.

    The database's function `fold` (migration 0005) does the same to what is searched, sign by sign.
    """
    small = "".join(map(str.lower, text))
    folded = ACCENTS.sub("", unicodedata.normalize("NFKD", small)).translate(SPELLED)
    for digraph, letter in DIGRAPHS:
        folded = folded.replace(digraph, letter)
    return folded


def words(text: str) -> list[str]:
    """What a search asks for: each of its words, folded."""
    return fold(text).split()
