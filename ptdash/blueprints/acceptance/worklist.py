"""The list of acceptances: what holds back which contract, tabs, one action a device."""

from collections.abc import Sequence
from datetime import date

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.acceptance import READERS, WRITERS, bp
from ptdash.db import transaction
from ptdash.services.acceptances import worklist
from ptdash.services.acceptances.worklist import Case, Done, Stage
from ptdash.web import access, render_page, today

TABS = ("open", "waiting", "inspecting", "remediation", "mine", "accepted", "revoked")
GATES_SHOWN = 3


@bp.get("")
@access(*READERS)
def index() -> Response:
    tab = request.args.get("tab", "open")
    tab = tab if tab in TABS else "open"
    day = today()
    with transaction() as session:
        cases = worklist.cases(session, day)
        held = worklist.held(session, cases, day)
        accepted, revoked = worklist.counts(session)
    done = _done(tab, day)
    return render_page(
        "acceptance/index.html",
        tab=tab,
        tabs=_tabs(cases, accepted, revoked, tab),
        groups=_groups(cases, tab),
        held=held,
        held_shown=None if request.args.get("gates") == "all" else GATES_SHOWN,
        done=done,
        accepted=accepted,
        older=_older(tab, done),
        customers=len({case.customer.id for case in cases}),
        total=len(cases),
        today=day,
        may_write=current_user.role in WRITERS,
    )


def _done(tab: str, day: date) -> list[Done]:
    """What is through: on the open tab the newest few, on its own tab page by page."""
    with transaction() as session:
        if tab == "open":
            return worklist.accepted(session, since=day - worklist.RECENT, limit=worklist.RECENT_ROWS)
        if tab == "accepted":
            return worklist.accepted(session, before=_before())
        return worklist.revoked(session) if tab == "revoked" else []


def _before() -> tuple[date, int] | None:
    """Where the page before ended: `2026-11-17.42`."""
    day, _, id_ = request.args.get("before", "").partition(".")
    try:
        return date.fromisoformat(day), int(id_)
    except ValueError:
        return None


def _older(tab: str, done: Sequence[Done]) -> str | None:
    if tab != "accepted" or len(done) < worklist.PAGE:
        return None
    last = done[-1].acceptance
    return url_for("acceptance.index", tab=tab, before=f"{last.inspected_on}.{last.id}")


def _groups(cases: Sequence[Case], tab: str) -> list[tuple[Stage, list[Case]]]:
    shown = {
        "open": lambda case: True,
        "mine": lambda case: case.assignee is not None and case.assignee.id == current_user.id,
    }
    wanted = shown.get(tab, lambda case: case.stage == tab)
    if tab in ("accepted", "revoked"):
        return []
    groups = ((stage, [case for case in cases if case.stage is stage and wanted(case)]) for stage in Stage)
    return [(stage, found) for stage, found in groups if found]


def _tabs(cases: Sequence[Case], accepted: int, revoked: int, current: str) -> list[dict[str, object]]:
    by_stage = {stage: sum(case.stage is stage for case in cases) for stage in Stage}
    mine = sum(case.assignee is not None and case.assignee.id == current_user.id for case in cases)
    rows = (
        ("open", gettext("Still open"), len(cases)),
        ("waiting", gettext("Waiting"), by_stage[Stage.WAITING]),
        ("inspecting", gettext("Under inspection"), by_stage[Stage.INSPECTING]),
        ("remediation", gettext("Remediation"), by_stage[Stage.REMEDIATION]),
        ("mine", gettext("Mine"), mine),
        ("accepted", gettext("Accepted"), accepted),
        ("revoked", gettext("Revoked"), revoked),
    )
    return [
        {
            "label": label,
            "count": number,
            "href": url_for("acceptance.index", tab=None if name == "open" else name),
            "current": name == current,
        }
        for name, label, number in rows
    ]
