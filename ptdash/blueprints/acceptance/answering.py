"""The page of an inspection, and its answers: each is saved at once, and the server tells the truth."""

from datetime import datetime

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.acceptance import READERS, WRITERS, bp
from ptdash.blueprints.acceptance.forms import SignForm
from ptdash.db import transaction
from ptdash.domain.acceptance import ItemState, NoteMissing, Outcome
from ptdash.domain.errors import DomainError
from ptdash.models import Role
from ptdash.services import overview
from ptdash.services.acceptances import gates, inspecting, reading
from ptdash.services.acceptances.reading import InspectionPage
from ptdash.web import access, now, render_page, see_other, toast, today, wants_fragment
from ptdash.web.formats import sentence

NOTE_LIMIT = 2000


@bp.get("/<int:inspection_id>")
@access(*READERS)
def show(inspection_id: int) -> Response:
    return inspection_page(inspection_id)


@bp.post("/<int:inspection_id>/items/<int:pos>")
def answer(inspection_id: int, pos: int) -> Response:
    """Save one answer. Refused ones come back as they were sent, with what is stored or missing."""
    state, note = _state(), request.form.get("note", "")[:NOTE_LIMIT]
    problem: DomainError | None = None
    try:
        with transaction() as session:
            inspecting.answer(
                session, inspection_id, pos, state, note, seen=_seen(), actor_id=current_user.id, now=now()
            )
    except (NoteMissing, inspecting.AnsweredMeanwhile) as error:
        problem = error
    if not wants_fragment():
        if problem:
            return inspection_page(inspection_id, pos=pos, problem=problem, typed=(state, note), status=422)
        return see_other(url_for("acceptance.show", inspection_id=inspection_id, _anchor=f"item-{pos}"))
    return inspection_page(
        inspection_id,
        pos=pos,
        problem=problem,
        typed=(state, note) if problem else None,
        status=422 if problem else 200,
        fragment="acceptance/_answered.html",
    )


@bp.post("/<int:inspection_id>/call-off")
def call_off(inspection_id: int) -> Response:
    with transaction() as session:
        device = inspecting.call_off(
            session, inspection_id, request.form.get("reason", ""), actor_id=current_user.id, now=now()
        )
        number = device.inventory_number
    toast(gettext("The inspection of %(device)s is called off.", device=number))
    return see_other(url_for("acceptance.index"))


def inspection_page(
    inspection_id: int,
    *,
    form: SignForm | None = None,
    pos: int | None = None,
    problem: DomainError | None = None,
    typed: tuple[ItemState, str] | None = None,
    status: int = 200,
    fragment: str | None = None,
) -> Response:
    """The page, or of an htmx answer the item and what changes with it."""
    with transaction() as session:
        page = reading.page(session, inspection_id)
        gate_open = gates.is_open(session, page.device, today())
        window = overview.next_window(session, today())
    # After a conflict what is stored is shown; of a missing note what was chosen.
    conflict = isinstance(problem, inspecting.AnsweredMeanwhile)
    return render_page(
        "acceptance/show.html",
        status=status,
        fragment=fragment,
        page=page,
        form=form or _sign_form(page),
        at=pos,
        problem=sentence(problem) if problem else None,
        conflict=conflict,
        typed=typed,
        line=next((line for line in page.lines if line.pos == pos), None),
        gate_open=gate_open,
        window=window.days[0] if window.days else None,
        may_write=current_user.role in WRITERS,
        may_include=current_user.role == Role.MANAGER,
        today=today(),
    )


def _sign_form(page: InspectionPage) -> SignForm:
    form = SignForm(formdata=None)
    form.offer(page.outcomes)
    if Outcome.ACCEPTED in page.outcomes:
        form.outcome.data = Outcome.ACCEPTED.value
    return form


def _state() -> ItemState:
    try:
        return ItemState(request.form.get("state", "open"))
    except ValueError:
        return ItemState.OPEN


def _seen() -> datetime | None:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        return None
