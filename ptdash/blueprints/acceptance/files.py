"""Photos and files of an inspection's items."""

from urllib.parse import quote

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.http import dump_options_header

from ptdash.blueprints.acceptance import READERS, bp
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.services.acceptances import inspecting, photos, reading
from ptdash.web import access, now, render_page, see_other, toast, wants_fragment
from ptdash.web.formats import sentence

DAY_SECONDS = 86_400


@bp.post("/<int:inspection_id>/items/<int:pos>/files")
def attach(inspection_id: int, pos: int) -> Response:
    """Each file by itself: one that is refused does not keep the others out."""
    problems = []
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        try:
            with transaction() as session:
                photos.attach(
                    session, inspection_id, pos, sent.filename, sent.read(), actor_id=current_user.id, now=now()
                )
        except DomainError as error:
            problems.append(sentence(error))
    return _answer(inspection_id, pos, problems)


@bp.post("/<int:inspection_id>/items/<int:pos>/files/<int:file_id>/remove")
def detach(inspection_id: int, pos: int, file_id: int) -> Response:
    with transaction() as session:
        photos.detach(session, inspection_id, pos, file_id, actor_id=current_user.id, now=now())
    return _answer(inspection_id, pos, [])


@bp.get("/<int:inspection_id>/files/<int:file_id>")
@access(*READERS)
def file(inspection_id: int, file_id: int) -> Response:
    """A file, to be saved; with `small` a photo's thumbnail. What was stored never changes."""
    with transaction() as session:
        stored = photos.load(session, inspection_id, file_id)
    small = "small" in request.args and stored.media_type == "image/jpeg"
    content = photos.thumbnail(stored.content) if small else stored.content
    response = Response(content, mimetype=stored.media_type)
    plain = stored.name.encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = (
        dump_options_header("attachment", {"filename": plain})
        + f"; filename*=UTF-8''{quote(stored.name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = f"private, max-age={DAY_SECONDS}, immutable"
    return response


def _answer(inspection_id: int, pos: int, problems: list[str]) -> Response:
    if not wants_fragment():
        for problem in problems:
            toast(problem, "danger")
        return see_other(url_for("acceptance.show", inspection_id=inspection_id, _anchor=f"item-{pos}"))
    with transaction() as session:
        page = reading.page(session, inspection_id)
        inspecting.get(session, inspection_id)
    line = next(line for line in page.lines if line.pos == pos)
    if not problems:
        toast(gettext("Saved."))
    return render_page(
        "acceptance/show.html",
        fragment="acceptance/_photos.html",
        page=page,
        line=line,
        problems=problems,
        may_write=True,
    )
