"""What somebody asks the queue for, as conditions and orders that its indexes answer."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Row,
    Select,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from ptdash.config import BERLIN
from ptdash.domain import searching as folded
from ptdash.domain.tickets import OPEN_STATUSES, Priority, Status
from ptdash.models import Customer, MinuteAlert, Role, Ticket, User
from ptdash.models.tickets import IS_DONE, IS_OPEN

CRITICAL = timedelta(hours=2)
WORDS_AT_MOST = 6

# As the indexes spell it; a parameter in it would hide from the planner which index fits.
OPEN: ColumnElement[bool] = literal_column(f"(tickets.{IS_OPEN})", Boolean)
DONE: ColumnElement[bool] = literal_column(f"(tickets.{IS_DONE})", Boolean)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
rank: ColumnElement[Any] = literal_column(
    "(CASE tickets.priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END)",
    Integer,
)
RANKS = {priority: place for place, priority in enumerate(reversed(Priority))}


class Tab(StrEnum):
    """`CRITICAL`: overdue, or due within the next two hours. `HOLD`: waiting for the customer, the clock rests.
    `LOW`: of customers who have used 80 % or more of this month's package."""

    OPEN = "open"
    UNASSIGNED = "unassigned"
    CRITICAL = "critical"
    MINE = "mine"
    HOLD = "hold"
    LOW = "low"


class Sort(StrEnum):
    """`UNTOUCHED`: what was not changed for longest first."""

    DEADLINE = "deadline"
    NEWEST = "newest"
    UNTOUCHED = "untouched"
    PRIORITY = "priority"
    CUSTOMER = "customer"


class Group(StrEnum):
    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    HOLD = "hold"


# Each order ends with the id, all of it in one direction: so a page begins where a tuple is greater than the last.
ORDERS: dict[Sort, tuple[bool, tuple[Any, ...]]] = {
    Sort.DEADLINE: (False, (Ticket.due_key, Ticket.id)),
    Sort.NEWEST: (True, (Ticket.created_at, Ticket.id)),
    Sort.UNTOUCHED: (False, (Ticket.updated_at, Ticket.id)),
    Sort.PRIORITY: (False, (rank, Ticket.due_key, Ticket.id)),
    Sort.CUSTOMER: (False, (Customer.sort_key, Ticket.due_key, Ticket.id)),
}
NOBODY = 0
ANY = "any"
Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Moment:
    """The instants that the queue's groups and tabs are told by."""

    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(BERLIN).date()

    @property
    def month(self) -> date:
        return self.today.replace(day=1)

    @property
    def tomorrow(self) -> datetime:
        return datetime.combine(self.today + timedelta(days=1), time(), BERLIN)

    @property
    def critical(self) -> datetime:
        return self.now + CRITICAL

    def group(self, due_at: datetime | None) -> Group:
        """The group of a deadline, by the Berlin day; without one the clock rests."""
        if due_at is None:
            return Group.HOLD
        if due_at < self.now:
            return Group.OVERDUE
        return Group.TODAY if due_at < self.tomorrow else Group.LATER


@dataclass(frozen=True)
class Asked:
    """A view of the queue. `status` None: the open ones, "any": also those that are done. `assignee` 0: nobody.
    `start` is where a page begins: the sort key of the row before it, or with `back` of the row after it."""

    tab: Tab = Tab.OPEN
    text: str = ""
    customer: str | None = None
    status: str | None = None
    assignee: int | None = None
    priority: Priority | None = None
    sort: Sort = Sort.DEADLINE
    start: tuple[Any, ...] | None = None
    back: bool = False

    @property
    def open_only(self) -> bool:
        return self.status is None or self.status in OPEN_STATUSES

    @property
    def filtered(self) -> bool:
        return bool(self.text or self.customer or self.status or self.priority or self.assignee is not None)

    @property
    def order(self) -> Sort:
        """A ticket that is done has no deadline: the newest come first then."""
        return Sort.NEWEST if self.sort is Sort.DEADLINE and not self.open_only else self.sort

    @property
    def words(self) -> list[str]:
        return folded.words(self.text.lstrip("# "))[:WORDS_AT_MOST]

    def unfiltered(self) -> "Asked":
        return Asked(tab=self.tab, sort=self.sort)


def branches(asked: Asked, user: User, moment: Moment) -> list[Conditions]:
    """What a ticket must be, without the search: one list, or two of which one holds (a technician's own tickets
    and those that nobody has), so that each is read from an index in order."""
    wanted = [*_status(asked), *_tab(asked.tab, user, moment), *_filters(asked)]
    everybodys = asked.tab in (Tab.MINE, Tab.UNASSIGNED)  # whoever asks sees all of these
    return [wanted] if everybodys else [[*wanted, *own] for own in scopes(user)]


def scopes(user: User) -> list[Conditions]:
    """Whose tickets somebody sees: dispatchers and managers all, a technician own and unassigned ones."""
    if user.role == Role.TECHNICIAN:
        return [[Ticket.assignee_id == user.id], [Ticket.assignee_id.is_(None)]]
    return [[]]


