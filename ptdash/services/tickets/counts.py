"""The figures around the queue: each stops counting at 1000, so that it costs the same however many there are."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    ScalarSelect,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from ptdash.models import Customer, Role, Ticket, User
from ptdash.services.tickets.asking import (
    NEVER,
    OPEN,
    Asked,
    Conditions,
    Group,
    Moment,
    Tab,
    branches,
    low_customers,
    scopes,
)
from ptdash.services.tickets.finding import match, parts
from ptdash.services.tickets.prepared import any_moment, anybody, values

LIMIT = 1000


@dataclass(frozen=True)
class Figures:
    """Every tab's open tickets, the overdue ones, those of the view asked for and of its groups (none of a
    search), and the newest ticket's id, so that the page can ask for newer ones. 1000 stands for "more".
    `customer` is the name of the one whose tickets are asked for; None where nobody has that number. `beside` is
    what else was asked for with them, by its label."""

    tabs: dict[Tab, int]
    overdue: int
    total: int
    groups: dict[Group, int]
    newest: int
    customer: str | None
    beside: dict[str, Any]


def figures(
    session: Session,
    asked: Asked,
    user: User,
    moment: Moment,
    *,
    groups: Collection[Group] = tuple(Group),
    beside: tuple[Label[Any], ...] = (),
    **more: Any,
) -> Figures:
    """All of them in one statement, which is put together once for each kind of view; of its groups these. Figures
    of other areas can be asked for `beside` them, with `more` as their parameters."""
    view = replace(asked, start=None, back=False, text="")
    shown = tuple(group for group in Group if group in groups and not asked.words)
    statement = _statement(view, bool(asked.words), Role(user.role), shown, beside)
    row = session.execute(statement, values(user, moment) | more).one()
    found = row._mapping
    tabs = {tab: found[f"tab_{tab}"] for tab in Tab}
    return Figures(
        tabs,
        row.overdue,
        found.get("total", tabs[Tab.OPEN]),
        {group: found[f"group_{group}"] for group in Group if f"group_{group}" in found},
        row.newest,
        found.get("customer"),
        {column.name: found[column.name] for column in beside},
    )


@lru_cache(maxsize=200)
def _statement(
    view: Asked, searched: bool, role: Role, groups: tuple[Group, ...], beside: tuple[Label[Any], ...]
) -> Select[Any]:
    """The figures of a view, with the person and the instants as parameters."""
    user, moment = anybody(role), any_moment()
    wanted: dict[str, ScalarSelect[Any]] = {
        f"tab_{tab}": _capped(Asked(tab=tab), user, moment) for tab in Tab if tab is not Tab.LOW
    }
    wanted[f"tab_{Tab.LOW}"] = _low(user, moment)
    wanted["overdue"] = _capped(Asked(), user, moment, _in(Group.OVERDUE, moment))
    if not searched:
        if view.filtered or view.tab is not Tab.OPEN:
            wanted["total"] = _capped(view, user, moment)
        if view.open_only:
            wanted |= {f"group_{group}": _capped(view, user, moment, _in(group, moment)) for group in groups}
    if view.customer is not None:
        wanted["customer"] = select(Customer.name).where(Customer.number == view.customer).scalar_subquery()
    newest = select(func.coalesce(func.max(Ticket.id), 0)).scalar_subquery()
    return select(newest.label("newest"), *(figure.label(name) for name, figure in wanted.items()), *beside)


@cache
def overdue(role: Role) -> ScalarSelect[int]:
    """Asks how many tickets are past their deadline, at most 1000; with `values` as parameters."""
    moment = any_moment()
    return _capped(Asked(), anybody(role), moment, _in(Group.OVERDUE, moment))


def fresh(session: Session, asked: Asked, user: User, moment: Moment, newest: int) -> int:
    """How many tickets of this view came in after the newest one that a page knows."""
    where: Conditions = [Ticket.id > newest, match(len(asked.words))]
    figure = _capped(replace(asked, start=None), user, moment, where)
    return session.execute(select(figure), parts(asked.words)).scalar_one()


def _in(group: Group, moment: Moment) -> Conditions:
    return {
        Group.OVERDUE: [Ticket.due_key < moment.now],
        Group.TODAY: [Ticket.due_key >= moment.now, Ticket.due_key < moment.tomorrow],
        Group.LATER: [Ticket.due_key >= moment.tomorrow, Ticket.due_key < NEVER],
        Group.HOLD: [Ticket.due_key == NEVER],
    }[group]


def _capped(asked: Asked, user: User, moment: Moment, more: Conditions | None = None) -> ScalarSelect[int]:
    parts = [_some([*conditions, *(more or [])], asked.open_only) for conditions in branches(asked, user, moment)]
    whole = parts[0] if len(parts) == 1 else union_all(*(select(part.subquery()) for part in parts)).limit(LIMIT)
    return select(func.count()).select_from(whole.subquery()).scalar_subquery()


def _low(user: User, moment: Moment) -> ScalarSelect[int]:
    """Customer by customer from the index of the open ones: of all their tickets most are done."""
    low = low_customers(moment).distinct().subquery()
    own = or_(*(and_(true(), *scope) for scope in scopes(user)))
    theirs = select(literal_column("1", Integer).label("one")).where(
        OPEN, Ticket.customer_id == low.c.customer_id, own
    )
    each = theirs.limit(literal_column(str(LIMIT), Integer)).lateral()
    whole = select(each.c.one).select_from(low.join(each, true())).limit(literal_column(str(LIMIT), Integer))
    return select(func.count()).select_from(whole.subquery()).scalar_subquery()


def _some(conditions: Conditions, open_only: bool) -> Select[Any]:
    """In order, where an index has it: else the planner may read the whole table for what is at its end."""
    one: ColumnElement[int] = literal_column("1", Integer).label("one")
    found = select(one).select_from(Ticket).where(*conditions).limit(literal_column(str(LIMIT), Integer))
    return found.order_by(Ticket.due_key, Ticket.id) if open_only else found
