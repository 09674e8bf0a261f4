"""Deciding what happens when a contract's term ends."""

from flask import Response, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user

from ptdash.blueprints.contracts import bp
from ptdash.blueprints.contracts.forms import DecisionForm
from ptdash.blueprints.contracts.words import contract_href, has_endpoint
from ptdash.db import transaction
from ptdash.services import advice, decisions, renewals
from ptdash.web import choices, now, render_page, see_other, toast, today

GOES_ON = {"renew": lazy_gettext("Let it renew by itself")}
ENDS = {
    "renew": lazy_gettext("Renew"),
    "change": lazy_gettext("Change"),
    "let_end": lazy_gettext("Let it end"),
}


@bp.get("/<number>/decision")
def decision(number: str) -> Response:
    return _page(number, DecisionForm(formdata=None))


@bp.post("/<number>/decision")
def decide(number: str) -> Response:
    form = DecisionForm()
    if not form.submitted():
        return _page(number, form, 422)
    chosen = form.decision.data or ""
    try:
        with transaction() as session:
            made = decisions.decide(
                session,
                number,
                chosen,
                reason=form.reason.data or "",
                today=today(),
                now=now(),
                actor_id=current_user.id,
            )
    except (decisions.DecisionUnknown, decisions.LetEndReasonMissing, decisions.DevicesNotAccepted) as error:
        form.refuse(error, "reason" if isinstance(error, decisions.LetEndReasonMissing) else "decision")
        return _page(number, form, 422)
    if chosen == decisions.Decision.CHANGE and has_endpoint("contracts.new"):
        return see_other(url_for("contracts.new", follows=number))
    if made:
        toast(gettext("%(number)s is renewed: %(successor)s follows.", number=number, successor=made.number))
        return see_other(contract_href(made.number))
    toast(gettext("Decision about %(number)s saved.", number=number))
    return see_other(url_for("contracts.index"))


def _page(number: str, form: DecisionForm, status: int = 200) -> Response:
    with transaction() as session:
        row = renewals.one(session, number, today())
        found = advice.of_customers(session, [row.known.customer.id]).get(row.known.customer.id)
    form.decision.choices = choices(GOES_ON if row.renews_itself else ENDS)
    if not form.decision.data:
        form.decision.data = "renew"
    return render_page(
        "contracts/decision.html", status=status, number=number, row=row, form=form, found=found, today=today()
    )
