"""Storno of an invoice with a reason, and billing its month again."""

from datetime import date

from flask import Response, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import TextAreaField

from ptdash.blueprints.billing.views import bp
from ptdash.blueprints.billing.workers import hand_to_workers
from ptdash.db import transaction
from ptdash.services import books, cancellations, statements
from ptdash.web import BaseForm, now, render_page, see_other, toast, today


class CancelForm(BaseForm):
    reason = TextAreaField(lazy_gettext("Reason"))


@bp.route("/invoices/<number>/cancel", methods=["GET", "POST"])
def cancel(number: str) -> Response:
    """What a Storno does, and a reason for it."""
    form = CancelForm()
    if form.submitted():
        try:
            with transaction() as session:
                storno = cancellations.cancel(
                    session,
                    number,
                    form.reason.data or "",
                    business_day=today(),
                    actor_id=current_user.id,
                    now=now(),
                )
        except books.ReasonMissing as error:
            form.refuse(error, "reason")
        else:
            toast(gettext("%(number)s is cancelled by %(storno)s.", number=number, storno=storno))
            return see_other(url_for("billing.invoice", number=storno))
    with transaction() as session:
        statement = statements.issued(session, number)
    status = 422 if form.problems() else 200
    return render_page("billing/cancel.html", status=status, form=form, statement=statement)


@bp.post("/<month:month>/customers/<customer>/bill-again")
def bill_again(month: date, customer: str) -> Response:
    """One customer's month on an invoice of its own; a worker writes it."""
    with transaction() as session:
        run = cancellations.bill_again(
            session, customer, month, business_day=today(), actor_id=current_user.id, now=now()
        )
        run_id = run.id
    hand_to_workers(run_id)
    toast(gettext("The month is being billed again."))
    return see_other(url_for("billing.customer", month=month, customer=customer))
