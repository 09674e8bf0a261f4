"""The figures around the queue: each stops counting at 1000, so that it costs the same however many there are."""

from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    Date,
    DateTime,
    Integer,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from ptdash.models import Role, Ticket, User
from ptdash.services.tickets.asking import NEVER, Asked, Conditions, Group, Moment, Tab, branches, match

LIMIT = 1000
# What of a moment the figures are told by.
INSTANTS = {
    "now": DateTime(timezone=True),
    "tomorrow": DateTime(timezone=True),
    "critical": DateTime(timezone=True),
} | {"month": Date()}


@dataclass(frozen=True)
class Figures:
    """Every tab's open tickets, the overdue ones, those of the view asked for and of its groups (none of a
    search), and the newest ticket's id, so that the page can ask for newer ones. 1000 stands for "more"."""

    tabs: dict[Tab, int]
    overdue: int
    total: int
    groups: dict[Group, int]
    newest: int


def figures(session: Session, asked: Asked, user: User, moment: Moment) -> Figures:
    """All of them in one statement, which is put together once for each kind of view."""
    view = replace(asked, start=None, back=False, text="")
    statement = _statement(view, bool(asked.words), Role(user.role))
    row = session.execute(statement, {"me": user.id} | {name: getattr(moment, name) for name in INSTANTS}).one()
    found = row._mapping
    tabs = {tab: found[f"tab_{tab}"] for tab in Tab}
    groups = {group: found[f"group_{group}"] for group in Group if f"group_{group}" in found}
    return Figures(tabs, row.overdue, found.get("total", tabs[Tab.OPEN]), groups, row.newest)


@lru_cache(maxsize=200)
def _statement(view: Asked, searched: bool, role: Role) -> Select[Any]:
    """The figures of a view, with the person and the instants as parameters."""
    user: Any = SimpleNamespace(id=bindparam("me", type_=Integer), role=role)
    moment: Any = SimpleNamespace(**{name: bindparam(name, type_=kind) for name, kind in INSTANTS.items()})
    wanted = {f"tab_{tab}": _capped(Asked(tab=tab), user, moment) for tab in Tab}
    wanted["overdue"] = _capped(Asked(), user, moment, _in(Group.OVERDUE, moment))
    if not searched:
        if view.filtered or view.tab is not Tab.OPEN:
            wanted["total"] = _capped(view, user, moment)
        if view.open_only:
            wanted |= {f"group_{group}": _capped(view, user, moment, _in(group, moment)) for group in Group}
    newest = select(func.coalesce(func.max(Ticket.id), 0)).scalar_subquery()
    return select(newest.label("newest"), *(figure.label(name) for name, figure in wanted.items()))


def total(session: Session, asked: Asked, user: User, moment: Moment) -> int:
    """How many tickets a view has, at most 1000; of a search as far as 1000 hits are looked for."""
    where = [match(asked.words)] if asked.words else []
    return _one(session, _capped(replace(asked, start=None), user, moment, where))


def overdue(user: User, moment: Moment) -> ScalarSelect[int]:
    """Asks how many tickets are past their deadline, at most 1000."""
    return _capped(Asked(), user, moment, _in(Group.OVERDUE, moment))


def fresh(session: Session, asked: Asked, user: User, moment: Moment, newest: int) -> int:
    """How many tickets of this view came in after the newest one that a page knows."""
    where: Conditions = [Ticket.id > newest, *([match(asked.words)] if asked.words else [])]
    return _one(session, _capped(replace(asked, start=None), user, moment, where))


def _in(group: Group, moment: Moment) -> Conditions:
    return {
        Group.OVERDUE: [Ticket.due_key < moment.now],
        Group.TODAY: [Ticket.due_key >= moment.now, Ticket.due_key < moment.tomorrow],
        Group.LATER: [Ticket.due_key >= moment.tomorrow, Ticket.due_key < NEVER],
        Group.HOLD: [Ticket.due_key == NEVER],
    }[group]


def _one(session: Session, figure: ScalarSelect[int]) -> int:
    return session.execute(select(figure)).scalar_one()


def _capped(asked: Asked, user: User, moment: Moment, more: Conditions | None = None) -> ScalarSelect[int]:
    parts = [_some([*conditions, *(more or [])], asked.open_only) for conditions in branches(asked, user, moment)]
    whole = parts[0] if len(parts) == 1 else union_all(*(select(part.subquery()) for part in parts)).limit(LIMIT)
    return select(func.count()).select_from(whole.subquery()).scalar_subquery()


def _some(conditions: Conditions, open_only: bool) -> Select[Any]:
    """In order, where an index has it: else the planner may read the whole table for what is at its end."""
    found = select(literal(1).label("one")).select_from(Ticket).where(*conditions).limit(LIMIT)
    return found.order_by(Ticket.due_key, Ticket.id) if open_only else found
