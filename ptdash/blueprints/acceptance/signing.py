"""Signing an inspection, remedies after a refusal, the protocol, taking the device into its contract, revoking."""

from datetime import date

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.acceptance import READERS, bp
from ptdash.blueprints.acceptance.answering import inspection_page
from ptdash.blueprints.acceptance.forms import RemedyForm, RevokeForm, SignForm
from ptdash.db import transaction
from ptdash.domain.acceptance import Outcome
from ptdash.domain.errors import DomainError
from ptdash.models import Role
from ptdash.services.acceptances import entering, protocols, reading, signing
from ptdash.web import access, now, render_page, see_other, toast, today
from ptdash.web.formats import day, sentence


@bp.post("/<int:inspection_id>/sign")
def sign(inspection_id: int) -> Response:
    form = SignForm()
    with transaction() as session:
        page = reading.page(session, inspection_id)
    form.offer(page.outcomes)
    if form.submitted():
        try:
            with transaction() as session:
                signing.sign(
                    session,
                    inspection_id,
                    Outcome(form.outcome.data),
                    form.note.data or "",
                    name=current_user.name,
                    today=today(),
                    actor_id=current_user.id,
                    now=now(),
                )
        except (DomainError, ValueError) as error:
            refused = sentence(error) if isinstance(error, DomainError) else gettext("Choose a result")
            form.outcome.errors = [refused]
        else:
            toast(gettext("The inspection of %(device)s is signed.", device=page.device.inventory_number))
            return see_other(url_for("acceptance.show", inspection_id=inspection_id))
    return inspection_page(inspection_id, form=form, status=422)


@bp.post("/<int:inspection_id>/items/<int:pos>/remedy")
def remedy(inspection_id: int, pos: int) -> Response:
    form = RemedyForm()
    if not form.submitted():
        toast(gettext("Say how the fault was remedied"), "danger")
        return see_other(url_for("acceptance.show", inspection_id=inspection_id, _anchor=f"item-{pos}"))
    with transaction() as session:
        signing.remedy(session, inspection_id, pos, form.how.data, actor_id=current_user.id, now=now())
    toast(gettext("The fault is remedied."))
    return see_other(url_for("acceptance.show", inspection_id=inspection_id, _anchor=f"item-{pos}"))


@bp.get("/<int:inspection_id>/protocol.pdf")
@access(*READERS)
def protocol(inspection_id: int) -> Response:
    with transaction() as session:
        name, content = protocols.pdf(session, inspection_id, now=now())
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.post("/include/<inventory>")
@access(Role.MANAGER)
def include(inventory: str) -> Response:
    """Take a device into the contract that it waits for."""
    with transaction() as session:
        contract = entering.enter(session, inventory, included_from=_from(), actor_id=current_user.id, now=now())
    toast(gettext("%(device)s is in %(contract)s.", device=inventory, contract=contract))
    return see_other(url_for("devices.show", inventory=inventory))


@bp.route("/revoke/<int:acceptance_id>", methods=["GET", "POST"])
@access(Role.MANAGER)
def revoke(acceptance_id: int) -> Response:
    form = RevokeForm()
    with transaction() as session:
        found = signing.effect(session, acceptance_id, today())
    number = found.device.inventory_number
    if form.submitted():
        try:
            with transaction() as session:
                still = signing.revoke(
                    session,
                    acceptance_id,
                    form.reason.data or "",
                    today=today(),
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error)
        else:
            said = gettext("The acceptance of %(device)s is revoked.", device=number)
            if still:
                names = ", ".join(row.contract for row in still)
                said = f"{said} {gettext('It is still in %(contracts)s: decide.', contracts=names)}"
            toast(said)
            return see_other(url_for("devices.show", inventory=number))
    return render_page(
        "acceptance/revoke.html",
        status=422 if form.problems() else 200,
        form=form,
        found=found,
        since=day(today()),
    )


def _from() -> date:
    try:
        return date.fromisoformat(request.form.get("included_from", ""))
    except ValueError:
        return today()
