"""Devices into a maintenance contract and out of it, with what that changes in posted months."""

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.contracts import bp
from ptdash.blueprints.contracts.change_forms import IncludeForm, RemoveForm, amount, select_from
from ptdash.blueprints.contracts.words import contract_href
from ptdash.db import transaction
from ptdash.domain.errors import DomainError, NotFound
from ptdash.models import Device
from ptdash.services import contract_page, posted, renewals
from ptdash.services.acceptances import gates
from ptdash.services.contract_changes import contract, including
from ptdash.services.posted import PostedMonth
from ptdash.web import now, render_page, see_other, toast, today
from ptdash.web.formats import sentence

FIELD_OF: dict[type[DomainError], str] = {
    contract.FeeUnreadable: "monthly_fee",
    including.BeforeContract: "included_from",
    including.AfterContract: "included_from",
    including.InContract: "device",
    including.OtherCustomer: "device",
    gates.AcceptanceMissing: "device",
    gates.AcceptanceRefused: "device",
    gates.AcceptanceRevoked: "device",
    posted.ReachReasonMissing: "reason",
}
FIELD_OF_REMOVAL: dict[type[DomainError], str] = {
    including.UntilBeforeFrom: "included_until",
    including.AfterContract: "included_until",
    including.InContract: "included_until",
    including.NothingChanges: "included_until",
    posted.ReachReasonMissing: "reason",
}


@bp.get("/<number>/devices/add")
def include(number: str) -> Response:
    form = IncludeForm(formdata=None)
    form.device.data = request.args.get("device", "")
    form.included_from.data = today()
    with transaction() as session:
        form.monthly_fee.data = amount(contract_page.proposed_fee(session, number, form.device.data))
    return _include_page(number, form)


@bp.get("/<number>/devices/add/result")
def include_result(number: str) -> Response:
    form = IncludeForm(formdata=request.args, meta={"csrf": False})
    form.validate()
    return _include_page(number, form, fragment=True)


@bp.post("/<number>/devices/add")
def include_device(number: str) -> Response:
    form = IncludeForm()
    if not form.submitted():
        return _include_page(number, form, status=422)
    try:
        with transaction() as session:
            including.include_device(
                session,
                number,
                form.device.data,
                included_from=form.included_from.data,
                monthly_fee=form.fee,
                confirmed=form.confirmed,
                actor_id=current_user.id,
                now=now(),
            )
    except DomainError as error:
        form.refuse(error, FIELD_OF.get(type(error)))
        return _include_page(number, form, status=409 if isinstance(error, posted.ReachNotSeen) else 422)
    toast(gettext("%(device)s is in %(contract)s.", device=form.device.data, contract=number))
    return see_other(contract_href(number))


@bp.get("/<number>/devices/<inventory>/remove")
def remove(number: str, inventory: str) -> Response:
    form = RemoveForm(formdata=None)
    form.included_until.data = today()
    return _remove_page(number, inventory, form)


@bp.get("/<number>/devices/<inventory>/remove/result")
def remove_result(number: str, inventory: str) -> Response:
    form = RemoveForm(formdata=request.args, meta={"csrf": False})
    form.validate()
    return _remove_page(number, inventory, form, fragment=True)


@bp.post("/<number>/devices/<inventory>/remove")
def remove_device(number: str, inventory: str) -> Response:
    """Out on a day; `stay` takes a planned last day back."""
    form = RemoveForm()
    stays = bool(request.form.get("stay"))
    if not stays and not form.submitted():
        return _remove_page(number, inventory, form, status=422)
    try:
        with transaction() as session:
            including.remove_device(
                session,
                number,
                inventory,
                included_until=None if stays else form.included_until.data,
                confirmed=form.confirmed,
                actor_id=current_user.id,
                now=now(),
            )
    except DomainError as error:
        form.refuse(error, FIELD_OF_REMOVAL.get(type(error)))
        status = 409 if isinstance(error, posted.ReachNotSeen) else 422
        return _remove_page(number, inventory, form, status=status)
    if stays:
        toast(gettext("%(device)s stays in %(contract)s.", device=inventory, contract=number))
    else:
        toast(gettext("%(device)s leaves %(contract)s.", device=inventory, contract=number))
    return see_other(contract_href(number))


@bp.post("/<number>/devices/<inventory>/take-back")
def take_back_inclusion(number: str, inventory: str) -> Response:
    with transaction() as session:
        including.take_back_inclusion(session, number, inventory, actor_id=current_user.id, now=now())
    toast(gettext("%(device)s is not in %(contract)s any more.", device=inventory, contract=number))
    return see_other(contract_href(number))


def _include_page(number: str, form: IncludeForm, *, status: int = 200, fragment: bool = False) -> Response:
    months: tuple[PostedMonth, ...] = ()
    refusal: DomainError | None = None
    foreseen = False
    with transaction() as session:
        row = renewals.one(session, number, today())
        if row.contract.monthly_fee is None:
            raise contract.NotMaintenance(contract=number)
        devices = contract_page.candidates(session, row)
        if form.has("device", "included_from"):
            try:
                months = including.preview_include(
                    session,
                    number,
                    form.device.data,
                    included_from=form.included_from.data,
                    monthly_fee=form.fee or including.NO_FEE,
                )
                foreseen = True
            except DomainError as error:
                refusal = error
    closed = refusal.params["device"] if isinstance(refusal, gates.GateClosed) else None
    select_from(
        form.device, [(found.inventory_number, _label(found)) for found in devices], gettext("Choose a device")
    )
    return render_page(
        "contracts/include.html",
        status=status,
        fragment="contracts/_include_result.html" if fragment else None,
        number=number,
        row=row,
        form=form,
        months=months,
        difference=sum(month.difference_cents for month in months),
        foreseen=foreseen,
        refusal=sentence(refusal) if refusal else None,
        closed=closed,
        devices=devices,
        today=today(),
        result_url=url_for("contracts.include_result", number=number),
    )


def _remove_page(
    number: str, inventory: str, form: RemoveForm, *, status: int = 200, fragment: bool = False
) -> Response:
    months: tuple[PostedMonth, ...] = ()
    refusal: str | None = None
    with transaction() as session:
        page = contract_page.page(session, number, today())
        found = [one for one in page.devices if one.device.inventory_number == inventory]
        if not found:
            raise NotFound(what=f"{number}, {inventory}")
        if form.has("included_until"):
            try:
                months = including.preview_remove(
                    session, number, inventory, included_until=form.included_until.data
                )
            except DomainError as error:
                refusal = sentence(error)
    return render_page(
        "contracts/remove.html",
        status=status,
        fragment="contracts/_remove_result.html" if fragment else None,
        number=number,
        row=page.row,
        found=found[-1],
        form=form,
        months=months,
        difference=sum(month.difference_cents for month in months),
        refusal=refusal,
        today=today(),
    )


def _label(device: Device) -> str:
    number, name = device.inventory_number, device.name
    return number if name == number else f"{number} · {name}"
