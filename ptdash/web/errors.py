"""Every error as a clear sentence: a page, or for htmx a toast that leaves the page as it is."""

import secrets

from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from ptdash.domain.errors import DomainError
from ptdash.extensions import login_manager
from ptdash.web.formats import sentence
from ptdash.web.pages import came_from, wants_fragment

SENTENCES = {
    400: (
        lazy_gettext("The request was not understood"),
        lazy_gettext("Go back, reload the page and try again."),
    ),
    403: (
        lazy_gettext("This is not for your role"),
        lazy_gettext("Ask an administrator if you need access."),
    ),
    404: (
        lazy_gettext("This page does not exist"),
        lazy_gettext("Check the address, or start from the overview."),
    ),
    405: (
        lazy_gettext("This address cannot be opened like this"),
        lazy_gettext("Go back and use the button on the page."),
    ),
    409: (lazy_gettext("This does not fit the present state"), lazy_gettext("Reload the page and look again.")),
    413: (
        lazy_gettext("This is too large"),
        lazy_gettext("Send at most 16 MB at a time."),
    ),
    422: (lazy_gettext("This is not possible"), lazy_gettext("Check what you entered.")),
    429: (
        lazy_gettext("Too many attempts"),
        lazy_gettext("Wait 15 minutes, then try again."),
    ),
    500: (
        lazy_gettext("Something went wrong on our side"),
        lazy_gettext("Nothing was saved. Try again, and give the reference if it happens once more."),
    ),
}
FORM_EXPIRED = (
    lazy_gettext("This form is no longer valid"),
    lazy_gettext("Your session ended in the meantime. Go back, reload the page and send the form again."),
)


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(500, _internal_error)


def _domain_error(error: DomainError) -> Response:
    title, _ = SENTENCES[error.status]
    return _answer(error.status, str(title), sentence(error))


def _form_expired(_error: CSRFError) -> Response:
    return _answer(400, *map(str, FORM_EXPIRED))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())  # a redirect that routing asks for
    title, sentence = SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])
    response = _answer(status, str(title), str(sentence))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _internal_error(_error: InternalServerError) -> Response:
    """Says a number instead of a traceback; the log has it right after the traceback that Flask writes."""
    reference = secrets.token_hex(4).upper()
    current_app.logger.error("Error %s at %s %s", reference, request.method, request.path)
    # Nothing may be asked of the database any more: Flask-Login would, for every template.
    g._login_user, g.known = login_manager.anonymous_user(), False
    title, sentence = SENTENCES[500]
    return _answer(500, str(title), str(sentence), reference)


def _answer(status: int, title: str, sentence: str, reference: str | None = None) -> Response:
    facts = {"status": status, "title": title, "sentence": sentence, "reference": reference}
    if wants_fragment():
        response = make_response(render_template("errors/_page.html", **facts), status)
        response.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
        return response
    layout = "base.html" if g.get("known") else "bare.html"
    return make_response(render_template("errors/page.html", layout=layout, back=came_from(), **facts), status)
