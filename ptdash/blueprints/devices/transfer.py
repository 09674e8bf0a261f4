"""Devices as CSV: out as the list shows them, in with every error named before anything is written."""

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.exceptions import NotFound

from ptdash.blueprints.devices import READERS, bp
from ptdash.blueprints.devices.views import asked
from ptdash.db import transaction
from ptdash.services.devices import listing, transfer
from ptdash.services.importing import ImportResult, Problem
from ptdash.web import BaseForm, access, now, render_page, toast, today

# What an import says, in the language of the page; anything else is told in its own words.
PROBLEMS = {
    "required": lazy_gettext("This field must not be empty."),
    "unknown_value": lazy_gettext("This value is not known here."),
    "unknown_reference": lazy_gettext("There is nothing with this number."),
    "invalid_boolean": lazy_gettext("Give yes or no."),
    "invalid_date": lazy_gettext("This is not a date. Write 2026-10-31 or 31.10.2026."),
    "duplicate_key": lazy_gettext("This number stands in the file twice."),
    "duplicate_serial_number": lazy_gettext("Another device of this manufacturer has this serial number."),
    "missing_column": lazy_gettext("This column is missing."),
    "unknown_column": lazy_gettext("This column is not known here."),
    "duplicate_column": lazy_gettext("This column is there twice."),
    "too_long": lazy_gettext("This text is too long."),
    "too_few_fields": lazy_gettext("This row has too few fields."),
    "too_many_fields": lazy_gettext("This row has too many fields."),
    "wrong_encoding": lazy_gettext("Save the file as UTF-8."),
    "malformed_csv": lazy_gettext("From here on the file cannot be read. Check the quotes of this row."),
    "empty_file": lazy_gettext("This file is empty. Its first row names the columns."),
    "no_acceptance": lazy_gettext("A device in a contract would be without a valid acceptance."),
    "other_customer": lazy_gettext("A contract of another customer has this device."),
}


@bp.get("/export/<name>")
@access(*READERS)
def export(name: str) -> Response:
    """devices.csv or device_products.csv of what the filters leave."""
    if name not in transfer.FILES:
        raise NotFound
    with transaction() as session:
        rows = listing.everything(session, asked(), today())
        content = transfer.devices_csv(rows) if name == "devices.csv" else transfer.products_csv(session, rows)
    response = Response(content, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.route("/import", methods=["GET", "POST"])
def import_page() -> Response:
    """First what an import would do; with `write` it is done, as a whole or with any error not at all."""
    form, result = BaseForm(), None
    if form.submitted():
        given = {name: file for name in transfer.FILES if (file := request.files.get(name)) and file.filename}
        if not given:
            form.form_errors.append(gettext("Choose at least one file."))
        else:
            contents = {name: file.read() for name, file in given.items()}
            result = _import(contents, dry_run="write" not in request.form)
            if result.ok and not result.dry_run:
                toast(gettext("The devices are imported."))
    return render_page(
        "devices/import.html",
        status=422 if form.problems() else 200,
        form=form,
        result=result,
        files=transfer.FILES,
        told=told,
    )


def told(problem: Problem) -> tuple[str, bool]:
    """A problem's sentence, and whether it is in the language of the page."""
    known = PROBLEMS.get(problem.code)
    return (str(known), True) if known else (problem.message, False)


def _import(contents: dict[str, bytes], *, dry_run: bool) -> ImportResult:
    with transaction() as session:
        return transfer.import_files(
            session, contents, dry_run=dry_run, today=today(), actor_id=current_user.id, now=now()
        )
