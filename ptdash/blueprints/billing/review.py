"""A closed month's result is released; the books are checked."""

from datetime import date

from flask import Response, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.billing.views import bp
from ptdash.blueprints.billing.words import CHECKS
from ptdash.db import transaction
from ptdash.services import checks, releases
from ptdash.web import now, render_page, see_other, toast


@bp.post("/<month:month>/release")
def release(month: date) -> Response:
    with transaction() as session:
        released = releases.release(session, month, actor_id=current_user.id, now=now())
    toast(gettext("Result released.") if released else gettext("The result was released before."))
    return see_other(url_for("billing.period", month=month))


@bp.get("/checks")
def check_books() -> Response:
    with transaction() as session:
        report = checks.run(session)
    return render_page("billing/checks.html", report=report, words=CHECKS, at=now())
