"""The plan of a window, day by day; a manager moves what is planned by hand."""

from datetime import date

from flask import Response, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user

from ptdash.blueprints.rollout import READERS, bp
from ptdash.blueprints.rollout.words import sentence
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.periods import month_of, parse_month
from ptdash.models import Role
from ptdash.services.rollout import board, moving, reading
from ptdash.web import access, moment, render_page, see_other, toast, today
from ptdash.web.formats import short_day


@bp.get("/plan")
@access(*READERS)
def plan() -> Response:
    return plan_page(_month())


@bp.post("/move")
@access(Role.MANAGER)
def move() -> Response:
    """Put the chosen devices on another day or with another technician."""
    form = request.form
    ids = [int(one) for value in form.getlist("tasks") for one in value.split(".") if one.isdecimal()]
    chosen = form.get("technician", "")
    try:
        day = date.fromisoformat(form.get("to", ""))
    except ValueError:
        return plan_page(_month(), problem=gettext("Choose the day to move to."), chosen=form.getlist("tasks"))
    if not ids:
        return plan_page(_month(), problem=gettext("Choose at least one device."))
    try:
        with transaction() as session:
            moved = moving.move(
                session,
                ids,
                day,
                int(chosen) if chosen.isdecimal() else None,
                actor=current_user,
                today=today(),
                now=moment(),
            )
    except DomainError as error:
        return plan_page(_month(), problem=sentence(error), chosen=form.getlist("tasks"))
    number = len({task.device.id for task in moved.tasks})
    told = ngettext("%(num)s device moved to %(day)s.", "%(num)s devices moved to %(day)s.", number,
                    day=short_day(day))  # fmt: skip
    if moved.load > moved.capacity:
        told += " " + gettext("That day has %(load)s devices now; %(capacity)s fit.", load=moved.load,
                              capacity=moved.capacity)  # fmt: skip
    toast(told, "danger" if moved.load > moved.capacity else "ok")
    return see_other(url_for("rollout.plan", month=month_of(day).strftime("%Y-%m")))


def plan_page(month: date, *, problem: str = "", chosen: list[str] | None = None) -> Response:
    with transaction() as session:
        found = board.board(session, month, today())
        months = reading.months_with_work(session, today())
    return render_page(
        "rollout/plan.html",
        status=422 if problem else 200,
        board=found,
        month=month,
        months=sorted({*months, month}),
        problem=problem,
        chosen=chosen or [],
        typed=request.form,
        today=today(),
        may_move=current_user.role == Role.MANAGER,
    )


def _month() -> date:
    """The month that is asked for; else the one whose window comes next."""
    try:
        return parse_month(request.values.get("month", ""))
    except (DomainError, ValueError):
        with transaction() as session:
            return next(
                (month for month in reading.months_with_work(session, today())
                 if board.is_ahead(session, month, today())),
                month_of(today()),
            )  # fmt: skip
