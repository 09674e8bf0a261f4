"""What an address asks the queue for, and the address of a view."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode

from flask import url_for
from htmx_flask import request

from ptdash.domain.tickets import Priority, Status
from ptdash.services.tickets.asking import ANY, Asked, Sort, Tab, begin_at
from ptdash.web.pages import came_from

TEXT_AT_MOST = 100
SELECTED = "Ptdash-Selected"
SELECTED_AT_MOST = 200
Choice = TypeVar("Choice", bound=StrEnum)


def read(args: Mapping[str, str]) -> Asked:
    """What is asked for; whatever is not understood is left out."""
    assignee = args.get("assignee", "")
    asked = Asked(
        tab=_one_of(Tab, args.get("tab")) or Tab.OPEN,
        text=args.get("q", "").replace("\0", "").strip()[:TEXT_AT_MOST],
        customer=args.get("customer", "").replace("\0", "")[:40] or None,
        status=ANY if args.get("status") == ANY else _one_of(Status, args.get("status")),
        assignee=int(assignee) if assignee.isascii() and assignee.isdigit() and len(assignee) < 9 else None,
        priority=_one_of(Priority, args.get("priority")),
        sort=_one_of(Sort, args.get("sort")) or Sort.DEADLINE,
    )
    for name in ("after", "before"):
        if args.get(name):
            return begin_at(asked, args[name], back=name == "before")
    return asked


def shown_now() -> Asked:
    """The view that the page which sent this request shows, from the beginning where it is none of the queue."""
    path, _, query = (came_from() or "").partition("?")
    values: dict[str, str] = dict(parse_qsl(query))
    return read(values) if path == url_for("tickets.queue") else Asked()


def address(asked: Asked, **more: Any) -> str:
    """The queue with this view, from its first page; `more` changes parts of it, or adds `after` and `before`."""
    place: dict[str, Any] = {name: more.pop(name) for name in ("after", "before") if name in more}
    asked = replace(asked, **more)
    values = {
        "tab": None if asked.tab is Tab.OPEN else asked.tab.value,
        "q": asked.text,
        "customer": asked.customer,
        "status": asked.status,
        "assignee": asked.assignee,
        "priority": asked.priority and asked.priority.value,
        "sort": None if asked.sort is Sort.DEADLINE else asked.sort.value,
        **place,
    }
    query = urlencode([(name, str(value)) for name, value in values.items() if value not in (None, "")])
    return url_for("tickets.queue") + (f"?{query}" if query else "")


def selected() -> list[str]:
    """The numbers of the tickets that are selected on the page; they stay on it whatever is asked for."""
    sent = map(unquote, request.headers.get(SELECTED, "").split(","))
    return [number for number in dict.fromkeys(sent) if number and "\0" not in number][:SELECTED_AT_MOST]


def _one_of(kind: type[Choice], value: str | None) -> Choice | None:
    try:
        return kind(value or "")
    except ValueError:
        return None
