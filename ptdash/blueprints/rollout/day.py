"""The day list: devices by customer, one button for the next step, one for what went otherwise."""

from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from typing import Any

from flask import Response, request, url_for
from flask_login import current_user

from ptdash.blueprints.rollout import READERS, WRITERS, bp
from ptdash.db import transaction
from ptdash.domain.rollout import TaskStatus
from ptdash.models import Role
from ptdash.services.rollout import reading
from ptdash.web import access, moment, render_page, today


@dataclass(frozen=True)
class Asked:
    """Which day is shown, whose devices, and which device says what went otherwise."""

    day: date
    everybody: bool
    deviation: int | None = None
    device: int | None = None


@dataclass(frozen=True)
class Typed:
    """What was sent and refused: it comes back with what is wrong."""

    device: int | None
    problem: str
    field: str = ""
    to: str = ""
    values: dict[str, str] = made(default_factory=dict)


@bp.get("")
@access(*READERS)
def index() -> Response:
    return day_list(asked())


def asked() -> Asked:
    """From the address, or from the form that was sent."""
    given = request.values
    try:
        day = date.fromisoformat(given.get("day", ""))
    except ValueError:
        day = today()
    who = given.get("who", "all" if current_user.role != Role.TECHNICIAN else "mine")
    return Asked(day, who == "all", _number(given.get("deviation")))


def here(shown: Asked, **more: Any) -> str:
    """The address of what is shown."""
    default = current_user.role != Role.TECHNICIAN
    who = None if shown.everybody == default else "all" if shown.everybody else "mine"
    day = None if shown.day == today() else shown.day.isoformat()
    return url_for("rollout.index", **({"day": day, "who": who} | more))


def day_list(shown: Asked, *, typed: Typed | None = None, told: dict[str, Any] | None = None) -> Response:
    """The list, or of an htmx answer its fragment with what was done."""
    mine = None if shown.everybody else current_user.id
    at, address = moment(), here(shown)
    # A day has thousands of these addresses, and each is put together anew.
    beside = address + ("&" if "?" in address else "?")
    with transaction() as session:
        page = reading.day_page(session, shown.day, today=today(), mine=mine)
        reboots = reading.reboots(session, [row.device.id for row in page.rows])
        managers = reading.managers(session)
        recent = reading.recent(session, current_user.id, at)
    return render_page(
        "rollout/index.html",
        status=422 if typed else 200,
        page=page,
        shown=shown,
        open_row=typed.device if typed else shown.deviation,
        typed=typed,
        told=told,
        reboots=reboots,
        managers=managers,
        recent=recent,
        is_open=page.window.is_open(at),
        is_today=shown.day == today(),
        today=today(),
        here=lambda **more: here(shown, **more),
        opens=lambda device: f"{beside}deviation={device}",
        tick_url=url_for("rollout.tick"),
        may_write=current_user.role in WRITERS,
        failed=sum(row.failed for row in page.rows),
        bars=_bars(page),
    )


def _bars(page: reading.DayPage) -> list[tuple[int, str]]:
    """The shares of the progress bar: verified, failed, left out, under way."""
    bad = page.count(TaskStatus.FAILED, TaskStatus.ROLLED_BACK)
    out = page.count(TaskStatus.SKIPPED, TaskStatus.MISSED, TaskStatus.NOT_APPLICABLE)
    under_way = page.count(TaskStatus.INSTALLED, TaskStatus.REBOOT_PENDING)
    return [(page.count(TaskStatus.VERIFIED), "ok"), (bad, "over"), (out, "na"), (under_way, "used")]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
