"""Updates by customers: the rows of a month under a heading, the customers that they concern, and each cell.

A page costs the same few queries however many updates, customers and tasks there are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from ptdash.domain.matrix import NOTHING, Cell, Tab, Tally, cell, short_names, tab_of
from ptdash.domain.periods import month_of
from ptdash.domain.searching import fold, words
from ptdash.domain.updates import Result, Severity, State, state_on
from ptdash.domain.windows import Window
from ptdash.services import windows
from ptdash.services.bulk import planned_by_values
from ptdash.services.updates.matrix_sql import ALIKE, CUSTOMERS, MONTH, UPDATES, WAITING

ROWS = 50
COLUMNS = 50


@dataclass(frozen=True)
class Asked:
    """What is asked for: a month, a heading, or words; which page of the rows and of the customers.

    `only`: these updates alone; `rows` and `columns`: how many to a page.
    """

    month: date
    tab: Tab = Tab.ALL
    text: str = ""
    page: int = 1
    customers: int = 1
    only: tuple[int, ...] | None = None
    rows: int = ROWS
    columns: int = COLUMNS


@dataclass(frozen=True)
class Step:
    """What somebody did at an instant; who has an unfinished check, without an instant."""

    by: str | None
    at: datetime | None


@dataclass(frozen=True)
class Row:
    """An update with its check and its approval; `said`: what its cells say, and of which customers' ids."""

    id: int
    vendor: str
    title: str
    version: str
    kb_number: str
    severity: Severity
    released_on: date
    state: State
    deferred_until: date | None
    section: str
    result: Result | None
    testing: bool
    tester_id: int | None
    tested: Step
    approved: Step
    ended: Step
    tasks: Tally
    tab: Tab
    said: dict[Cell, list[int]] = field(default_factory=dict, compare=False)

    @property
    def cells(self) -> dict[int, Cell]:
        """By customer id."""
        return {customer: cell for cell, customers in self.said.items() for customer in customers}


@dataclass(frozen=True)
class Column:
    """A customer: three letters, and how many of its devices are in maintenance."""

    id: int
    number: str
    name: str
    short: str
    devices: int


@dataclass(frozen=True)
class Figures:
    """The tasks of a month's window."""

    done: int
    planned: int
    failed: int
    total: int


@dataclass(frozen=True)
class Matrix:
    """`counts`: updates by heading; `groups`: rows by section, in order; `pages`, `customer_pages`: how many."""

    asked: Asked
    window: Window
    figures: Figures
    counts: dict[Tab, int]
    groups: list[tuple[str, list[Row]]]
    columns: list[Column]
    pages: int
    customer_pages: int
    customers: int
    found: int

    @property
    def rows(self) -> list[Row]:
        return [row for _, rows in self.groups for row in rows]


def load(session: Session, asked: Asked, today: date) -> Matrix:
    """A page of the matrix on a day."""
    with planned_by_values(session):
        return _load(session, asked, today)


def _load(session: Session, asked: Asked, today: date) -> Matrix:
    rows = _rows(session, asked, today)
    counts = {tab: len([row for row in rows if tab in (Tab.ALL, row.tab)]) for tab in Tab}
    found = [row for row in rows if asked.tab in (Tab.ALL, row.tab)]
    start = (asked.page - 1) * asked.rows
    shown = found[start : start + asked.rows]
    columns, customers = _concerned(session, asked, shown, today)
    return Matrix(
        asked=asked,
        window=windows.of_month(session, asked.month),
        figures=Figures(**session.execute(MONTH, {"month": asked.month}).one()._mapping),
        counts=counts,
        groups=_grouped(shown),
        columns=columns,
        pages=_pages(len(found), asked.rows),
        customer_pages=_pages(customers, asked.columns),
        customers=customers,
        found=len(found),
    )


def _rows(session: Session, asked: Asked, today: date) -> list[Row]:
    """Every update that is asked for, the most severe and newest first, and so are their sections."""
    given = {
        "month": asked.month,
        "current": asked.month == month_of(today),
        "words": words(asked.text),
        "only": list(asked.only) if asked.only is not None else None,
    }
    rows = [_row(row, today) for row in session.execute(UPDATES, given)]
    rank = {severity: place for place, severity in enumerate(Severity)}
    worst: dict[str, int] = {}
    for row in rows:
        worst[row.section] = min(rank[row.severity], worst.get(row.section, len(rank)))
    return sorted(
        rows,
        key=lambda row: (
            worst[row.section],
            fold(row.section),
            rank[row.severity],
            -row.released_on.toordinal(),
            fold(row.title),
            row.id,
        ),
    )


def _row(row: Any, today: date) -> Row:
    state = state_on(
        State(row.state), State(row.deferred_from) if row.deferred_from else None, row.deferred_until, today
    )
    result = Result(row.result) if row.result else None
    tasks = Tally(row.todo, row.done, row.failed)
    return Row(
        id=row.id,
        vendor=row.vendor,
        title=row.title,
        version=row.version,
        kb_number=row.kb_number,
        severity=Severity(row.severity),
        released_on=row.released_on,
        state=state,
        deferred_until=row.deferred_until if state is State.DEFERRED else None,
        section=row.section or row.vendor,
        result=result,
        testing=row.running is not None,
        tester_id=row.tester_id,
        tested=Step(row.runner, None) if row.running is not None else Step(row.tester, row.tested_at),
        approved=Step(row.approver, row.approved_at),
        ended=Step(row.ender, row.ended_at),
        tasks=tasks,
        tab=tab_of(state, result, row.running is not None, tasks),
    )


def _concerned(session: Session, asked: Asked, rows: Sequence[Row], today: date) -> tuple[list[Column], int]:
    """The customers of the page that is asked for, and how many these updates concern; each row gets its cells."""
    by_id = {row.id: row for row in rows}
    approved = [row.id for row in rows if row.state is State.APPROVED]
    given = {"updates": list(by_id.keys() - set(approved)), "approved": approved, "today": today}
    waiting: dict[int, dict[int, int]] = {row.id: {} for row in rows}
    for update, devices, customers in session.execute(WAITING, given):
        waiting[update].update(dict.fromkeys(customers, devices))
    concerned = {customer for late in waiting.values() for customer in late}
    for update, *tally, customers in session.execute(ALIKE, {"updates": list(by_id)}):
        concerned.update(customers)
        row, late = by_id[update], waiting[update]
        both = late.keys() & customers if late else set()
        for customer in both:
            _say(row, Tally(*tally), [customer], late.pop(customer))
        _say(row, Tally(*tally), [one for one in customers if one not in both] if both else customers)
    for row in rows:
        late = waiting[row.id]
        for devices in set(late.values()):
            _say(row, Tally(), [one for one, number in late.items() if number == devices], devices)
    columns = _customers(session, concerned, today)
    first = (asked.customers - 1) * asked.columns
    return columns[first : first + asked.columns], len(columns)


def _say(row: Row, tasks: Tally, customers: Sequence[int], devices: int = 0) -> None:
    """The cell of customers that have the same tasks, and so many devices that wait."""
    says = cell(row.state, tasks, affected=devices, without_task=devices)
    if says != NOTHING and customers:
        row.said.setdefault(says, []).extend(customers)


def _customers(session: Session, ids: Collection[int], today: date) -> list[Column]:
    found = session.execute(CUSTOMERS, {"customers": list(ids), "today": today}).all()
    short = short_names((row.number, row.name) for row in found)
    return [Column(row.id, row.number, row.name, short[row.number], row.devices) for row in found]


def _grouped(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.section, []).append(row)
    return list(groups.items())


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))
