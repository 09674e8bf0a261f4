"""Decisions about an update. Each is shown with what it would do before it is made."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.updates import bp
from ptdash.blueprints.updates.enter import refuse
from ptdash.blueprints.updates.forms import ApproveForm, DeferForm, ReasonForm, SupersedeForm, WithdrawForm
from ptdash.blueprints.updates.show import facts
from ptdash.blueprints.updates.table import asked, matrix_page
from ptdash.blueprints.updates.words import told
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.updates import DayNotAhead, ReasonMissing
from ptdash.services.updates import approving, entering, reading
from ptdash.services.updates.approving import Approved
from ptdash.web import BaseForm, moment, render_page, see_other, toast, today, wants_fragment
from ptdash.web.formats import day

FIELD_OF: dict[type[DomainError], str] = {ReasonMissing: "reason", DayNotAhead: "until"}
# What is said in the rehearsal where a person has not said it yet.
NOT_SAID = "…"

Decide = Callable[[Any], Any]


@bp.route("/<int:update_id>/approve", methods=["GET", "POST"])
def approve(update_id: int) -> Response:
    """First for whom and when it would be planned, and what it closes; then it is."""
    form = ApproveForm()

    def decide(session: Any) -> Approved:
        closing = request.form.getlist("closing", type=int) if request.method == "POST" else None
        return approving.approve(session, update_id, note=form.note.data or "", closing=closing, **_by())

    def done(made: Approved) -> str:
        if not made.planned.tasks:
            return str(gettext("Approved. No device in a contract runs it, so nothing is planned."))
        return str(
            gettext(
                "Approved and planned: %(devices)s devices of %(customers)s customers.",
                devices=made.planned.devices,
                customers=made.planned.customers,
            )
        )

    return _decision(update_id, "approve", form, decide, done, rehearsed=decide)


@bp.route("/<int:update_id>/reject", methods=["GET", "POST"])
def reject(update_id: int) -> Response:
    form = ReasonForm()

    def decide(session: Any) -> Any:
        return approving.reject(session, update_id, form.reason.data or "", **_by())

    return _decision(update_id, "reject", form, decide, lambda _: str(gettext("The update is rejected.")))


@bp.route("/<int:update_id>/defer", methods=["GET", "POST"])
def defer(update_id: int) -> Response:
    form = DeferForm()

    def decide(session: Any) -> Any:
        return approving.defer(session, update_id, form.until.data, form.reason.data or "", **_by())

    def done(_: Any) -> str:
        until: date = form.until.data
        return str(gettext("Deferred. On %(day)s it comes back by itself.", day=day(until)))

    return _decision(update_id, "defer", form, decide, done)


@bp.post("/<int:update_id>/take-up")
def take_up(update_id: int) -> Response:
    """Take up a deferred update before its day."""
    with transaction() as session:
        approving.take_up(session, update_id, **_by())
    toast(gettext("The update is taken up again."))
    return see_other(url_for("updates.show", update_id=update_id))


@bp.route("/<int:update_id>/withdraw", methods=["GET", "POST"])
def withdraw(update_id: int) -> Response:
    """First which tasks would stop and where it is installed already."""
    form = WithdrawForm()

    def decide(session: Any) -> Any:
        reason, instruction = form.reason.data or "", form.instruction.data or ""
        return approving.withdraw(session, update_id, reason, instruction, **_by())

    def rehearse(session: Any) -> Any:
        return approving.withdraw(session, update_id, NOT_SAID, **_by())

    def done(ended: Any) -> str:
        return str(gettext("Withdrawn. %(tasks)s open tasks are stopped.", tasks=ended.stopped.tasks))

    return _decision(update_id, "withdraw", form, decide, done, rehearsed=rehearse)


@bp.route("/<int:update_id>/supersede", methods=["GET", "POST"])
def supersede(update_id: int) -> Response:
    """Close an update because a newer one takes its place."""
    form = SupersedeForm()
    with transaction() as session:
        candidates = approving.newer_versions(session, entering.get(session, update_id))
    form.by.choices = [(row.id, f"{row.title} {row.version}") for row in candidates]
    chosen = form.by.data or request.args.get("by", type=int) or (candidates[0].id if candidates else None)
    form.by.data = chosen

    def decide(session: Any) -> Any:
        return approving.supersede(session, update_id, chosen or 0, **_by())

    def done(ended: Any) -> str:
        if ended.stopped:
            return str(gettext("Superseded. %(tasks)s open tasks are stopped.", tasks=ended.stopped.tasks))
        return str(gettext("The update is superseded."))

    return _decision(update_id, "supersede", form, decide, done, rehearsed=decide if chosen else None)


def _by() -> dict[str, Any]:
    return {"today": today(), "actor_id": current_user.id, "now": moment()}


def _decision(
    update_id: int,
    verb: str,
    form: BaseForm,
    decide: Decide,
    done: Callable[[Any], str],
    *,
    rehearsed: Decide | None = None,
) -> Response:
    """Decided where the form holds; else the form with the result that the decision would have, or why it cannot
    be made. From the matrix it opens beside the row, and the matrix comes back as it is then."""
    if form.submitted():
        try:
            with transaction() as session:
                made = decide(session)
                said = done(made)
        except DomainError as error:
            refuse(form, error, FIELD_OF)
        else:
            toast(said)
            if wants_fragment():
                return matrix_page(asked(), focus=update_id)
            return see_other(url_for("updates.show", update_id=update_id))
    result, refusal = None, None
    with transaction() as session:
        if rehearsed:
            try:
                result = approving.rehearse(session, lambda: rehearsed(session))
            except DomainError as error:
                refusal = told(error)
        page = reading.page(session, update_id, today())
    response = render_page(
        f"updates/{verb}.html",
        status=422 if form.problems() else 200,
        form=form,
        page=page,
        result=result,
        refusal=refusal,
        verb=verb,
        beside=wants_fragment(),
        came_with=request.values if wants_fragment() else {},
        **facts(page),
    )
    if wants_fragment() and form.problems():
        response.headers.update({"HX-Retarget": "#decision", "HX-Reswap": "innerHTML"})
    return response
