"""The catalogue: vendors and products, each with the plan by which its updates are checked."""

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.updates import bp
from ptdash.blueprints.updates.enter import refuse
from ptdash.blueprints.updates.forms import ProductForm
from ptdash.blueprints.updates.words import told
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.services.updates import catalogue
from ptdash.web import BaseForm, moment, render_page, see_other, toast, today
from ptdash.web.numbers import read_whole

SPARE_LINES = 3
FIELD_OF: dict[type[DomainError], str] = {
    catalogue.ProductNameMissing: "name",
    catalogue.ProductKnown: "name",
}


@bp.route("/products", methods=["GET", "POST"])
def products() -> Response:
    """The whole catalogue, and a form that adds to it."""
    form = ProductForm()
    if form.submitted():
        try:
            with transaction() as session:
                made = catalogue.add(
                    session,
                    form.name.data or "",
                    vendor=form.vendor.data or "",
                    section=form.section.data or "",
                    offered_by_us=form.offered_by_us.data,
                    actor_id=current_user.id,
                    now=moment(),
                )
        except DomainError as error:
            refuse(form, error, FIELD_OF)
        else:
            toast(gettext("%(name)s is in the catalogue.", name=made.name))
            return see_other(url_for("updates.product", product_id=made.id))
    with transaction() as session:
        rows = catalogue.products(session, today())
        vendors, sections = catalogue.vendors(session), catalogue.sections(session)
    return render_page(
        "updates/products.html",
        status=422 if form.problems() else 200,
        form=form,
        rows=rows,
        vendors=vendors,
        sections=sections,
    )


@bp.route("/products/<int:product_id>", methods=["GET", "POST"])
def product(product_id: int) -> Response:
    form = ProductForm()
    if form.submitted():
        try:
            with transaction() as session:
                catalogue.change(
                    session,
                    product_id,
                    vendor=form.vendor.data or "",
                    section=form.section.data or "",
                    offered_by_us=form.offered_by_us.data,
                    actor_id=current_user.id,
                    now=moment(),
                )
        except DomainError as error:
            refuse(form, error, FIELD_OF)
        else:
            toast(gettext("Saved."))
            return see_other(url_for("updates.product", product_id=product_id))
    return _page(product_id, form, None, None)


@bp.post("/products/<int:product_id>/plan")
def plan(product_id: int) -> Response:
    """Save the test plan as its next version; with `more` only get further lines."""
    form, items = BaseForm(), request.form.getlist("item")
    if not request.form.get("more") and form.submitted():
        try:
            with transaction() as session:
                version = catalogue.save_plan(
                    session,
                    product_id,
                    items,
                    seen=read_whole(request.form.get("seen")) or 0,
                    actor_id=current_user.id,
                    now=moment(),
                )
        except DomainError as error:
            form.form_errors.append(told(error))
        else:
            toast(gettext("Test plan, version %(version)s, is saved.", version=version))
            return see_other(url_for("updates.product", product_id=product_id))
    return _page(product_id, None, form, [item[: catalogue.MOST_ITEM] for item in items if item.strip()])


def _page(
    product_id: int, form: ProductForm | None, plan_form: BaseForm | None, items: list[str] | None
) -> Response:
    with transaction() as session:
        found = catalogue.get(session, product_id)
        plans = catalogue.plans(session, product_id)
        vendors, sections = catalogue.vendors(session), catalogue.sections(session)
    if form is None or request.method == "GET":
        form = ProductForm(formdata=None, obj=found)
    failed = plan_form if plan_form and plan_form.problems() else form
    return render_page(
        "updates/product.html",
        status=422 if failed.problems() else 200,
        form=form,
        failed=failed,
        product=found,
        plans=plans,
        lines=(items if items is not None else list(plans[0].items)) + [""] * SPARE_LINES,
        vendors=vendors,
        sections=sections,
    )
