"""One URL, one page, one fragment."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, flash, make_response, redirect, render_template
from htmx_flask import request
from jinja2 import TemplateNotFound

from ptdash.config import Config


def render_page(template: str, /, *, status: int = 200, fragment: str | None = None, **context: Any) -> Response:
    """The page `area/name.html`, or for an htmx request its fragment `area/_name.html` with the new toasts.

    A boosted request and a history restore get the page, and so does a page that has no fragment: it then
    replaces the whole body. `fragment` names another fragment of the same area than the page's own.
    """
    if not wants_fragment():
        return make_response(render_template(template, **context), status)
    area, _, name = template.rpartition("/")
    try:
        body = render_template(fragment or f"{area}/_{name}", **context)
    except TemplateNotFound:
        response = make_response(render_template(template, **context), status)
        response.headers.update({"HX-Retarget": "body", "HX-Reswap": "innerHTML"})
        return response
    return make_response(body + render_template("components/_new_toasts.html"), status)


def wants_fragment() -> bool:
    """Whether htmx asks for a part of the page it shows."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def see_other(location: str) -> Response:
    """After a change: 303 to where the browser goes next; htmx is told to load that page as a whole."""
    if wants_fragment():
        return Response(status=204, headers={"HX-Redirect": location})
    return make_response(redirect(location, 303))


def toast(message: str, category: str = "ok") -> None:
    """A sentence that the next answer shows in the corner; `category` is ok or danger."""
    flash(message, category)


def local_path(target: str | None) -> str | None:
    """`target` where it is a path on this site, else None: a link from outside must not lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(character) < 33 for character in target) or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def came_from() -> str | None:
    """The path of the page that sent this request, where it is one of ours."""
    address = request.htmx.current_url or request.referrer
    parts = urlsplit(address or "")
    if parts.netloc != request.host:
        return None
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def config() -> Config:
    """The configuration this application runs on."""
    found: Config = current_app.config["PTDASH"]
    return found


def now() -> datetime:
    """The instant of this request, in UTC; views take it once and pass it on."""
    return datetime.now(UTC)


def today() -> date:
    """The business day of this request: PTDASH_TODAY, else today in Berlin."""
    return config().business_day(now())


def moment() -> datetime:
    """The instant of this request as the business counts it: with PTDASH_TODAY that day at this time of day."""
    return config().business_moment(now())
