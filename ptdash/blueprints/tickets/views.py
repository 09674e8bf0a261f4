"""The ticket itself: its page, what is said on it, its files and its history."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.http import dump_options_header

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.forms import FilesForm, WordsForm
from ptdash.blueprints.tickets.rows import due_words
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError, Forbidden, Invalid
from ptdash.domain.tickets import Channel, Status, reachable
from ptdash.services import files
from ptdash.services.tickets import entries, history, reading, threads
from ptdash.services.tickets.asking import Moment
from ptdash.services.tickets.prepared import values
from ptdash.web import navigation, now, render_page, see_other, toast, today

TABS = ("reply", "note", "time", "inbound")


@bp.get("/<number>")
def show(number: str) -> Response:
    tab = request.args.get("tab", "reply")
    return ticket_page(number, tab=tab if tab in TABS else "reply")


def ticket_page(
    number: str,
    *,
    tab: str = "reply",
    form: WordsForm | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    """The page with a tab of its composer open; `form` is one that was refused, `problem` the sentence why."""
    moment = Moment(now())
    session = db.session()
    shown = reading.show(session, number, current_user)
    thread = entries.thread(session, shown.ticket.id, shown.family)
    asked = values(current_user, moment) | {"today": today()}
    found = reading.neighbours(session, shown.ticket, current_user, beside=navigation.columns(), **asked)
    navigation.keep(found.beside)
    said = [entry.id for entry in thread if entry.kind in ("inbound", "reply") and entry.number is None]
    forms = {name: WordsForm(formdata=None) for name in TABS}
    forms["inbound"].sender.data = shown.contact.name if shown.contact else ""
    if form is not None:
        forms[tab] = form
    for written in forms.values():
        written.seen.data = str(max(said, default=0))
    return render_page(
        "tickets/show.html",
        status=status,
        shown=shown,
        ticket=shown.ticket,
        thread=thread,
        neighbours=found,
        reachable=reachable(Status(shown.ticket.status)),
        forms=forms,
        form=form,
        problem=problem,
        tab=tab,
        due=due_words(shown.ticket.due_at, shown.ticket.status, moment, known=shown.ticket.deadline_known),
    )


@bp.post("/<number>/reply")
def reply(number: str) -> Response:
    def keep(session: Any, ticket_id: int, form: WordsForm, said: dict[str, Any]) -> None:
        seen = int(form.seen.data) if (form.seen.data or "").isdigit() else None
        threads.reply(session, ticket_id, form.body.data, seen=seen, **said)

    return _say(number, "reply", keep, gettext("The reply is recorded."))


@bp.post("/<number>/note")
def note(number: str) -> Response:
    def keep(session: Any, ticket_id: int, form: WordsForm, said: dict[str, Any]) -> None:
        threads.note(session, ticket_id, form.body.data, **said)

    return _say(number, "note", keep, gettext("The note is recorded."))


@bp.post("/<number>/inbound")
def inbound(number: str) -> Response:
    def keep(session: Any, ticket_id: int, form: WordsForm, said: dict[str, Any]) -> None:
        channel, sender = Channel(form.channel.data), form.sender.data or ""
        threads.record_inbound(session, ticket_id, form.body.data, channel=channel, sender=sender, **said)

    return _say(number, "inbound", keep, gettext("The customer's message is recorded."))


def _say(number: str, tab: str, keep: Callable[..., None], done: str) -> Response:
    """Record words; whatever refuses them, they stay on the page that says why."""
    form = WordsForm()
    if not form.submitted():
        return ticket_page(number, tab=tab, form=form, status=422)
    said = {"actor_id": current_user.id, "now": now(), "uploads": form.uploads()}
    try:
        with transaction() as session:
            ticket = reading.show(session, number, current_user).ticket
            keep(session, ticket.id, form, said)
    except Invalid as error:
        form.refuse(error, "files" if isinstance(error, FILE_ERRORS) else "body")
        return ticket_page(number, tab=tab, form=form, status=422)
    except threads.ThreadMovedOn as error:
        return ticket_page(number, tab=tab, form=form, problem=gettext(error.message), status=409)
    except DomainError as error:
        return kept(number, form.body.data, error)
    toast(done)
    return see_other(url_for("tickets.show", number=number, _anchor="last"))


FILE_ERRORS = (files.FileEmpty, files.FileTooLarge, files.FileTypeRefused, threads.NoFile)


def kept(number: str, words: str, error: DomainError) -> Response:
    """What was typed, to be copied, where its ticket does not take it any more."""
    sentence = gettext(error.message) % error.params
    mine = not isinstance(error, Forbidden)
    return render_page(
        "tickets/kept.html", status=error.status, number=number, words=words, sentence=sentence, mine=mine
    )


@bp.post("/<number>/attachments")
def attach(number: str) -> Response:
    form = FilesForm()
    if form.submitted():
        try:
            with transaction() as session:
                ticket = reading.show(session, number, current_user).ticket
                threads.attach(session, ticket.id, form.uploads(), actor_id=current_user.id, now=now())
        except Invalid as error:
            return ticket_page(number, problem=gettext(error.message) % error.params, status=422)
        toast(gettext("The files are attached."))
    return see_other(url_for("tickets.show", number=number, _anchor="files"))


@bp.get("/<number>/attachments/<int:file_id>")
def attachment(number: str, file_id: int) -> Response:
    """A file, always to be saved and never shown: what a customer sends is not ours to run."""
    with transaction() as session:
        ticket = reading.show(session, number, current_user).ticket
        file = threads.attached(session, ticket.id, file_id)
    response = Response(file.content, mimetype=file.media_type)
    response.headers["Content-Disposition"] = _saved_as(file.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.get("/<number>/history")
def show_history(number: str) -> Response:
    with transaction() as session:
        ticket = reading.show(session, number, current_user).ticket
        happenings = history.of_ticket(session, number)
    return render_page("tickets/history.html", ticket=ticket, happenings=happenings)


def _saved_as(name: str) -> str:
    """RFC 6266: a plain name for everybody, and the true one in UTF-8."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return dump_options_header("attachment", {"filename": plain}) + f"; filename*=UTF-8''{quote(name, safe='')}"
