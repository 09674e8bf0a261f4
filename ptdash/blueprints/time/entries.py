"""One time entry: changed or removed while it is not posted, corrected with a reason afterwards."""

from flask import Response, flash, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets.following import ticket_or_queue
from ptdash.blueprints.tickets.words import TREATMENTS
from ptdash.blueprints.time import bp
from ptdash.blueprints.time.forms import FIELD_OF, BookForm, CorrectForm, StopForm, asked
from ptdash.blueprints.time.timers import last_time
from ptdash.blueprints.time.words import oddity_words
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError, Forbidden, Invalid, NotFound
from ptdash.models import Role
from ptdash.services import corrections, time_entries, time_pages, timers
from ptdash.services.books import ReasonMissing
from ptdash.services.corrections import Difference
from ptdash.services.time_pages import Shown
from ptdash.web import now, render_page, see_other, toast


@bp.get("/time/<int:entry_id>")
def entry(entry_id: int) -> Response:
    """The entry with the form that fits it; what the address names is filled in, with what it would change."""
    shown = _shown(entry_id)
    if not request.args:
        return _page(shown, _filled(shown))
    form = CorrectForm(asked(request.args))
    return _page(shown, form, difference=_difference(shown, form))


@bp.get("/time/<int:entry_id>/difference")
def difference(entry_id: int) -> Response:
    """What the correction that is being entered would change; nothing is saved."""
    shown = _shown(entry_id)
    form = CorrectForm(request.args)
    return render_page(
        "time/entry.html",
        fragment="time/_difference.html",
        shown=shown,
        form=form,
        difference=_difference(shown, form),
        treatments=TREATMENTS,
        now=now(),
    )


@bp.post("/time/<int:entry_id>")
def change(entry_id: int) -> Response:
    shown, form = _shown(entry_id), BookForm()
    if not form.submitted():
        return _page(shown, form, status=422)
    try:
        with transaction() as session:
            odd = time_entries.change(
                session, entry_id, form.work(now(), shown.entry), actor_id=current_user.id, now=now()
            )
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        form.refuse(error, FIELD_OF.get(type(error)))
        return _page(shown, form, status=422 if isinstance(error, Invalid) else 409)
    toast(gettext("The time entry is changed."))
    for found in odd:
        flash(oddity_words(found), "danger")
    return _to_ticket(shown)


@bp.post("/time/<int:entry_id>/remove")
def remove(entry_id: int) -> Response:
    shown = _shown(entry_id)
    with transaction() as session:
        time_entries.remove(session, entry_id, actor_id=current_user.id, now=now())
    toast(gettext("The time entry is removed. The audit trail keeps it."))
    return _to_ticket(shown)


@bp.post("/time/<int:entry_id>/stop")
def stop_entry(entry_id: int) -> Response:
    """A dispatcher or manager ends a colleague's forgotten timer, so that its month can be closed."""
    form, at = StopForm(), now()
    if not form.submitted():
        return _page(_shown(entry_id), form, status=422)
    with transaction() as session:
        ended_at = last_time(form.end.data, at)
        timers.stop(session, entry_id, actor_id=current_user.id, now=at, ended_at=ended_at)
    toast(gettext("The timer is stopped."))
    return see_other(url_for("time.entry", entry_id=entry_id))


@bp.post("/time/<int:entry_id>/correct")
def correct(entry_id: int) -> Response:
    """Reverse a posted entry and book what is right instead, or nothing (`reverse`)."""
    shown, form = _shown(entry_id), CorrectForm()
    only_reverse = "reverse" in request.form
    if not form.submitted() and not (only_reverse and form.csrf_token.errors == ()):
        return _page(shown, form, status=422)
    try:
        with transaction() as session:
            work = None if only_reverse else form.work(now(), shown.entry)
            corrections.correct(
                session, entry_id, work, form.reason.data or "", actor_id=current_user.id, now=now()
            )
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        form.refuse(error, "reason" if isinstance(error, ReasonMissing) else FIELD_OF.get(type(error)))
        status = 422 if isinstance(error, Invalid) else 409
        return _page(shown, form, difference=_difference(shown, form), status=status)
    toast(gettext("The entry is corrected. The next invoice carries the difference."))
    return _to_ticket(shown)


def _shown(entry_id: int) -> Shown:
    return time_pages.entry(db.session(), entry_id, actor_id=current_user.id)


def _filled(shown: Shown) -> CorrectForm:
    form = CorrectForm(formdata=None)
    form.show(shown.entry)
    return form


def _difference(shown: Shown, form: BookForm) -> Difference | None:
    try:
        work = form.work(now(), shown.entry) if form.day.data and not form.minutes.errors else None
        if work is None or work.ended_at <= work.started_at:
            return None
        return corrections.difference(db.session(), shown.entry, work)
    except (DomainError, ValueError, OverflowError):
        return None


def _to_ticket(shown: Shown) -> Response:
    return see_other(ticket_or_queue(shown.ticket.number, shown.ticket.assignee_id))


def _page(
    shown: Shown, form: BookForm | StopForm, *, difference: Difference | None = None, status: int = 200
) -> Response:
    running = shown.entry.ended_at is None
    if running and not isinstance(form, StopForm):
        form = StopForm(formdata=None)
    if isinstance(form, BookForm):
        if current_user.role in (Role.DISPATCHER, Role.MANAGER):
            form.technician.choices = time_pages.colleagues(db.session())
        form.technician.data = form.technician.data or shown.entry.technician_id
    return render_page(
        "time/entry.html",
        status=status,
        shown=shown,
        form=form,
        difference=difference,
        treatments=TREATMENTS,
        now=now(),
    )
