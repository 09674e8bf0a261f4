"""What needs me now, per role."""

from flask import Blueprint, Response

from ptdash.web import access, now, render_page, today

bp = Blueprint("overview", __name__)


@bp.get("/")
@access.any_user
def index() -> Response:
    return render_page("overview/index.html", now=now(), today=today())
