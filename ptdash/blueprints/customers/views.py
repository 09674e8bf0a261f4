"""Customers: what keeps their month from being billed, and where it is mended."""

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.customers.forms import InvoiceDataForm, TreatmentForm
from ptdash.db import transaction
from ptdash.domain.countries import CountryUnreadable, VatIdUnreadable
from ptdash.domain.einvoices import RoutingIdWrong
from ptdash.domain.errors import Invalid
from ptdash.domain.minutes import Treatment
from ptdash.models import Role
from ptdash.services import customers, time_entries
from ptdash.services import materials as services_materials
from ptdash.web import access, local_path, now, render_page, see_other, toast

bp = Blueprint("customers", __name__, url_prefix="/customers")
access.blueprint(bp, Role.MANAGER, Role.DISPATCHER)


# At which field a refusal is told.
FIELD_OF: dict[type[Invalid], str] = {
    customers.VatReasonMissing: "vat_reason",
    customers.RoutingIdMissing: "routing_id",
    RoutingIdWrong: "routing_id",
    CountryUnreadable: "country",
    VatIdUnreadable: "vat_id",
}


@bp.route("/<number>/invoice-data", methods=["GET", "POST"])
@access(Role.MANAGER)
def invoice_data(number: str) -> Response:
    """Whom the invoices of a customer go to, and which VAT they carry."""
    with transaction() as session:
        form = InvoiceDataForm(obj=customers.invoice_data(customers.get(session, number)))
    if form.submitted():
        try:
            with transaction() as session:
                customers.change_invoice_data(session, number, form.as_data(), actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The invoice data are saved."))
            return see_other(_back())
    status = 422 if form.problems() else 200
    return render_page("customers/invoice_data.html", status=status, form=form, number=number, back=_back())


@bp.get("/<number>/triage")
def triage(number: str) -> Response:
    """The customer's time entries without a treatment."""
    return _triage(number, TreatmentForm(), None)


@bp.post("/<number>/triage/<int:entry_id>")
def treat(number: str, entry_id: int) -> Response:
    form = TreatmentForm()
    if form.submitted():
        try:
            with transaction() as session:
                time_entries.choose_treatment(
                    session,
                    entry_id,
                    Treatment(form.treatment.data),
                    form.reason.data or "",
                    actor_id=current_user.id,
                    now=now(),
                )
        except Invalid as error:
            form.refuse(error, "reason")
        else:
            toast(gettext("The treatment is chosen."))
            return see_other(url_for("customers.triage", number=number, next=local_path(request.args.get("next"))))
    return _triage(number, form, entry_id)


@bp.get("/<number>/materials")
def materials(number: str) -> Response:
    """What was sold or swapped on the customer's tickets; it is recorded on the ticket."""
    with transaction() as session:
        customer = customers.get(session, number)
        rows = services_materials.of_customer(session, number)
    return render_page("customers/materials.html", customer=customer, rows=rows)


def _triage(number: str, form: TreatmentForm, entry_id: int | None) -> Response:
    with transaction() as session:
        customer = customers.get(session, number)
        entries = time_entries.untreated(session, number)
    return render_page(
        "customers/triage.html",
        status=422 if form.problems() else 200,
        form=form,
        refused=entry_id,
        customer=customer,
        entries=entries,
        back=_back(),
    )


def _back() -> str:
    """Where the person came from: the close that parked this customer, else the list of months."""
    return local_path(request.args.get("next")) or url_for("overview.index")
