"""The renewals page: every contract with its term and its deadline."""

from flask import Response

from ptdash.blueprints.contracts import READERS, bp
from ptdash.web import access, render_page, today


@bp.get("/")
@access(*READERS)
def index() -> Response:
    return render_page("contracts/index.html", today=today())
