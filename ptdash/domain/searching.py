"""How text is compared when somebody searches: spelling of umlauts and accents does not matter."""

from ptdash.domain.sorting import sort_key

DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


def fold(text: str) -> str:
    """Small letters without accents; ä, ae and a are the same, so are ö and ü: Mueller finds Müller.

    The database's function `fold` (migration 0005) does the same to what is searched.
    """
    folded = sort_key(text)
    for digraph, letter in DIGRAPHS:
        folded = folded.replace(digraph, letter)
    return folded


def words(text: str) -> list[str]:
    """What a search asks for: each of its words, folded."""
    return fold(text).split()
