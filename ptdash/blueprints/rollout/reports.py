"""Maintenance reports: those of a window, one of a customer as page and as the PDF that was sent."""

from datetime import date

from flask import Response, make_response, url_for
from flask_login import current_user

from ptdash.blueprints.rollout import READERS, bp
from ptdash.db import transaction
from ptdash.documents import report as words
from ptdash.models import Role
from ptdash.services.rollout import reports as service
from ptdash.web import access, render_page, see_other


@bp.get("/reports")
@access(*READERS)
def reports() -> Response:
    """The newest window of which customers were told."""
    with transaction() as session:
        months = service.months(session)
    if months:
        return see_other(url_for("rollout.reports_of", month=months[0].month))
    return render_page("rollout/reports.html", months=[], rows=[], month=None)


@bp.get("/reports/<month:month>")
@access(*READERS)
def reports_of(month: date) -> Response:
    with transaction() as session:
        months, rows = service.months(session), service.of_month(session, month)
    return render_page("rollout/reports.html", months=months, rows=rows, month=month)


@bp.get("/reports/<month:month>/<number>")
@access(*READERS)
def report(month: date, number: str) -> Response:
    with transaction() as session:
        found = service.show(session, number, month)
    return render_page(
        "rollout/report.html",
        month=month,
        found=found,
        source=found.report.source,
        told=words.data(found.report.source, _nobody(), at=found.report.created_at),
        may_open_outbox=current_user.role == Role.MANAGER,
    )


@bp.get("/reports/<month:month>/<number>/report.pdf")
@access(*READERS)
def report_pdf(month: date, number: str) -> Response:
    with transaction() as session:
        file = service.pdf(session, number, month)
    response = make_response(file.content)
    response.headers["Content-Type"] = file.media_type
    response.headers.set("Content-Disposition", "inline", filename=file.name)
    return response


def _nobody() -> dict[str, str]:
    """The page has no letterhead."""
    return {"name": ""}
