"""The ticket queue: a page of it in any order, from any place, however many tickets there are.

A page is one statement that reads its order from an index; a search asks at most five (`finding`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Label, Row, Select, func, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from ptdash.models import Role, Ticket, User
from ptdash.services.tickets import finding
from ptdash.services.tickets.asking import (
    Asked,
    Moment,
    after,
    branches,
    direction,
    key_of,
    placed,
    scopes,
    starting,
)
from ptdash.services.tickets.prepared import any_moment, anybody, values
from ptdash.services.tickets.rows import COLUMNS, first_of, ids_of, joined

PAGE = 50


@dataclass(frozen=True)
class Page:
    """`before` and `after` name where the pages around this one begin. `found` counts a search's hits, None where
    they are many (or nothing was searched). `alike`: nothing fits to the letter, these are similar."""

    rows: Sequence[Row[Any]]
    before: str | None
    after: str | None
    found: int | None = None
    alike: bool = False


def page(session: Session, asked: Asked, user: User, moment: Moment) -> Page:
    """A page of 50 tickets that this person sees, in the order asked for."""
    if not asked.words:
        view, place = starting(asked)
        statement = _plain(view, bool(place), Role(user.role), PAGE + 1)
        return _cut(asked, list(session.execute(statement, values(user, moment) | place).all()))
    rows = finding.spelled(session, asked, user, moment, PAGE + 1)
    if rows or (asked.start and finding.spelled(session, replace(asked, start=None), user, moment, 1)):
        return _cut(asked, rows, _found(asked, rows))
    rows = finding.alike(session, asked, user, moment, PAGE + 1)
    return _cut(asked, rows, rows[0].found if rows else 0, bool(rows))


def _found(asked: Asked, rows: Sequence[Row[Any]]) -> int | None:
    """How many tickets a search has: where nobody counted them, the rows are all where they fit on the page."""
    if not rows or rows[0].found is not None:
        return rows[0].found if rows else 0
    return len(rows) if len(rows) <= PAGE and asked.start is None else None


def rows_of(session: Session, numbers: Collection[str], user: User) -> Sequence[Row[Any]]:
    """These tickets as rows of the queue, as far as this person sees them, in the order of their deadline."""
    own = [condition for scope in scopes(user) for condition in scope]
    rows: Any = select(*COLUMNS).select_from(Ticket)
    found = joined(rows).where(Ticket.number.in_(numbers))
    if own:
        found = found.where(own[0] | own[1])
    return session.execute(found.order_by(Ticket.due_key, Ticket.id)).all()


def assignable(session: Session) -> Sequence[Row[Any]]:
    """Whom tickets can be given to, by name."""
    return session.execute(_assignable()).all()


@cache
def people() -> Label[Any]:
    """The same as one column, pairs of id and name, to be asked for beside other figures."""
    them = _assignable().subquery()
    pair = func.jsonb_build_array(them.c.id, them.c.name)
    found = select(func.jsonb_agg(aggregate_order_by(pair, them.c.name, them.c.id)))
    return found.scalar_subquery().label("people")


@cache
def _assignable() -> Any:
    found: Any = select(User.id, User.name, User.role).where(User.active, User.role != "admin")
    return found.order_by(User.name, User.id)


@lru_cache(maxsize=200)
def _plain(view: Asked, begins: bool, role: Role, size: int) -> Select[Any]:
    """A page without a search, each branch read from an index in order; `begins`: at a place."""
    asked = placed(view) if begins else view
    parts = [
        ids_of(asked, [*conditions, *after(asked)]).order_by(*direction(asked)).limit(size)
        for conditions in branches(asked, anybody(role), any_moment())
    ]
    whole = parts[0] if len(parts) == 1 else union_all(*(select(part.subquery()) for part in parts))
    return first_of(asked, whole.subquery(), size)


def _cut(asked: Asked, rows: Sequence[Row[Any]], found: int | None = None, alike: bool = False) -> Page:
    """One row more was read than is shown, to know whether another page follows."""
    more, shown = len(rows) > PAGE, list(rows[:PAGE])
    if asked.back:
        shown.reverse()
    first, last = (key_of(asked, shown[0]), key_of(asked, shown[-1])) if shown else (None, None)
    has_before = more if asked.back else asked.start is not None
    has_after = asked.back or more
    return Page(shown, first if has_before else None, last if has_after else None, found, alike)
