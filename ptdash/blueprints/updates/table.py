"""The matrix of updates and customers, and the devices behind a cell."""

from datetime import datetime
from typing import Any

from flask import Response, current_app, request, url_for
from flask_login import current_user

from ptdash.blueprints.updates import bp
from ptdash.blueprints.updates.cells import cells, places, said
from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.domain.matrix import Tab
from ptdash.domain.periods import MonthUnreadable, format_month, month_of, next_month, parse_month, previous_month
from ptdash.domain.rollout import TaskStatus
from ptdash.services.updates import approving, matrix, reading
from ptdash.services.updates.matrix import Asked
from ptdash.web import moment, render_page, today

# All on one page, for who wants to see it all: that many rows and that many customers.
MOST = 500


@bp.get("")
def index() -> Response:
    return matrix_page(asked())


@bp.get("/<int:update_id>/customers/<number>")
def cell(update_id: int, number: str) -> Response:
    """The devices of a customer that an update concerns: to read, or as a part of the matrix."""
    with transaction() as session:
        found = reading.customer_cell(session, update_id, number, today())
    return render_page("updates/cell.html", cell=found, rollout=_rollout(found))


def matrix_page(wanted: Asked, *, focus: int | None = None) -> Response:
    """The page, or what htmx replaces of it: window, headings, table."""
    with transaction() as session:
        found = matrix.load(session, wanted, today())
        four_eyes = approving.four_eyes(session)
    at, columns, base = moment(), places(found.columns), url_for("updates.index")
    return render_page(
        "updates/index.html",
        matrix=found,
        asked=wanted,
        now=at,
        today=today(),
        this_month=month_of(today()),
        before=previous_month(wanted.month),
        after=next_month(wanted.month),
        href=lambda **changes: address(wanted, **changes),
        page_href=lambda page: address(wanted, page=page),
        all_tab=Tab.ALL,
        cells=lambda row: cells(row, columns, f"{base}/{row.id}/customers/", found.window.days),
        own=lambda row: four_eyes and row.tester_id == current_user.id,
        said=said,
        base=base,
        focus=focus,
        **_hours(found, at),
    )


def asked() -> Asked:
    """What the address asks for; what it does not know is left out."""
    try:
        month = parse_month(request.values.get("month", ""))
    except MonthUnreadable:
        month = month_of(today())
    tab, whole = request.values.get("tab", ""), bool(request.values.get("all"))
    return Asked(
        month=month,
        tab=Tab(tab) if tab in set(Tab) else Tab.ALL,
        text=request.values.get("q", "").strip()[:100],
        page=_page("page"),
        customers=_page("customers"),
        rows=MOST if whole else matrix.ROWS,
        columns=MOST if whole else matrix.COLUMNS,
    )


def address(wanted: Asked, **changes: Any) -> str:
    """The address of the matrix with these things changed; another view begins on its first page."""
    values: dict[str, Any] = {"month": wanted.month, "tab": wanted.tab, "q": wanted.text}
    if set(changes) <= {"page", "customers"}:
        values |= {"page": wanted.page, "customers": wanted.customers}
    values |= changes
    whole = values.get("all", wanted.rows == MOST)
    shown: dict[str, Any] = {
        "month": format_month(values["month"]) if values["month"] != month_of(today()) else None,
        "tab": values["tab"].value if values["tab"] is not Tab.ALL else None,
        "q": values["q"] or None,
        "page": values.get("page") if values.get("page", 1) > 1 else None,
        "customers": values.get("customers") if values.get("customers", 1) > 1 else None,
        "all": "1" if whole else None,
    }
    return url_for("updates.index", **{name: value for name, value in shown.items() if value})


def _page(name: str) -> int:
    found = request.values.get(name, "1")
    return max(1, min(10_000, int(found))) if found.isdecimal() else 1


def _hours(found: matrix.Matrix, at: datetime) -> dict[str, Any]:
    """Whether the window is open now, and for how many minutes today."""
    window = found.window
    local = at.astimezone(BERLIN)
    is_open = window.is_open(at)
    left = (window.closes_at.hour - local.hour) * 60 + window.closes_at.minute - local.minute
    length = (window.closes_at.hour - window.opens_at.hour) * 60
    return {
        "is_open": is_open,
        "minutes_left": left if is_open else 0,
        "share_of_day": (length - left) / length if is_open else 0,
        "is_over": bool(window.days) and window.is_over(at),
    }


def _rollout(cell: reading.CustomerCell) -> str | None:
    """Where the devices are ticked off: the list of the first day on which something is planned."""
    days = [line.task.planned_on for line in cell.lines if line.task and line.status is TaskStatus.PLANNED]
    if not days or "rollout.index" not in current_app.view_functions:
        return None
    return url_for("rollout.index", day=min(days), who="all")
