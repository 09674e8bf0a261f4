"""Archives of invoices: ordered here, packed by a worker, downloaded as ZIP."""

from collections.abc import Iterator
from datetime import date

from flask import Response, stream_with_context, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import SelectField

from ptdash.blueprints.billing.views import bp
from ptdash.db import db, transaction
from ptdash.services import archives, exporting
from ptdash.web import BaseForm, choices, now, render_page, see_other, toast
from ptdash.web.formats import month as month_name

FORMATS = {
    "zugferd": lazy_gettext("PDF with e-invoice (ZUGFeRD)"),
    "xrechnung": lazy_gettext("XRechnung (XML)"),
    "datev": lazy_gettext("Bookings for DATEV"),
    "json": lazy_gettext("Data (JSON)"),
}
STATES = {
    "waiting": (lazy_gettext("waits for a worker"), "wait"),
    "working": (lazy_gettext("is being packed"), "work"),
    "done": (lazy_gettext("ready"), "done"),
    "failed": (lazy_gettext("failed"), "bad"),
}


class ArchiveForm(BaseForm):
    period = SelectField(lazy_gettext("Month or year"))
    format = SelectField(lazy_gettext("Format"), choices=choices(FORMATS))


@bp.get("/archives")
def archive_list() -> Response:
    return _list(_form())


@bp.post("/archives")
def order_archive() -> Response:
    form = _form()
    if not form.submitted():
        return _list(form, 422)
    year, _, month = form.period.data.partition("-")
    since = date(int(year), int(month or 1), 1)
    until = date(int(year), int(month or 12), 1)
    with transaction() as session:
        export = archives.order(session, since, until, form.format.data, actor_id=current_user.id, now=now())
    toast(gettext("The archive is being packed."))
    return see_other(url_for("billing.archive", export_id=export.id))


@bp.get("/archives/<int:export_id>")
def archive(export_id: int) -> Response:
    with transaction() as session:
        export = archives.load(session, export_id)
    return render_page("billing/archive.html", export=export, formats=FORMATS, states=STATES)


@bp.get("/archives/<int:export_id>/download")
def download_archive(export_id: int) -> Response:
    with transaction() as session:
        export = archives.load(session, export_id)
        parts = archives.parts(session, export_id)

    def pieces() -> Iterator[bytes]:
        for pos in range(parts):
            with transaction() as session:
                piece = archives.part(session, export_id, pos)
            yield piece

    response = Response(stream_with_context(pieces()), mimetype="application/zip")
    span = f"{export.since:%Y-%m}" if export.since == export.until else f"{export.since:%Y}"
    name = f"Rechnungen-{span}-{export.format}.zip"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _form() -> ArchiveForm:
    form = ArchiveForm()
    months = exporting.months(db.session())
    years = sorted({month.year for month in months}, reverse=True)
    form.period.choices = [
        *((f"{month:%Y-%m}", month_name(month)) for month in months),
        *((str(year), str(year)) for year in years),
    ]
    return form


def _list(form: ArchiveForm, status: int = 200) -> Response:
    rows = archives.listed(db.session())
    return render_page(
        "billing/archives.html", status=status, form=form, rows=rows, formats=FORMATS, states=STATES
    )
