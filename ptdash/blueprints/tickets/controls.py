"""Assign, status, priority of one ticket: a small form on demand, and what it does."""

from collections.abc import Callable
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.asked import selected
from ptdash.blueprints.tickets.following import ticket_or_queue
from ptdash.blueprints.tickets.queue import row_facts
from ptdash.blueprints.tickets.words import FIELDS, PRIORITIES, SHAPES, STATUSES, word_for
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError, NotFound
from ptdash.domain.tickets import Priority, Status, reachable
from ptdash.models import Ticket
from ptdash.services.tickets import bulk, changing, queue
from ptdash.services.tickets.asking import NOBODY
from ptdash.web import formats, local_path, now, render_page, see_other, toast, wants_fragment
from ptdash.web.pages import came_from

VERBS = "any(assign, status, priority)"


@bp.get(f"/<number>/<{VERBS}:verb>")
def control(number: str, verb: str) -> Response:
    """The choices for one field of a ticket."""
    with transaction() as session:
        ticket = _ticket(session, number)
    return control_page(verb, [ticket], here=_back())


@bp.post(f"/<number>/<{VERBS}:verb>")
def change(number: str, verb: str) -> Response:
    """Do it; the answer is the row, or the page that `next` names."""
    value, version = request.form.get("value", ""), request.form.get("version", "")
    following = local_path(request.form.get("next"))
    with transaction() as session:
        ticket = _ticket(session, number)
        ticket_id = ticket.id
    try:
        with transaction() as session:
            values = bulk.wanted(session, verb, value)
            changed = changing.change(
                session,
                ticket_id,
                values,
                actor_id=current_user.id,
                now=now(),
                version=int(version) if version.isdigit() else None,
            )
    except DomainError as error:
        with transaction() as session:
            ticket = _ticket(session, number)
        return control_page(verb, [ticket], here=following, error=error, chosen=value)
    if following or not wants_fragment():
        toast(gettext("Ticket %(number)s: %(what)s.", number=number, what=_done(verb, value)))
        if following == url_for("tickets.show", number=number):
            following = ticket_or_queue(number, changed.assignee_id)
        return see_other(following or url_for("tickets.queue"))
    return Response(render_template("tickets/_changed_row.html", **row_facts([number], selected())))


def control_page(
    verb: str,
    tickets: list[Ticket],
    *,
    here: str | None,
    error: DomainError | None = None,
    chosen: str = "",
    versions: dict[str, int] | None = None,
) -> Response:
    """The choices for these tickets, as a page, or as the fragment that the queue shows beside the row."""
    offered, now_is = options(verb, tickets), _common({_value(verb, ticket) for ticket in tickets})
    # What Enter chooses: what was chosen before, else what is, else (also where nobody is on it) the first.
    first = chosen or (now_is if now_is != str(NOBODY) else None) or next((value for value, *_ in offered), None)
    facts: dict[str, Any] = {
        "verb": verb,
        "label": {"assign": gettext("Assign"), "status": FIELDS["status"], "priority": FIELDS["priority"]}[verb],
        "tickets": tickets,
        "options": offered,
        "now_is": now_is,
        "first": first,
        "next": here,
        "error": sentence(error) if error else None,
        "changes": error.changes if isinstance(error, changing.StaleEdit) else [],
        "fields": FIELDS,
        "names": named(),
        "bulk": versions is not None,
        "versions": versions or {ticket.number: ticket.version for ticket in tickets},
    }
    status = error.status if error else 200
    response = render_page("tickets/control.html", status=422 if error and wants_fragment() else status, **facts)
    if error and wants_fragment():
        response.headers.update({"HX-Retarget": "#control", "HX-Reswap": "innerHTML"})
    return response


def options(verb: str, tickets: list[Ticket]) -> list[tuple[str, str, str | None]]:
    """Value, words and shape of what can be chosen: of the states those that one of the tickets can reach."""
    if verb == "priority":
        return [(p.value, str(PRIORITIES[p]), f"p-{p.value}") for p in reversed(Priority)]
    if verb == "status":
        ways = {status for ticket in tickets for status in reachable(Status(ticket.status))}
        return [(s.value, str(STATUSES[s]), f"s-{SHAPES[s]}") for s in Status if s in ways]
    people = [(str(row.id), row.name, None) for row in queue.assignable(db.session())]
    me = [(value, f"{name} ({gettext('me')})", None) for value, name, _ in people if value == str(current_user.id)]
    others = [person for person in people if person[0] != str(current_user.id)]
    return [*me, *others, (str(NOBODY), gettext("Nobody"), None)]


def named() -> Callable[[str, Any], str]:
    """What a value of a field is called; people by their names."""
    people = {str(row.id): row.name for row in queue.assignable(db.session())}

    def name(field: str, value: Any) -> str:
        if field in ("assign", "assignee_id"):
            return people.get(str(value)) or word_for("assignee_id", None)
        return word_for(field, value)

    return name


def _ticket(session: Any, number: str) -> Ticket:
    found = bulk.tickets_of(session, [number])
    if not found:
        raise NotFound(what=number)
    changing.refuse_stranger(found[0], current_user)
    return found[0]


def _value(verb: str, ticket: Ticket) -> str:
    if verb == "assign":
        return str(ticket.assignee_id or NOBODY)
    return ticket.status if verb == "status" else ticket.priority


def _common(values: set[str]) -> str | None:
    return values.pop() if len(values) == 1 else None


def _done(verb: str, value: str) -> str:
    if verb == "assign":
        return str(gettext("assigned") if value != str(NOBODY) else gettext("assigned to nobody"))
    return word_for(verb, value)


def sentence(error: DomainError) -> str:
    """What refused, states by their names."""
    return formats.sentence(
        error, lambda name, value: STATUSES[Status(str(value))] if name in ("from_status", "to_status") else value
    )


def _back() -> str | None:
    """Where a plain page leads back to; a fragment goes back nowhere, its row is exchanged."""
    if wants_fragment():
        return None
    return local_path(request.args.get("next")) or came_from() or url_for("tickets.queue")
