"""Search: what is typed against a folded column, tolerant of umlauts and of a slip of the finger."""

from sqlalchemy import ColumnElement, and_, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from ptdash.domain.searching import words

# Shorter words have too few trigrams to be told from others by likeness.
LIKENESS_FROM = 4


def matches(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Whether a folded column (`tickets.search`, `customers.search`) has every word of what was typed: as a part
    of it, or so alike that only a letter differs. Both halves use the column's trigram index. No word: all."""
    return and_(true(), *(_has(column, word) for word in words(text)))


def _has(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    part = column.contains(word, autoescape=True)
    if len(word) < LIKENESS_FROM or word.isdigit():
        return part
    return or_(part, column.bool_op("%>")(word))  # word_similarity, 0.6 or more
