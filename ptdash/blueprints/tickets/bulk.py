"""Sammelaktionen: assign, status, priority of all selected tickets, taken back within ten seconds or later."""

from flask import Response, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.asked import selected, shown_now
from ptdash.blueprints.tickets.controls import VERBS, control_page, named, sentence
from ptdash.blueprints.tickets.queue import queue_facts
from ptdash.blueprints.tickets.words import FIELDS
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError
from ptdash.services.tickets import bulk
from ptdash.web import local_path, now, render_page, see_other, toast, wants_fragment
from ptdash.web.pages import came_from

NAMED = 5


@bp.get("/bulk")
def bulk_changes() -> Response:
    """The changes of the last two days, each with a way back."""
    with transaction() as session:
        rows = bulk.recent(session, current_user, now())
    return render_page("tickets/bulk_changes.html", rows=rows, names=named(), fields=FIELDS)


@bp.get(f"/bulk/<{VERBS}:verb>")
def bulk_control(verb: str) -> Response:
    """The choices for all selected tickets."""
    chosen = _chosen(request.args.getlist("t"))
    with transaction() as session:
        tickets = bulk.tickets_of(session, chosen)
    if not tickets:
        raise bulk.NothingSelected()
    back = None if wants_fragment() else came_from() or url_for("tickets.queue")
    return control_page(verb, tickets, here=back, versions=chosen)


@bp.post(f"/bulk/<{VERBS}:verb>")
def change_many(verb: str) -> Response:
    chosen, value = _chosen(request.form.getlist("t")), request.form.get("value", "")
    following = local_path(request.form.get("next")) or url_for("tickets.queue")
    try:
        with transaction() as session:
            done = bulk.apply(session, verb, value, chosen, actor=current_user, now=now())
    except DomainError as error:
        tickets = bulk.tickets_of(db.session(), chosen)
        return control_page(verb, tickets, here=following, error=error, chosen=value, versions=chosen)
    changed = ngettext("%(num)s ticket changed.", "%(num)s tickets changed.", len(done.changed))
    return _answer(changed, done, list(chosen), following, undo=True)


@bp.post("/undo/<int:bulk_id>")
def undo(bulk_id: int) -> Response:
    with transaction() as session:
        done = bulk.undo(session, bulk_id, actor=current_user, now=now())
    changed = ngettext(
        "%(num)s ticket is as it was before.", "%(num)s tickets are as they were before.", len(done.changed)
    )
    return _answer(changed, done, selected(), url_for("tickets.bulk_changes"), undo=False)


def _answer(changed: str, done: bulk.Outcome, chosen: list[str], following: str, *, undo: bool) -> Response:
    """The queue again with what was done, or the page that follows."""
    told = " ".join([changed, *_left(done)])
    if not wants_fragment() or (came_from() or "").partition("?")[0] != url_for("tickets.queue"):
        toast(told)
        return see_other(following)
    facts = queue_facts(shown_now(), chosen)
    told_facts = {"told": told, "undo_id": done.id if undo else None, "danger": bool(done.left)}
    return Response(render_template("tickets/_after_bulk.html", **facts, **told_facts))


def _left(done: bulk.Outcome) -> list[str]:
    """Which stay as they are, and why; the first few by name."""
    by_reason: dict[str, list[str]] = {}
    for item in done.left:
        by_reason.setdefault(sentence(item.error), []).append(f"#{item.number}")
    return [
        gettext("Unchanged: %(tickets)s. %(why)s", tickets=_listed(numbers), why=why)
        for why, numbers in by_reason.items()
    ]


def _listed(numbers: list[str]) -> str:
    more = len(numbers) - NAMED
    rest = [ngettext("and %(num)s more", "and %(num)s more", more)] if more > 0 else []
    return ", ".join([*numbers[:NAMED], *rest])


def _chosen(values: list[str]) -> dict[str, int]:
    """Number and version of each selected ticket, as the checkboxes send them: `4812.3`."""
    found: dict[str, int] = {}
    for value in values:
        number, _, version = value.rpartition(".")
        if number and "\0" not in number and version.isascii() and version.isdigit() and len(version) < 9:
            found[number] = int(version)
    return found
