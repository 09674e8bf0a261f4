"""Editing a ticket beside colleagues who do the same: whoever comes second chooses, and loses nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.following import ticket_or_queue
from ptdash.blueprints.tickets.forms import EditForm
from ptdash.blueprints.tickets.words import FIELDS, word_for
from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.domain.errors import Conflict, Invalid
from ptdash.domain.tickets import Status
from ptdash.services.tickets import changing, choices, editing, reading
from ptdash.services.tickets.changing import Change, StaleEdit
from ptdash.services.tickets.reading import Shown
from ptdash.web import now, render_page, see_other, toast
from ptdash.web.formats import instant

THEIRS = "theirs"


@dataclass(frozen=True)
class Row:
    """One field of a conflict in words. `differs`: there is something to choose; `keep_mine`: I changed it."""

    field: str
    label: str
    mine: str
    theirs: str
    differs: bool
    keep_mine: bool
    by: str


@bp.route("/<number>/edit", methods=["GET", "POST"])
def edit(number: str) -> Response:
    with transaction() as session:
        shown = reading.show(session, number, current_user)
        form = EditForm(data=_present(shown))
        _offer(session, form, shown)
    if form.submitted():
        values = _chosen(form)
        try:
            with transaction() as session:
                seen = int(form.version.data)
                ticket = editing.edit(
                    session, shown.ticket.id, values, actor_id=current_user.id, now=now(), version=seen
                )
        except StaleEdit as error:
            return _conflict(shown, form, values, error)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            toast(gettext("Ticket %(number)s is saved.", number=number))
            return see_other(ticket_or_queue(ticket.number, ticket.assignee_id))
    status = 422 if form.problems() else 200
    return render_page("tickets/edit.html", status=status, form=form, ticket=shown.ticket)


@bp.post("/<number>/schedule")
def schedule(number: str) -> Response:
    """Plan a ticket, with or without a day and time on Berlin's clock."""
    typed = request.form.get("at", "")
    try:
        at = datetime.fromisoformat(typed).replace(tzinfo=BERLIN).astimezone(UTC) if typed else None
    except ValueError:
        at = None
    with transaction() as session:
        ticket = reading.show(session, number, current_user).ticket
        values = {"status": Status.SCHEDULED.value, "scheduled_at": at}
        changing.change(session, ticket.id, values, actor_id=current_user.id, now=now())
    toast(gettext("The ticket is scheduled."))
    return see_other(url_for("tickets.show", number=number))


def _present(shown: Shown) -> dict[str, Any]:
    ticket = shown.ticket
    found = {name: getattr(ticket, name) for name in EditForm.FIELDS}
    planned = ticket.scheduled_at
    found["scheduled_at"] = planned.astimezone(BERLIN).replace(tzinfo=None) if planned else None
    return found | {"version": str(ticket.version)}


def _offer(session: Any, form: EditForm, shown: Shown) -> None:
    ticket = shown.ticket
    people = choices.assignees(session)
    contacts = choices.contacts(session, ticket.customer_id, ticket.contact_id)
    form.offer(people, contacts, choices.devices(session, ticket.customer_id))
    form.offer_statuses(Status(ticket.status))


def _chosen(form: EditForm) -> dict[str, Any]:
    """What to save: what was entered, without the fields whose other value was chosen in a conflict."""
    values = form.values()
    theirs = {name for name in values if request.form.get(f"choice-{name}") == THEIRS}
    if "status" in theirs:
        theirs.add("scheduled_at")
    return {name: value for name, value in values.items() if name not in theirs}


def _conflict(shown: Shown, form: EditForm, values: dict[str, Any], error: StaleEdit) -> Response:
    """Who changed what meanwhile, and field by field what was entered beside what is saved now."""
    with transaction() as session:
        shown = reading.show(session, shown.ticket.number, current_user)
        _offer(session, form, shown)
    rows = [_row(name, form, values[name], shown, error.changes) for name in form.FIELDS if name in values]
    last = error.changes[-1]
    return render_page(
        "tickets/conflict.html",
        status=409,
        form=form,
        ticket=shown.ticket,
        version=error.version,
        rows=rows,
        last=last,
        others=sorted({change.by or gettext("Command line") for change in error.changes} - {last.by}),
    )


def _row(name: str, form: EditForm, mine: Any, shown: Shown, changes: list[Change]) -> Row:
    saved = getattr(shown.ticket, name)
    newer = [change for change in changes if change.field == name]
    base = newer[0].before if newer else saved
    plain = mine.isoformat() if isinstance(mine, datetime) else mine
    return Row(
        field=name,
        label=str(FIELDS[name]),
        mine=_told(name, form, mine),
        theirs=_told(name, form, saved),
        differs=mine != saved,
        keep_mine=plain != base,
        by=(newer[-1].by or gettext("Command line")) if newer else "",
    )


def _told(name: str, form: EditForm, value: Any) -> str:
    """A value in words; ids by the names that the form offers."""
    if isinstance(value, datetime):
        return instant(value)
    if name.endswith("_id") and value is not None:
        return next((label for key, label in form[name].choices if key == str(value)), str(value))
    return word_for(name, value)
