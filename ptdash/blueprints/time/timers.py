"""The timer: started on a ticket, shown on every page, stopped from anywhere."""

from datetime import datetime, timedelta

from flask import Response, flash, g, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.time import bp, panel
from ptdash.blueprints.time.forms import StopForm, read_clock
from ptdash.db import db, transaction
from ptdash.domain.periods import BERLIN
from ptdash.services import timers
from ptdash.services.tickets import reading
from ptdash.services.timers import Running, TimerRunsElsewhere
from ptdash.web import now, render_page, see_other, toast
from ptdash.web.formats import minutes


def shown() -> Running | None:
    """The timer of whoever is signed in: read with the session, so it costs no query of its own."""
    found: Running | None = g.get("timer")
    return found


@bp.post("/tickets/<number>/timer")
def start(number: str) -> Response:
    """Start here; where it runs elsewhere, say so and offer to stop it there."""
    ticket = reading.show(db.session(), number, current_user).ticket
    if "stop" in request.form and (found := timers.running(db.session(), current_user.id)):
        with transaction() as session:
            timers.stop(session, found.entry_id, actor_id=current_user.id, now=now())
    try:
        with transaction() as session:
            timers.start(session, ticket.id, actor_id=current_user.id, now=now())
    except TimerRunsElsewhere:
        return _page(StopForm(), start_on=number, status=409)
    toast(gettext("The timer runs."))
    if warning := panel.of_ticket(ticket).warning:
        flash(warning, "danger")
    return see_other(url_for("tickets.show", number=number))


@bp.get("/time/timer", endpoint="timer")
def show() -> Response:
    return _page(StopForm())


@bp.post("/time/timer/stop")
def stop() -> Response:
    """Stop it, now or at the time entered; then its note and treatment can be completed."""
    form, at = StopForm(), now()
    if not form.submitted():
        return _page(form, status=422)
    found = timers.running(db.session(), current_user.id)
    if found is None:
        toast(gettext("No timer is running."))
        return see_other(url_for("time.timer"))
    with transaction() as session:
        ended_at = last_time(form.end.data, at)
        entry = timers.stop(session, found.entry_id, actor_id=current_user.id, now=at, ended_at=ended_at)
    toast(gettext("Stopped: %(minutes)s on #%(ticket)s.", minutes=minutes(entry.minutes), ticket=found.ticket))
    return see_other(url_for("time.entry", entry_id=entry.id))


@bp.post("/time/timer/confirm")
def confirm() -> Response:
    with transaction() as session:
        timers.confirm(session, actor_id=current_user.id, now=now())
    toast(gettext("The timer goes on."))
    return see_other(_back())


@bp.post("/time/timer/discard")
def discard() -> Response:
    with transaction() as session:
        timers.discard(session, actor_id=current_user.id, now=now())
    toast(gettext("The timer is discarded."))
    return see_other(_back())


def last_time(text: str | None, at: datetime) -> datetime | None:
    """The last instant up to now at which the clock showed this time; None where none is given."""
    clock = read_clock(text)
    if clock is None:
        return None
    today = at.astimezone(BERLIN).date()
    wall = datetime.combine(today, clock, tzinfo=BERLIN)
    return wall if wall <= at else datetime.combine(today - timedelta(days=1), clock, tzinfo=BERLIN)


def _back() -> str:
    found = shown()
    return url_for("tickets.show", number=found.ticket) if found else url_for("time.timer")


def _page(form: StopForm, start_on: str | None = None, status: int = 200) -> Response:
    found = timers.running(db.session(), current_user.id)
    return render_page("time/timer.html", status=status, form=form, running=found, start_on=start_on, now=now())
