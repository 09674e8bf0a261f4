"""Our check of an update: begun, answered point by point, with evidence, finished; each answer is saved."""

from urllib.parse import quote

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.http import dump_options_header

from ptdash.blueprints.updates import bp
from ptdash.blueprints.updates.words import told
from ptdash.db import transaction
from ptdash.domain.acceptance import ItemState, NoteMissing
from ptdash.domain.errors import DomainError
from ptdash.domain.updates import FailureNoteMissing, PlaceMissing, Result
from ptdash.services.devices import listing
from ptdash.services.updates import checking, reading
from ptdash.services.updates.checking import Where
from ptdash.web import moment, render_page, see_other, toast, today, wants_fragment

NOTE_LIMIT = 2000
DAY_SECONDS = 86_400


@bp.post("/<int:update_id>/check")
def start_check(update_id: int) -> Response:
    with transaction() as session:
        checking.start(session, update_id, _where(), today=today(), actor_id=current_user.id, now=moment())
    return see_other(url_for("updates.check", update_id=update_id))


@bp.get("/<int:update_id>/check")
def check(update_id: int) -> Response:
    """The check under way; without one, the update's page says what came of the last."""
    return check_page(update_id)


@bp.post("/checks/<int:check_id>/points/<int:pos>")
def answer(check_id: int, pos: int) -> Response:
    """Save one answer. Refused ones come back as they were sent, with what is missing."""
    state, note = _state(), request.form.get("note", "")[:NOTE_LIMIT]
    problem: DomainError | None = None
    with transaction() as session:
        update_id = checking.update_of(session, check_id)
    try:
        with transaction() as session:
            checking.answer(session, check_id, pos, state, note, actor_id=current_user.id, now=moment())
    except NoteMissing as error:
        problem = error
    if not wants_fragment() and not problem:
        return see_other(url_for("updates.check", update_id=update_id, _anchor=f"item-{pos}"))
    return check_page(
        update_id,
        at=pos,
        problem=problem,
        typed=(state, note) if problem else None,
        fragment="updates/_answered.html",
    )


@bp.post("/checks/<int:check_id>/finish")
def finish(check_id: int) -> Response:
    """Passed or failed, with where it was tested; from here on the check is written."""
    with transaction() as session:
        update_id = checking.update_of(session, check_id)
    passed = request.form.get("result") == "passed"
    note = request.form.get("note", "")[:NOTE_LIMIT]
    try:
        with transaction() as session:
            checking.finish(
                session,
                check_id,
                Result.PASSED if passed else Result.FAILED,
                _where(),
                note=note,
                actor_id=current_user.id,
                now=moment(),
            )
    except (NoteMissing, FailureNoteMissing, PlaceMissing, checking.DeviceUnknown) as error:
        return check_page(update_id, finishing=error)
    toast(gettext("The check is passed.") if passed else gettext("The check is failed: the update stays in test."))
    return see_other(url_for("updates.show", update_id=update_id))


@bp.post("/checks/<int:check_id>/call-off")
def call_off(check_id: int) -> Response:
    with transaction() as session:
        update_id = checking.update_of(session, check_id)
        checking.call_off(session, check_id, actor_id=current_user.id, now=moment())
    toast(gettext("The check is called off."))
    return see_other(url_for("updates.show", update_id=update_id))


@bp.post("/checks/<int:check_id>/files")
def attach(check_id: int) -> Response:
    """Each file by itself: one that is refused does not keep the others out."""
    problems = []
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        try:
            with transaction() as session:
                checking.attach(
                    session, check_id, sent.filename, sent.read(), actor_id=current_user.id, now=moment()
                )
        except DomainError as error:
            problems.append(told(error))
    return _files(check_id, problems)


@bp.post("/checks/<int:check_id>/files/<int:file_id>/remove")
def detach(check_id: int, file_id: int) -> Response:
    with transaction() as session:
        checking.detach(session, check_id, file_id, actor_id=current_user.id, now=moment())
    return _files(check_id, [])


@bp.get("/checks/<int:check_id>/files/<int:file_id>")
def file(check_id: int, file_id: int) -> Response:
    """A screenshot or log, to be saved. What was stored never changes."""
    with transaction() as session:
        stored = checking.load_file(session, check_id, file_id)
    response = Response(stored.content, mimetype=stored.media_type)
    plain = stored.name.encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = (
        dump_options_header("attachment", {"filename": plain})
        + f"; filename*=UTF-8''{quote(stored.name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = f"private, max-age={DAY_SECONDS}, immutable"
    return response


def check_page(
    update_id: int,
    *,
    at: int | None = None,
    problem: DomainError | None = None,
    typed: tuple[ItemState, str] | None = None,
    finishing: DomainError | None = None,
    fragment: str | None = None,
) -> Response:
    """The page of the check under way, or of an htmx answer the point and what changes with it."""
    with transaction() as session:
        page = reading.page(session, update_id, today())
        devices = listing.page(session, listing.Filters(), today()).rows
    if page.running is None:
        return see_other(url_for("updates.show", update_id=update_id))
    check = page.running
    return render_page(
        "updates/check.html",
        status=422 if problem or finishing else 200,
        fragment=fragment,
        page=page,
        check=check,
        mine=check.check.tester_id == current_user.id,
        point=next((point for point in check.points if point.pos == at), None),
        at=at,
        problem=told(problem) if problem else None,
        typed=typed,
        finishing=told(finishing) if finishing else None,
        missing_place=isinstance(finishing, PlaceMissing | checking.DeviceUnknown),
        sent=request.form if finishing else {},
        devices=devices,
    )


def _files(check_id: int, problems: list[str]) -> Response:
    with transaction() as session:
        update_id = checking.update_of(session, check_id)
    if not wants_fragment():
        for problem in problems:
            toast(problem, "danger")
        return see_other(url_for("updates.check", update_id=update_id, _anchor="evidence"))
    with transaction() as session:
        page = reading.page(session, update_id, today())
    if not problems:
        toast(gettext("Saved."))
    return render_page(
        "updates/check.html", fragment="updates/_files.html", check=page.running, mine=True, problems=problems
    )


def _where() -> Where:
    return Where(request.form.get("device", "")[:100], request.form.get("tested_on", "")[:200])


def _state() -> ItemState:
    try:
        return ItemState(request.form.get("state", "open"))
    except ValueError:
        return ItemState.OPEN
