"""A person's calendar address, and the feed behind it."""

from flask import Blueprint, Response, abort, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.db import transaction
from ptdash.extensions import limiter
from ptdash.models import Role
from ptdash.services import calendars
from ptdash.web import access, now, render_page, see_other, toast, today

# Programs ask a few times an hour; whoever guesses addresses is stopped.
FEED_LIMIT = "120 per hour"
GUESS_LIMIT = "20 per 15 minutes"

bp = Blueprint("calendar", __name__)


def _not_found(response: Response) -> bool:
    return response.status_code == 404


@bp.get("/account/calendar")
@access(Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
def account() -> Response:
    return _page()


@bp.post("/account/calendar/open")
@access(Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
def open_feed() -> Response:
    """The answer shows the address; it is never shown again."""
    with transaction() as session:
        token = calendars.open_feed(session, current_user.id, now=now())
    return _page(url_for("calendar.feed", token=token, _external=True))


@bp.post("/account/calendar/revoke")
@access(Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
def revoke() -> Response:
    with transaction() as session:
        calendars.revoke(session, current_user.id, now=now())
    toast(gettext("The calendar address no longer works."))
    return see_other(url_for("calendar.account"))


@bp.get("/calendar/<token>.ics")
@access.public
@limiter.limit(FEED_LIMIT, key_func=lambda: str((request.view_args or {}).get("token", "")))
@limiter.limit(GUESS_LIMIT, deduct_when=_not_found)
def feed(token: str) -> Response:
    """Whoever knows the address reads the calendar; a wrong one is not found, whatever is wrong with it."""
    with transaction() as session:
        content = calendars.feed(session, token, today=today(), now=now())
    if content is None:
        abort(404)
    response = Response(content, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'inline; filename="ptdash.ics"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _page(address: str | None = None) -> Response:
    with transaction() as session:
        present = calendars.present(session, current_user.id)
    response = render_page("calendar/account.html", present=present, address=address)
    response.headers["Cache-Control"] = "no-store"
    return response
