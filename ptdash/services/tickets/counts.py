"""The figures around the queue: each stops counting at 1000, so that it costs the same however many there are."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from ptdash.models import Ticket, User
from ptdash.services.tickets.asking import NEVER, Asked, Conditions, Group, Moment, Tab, branches, match

LIMIT = 1000


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
    """All of them in one statement."""
    wanted = {f"tab_{tab}": _capped(Asked(tab=tab), user, moment) for tab in Tab}
    wanted["overdue"] = _capped(Asked(), user, moment, _in(Group.OVERDUE, moment))
    if not asked.words:
        view = replace(asked, start=None)
        if view.filtered or view.tab is not Tab.OPEN:
            wanted["total"] = _capped(view, user, moment)
        if asked.open_only:
            wanted |= {f"group_{group}": _capped(view, user, moment, _in(group, moment)) for group in Group}
    newest = select(func.coalesce(func.max(Ticket.id), 0)).scalar_subquery()
    row = session.execute(select(newest.label("newest"), *(sub.label(name) for name, sub in wanted.items()))).one()
    found = row._mapping
    tabs = {tab: found[f"tab_{tab}"] for tab in Tab}
    groups = {group: found[f"group_{group}"] for group in Group if f"group_{group}" in found}
    return Figures(tabs, row.overdue, found.get("total", tabs[Tab.OPEN]), groups, row.newest)


def total(session: Session, asked: Asked, user: User, moment: Moment) -> int:
    """How many tickets a view has, at most 1000; of a search as far as 1000 hits are looked for."""
    where = [match(asked.words)] if asked.words else []
    return _one(session, _capped(replace(asked, start=None), user, moment, where))


def overdue(session: Session, user: User, moment: Moment) -> int:
    """How many tickets are past their deadline, at most 1000."""
    return _one(session, _capped(Asked(), user, moment, _in(Group.OVERDUE, moment)))


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
