"""Ticks from the day list: a step of one device or of several, what went otherwise, the procedure, taking back."""

from dataclasses import replace

from flask import Response, request
from flask_babel import gettext, ngettext
from flask_login import current_user

from ptdash.blueprints.rollout import bp
from ptdash.blueprints.rollout.day import Asked, Typed, asked, day_list, here
from ptdash.blueprints.rollout.words import sentence, state_word
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.rollout import WORK, ReasonMissing, TaskStatus
from ptdash.services.rollout import acknowledging, ticking, undoing
from ptdash.services.rollout.ticking import Emergency, Outcome, Step
from ptdash.web import moment, see_other, toast, today, wants_fragment

FIELDS: dict[type[DomainError], str] = {
    ReasonMissing: "reason",
    ticking.EmergencyReasonMissing: "emergency_reason",
    ticking.EmergencyManagerMissing: "manager",
}
NAMED = 3


@bp.post("/tick")
def tick() -> Response:
    """One step of the tasks that are named; what is refused comes back as it was sent."""
    shown, step = asked(), _step()
    ids = [int(value) for value in request.form.getlist("task") if value.isascii() and value.isdigit()]
    if step is None:
        return _refused(shown, gettext("Choose what happened."), "to")
    try:
        with transaction() as session:
            done = ticking.tick(session, ids, step, actor=current_user, today=today(), now=moment())
    except DomainError as error:
        return _refused(shown, sentence(error), FIELDS.get(type(error), ""))
    return _answer(shown, _told(done), undo=done.change, left=bool(done.left))


@bp.post("/undo/<int:change>")
def undo(change: int) -> Response:
    shown = asked()
    with transaction() as session:
        undone = undoing.undo(session, change, actor=current_user, now=moment())
    told = ngettext("%(num)s update is as it was before.", "%(num)s updates are as they were before.",
                    len(undone.done))  # fmt: skip
    if undone.left:
        told += " " + ngettext("%(num)s was changed since and stays.", "%(num)s were changed since and stay.",
                               undone.left)  # fmt: skip
    return _answer(shown, told)


@bp.post("/procedure/<contract>")
def acknowledge(contract: str) -> Response:
    """The procedure for active stations is read; without the tick nothing happens."""
    shown = asked()
    if not request.form.get("read"):
        return _answer(shown, gettext("Tick that you have read the procedure."), left=True)
    try:
        with transaction() as session:
            acknowledging.acknowledge(
                session,
                contract,
                shown.day.replace(day=1),
                shown.day,
                request.form.get("seen", ""),
                actor=current_user,
                now=moment(),
            )
    except acknowledging.ProcedureChanged as error:
        return _answer(shown, sentence(error), left=True)
    return _answer(shown, gettext("Procedure of %(contract)s confirmed.", contract=contract))


def _step() -> Step | None:
    form = request.form
    try:
        to = TaskStatus(form.get("to", ""))
    except ValueError:
        return None
    emergency = None
    if form.get("emergency") and to in WORK:
        manager = form.get("manager", "")
        emergency = Emergency(form.get("emergency_reason", ""), int(manager) if manager.isdecimal() else None)
    return Step(
        to,
        reason=form.get("reason", ""),
        emergency=emergency,
        ticket=to is TaskStatus.FAILED and bool(form.get("ticket")),
    )


def _refused(shown: Asked, problem: str, field: str) -> Response:
    """Back with the reason: in the open row, or above the list."""
    device = request.form.get("deviation", "")
    typed = Typed(
        device=int(device) if device.isdecimal() else None,
        problem=problem,
        field=field,
        to=request.form.get("to", ""),
        values=request.form.to_dict(),
    )
    return day_list(replace(shown, deviation=typed.device), typed=typed)


def _answer(shown: Asked, told: str, *, undo: int | None = None, left: bool = False) -> Response:
    if wants_fragment():
        return day_list(replace(shown, deviation=None), told={"text": told, "undo": undo, "left": left})
    toast(told, "danger" if left else "ok")
    anchor = request.form.get("at", "")
    return see_other(here(shown, _anchor=anchor if anchor.isascii() else None))


def _told(done: Outcome) -> str:
    """`KES-PC-004: Geprüft`; of several how many; what is left by name and reason."""
    devices = list(dict.fromkeys(task.device.inventory_number for task in done.done))
    word = state_word(done.step.to)
    if len(devices) == 1:
        told = gettext("%(device)s: %(state)s", device=devices[0], state=word)
    else:
        told = ngettext("%(num)s device: %(state)s", "%(num)s devices: %(state)s", len(devices), state=word)
    for number in done.tickets:
        told += " " + gettext("Ticket %(number)s taken.", number=number)
    for left in done.left[:NAMED]:
        told += " " + sentence(left.error)
    more = len(done.left) - NAMED
    rest = ngettext("%(num)s more stays.", "%(num)s more stay.", more) if more > 0 else ""
    return f"{told} {rest}".strip()
