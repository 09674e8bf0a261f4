"""The cells of the matrix as HTML. A page has thousands of them: they are put together here, by no template."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

from flask_babel import gettext
from markupsafe import Markup, escape

from ptdash.domain.matrix import Cell, Kind
from ptdash.services.updates.matrix import Column, Row
from ptdash.web.formats import day_month, language, number, weekday_short

ICONS = {
    Kind.FAILED: "warn",
    Kind.NEW: "plus",
    Kind.DONE: "check",
    Kind.PLANNED: "clock",
}
NOTHING = '<td class="c none" role="cell"><span class="vh">{}</span><span aria-hidden="true">–</span></td>'


def cells(row: Row, columns: list[Column], href: str, days: Collection[date]) -> Markup:
    """A row's cells; `href` begins the address of the devices behind each, which the customer's number ends. Days
    of the window that is shown are told by their weekday."""
    spoken = language()
    made = []
    for column in columns:
        cell = row.cells.get(column.id)
        if cell is None:
            made.append(_nothing(spoken))
            continue
        short, link = _customer(column)
        kind, said, shown = _inside(cell, cell.day in days, spoken)
        made.append(
            f'<td class="c {kind}" role="cell" data-k="{short}"><a class="cl" href="{href}{link} {said} </span>'
            f"{shown}</a></td>"
        )
    return Markup("".join(made))  # nosec B704


@lru_cache(1024)
def _customer(column: Column) -> tuple[str, str]:
    """What every cell of a customer says: its letters, and from the end of the address to its name."""
    name = f'{escape(column.number)}" data-cell><span class="vh">{escape(column.name)}:'
    return str(escape(column.short)), name


@lru_cache
def _nothing(_spoken: str) -> str:
    return NOTHING.format(gettext("not affected"))


@lru_cache(4096)
def _inside(cell: Cell, near: bool, _spoken: str) -> tuple[str, str, str]:
    """Class, what is read aloud before it, and what is seen: the same in many cells."""
    n, of = number(cell.n), number(cell.of)
    icon = f'<svg width="14" height="14" aria-hidden="true"><use href="#i-{ICONS.get(cell.kind)}"/></svg>'
    match cell.kind:
        case Kind.FAILED:
            return "failed", gettext("failed on"), f"{icon}{n}"
        case Kind.NEW:
            return "new", gettext("not planned yet:"), f"{icon}{n}"
        case Kind.DONE:
            return "done", gettext("installed on all:"), f"{icon}{n}"
        case Kind.PARTLY:
            share = round(100 * cell.n / cell.of)
            bar = (
                '<svg class="bar" width="100%" height="4" aria-hidden="true">'
                f'<rect class="ok" width="{share}%" height="4"/></svg>'
            )
            return "partly", gettext("partly installed:"), f"{n}/{of}{bar}"
        case Kind.PLANNED if cell.day:
            day = day_month(cell.day)
            seen = f"{icon}{weekday_short(cell.day)}" if near else day
            return "planned", gettext("planned for %(day)s:", day=day), f"<span>{seen}</span>"
        case Kind.PLANNED:
            return "planned", gettext("to be installed:"), f"{icon}{n}"
        case Kind.CLOSED:
            return "closed", gettext("not approved any more, devices:"), f"<s>{n}</s>"
        case _:
            return "waiting", gettext("waits for approval, devices:"), n
