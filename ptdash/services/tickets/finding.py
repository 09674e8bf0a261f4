"""Searching the queue: statements that are put together once for each kind of view, with the words as parameters.

What is common stands among the first rows of the view's order and is found by looking through some of them; what
is rare is found by the trigram index, and counted: one statement does the one or the other. What nobody spelled
like that is looked up among the words that there are, and the tickets with the nearest of them are shown.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from ptdash.models import Customer, Role, Ticket, User
from ptdash.services.searching import LIKENESS_FROM
from ptdash.services.tickets.asking import (
    Asked,
    Moment,
    after,
    branches,
    direction,
    keys_of,
    placed,
    read_keys,
    starting,
    within,
)
from ptdash.services.tickets.prepared import any_moment, anybody, values
from ptdash.services.tickets.rows import first_of, ids_of

LOOKED_THROUGH = 3000
ALIKE_AT_MOST = 500
SPECIAL = re.compile(r"([\\%_])")

# Whether a text column has the word of a place, as a condition.
Test = Callable[[Any, int], ColumnElement[bool]]


def spelled(session: Session, asked: Asked, user: User, moment: Moment, size: int) -> Sequence[Row[Any]]:
    """The first rows in which every word is a part of the ticket's text or of its customer's; `found` is how many
    there are, None where they are many."""
    view, place = starting(asked)
    whole = tuple(_is_whole(word) for word in asked.words)
    statement = _spelled(view, bool(place), Role(user.role), whole, size)
    return session.execute(statement, values(user, moment) | place | parts(asked.words)).all()


def alike(session: Session, asked: Asked, user: User, moment: Moment, size: int) -> Sequence[Row[Any]]:
    """The same with a slip of the finger forgiven: tickets with the nearest words that there are; where none has
    them, those of whose text a part is similar. Of 500 at most."""
    view, place = starting(asked)
    words = {f"word{n}": word for n, word in enumerate(asked.words)}
    near = session.execute(_nearest(len(words)), words).one()._mapping
    comparable = tuple(len(word) >= LIKENESS_FROM and not word.isdigit() for word in words.values())
    given = values(user, moment) | place | parts(asked.words) | words | dict(near)
    for known in (True, False):
        statement = _alike(view, bool(place), Role(user.role), comparable, known, size)
        if rows := session.execute(statement, given).all():
            return rows
    return []


def _is_whole(word: str) -> bool:
    """Whether a word, wherever it stands, is a part of one of `words_of` (migration 0012)."""
    return len(word) >= 3 and word.isascii() and word.isalnum() and not word.isdigit()


def match(words: int) -> ColumnElement[bool]:
    """So many words are each a part of the ticket's text or of its customer's; with `parts` as parameters."""
    return and_(true(), *(_by_index(_is_part, n) for n in range(words)))


def parts(words: Sequence[str]) -> dict[str, str]:
    """What `match` compares with: each word anywhere in a text."""
    return {f"part{n}": "%" + SPECIAL.sub(r"\\\1", word) + "%" for n, word in enumerate(words)}


@lru_cache(maxsize=200)
def _spelled(view: Asked, begins: bool, role: Role, whole: tuple[bool, ...], size: int) -> Select[Any]:
    """The first ones of each branch, as far as they are there, else all of them from the trigram index; nothing is
    read where one of the `whole` words is part of none that there is."""
    asked, words = placed(view) if begins else view, len(whole)
    there = _once(select(and_(true(), *(_is_known(n) for n in range(words) if whole[n])).label("yes")))
    known = select(there.c.yes).scalar_subquery()
    first, complete = [], []
    for conditions in branches(asked, anybody(role), any_moment()):
        ordered = ids_of(asked, [known, *conditions, *after(asked)]).order_by(*direction(asked))
        near = _once(ordered.add_columns(*keys_of(asked), Ticket.search, Ticket.customer_id).limit(LOOKED_THROUGH))
        of_customer = [near.c.customer_id.in_(_customers(_is_part, n)) for n in range(words)]
        fit = [or_(_is_part(near.c.search, n), of_customer[n]) for n in range(words)]
        hits = _once(select(near.c.id, *read_keys(asked, near)).where(*fit).limit(size))
        first.append(select(hits, cast(null(), Integer).label("found")))
        # From its beginning a branch can also be looked through to its end.
        enough = _count(hits) >= size
        complete.append(enough if begins else or_(enough, _count(near) < LOOKED_THROUGH))
    enough_of_each = _once(select(and_(true(), *complete).label("yes")))
    said = select(enough_of_each.c.yes).scalar_subquery()
    everything = _once(
        _together(
            ids_of(asked, [known, not_(said), *conditions, match(words)]).add_columns(*keys_of(asked))
            for conditions in branches(asked, anybody(role), any_moment())
        )
    )
    counted = select(everything, func.count().over().label("found"))
    return _first(asked, union_all(*(part.where(said) for part in first), counted).subquery(), size)


@lru_cache(maxsize=200)
def _alike(
    view: Asked, begins: bool, role: Role, comparable: tuple[bool, ...], known: bool, size: int
) -> Select[Any]:
    """With one of the nearest words that there are (`known`), or by the likeness of the text."""
    asked = placed(view) if begins else view
    test: Test = _has_near if known else _is_similar
    fit = [_by_index(test if likeness else _is_part, n) for n, likeness in enumerate(comparable)]
    found = _together(
        ids_of(asked, [*conditions, *fit]).add_columns(*keys_of(asked))
        for conditions in branches(asked, anybody(role), any_moment())
    )
    hits = _once(found.limit(literal_column(str(ALIKE_AT_MOST), Integer)))
    return _first(asked, select(hits, func.count().over().label("found")).subquery(), size)


def _first(asked: Asked, hits: Any, size: int) -> Select[Any]:
    """The first of the hits, cut before the rows are read."""
    keys = read_keys(asked, hits)
    cut = select(hits.c.id, hits.c.found).where(*after(asked, keys)).order_by(*direction(asked, keys)).limit(size)
    ids = cut.subquery()
    return first_of(asked, ids, size, ids.c.found)


@cache
def _nearest(words: int) -> Select[Any]:
    """Of each word the nearest ones that there are, as what `_has_near` compares with."""
    return select(*(func.near_words(bindparam(f"word{n}", type_=Text)).label(f"near{n}") for n in range(words)))


def _is_known(n: int) -> ColumnElement[bool]:
    return func.is_part_of_a_word(bindparam(f"part{n}", type_=Text), type_=Boolean)


def _is_part(column: Any, n: int) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.like(bindparam(f"part{n}", type_=Text))
    return found


def _has_near(column: Any, n: int) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.like(any_(bindparam(f"near{n}", type_=ARRAY(Text))))
    return found


def _is_similar(column: Any, n: int) -> ColumnElement[bool]:
    return or_(_is_part(column, n), column.bool_op("%>")(bindparam(f"word{n}", type_=Text)))


def _by_index(test: Test, n: int) -> ColumnElement[bool]:
    return or_(test(Ticket.search, n), within(Ticket.customer_id, _customers(test, n)))


def _customers(test: Test, n: int) -> Select[Any]:
    return select(Customer.id).where(test(Customer.search, n))


def _together(parts: Any) -> Any:
    found = list(parts)
    return found[0] if len(found) == 1 else union_all(*found)


def _once(found: Any) -> Any:
    return found.cte().prefix_with("MATERIALIZED", dialect="postgresql")


def _count(rows: Any) -> Any:
    return select(func.count()).select_from(rows).scalar_subquery()
