"""The entries of the sidebar. A new area adds one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask, current_app, g
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from flask_login import current_user
from sqlalchemy import Date, Integer, Label, ScalarSelect, Select, bindparam, select

from ptdash.db import db
from ptdash.models import Role
from ptdash.services import reminders
from ptdash.services.acceptances import worklist
from ptdash.services.rollout import waiting
from ptdash.services.tickets import counts
from ptdash.services.tickets.asking import Moment
from ptdash.services.tickets.prepared import values
from ptdash.services.updates import matrix_sql
from ptdash.web.pages import now, today

EVERYBODY = frozenset(Role)
COMMERCIAL = lazy_gettext("Commercial")
SYSTEM = lazy_gettext("System")
TODAY = bindparam("today", type_=Date)
ME = bindparam("me", type_=Integer)


@dataclass(frozen=True)
class Entry:
    """One link; `figure` asks for the number behind it (red where `hot`), `area` is its blueprint."""

    label: LazyString
    icon: str
    endpoint: str
    roles: frozenset[Role] = EVERYBODY
    group: LazyString | None = None
    figure: Callable[[Role], ScalarSelect[int]] | None = None
    hot: bool = False

    @property
    def area(self) -> str:
        return self.endpoint.partition(".")[0]


ENTRIES = (
    Entry(lazy_gettext("Overview"), "home", "overview.index"),
    Entry(
        lazy_gettext("Queue"),
        "inbox",
        "tickets.queue",
        EVERYBODY - {Role.ADMIN},
        figure=counts.overdue,
        hot=True,
    ),
    Entry(
        lazy_gettext("Device acceptance"),
        "clip",
        "acceptance.index",
        EVERYBODY - {Role.ADMIN},
        figure=lambda _role: worklist.waiting(TODAY),
    ),
    Entry(
        lazy_gettext("Update approval"),
        "upd",
        "updates.index",
        frozenset({Role.TECHNICIAN, Role.MANAGER}),
        figure=lambda _role: matrix_sql.to_approve(TODAY),
    ),
    Entry(
        lazy_gettext("Rollout"),
        "tick",
        "rollout.index",
        EVERYBODY - {Role.ADMIN},
        figure=lambda role: waiting.open_today(TODAY, ME if role is Role.TECHNICIAN else None),
    ),
    Entry(lazy_gettext("Devices"), "pc", "devices.index", EVERYBODY - {Role.ADMIN}),
    Entry(
        lazy_gettext("Customers"),
        "users",
        "customers.index",
        frozenset({Role.MANAGER, Role.DISPATCHER}),
        COMMERCIAL,
    ),
    Entry(
        lazy_gettext("Contracts"),
        "doc",
        "contracts.index",
        frozenset({Role.DISPATCHER, Role.MANAGER}),
        COMMERCIAL,
        figure=lambda _role: reminders.undecided(TODAY),
    ),
    Entry(lazy_gettext("Billing"), "euro", "billing.index", frozenset({Role.MANAGER}), COMMERCIAL),
    Entry(lazy_gettext("Outbox"), "box", "outbox.index", frozenset({Role.MANAGER}), COMMERCIAL),
    Entry(lazy_gettext("Users"), "users", "admin.users", frozenset({Role.ADMIN}), SYSTEM),
    Entry(lazy_gettext("Vendors' feeds"), "upd", "updates.feed_list", frozenset({Role.ADMIN}), SYSTEM),
    Entry(lazy_gettext("Settings"), "cog", "settings.index", frozenset({Role.ADMIN}), SYSTEM),
    Entry(lazy_gettext("Components"), "grid", "components.index", group=SYSTEM),
)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["navigation"] = groups
    app.jinja_env.globals["navigation_figures"] = figures


def groups() -> list[tuple[LazyString | None, list[Entry]]]:
    """What this user's sidebar shows: entries of areas that exist here, under their headings, in order."""
    shown: dict[LazyString | None, list[Entry]] = {}
    for entry in ENTRIES:
        if current_user.role in entry.roles and entry.endpoint in current_app.view_functions:
            shown.setdefault(entry.group, []).append(entry)
    return list(shown.items())


def figures() -> dict[str, int]:
    """The figures behind this user's entries, by area: all in one statement, once a request."""
    if "figures" not in g:
        asked = columns()
        parameters = values(current_user, Moment(now())) | {"today": today()}
        g.figures = dict(db.session().execute(_alone(asked), parameters).one()._mapping) if asked else {}
    found: dict[str, int] = g.figures
    return found


def columns() -> tuple[Label[int], ...]:
    """What `figures` asks for, for a page that asks for it beside its own figures, with the day as `today`."""
    return _columns(Role(current_user.role))


def keep(found: dict[str, int]) -> None:
    """The figures as such a page read them."""
    g.figures = found


@cache
def _columns(role: Role) -> tuple[Label[int], ...]:
    wanted = [(entry.figure, entry.area) for entry in ENTRIES if role in entry.roles and entry.figure]
    return tuple(figure(role).label(area) for figure, area in wanted)


@cache
def _alone(asked: tuple[Label[int], ...]) -> Select[*tuple[Any, ...]]:
    return select(*asked)
