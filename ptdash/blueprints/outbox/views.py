"""The outbox: messages with their state, their text and their files."""

from math import ceil

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user

from ptdash.blueprints.contracts.words import MESSAGE_STATES
from ptdash.blueprints.outbox.forms import BounceForm
from ptdash.db import transaction
from ptdash.domain.errors import NotFound
from ptdash.models import Role
from ptdash.services import bounces, delivery, files, mails, outbox
from ptdash.web import access, now, render_page, see_other, toast

KINDS = {
    "notice": lazy_gettext("Confirmation of a notice"),
    "notice_withdrawn": lazy_gettext("Withdrawal of a notice"),
    "reminder": lazy_gettext("Reminder"),
    "invoice": lazy_gettext("Invoice"),
    "report": lazy_gettext("Maintenance report"),
    "test": lazy_gettext("Test message"),
}
WHY = {
    "no_address": lazy_gettext("The customer has no e-mail address."),
    "not_released": lazy_gettext("The result of this month is not released yet."),
    "no_document": lazy_gettext("Its PDF is not there yet."),
}
OUTCOMES = {
    "sent": (lazy_gettext("handed over"), "done"),
    "not_sent": (lazy_gettext("not handed over"), "wait"),
    "refused": (lazy_gettext("refused"), "bad"),
    "unclear": (lazy_gettext("unclear"), "bad"),
    None: (lazy_gettext("under way"), "work"),
}
NEEDS_A_PERSON = ("held", "unclear", "refused")

bp = Blueprint("outbox", __name__, url_prefix="/outbox")
access.blueprint(bp, Role.MANAGER)


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "kinds": KINDS,
        "message_states": MESSAGE_STATES,
        "why": WHY,
        "outcomes": OUTCOMES,
        "cancellable": outbox.CANCELLABLE,
        "resendable": outbox.RESENDABLE,
        "page_href": lambda page: url_for("outbox.index", **{**request.args, "page": page}),
    }


@bp.get("/")
def index() -> Response:
    asked = request.args.get("state")
    state = asked if asked in set(outbox.State) else None
    page = max(request.args.get("page", 1, type=int), 1)
    with transaction() as session:
        rows, total = outbox.listed(session, state, page)
        counts = outbox.counts(session)
        server = delivery.mail_server(session)
        attempts = delivery.attempts(session, [row.message.id for row in rows])
    return render_page(
        "outbox/index.html",
        rows=rows,
        server=server,
        attempts=attempts,
        counts=counts,
        state=state,
        page=page,
        pages=max(1, ceil(total / outbox.PAGE_ROWS)),
        needs_a_person=NEEDS_A_PERSON,
    )


@bp.get("/<int:message_id>")
def message(message_id: int) -> Response:
    return _message(message_id, BounceForm(formdata=None))


def _message(message_id: int, form: BounceForm, status: int = 200) -> Response:
    with transaction() as session:
        found = outbox.load(session, message_id)
        attempts = delivery.attempts(session, [message_id]).get(message_id, [])
        again = outbox.sent_again(session, message_id)
        documents = mails.documents_of(session, found.message.invoice_id)
    return render_page(
        "outbox/message.html",
        status=status,
        found=found,
        attempts=attempts,
        again=again,
        documents=documents,
        form=form,
    )


@bp.post("/<int:message_id>/cancel")
def cancel(message_id: int) -> Response:
    with transaction() as session:
        outbox.cancel(session, message_id, actor_id=current_user.id, now=now())
    toast(gettext("Message cancelled."))
    return see_other(url_for("outbox.message", message_id=message_id))


@bp.post("/<int:message_id>/release")
def release(message_id: int) -> Response:
    with transaction() as session:
        outbox.release(session, message_id, actor_id=current_user.id, now=now())
    toast(gettext("The message waits for dispatch now."))
    return see_other(url_for("outbox.message", message_id=message_id))


@bp.post("/<int:message_id>/resend")
def resend(message_id: int) -> Response:
    with transaction() as session:
        again = outbox.resend(session, message_id, actor_id=current_user.id, now=now())
    toast(gettext("The message is sent again."))
    return see_other(url_for("outbox.message", message_id=again.id))


@bp.post("/<int:message_id>/bounce")
def bounce(message_id: int) -> Response:
    """The notification that a message came back, as a file."""
    form = BounceForm()
    if form.submitted():
        try:
            with transaction() as session:
                message = bounces.record(session, form.file.data.read(), actor_id=current_user.id, now=now())
        except (bounces.NoBounce, bounces.NotOurs) as error:
            form.refuse(error, "file")
        else:
            toast(gettext("The message is marked as come back."))
            return see_other(url_for("outbox.message", message_id=message.id))
    return _message(message_id, form, 422)


@bp.get("/<int:message_id>/files/<int:file_id>")
def attachment(message_id: int, file_id: int) -> Response:
    """A file of a message, always as a download."""
    with transaction() as session:
        found = outbox.load(session, message_id)
        if file_id not in {known for known, _, _ in found.files}:
            raise NotFound(what=str(file_id))
        file = files.load(session, file_id)
    response = Response(file.content, mimetype=file.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response
