"""The cells of the matrix as HTML. A page has thousands of them: they are put together here, by no template."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from flask_babel import gettext
from markupsafe import Markup, escape

from ptdash.domain.matrix import Cell, Kind
from ptdash.domain.periods import berlin_day
from ptdash.services.updates.matrix import Column, Row
from ptdash.web.formats import day_month, initials, language, number, weekday_short

Places = Mapping[int, tuple[int, str, str]]
NOTHING = '<td class="c none" role="cell"><span class="vh">{}</span></td>'


def cells(row: Row, columns: Places, href: str, days: Collection[date]) -> Markup:
    """A row's cells; `href` begins the address of the devices behind each, which the customer's number ends. Days
    of the window that is shown are told by their weekday."""
    spoken = language()
    made = [_nothing(spoken)] * len(columns)
    for cell, customers in row.said.items():
        kind, said, shown = _inside(cell, cell.day in days, spoken)
        begins = f'<td class="c {kind}" role="cell" data-k="'
        ends = f" {said} </span>{shown}</a></td>"
        for customer in customers:
            place = columns.get(customer)
            if place:
                at, short, name = place
                made[at] = f'{begins}{short}"><a class="cl" href="{href}{name}{ends}'
    return Markup("".join(made))  # nosec B704


def places(columns: Sequence[Column]) -> Places:
    """What every cell of a customer says, by its id: which column it is in, its letters, and from the end of the
    address to its name."""
    return {
        column.id: (
            at,
            str(escape(column.short)),
            f'{escape(column.number)}"><span class="vh">{escape(column.name)}:',
        )
        for at, column in enumerate(columns)
    }


def said(word: str, kind: str, by: str | None = None, at: datetime | None = None) -> Markup:
    """A state with who and when below it; a page says the same few again and again."""
    return _said(str(word), kind, by, berlin_day(at) if at else None, language())


@lru_cache(4096)
def _said(word: str, kind: str, by: str | None, on: date | None, _spoken: str) -> Markup:
    below = " · ".join(filter(None, (initials(by) if by else "", day_month(on) if on else "")))
    small = Markup("<small>{}</small>").format(below) if below else ""
    return Markup(
        '<span class="st {}"><svg width="16" height="16" aria-hidden="true" focusable="false">'
        '<use href="#i-s-{}"/></svg><span>{}{}</span></span>'
    ).format(kind, kind, word, small)


@lru_cache
def _nothing(_spoken: str) -> str:
    return NOTHING.format(gettext("not affected"))


@lru_cache(4096)
def _inside(cell: Cell, near: bool, _spoken: str) -> tuple[str, str, str]:
    """Class, what is read aloud before it, and what is seen: the same in many cells. Icons come with the class."""
    n, of = number(cell.n), number(cell.of)
    match cell.kind:
        case Kind.FAILED:
            return "failed", gettext("failed on"), n
        case Kind.NEW:
            return "new", gettext("not planned yet:"), n
        case Kind.DONE:
            return "done", gettext("installed on all:"), n
        case Kind.PARTLY:
            share = round(100 * cell.n / cell.of)
            bar = (
                '<svg class="bar" width="100%" height="4" aria-hidden="true">'
                f'<rect class="ok" width="{share}%" height="4"/></svg>'
            )
            return "partly", gettext("partly installed:"), f"{n}/{of}{bar}"
        case Kind.PLANNED if cell.day:
            day = day_month(cell.day)
            said = gettext("planned for %(day)s:", day=day)
            return ("planned", said, weekday_short(cell.day)) if near else ("planned far", said, day)
        case Kind.PLANNED:
            return "planned", gettext("to be installed:"), n
        case Kind.CLOSED:
            return "closed", gettext("not approved any more, devices:"), f"<s>{n}</s>"
        case _:
            return "waiting", gettext("waits for approval, devices:"), n
