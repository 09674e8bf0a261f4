"""The entries of the sidebar. A new area adds one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from flask_login import current_user

from ptdash.db import db
from ptdash.models import Role
from ptdash.services import reminders
from ptdash.services.acceptances import worklist
from ptdash.web.pages import today

EVERYBODY = frozenset(Role)
COMMERCIAL = lazy_gettext("Commercial")
SYSTEM = lazy_gettext("System")


@dataclass(frozen=True)
class Entry:
    """One link; `count` gives the figure behind it (None for none), `area` the blueprint it stands for."""

    label: LazyString
    icon: str
    endpoint: str
    roles: frozenset[Role] = EVERYBODY
    group: LazyString | None = None
    count: Callable[[], int | None] | None = None

    @property
    def area(self) -> str:
        return self.endpoint.partition(".")[0]


def _waiting_devices() -> int:
    """Devices whose acceptance needs somebody; asked once a request."""
    if "waiting_devices" not in g:
        g.waiting_devices = worklist.count(db.session(), today())
    found: int = g.waiting_devices
    return found


def _decisions_due() -> int:
    """Contracts that wait for a manager's decision; asked once a request."""
    if "decisions_due" not in g:
        g.decisions_due = reminders.open_count(db.session(), today())
    found: int = g.decisions_due
    return found


ENTRIES = (
    Entry(lazy_gettext("Overview"), "home", "overview.index"),
    Entry(
        lazy_gettext("Device acceptance"),
        "clip",
        "acceptance.index",
        EVERYBODY - {Role.ADMIN},
        count=_waiting_devices,
    ),
    Entry(lazy_gettext("Devices"), "pc", "devices.index", EVERYBODY - {Role.ADMIN}),
    Entry(
        lazy_gettext("Contracts"),
        "doc",
        "contracts.index",
        frozenset({Role.DISPATCHER, Role.MANAGER}),
        COMMERCIAL,
        count=_decisions_due,
    ),
    Entry(lazy_gettext("Billing"), "euro", "billing.index", frozenset({Role.MANAGER}), COMMERCIAL),
    Entry(lazy_gettext("Outbox"), "box", "outbox.index", frozenset({Role.MANAGER}), COMMERCIAL),
    Entry(lazy_gettext("Users"), "users", "admin.users", frozenset({Role.ADMIN}), SYSTEM),
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