def starting(asked: Asked) -> tuple[Asked, dict[str, Any]]:
    """The kind of view, without its words and its place, and the place as the parameters of `placed`."""
    start = enumerate(asked.start or ())
    return replace(asked, start=None, text=""), {
        f"start{n}": NEVER if value is None else value for n, value in start
    }


def placed(view: Asked) -> Asked:
    """The view from a place that parameters name."""
    keys = enumerate(ORDERS[view.order][1])
    return replace(view, start=tuple(bindparam(f"start{n}", type_=key.type) for n, key in keys))


def after(asked: Asked, keys: tuple[Any, ...] | None = None) -> Conditions:
    """The rows behind the place where the page begins, seen in its direction. `keys`: the columns of the order,
    where they have been read under other names."""
    if asked.start is None:
        return []
    descending, own = ORDERS[asked.order]
    keys = keys or own
    start = tuple(NEVER if value is None else value for value in asked.start)
    forward = descending is asked.back
    place = tuple_(*keys) > tuple_(*start) if forward else tuple_(*keys) < tuple_(*start)
    if asked.order is Sort.CUSTOMER:  # a tuple over two tables says nothing to an index of one
        return [place, keys[0] >= start[0] if forward else keys[0] <= start[0]]
    return [place]


def direction(asked: Asked, keys: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
    descending, own = ORDERS[asked.order]
    return tuple(key.desc() if descending is not asked.back else key.asc() for key in keys or own)


def keys_of(asked: Asked) -> list[Any]:
    """The columns of the order, to be read beside others."""
    return [key.label(f"key{n}") for n, key in enumerate(ORDERS[asked.order][1])]


def read_keys(asked: Asked, rows: Any) -> tuple[Any, ...]:
    """The same, of rows that they were read with."""
    return tuple(rows.c[f"key{n}"] for n in range(len(ORDERS[asked.order][1])))


def key_of(asked: Asked, row: Row[Any]) -> str:
    """Where the page after (or before) a row begins, as it stands in an address."""
    values = {
        Sort.DEADLINE: (row.due_at,),
        Sort.NEWEST: (row.created_at,),
        Sort.UNTOUCHED: (row.updated_at,),
        Sort.PRIORITY: (RANKS[Priority(row.priority)], row.due_at),
        Sort.CUSTOMER: (row.sort_key, row.due_at),
    }[asked.order]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in (*values, row.id)]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def begin_at(asked: Asked, text: str, *, back: bool) -> Asked:
    """The view from a place that `key_of` named; from its beginning where the text names none."""
    shapes: dict[Sort, tuple[type[Any], ...]] = {
        Sort.PRIORITY: (int, datetime, int),
        Sort.CUSTOMER: (str, datetime, int),
    }
    shape = shapes.get(asked.order, (datetime, int))
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        start = tuple(_read(value, kind) for value, kind in zip(values, shape, strict=True))
    except (ValueError, TypeError):
        return asked
    return replace(asked, start=start, back=back)


def _read(value: Any, kind: type[Any]) -> Any:
    if kind is datetime:
        return None if value is None else datetime.fromisoformat(value)
    if type(value) is not kind or (kind is int and not 0 <= value < 2**31):
        raise ValueError(value)
    return value


def _status(asked: Asked) -> Conditions:
    if asked.status == ANY:
        return []
    chosen = [Ticket.status == asked.status] if asked.status else []
    return [OPEN, *chosen] if asked.open_only else [DONE, *chosen]


def _tab(tab: Tab, user: User, moment: Moment) -> Conditions:
    conditions: dict[Tab, Conditions] = {
        Tab.OPEN: [],
        Tab.UNASSIGNED: [Ticket.assignee_id.is_(None)],
        Tab.CRITICAL: [Ticket.due_key < moment.critical],
        Tab.MINE: [Ticket.assignee_id == user.id],
        Tab.HOLD: [Ticket.status == Status.WAITING_CUSTOMER.value, Ticket.due_key == NEVER],
        Tab.LOW: [within(Ticket.customer_id, low_customers(moment))],
    }
    return conditions[tab]


def low_customers(moment: Moment) -> Select[Any]:
    return select(MinuteAlert.customer_id).where(
        MinuteAlert.month == moment.month, MinuteAlert.fell_below_at.is_(None)
    )


def _filters(asked: Asked) -> Conditions:
    found: Conditions = []
    if asked.customer is not None:
        found.append(
            Ticket.customer_id == select(Customer.id).where(Customer.number == asked.customer).scalar_subquery()
        )
    if asked.assignee is not None:
        found.append(
            Ticket.assignee_id.is_(None) if asked.assignee == NOBODY else Ticket.assignee_id == asked.assignee
        )
    if asked.priority is not None:
        found.append(rank == RANKS[asked.priority])
    return found


def within(column: Any, found: Select[Any]) -> ColumnElement[bool]:
    """As an array that is read once, so that it can be looked up in the column's index."""
    return or_(column == any_(func.array(found.scalar_subquery())))
