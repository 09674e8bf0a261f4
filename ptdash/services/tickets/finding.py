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
from ptdash.services.tickets.asking import Asked, Moment, after, among, branches, direction, placed, starting
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
    statement = _spelled(view, bool(place), Role(user.role), len(asked.words), size)
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


def match(words: int) -> ColumnElement[bool]:
    """So many words are each a part of the ticket's text or of its customer's; with `parts` as parameters."""
    return and_(true(), *(_by_index(_is_part, n) for n in range(words)))


def parts(words: Sequence[str]) -> dict[str, str]:
    """What `match` compares with: each word anywhere in a text."""
    return {f"part{n}": "%" + SPECIAL.sub(r"\\\1", word) + "%" for n, word in enumerate(words)}


@lru_cache(maxsize=200)
def _spelled(view: Asked, begins: bool, role: Role, words: int, size: int) -> Select[Any]:
    """The first ones of each branch, as far as they are there, else all of them from the trigram index."""
    asked = placed(view) if begins else view
    first, complete = [], []
    for conditions in branches(asked, anybody(role), any_moment()):
        ordered = ids_of(asked, [*conditions, *after(asked)]).order_by(*direction(asked))
        near = _once(ordered.add_columns(Ticket.search, Ticket.customer_id).limit(LOOKED_THROUGH))
        fit = [
            or_(_is_part(near.c.search, n), near.c.customer_id.in_(_customers(_is_part, n))) for n in range(words)
        ]
        hits = _once(select(near.c.id).where(*fit).limit(size))
        first.append(select(hits.c.id, cast(null(), Integer).label("found")))
        # From its beginning a branch can also be looked through to its end.
        enough = _count(hits) >= size
        complete.append(enough if begins else or_(enough, _count(near) < LOOKED_THROUGH))
    enough_of_each = _once(select(and_(true(), *complete).label("yes")))
    said = select(enough_of_each.c.yes).scalar_subquery()
    everything = _once(
        _together(
            ids_of(asked, [not_(said), *conditions, match(words)])
            for conditions in branches(asked, anybody(role), any_moment())
        )
    )
    counted = select(everything.c.id, func.count().over().label("found"))
    ids = union_all(*(part.where(said) for part in first), counted).subquery()
    return first_of(asked, ids, size, ids.c.found)


@lru_cache(maxsize=200)
def _alike(
    view: Asked, begins: bool, role: Role, comparable: tuple[bool, ...], known: bool, size: int
) -> Select[Any]:
    """With one of the nearest words that there are (`known`), or by the likeness of the text."""
    asked = placed(view) if begins else view
    test: Test = _has_near if known else _is_similar
    fit = [_by_index(test if likeness else _is_part, n) for n, likeness in enumerate(comparable)]
    hits = _once(
        _together(
            ids_of(asked, [*conditions, *fit]) for conditions in branches(asked, anybody(role), any_moment())
        ).limit(literal_column(str(ALIKE_AT_MOST), Integer))
    )
    ids = select(hits.c.id, func.count().over().label("found")).subquery()
    return first_of(asked, ids, size, ids.c.found)


@cache
def _nearest(words: int) -> Select[Any]:
    """Of each word the nearest ones that there are, as what `_has_near` compares with."""
    return select(*(func.near_words(bindparam(f"word{n}", type_=Text)).label(f"near{n}") for n in range(words)))


def _is_part(column: Any, n: int) -> ColumnElement[bool]:
    return column.like(bindparam(f"part{n}", type_=Text))


def _has_near(column: Any, n: int) -> ColumnElement[bool]:
    return column.like(any_(bindparam(f"near{n}", type_=ARRAY(Text))))


def _is_similar(column: Any, n: int) -> ColumnElement[bool]:
    return or_(_is_part(column, n), column.bool_op("%>")(bindparam(f"word{n}", type_=Text)))


def _by_index(test: Test, n: int) -> ColumnElement[bool]:
    return or_(test(Ticket.search, n), among(Ticket.customer_id, _customers(test, n)))


def _customers(test: Test, n: int) -> Select[Any]:
    return select(Customer.id).where(test(Customer.search, n))


def _together(parts: Any) -> Any:
    found = list(parts)
    return found[0] if len(found) == 1 else union_all(*found)


def _once(found: Any) -> Any:
    return found.cte().prefix_with("MATERIALIZED", dialect="postgresql")


def _count(rows: Any) -> Any:
    return select(func.count()).select_from(rows).scalar_subquery()
