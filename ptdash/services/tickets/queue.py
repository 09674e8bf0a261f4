"""The ticket queue: a page of it in any order, from any place, however many tickets there are.

A page is one statement that reads its order from an index; a search asks at most three. What is common stands
among the first rows of that order and is found by looking through some of them; what is rare is found by the
trigram index, and counted; and what nobody spelled like that is found by likeness.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, union_all
from sqlalchemy.orm import Session

from ptdash.models import Customer, Role, Ticket, User
from ptdash.services.tickets.asking import (
    NEVER,
    ORDERS,
    Asked,
    Conditions,
    Moment,
    Sort,
    after,
    branches,
    direction,
    key_of,
    match,
    scopes,
)
from ptdash.services.tickets.prepared import any_moment, anybody, values

PAGE = 50
LOOKED_THROUGH = 3000
ALIKE_AT_MOST = 500

COLUMNS = (
    Ticket.id,
    Ticket.number,
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.due_at,
    Ticket.deadline_known,
    Ticket.created_at,
    Ticket.updated_at,
    Ticket.version,
    Ticket.customer_id,
    Ticket.assignee_id,
    Customer.name.label("customer"),
    Customer.sort_key,
    User.name.label("assignee"),
)


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
        view, start = replace(asked, start=None, text=""), asked.start or ()
        place = {f"start{n}": NEVER if value is None else value for n, value in enumerate(start)}
        statement = _plain(view, bool(start), Role(user.role), PAGE + 1)
        return _cut(asked, list(session.execute(statement, values(user, moment) | place).all()))
    common = _read(session, asked, _ordered(asked, user, moment, PAGE + 1, asked.words))
    if len(common) > PAGE:
        return _cut(asked, common)
    for alike in (False, True):
        rows = _read(session, asked, _hits(asked, user, moment, alike), counted=True)
        if rows or asked.start:
            return _cut(asked, rows, rows[0].found if rows else 0, alike and bool(rows))
    return _cut(asked, [], 0)


def rows_of(session: Session, numbers: Collection[str], user: User) -> Sequence[Row[Any]]:
    """These tickets as rows of the queue, as far as this person sees them, in the order of their deadline."""
    own = [condition for scope in scopes(user) for condition in scope]
    rows: Any = select(*COLUMNS).select_from(Ticket)
    found = _joined(rows).where(Ticket.number.in_(numbers))
    if own:
        found = found.where(own[0] | own[1])
    return session.execute(found.order_by(Ticket.due_key, Ticket.id)).all()


def assignable(session: Session) -> Sequence[Row[Any]]:
    """Whom tickets can be given to, by name."""
    return session.execute(_assignable()).all()


@cache
def _assignable() -> Any:
    found: Any = select(User.id, User.name, User.role).where(User.active, User.role != "admin")
    return found.order_by(User.name, User.id)


@lru_cache(maxsize=200)
def _plain(view: Asked, begins: bool, role: Role, size: int) -> Select[Any]:
    """A page without a search; `begins`: at a place, which is a parameter, too."""
    if begins:
        keys = enumerate(ORDERS[view.order][1])
        view = replace(view, start=tuple(bindparam(f"start{n}", type_=key.type) for n, key in keys))
    return _rows(view, _ordered(view, anybody(role), any_moment(), size), size)


def _ordered(asked: Asked, user: User, moment: Moment, size: int, words: Sequence[str] = ()) -> Any:
    """The ids of a page, each branch read from an index in order; those with these words among the first only."""
    parts = []
    for conditions in branches(asked, user, moment):
        part = _base(asked, [*conditions, *after(asked)]).order_by(*direction(asked))
        if words:
            near = part.add_columns(Ticket.search, Ticket.customer_id).limit(LOOKED_THROUGH)
            looked_at = near.cte().prefix_with("MATERIALIZED", dialect="postgresql")
            part = select(looked_at.c.id).where(match(words, rows=looked_at.c))
        parts.append(part.limit(size))
    return (parts[0] if len(parts) == 1 else union_all(*(select(part.subquery()) for part in parts))).subquery()


def _hits(asked: Asked, user: User, moment: Moment, alike: bool) -> Any:
    """Every ticket that a search finds by the trigram indexes, and how many they are."""
    parts = [
        _base(asked, [*conditions, match(asked.words, alike=alike)])
        for conditions in branches(asked, user, moment)
    ]
    whole = parts[0] if len(parts) == 1 else union_all(*parts)
    if alike:
        whole = whole.limit(ALIKE_AT_MOST)
    hits = whole.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    return select(hits.c.id, func.count().over().label("found")).subquery()


def _base(asked: Asked, conditions: Conditions) -> Select[Any]:
    found = select(Ticket.id).where(*conditions)
    return found.join(Customer, Customer.id == Ticket.customer_id) if asked.order is Sort.CUSTOMER else found


def _read(session: Session, asked: Asked, ids: Any, counted: bool = False) -> list[Row[Any]]:
    return list(session.execute(_rows(asked, ids, PAGE + 1, counted)).all())


def _rows(asked: Asked, ids: Any, size: int, counted: bool = False) -> Select[Any]:
    columns = (*COLUMNS, ids.c.found) if counted else COLUMNS
    found = _joined(select(*columns).select_from(ids).join(Ticket, Ticket.id == ids.c.id))
    if counted:
        found = found.where(*after(asked))
    return found.order_by(*direction(asked)).limit(size)


def _joined(found: Select[Any]) -> Select[Any]:
    return found.join(Customer, Customer.id == Ticket.customer_id).outerjoin(User, User.id == Ticket.assignee_id)


def _cut(asked: Asked, rows: list[Row[Any]], found: int | None = None, alike: bool = False) -> Page:
    """One row more was read than is shown, to know whether another page follows."""
    more, shown = len(rows) > PAGE, rows[:PAGE]
    if asked.back:
        shown.reverse()
    first, last = (key_of(asked, shown[0]), key_of(asked, shown[-1])) if shown else (None, None)
    has_before = more if asked.back else asked.start is not None
    has_after = asked.back or more
    return Page(shown, first if has_before else None, last if has_after else None, found, alike)
