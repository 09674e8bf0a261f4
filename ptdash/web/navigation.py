"""The entries of the sidebar. A new area adds one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from flask_login import current_user

from ptdash.db import db
from ptdash.models import Role
from ptdash.services.tickets import counts
from ptdash.services.tickets.asking import Moment
from ptdash.web.pages import now

EVERYBODY = frozenset(Role)
COMMERCIAL = lazy_gettext("Commercial")
SYSTEM = lazy_gettext("System")


@dataclass(frozen=True)
class Entry:
    """One link; `count` gives the figure behind it (None for none; red where `hot`), `area` its blueprint."""

    label: LazyString
    icon: str
    endpoint: str
    roles: frozenset[Role] = EVERYBODY
    group: LazyString | None = None
    count: Callable[[], int | None] | None = None
    hot: bool = False

    @property
    def area(self) -> str:
        return self.endpoint.partition(".")[0]


def _overdue_tickets() -> int:
    """Asked once a request; the queue's own page knows it already."""
    if "overdue" not in g:
        g.overdue = counts.overdue(db.session(), current_user, Moment(now()))
    found: int = g.overdue
    return found


ENTRIES = (
    Entry(lazy_gettext("Overview"), "home", "overview.index"),
    Entry(
        lazy_gettext("Queue"), "inbox", "tickets.queue", EVERYBODY - {Role.ADMIN}, count=_overdue_tickets, hot=True
    ),
    Entry(
        lazy_gettext("Customers"),
        "users",
        "customers.index",
        frozenset({Role.MANAGER, Role.DISPATCHER}),
        COMMERCIAL,
    ),
    Entry(lazy_gettext("Billing"), "euro", "billing.index", frozenset({Role.MANAGER}), COMMERCIAL),
    Entry(lazy_gettext("Users"), "users", "admin.users", frozenset({Role.ADMIN}), SYSTEM),
    Entry(lazy_gettext("Settings"), "cog", "settings.index", frozenset({Role.ADMIN}), SYSTEM),
    Entry(lazy_gettext("Components"), "grid", "components.index", group=SYSTEM),
)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["navigation"] = groups


def groups() -> list[tuple[LazyString | None, list[Entry]]]:
    """What this user's sidebar shows: entries of areas that exist here, under their headings, in order."""
    shown: dict[LazyString | None, list[Entry]] = {}
    for entry in ENTRIES:
        if current_user.role in entry.roles and entry.endpoint in current_app.view_functions:
            shown.setdefault(entry.group, []).append(entry)
    return list(shown.items())
