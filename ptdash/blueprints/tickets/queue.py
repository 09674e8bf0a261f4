"""Warteschlange: the page that the dispatcher has open all day."""

from flask import Response

from ptdash.blueprints.tickets import bp
from ptdash.web import now, render_page


@bp.get("", endpoint="queue")
def show_queue() -> Response:
    return render_page("tickets/queue.html", now=now())
