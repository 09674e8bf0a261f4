"""Updates come in: by hand, corrected, as a newer version, from a CSV file."""

from collections.abc import Callable
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user

from ptdash.blueprints.devices.transfer import PROBLEMS
from ptdash.blueprints.updates import bp
from ptdash.blueprints.updates.forms import UpdateForm
from ptdash.blueprints.updates.words import told
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.models import Update
from ptdash.services.importing import Problem
from ptdash.services.updates import approving, catalogue, csv_import, entering
from ptdash.web import BaseForm, moment, render_page, see_other, toast, today
from ptdash.web.numbers import read_whole

FIELD_OF: dict[type[DomainError], str] = {
    entering.VendorMissing: "vendor",
    entering.TitleMissing: "title",
    entering.VersionMissing: "version",
    entering.CheckRuns: "version",
    entering.ProductsMissing: "products",
    entering.LinkRefused: "link",
}
MORE_PROBLEMS = PROBLEMS | {
    "unknown_product": lazy_gettext("This product is not in the catalogue. Add it first, or spell it as there."),
    "invalid_link": lazy_gettext("A link begins with https:// or http://."),
    "duplicate_key": lazy_gettext("This update stands in the file twice."),
    "unknown_value": lazy_gettext("Give one of critical, important, moderate, low."),
}

Save = Callable[[Any, UpdateForm], Update]


@bp.route("/new", methods=["GET", "POST"])
def new() -> Response:
    def save(session: Any, form: UpdateForm) -> Update:
        return entering.enter(session, form.entry, actor_id=current_user.id, now=moment())

    form = UpdateForm()
    if request.method == "GET":
        form.released_on.data = today()
    return _page(form, gettext("New update"), save, back=url_for("updates.index"))


@bp.route("/<int:update_id>/edit", methods=["GET", "POST"])
def edit(update_id: int) -> Response:
    """Correct what is known of an update while nothing is decided."""

    def save(session: Any, form: UpdateForm) -> Update:
        return entering.change(
            session,
            update_id,
            form.entry,
            seen=read_whole(request.form.get("seen")) or 0,
            today=today(),
            actor_id=current_user.id,
            now=moment(),
        )

    form, update = _filled(update_id)
    back = url_for("updates.show", update_id=update_id)
    return _page(form, gettext("Correct the update"), save, back=back, update=update)


@bp.route("/<int:update_id>/newer", methods=["GET", "POST"])
def newer(update_id: int) -> Response:
    """Enter a newer version; what the older one was called and whom it is for is taken over."""

    def save(session: Any, form: UpdateForm) -> Update:
        return approving.enter_newer(
            session, update_id, form.entry, today=today(), actor_id=current_user.id, now=moment()
        )

    form, update = _filled(update_id)
    if request.method == "GET":
        form.version.data = form.kb_number.data = form.link.data = form.description.data = ""
        form.released_on.data = today()
    back = url_for("updates.show", update_id=update_id)
    return _page(form, gettext("Enter a newer version"), save, back=back, older=update)


@bp.route("/import", methods=["GET", "POST"])
def import_page() -> Response:
    """First what an import would do; with `write` it is done, as a whole or with any error not at all."""
    form, result = BaseForm(), None
    if form.submitted():
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            form.form_errors.append(gettext("Choose a file."))
        else:
            dry_run = "write" not in request.form
            with transaction() as session:
                result = csv_import.import_file(
                    session, sent.read(), dry_run=dry_run, actor_id=current_user.id, now=moment()
                )
            if result.ok and not dry_run:
                toast(gettext("The updates are imported."))
    return render_page(
        "updates/import.html",
        status=422 if form.problems() or (result and not result.ok) else 200,
        form=form,
        result=result,
        columns=csv_import.COLUMNS,
        told=problem_text,
    )


def problem_text(problem: Problem) -> tuple[str, bool]:
    """A problem's sentence, and whether it is in the language of the page."""
    known = MORE_PROBLEMS.get(problem.code)
    return (str(known), True) if known else (problem.message, False)


def _filled(update_id: int) -> tuple[UpdateForm, Update]:
    form = UpdateForm()
    with transaction() as session:
        update = entering.get(session, update_id)
        if request.method == "GET":
            form.fill(entering.stored(session, update))
    return form, update


def _page(
    form: UpdateForm,
    heading: str,
    save: Save,
    *,
    back: str,
    update: Update | None = None,
    older: Update | None = None,
) -> Response:
    known: int | None = None
    if form.submitted():
        try:
            with transaction() as session:
                saved = save(session, form)
        except entering.UpdateKnown as error:
            known = error.update_id
            form.version.errors = [told(error)]
        except DomainError as error:
            refuse(form, error, FIELD_OF)
        else:
            toast(gettext("%(title)s, version %(version)s, is saved.", title=saved.title, version=saved.version))
            return see_other(url_for("updates.show", update_id=saved.id))
    with transaction() as session:
        products = [row.product for row in catalogue.products(session, today())]
        vendors = catalogue.vendors(session)
    form.offer(products)
    return render_page(
        "updates/form.html",
        status=422 if form.problems() else 200,
        form=form,
        heading=heading,
        back=back,
        update=update,
        older=older,
        known=known,
        vendors=vendors,
    )


def refuse(form: BaseForm, error: DomainError, fields: dict[type[DomainError], str]) -> None:
    """At the field that a refusal is about, or for the whole form."""
    name = fields.get(type(error))
    if name is None and isinstance(error, entering.FieldTooLong) and error.params["field"] in form:
        name = error.params["field"]
    if name:
        form[name].errors = [told(error)]
    else:
        form.form_errors.append(told(error))
