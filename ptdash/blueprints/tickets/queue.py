"""Warteschlange: the page that the dispatcher has open all day."""

from collections.abc import Collection
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext, lazy_gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.asked import address, read, selected, shown_now
from ptdash.blueprints.tickets.rows import Shown, shown
from ptdash.blueprints.tickets.words import PRIORITIES, STATUSES
from ptdash.db import db
from ptdash.domain.tickets import Status
from ptdash.models import Role
from ptdash.services import meters
from ptdash.services.tickets import choices, counts, queue
from ptdash.services.tickets.asking import ANY, NOBODY, Asked, Group, Moment, Sort, Tab
from ptdash.web import navigation, now, render_page, today, wants_fragment

TABS = {
    Tab.OPEN: lazy_gettext("All open"),
    Tab.UNASSIGNED: lazy_gettext("Unassigned"),
    Tab.CRITICAL: lazy_gettext("Deadline critical"),
    Tab.MINE: lazy_gettext("Mine"),
    Tab.HOLD: lazy_gettext("On hold"),
    Tab.LOW: lazy_gettext("Minutes low"),
}
GROUPS = {
    Group.OVERDUE: lazy_gettext("Overdue"),
    Group.TODAY: lazy_gettext("Due today"),
    Group.LATER: lazy_gettext("Due later"),
    Group.HOLD: lazy_gettext("On hold"),
}
SORTS = {
    Sort.DEADLINE: lazy_gettext("Deadline"),
    Sort.NEWEST: lazy_gettext("Newest"),
    Sort.UNTOUCHED: lazy_gettext("Oldest change"),
    Sort.PRIORITY: lazy_gettext("Priority"),
    Sort.CUSTOMER: lazy_gettext("Customer"),
}
EMPTY = {
    Tab.UNASSIGNED: lazy_gettext("Every open ticket has somebody who works on it."),
    Tab.CRITICAL: lazy_gettext("No ticket is overdue or due within two hours."),
    Tab.MINE: lazy_gettext("No open ticket is assigned to you."),
    Tab.HOLD: lazy_gettext("No ticket waits for its customer."),
    Tab.LOW: lazy_gettext("No customer with open tickets has used 80 percent of this month’s minutes."),
}


@bp.get("", endpoint="queue")
def show_queue() -> Response:
    asked = read(request.args)
    response = render_page("tickets/queue.html", **queue_facts(asked, selected()))
    if wants_fragment():
        response.headers["HX-Push-Url"] = request_address(asked)
    return response


@bp.get("/fresh")
def fresh() -> Response:
    """How many tickets of the view came in since the page was made; a link that shows them."""
    known = request.args.get("newest", "")
    newest = int(known) if known.isascii() and known.isdigit() and len(known) < 10 else 0
    asked = read(request.args)
    found = counts.fresh(db.session(), asked, current_user, Moment(now()), newest)
    return Response(render_template("tickets/_fresh.html", count=found, here=address(asked)))


@bp.get("/customers")
def filter_customers() -> Response:
    """Customers to filter by: those that fit what is typed."""
    asked, typed = read(request.args), request.args.get("name", "")[:100]
    found = choices.customers(db.session(), typed, today=today(), limit=12)
    rows = [(row, address(asked, customer=row.number)) for row in found]
    return render_page("tickets/filter_customers.html", rows=rows, typed=typed, asked=asked, address=address)


