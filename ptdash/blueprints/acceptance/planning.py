"""Proposing a device for a contract, and giving its inspection to somebody."""

from datetime import datetime

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import Field, SelectField, StringField
from wtforms.fields import DateTimeLocalField
from wtforms.validators import InputRequired, Optional, ValidationError

from ptdash.blueprints.acceptance import bp
from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.services.acceptances import inspecting, proposing
from ptdash.services.devices import listing, reading, register
from ptdash.web import BaseForm, now, render_page, see_other, toast, today
from ptdash.web.formats import instant
from ptdash.web.numbers import read_decimal


class ProposalForm(BaseForm):
    contract = SelectField(lazy_gettext("Contract"), validate_choice=False)
    monthly_fee = StringField(lazy_gettext("Monthly fee, net"), [InputRequired(lazy_gettext("Enter the fee"))])

    def validate_monthly_fee(self, field: Field) -> None:
        if read_decimal(field.data) is None:
            raise ValidationError(gettext("Enter the fee with a decimal comma, for example 9,90"))


class PlanForm(BaseForm):
    assignee = SelectField(lazy_gettext("Assignee"), coerce=int, validate_choice=False)
    scheduled_at = DateTimeLocalField(lazy_gettext("Day and time"), [Optional()])


@bp.get("/propose")
def choose() -> Response:
    """Which device shall enter a contract: known ones to choose from, or a new one."""
    text = request.args.get("q", "").strip()[:100]
    with transaction() as session:
        page = listing.page(session, listing.Filters(text=text, contract="out"), today())
    return render_page("acceptance/choose.html", page=page, text=text)


@bp.route("/propose/<inventory>", methods=["GET", "POST"])
def propose(inventory: str) -> Response:
    form = ProposalForm()
    with transaction() as session:
        page = reading.page(session, inventory, today())
        contracts = proposing.contracts_for(session, page.device.customer_id, today())
    form.contract.choices = [(row.number, row.number) for row in contracts]
    if request.method == "GET" and page.proposal:
        proposal, contract = page.proposal
        form.contract.data, form.monthly_fee.data = contract.number, f"{proposal.monthly_fee}".replace(".", ",")
    if form.submitted():
        try:
            with transaction() as session:
                proposing.propose(
                    session,
                    inventory,
                    form.contract.data,
                    read_decimal(form.monthly_fee.data),  # type: ignore[arg-type]
                    today=today(),
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error)
        else:
            toast(gettext("%(device)s waits for %(contract)s.", device=inventory, contract=form.contract.data))
            return see_other(url_for("acceptance.index"))
    status = 422 if form.problems() else 200
    return render_page("acceptance/propose.html", status=status, form=form, page=page, contracts=contracts)


@bp.post("/withdraw/<inventory>")
def withdraw(inventory: str) -> Response:
    with transaction() as session:
        proposing.withdraw(session, inventory, actor_id=current_user.id, now=now())
    toast(gettext("%(device)s does not wait for a contract any more.", device=inventory))
    return see_other(url_for("devices.show", inventory=inventory))


@bp.route("/plan/<inventory>", methods=["GET", "POST"])
def plan(inventory: str) -> Response:
    form = PlanForm()
    with transaction() as session:
        device = register.get(session, inventory)
        page = reading.page(session, inventory, today())
        people = inspecting.inspectors(session)
    form.assignee.choices = [(0, gettext("nobody")), *((user.id, user.name) for user in people)]
    if request.method == "GET":
        at = page.open.scheduled_at if page.open else None
        form.scheduled_at.data = at.astimezone(BERLIN).replace(tzinfo=None) if at else None
        form.assignee.data = (page.open.assignee_id if page.open else None) or 0
    if form.submitted():
        try:
            with transaction() as session:
                inspecting.plan(
                    session,
                    inventory,
                    assignee_id=form.assignee.data or None,
                    scheduled_at=_in_berlin(form.scheduled_at.data),
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error)
        else:
            at = _in_berlin(form.scheduled_at.data)
            toast(
                gettext("%(device)s is planned for %(day)s.", device=inventory, day=instant(at))
                if at
                else gettext("%(device)s is assigned.", device=inventory)
            )
            return see_other(url_for("acceptance.index"))
    return render_page("acceptance/plan.html", status=422 if form.problems() else 200, form=form, device=device)


@bp.post("/start/<inventory>")
def start(inventory: str) -> Response:
    """Begin, or go on with what was begun."""
    with transaction() as session:
        inspection = inspecting.start(session, inventory, actor_id=current_user.id, now=now())
    return see_other(url_for("acceptance.show", inspection_id=inspection.id))


def _in_berlin(wall: datetime | None) -> datetime | None:
    return wall.replace(tzinfo=BERLIN) if wall else None