def queue_facts(asked: Asked, chosen: Collection[str]) -> dict[str, Any]:
    """Everything the queue's page and its fragment show, in a number of queries that no row adds to."""
    session, moment = db.session(), Moment(now())
    page = queue.page(session, asked, current_user, moment)
    figures = _figures(asked, moment, {moment.group(row.due_at) for row in page.rows})
    apart = set(chosen) - {row.number for row in page.rows}
    kept = queue.rows_of(session, apart, current_user) if apart else []
    drawn = _meters([*page.rows, *kept])
    rows = shown(page.rows, drawn, moment, set(chosen))
    people = figures.beside.get("people") or []
    return {
        "asked": asked,
        "address": address,
        "moment": moment,
        "figures": figures,
        "page": page,
        "groups": _grouped(asked, page.rows, rows, moment, figures.groups),
        "kept": shown(kept, drawn, moment, set(chosen)),
        "total": page.found if asked.words else figures.total,
        "tabs": _tabs(asked, figures),
        "sorts": SORTS,
        "statuses": STATUSES,
        "priorities": PRIORITIES,
        "people": people,
        "any": ANY,
        "nobody": NOBODY,
        "filter_customer": (name := figures.customer or asked.customer),
        "filter_names": _filter_names(asked, name, people),
        "tab_empty": EMPTY.get(asked.tab),
        "oob": wants_fragment(),
    }


def _figures(asked: Asked, moment: Moment, groups: Collection[Group]) -> counts.Figures:
    """The queue's, with those of the sidebar where there is one, and with whom a filter of the page names."""
    beside = () if wants_fragment() else navigation.columns()
    if current_user.role != Role.TECHNICIAN and (beside or asked.assignee is not None):
        beside = (*beside, queue.people())
    groups = groups if asked.order is Sort.DEADLINE else ()
    found = counts.figures(db.session(), asked, current_user, moment, groups=groups, beside=beside, today=today())
    if not wants_fragment():
        navigation.keep(found.beside)
    return found


def row_facts(numbers: Collection[str], chosen: Collection[str]) -> dict[str, Any]:
    """A few rows again, after a change, with the tabs' figures."""
    session, moment, asked = db.session(), Moment(now()), shown_now()
    rows = queue.rows_of(session, numbers, current_user)
    figures = counts.figures(session, asked, current_user, moment, groups=())
    return {"rows": shown(rows, _meters(rows), moment, chosen), "tabs": _tabs(asked, figures), "oob": True}


def request_address(asked: Asked) -> str:
    """The address of exactly this page of the view."""
    place = {name: request.args[name] for name in ("after", "before") if request.args.get(name)}
    return address(asked, **place)


def _filter_names(asked: Asked, customer: str | None, people: Collection[Any]) -> list[str]:
    """The filters in words, for a list that is empty because of them."""
    assignee = {NOBODY: gettext("Nobody")} | dict(people)
    status = (
        gettext("All, done ones too") if asked.status == ANY else asked.status and STATUSES[Status(asked.status)]
    )
    priority = PRIORITIES[asked.priority] if asked.priority else None
    text = gettext("“%(text)s”", text=asked.text) if asked.text else None
    person = assignee.get(asked.assignee) if asked.assignee is not None else None
    return [str(name) for name in (text, customer, status, person, priority) if name]


def _meters(rows: Collection[Any]) -> Any:
    return meters.meters(db.session(), {row.customer_id for row in rows}, today().replace(day=1), on=today())


def _tabs(asked: Asked, figures: counts.Figures) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "href": address(asked, tab=tab),
            "count": figures.tabs[tab],
            "hot": tab is Tab.CRITICAL and figures.tabs[tab] > 0,
            "current": tab is asked.tab,
        }
        for tab, label in TABS.items()
    ]


def _grouped(
    asked: Asked, plain: Collection[Any], rows: list[Shown], moment: Moment, sizes: dict[Group, int]
) -> list[tuple[Any, int | None, list[Shown]]]:
    """The rows under the headings of their deadlines; one group without a heading in any other order."""
    if asked.order is not Sort.DEADLINE:
        return [(None, None, rows)] if rows else []
    found: dict[Group, list[Shown]] = {}
    for row, words in zip(plain, rows, strict=True):
        found.setdefault(moment.group(row.due_at), []).append(words)
    return [(GROUPS[group], sizes.get(group), members) for group, members in found.items()]
