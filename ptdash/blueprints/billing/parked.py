"""Parked customers: one is tried again alone, or set aside with a reason."""

from datetime import date

from flask import Response, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import TextAreaField

from ptdash.blueprints.billing.views import bp
from ptdash.blueprints.billing.workers import hand_to_workers
from ptdash.db import transaction
from ptdash.services import books, close_results
from ptdash.web import BaseForm, now, render_page, see_other, toast, today


class SetAsideForm(BaseForm):
    reason = TextAreaField(lazy_gettext("Reason"))


@bp.post("/<month:month>/customers/<customer>/try-again")
def try_again(month: date, customer: str) -> Response:
    with transaction() as session:
        run = books.try_again(session, month, customer, today(), actor_id=current_user.id, now=now())
        run_id = run.id
    hand_to_workers(run_id)
    return see_other(url_for("billing.period", month=month))


@bp.route("/<month:month>/customers/<customer>/set-aside", methods=["GET", "POST"])
def set_aside(month: date, customer: str) -> Response:
    """Which customer, why it is parked, and a reason to go on without it."""
    form = SetAsideForm()
    if form.submitted():
        try:
            with transaction() as session:
                books.set_aside(
                    session, month, customer, form.reason.data or "", actor_id=current_user.id, now=now()
                )
        except books.ReasonMissing as error:
            form.refuse(error, "reason")
        else:
            toast(gettext("Set aside. The close goes on without this customer."))
            return see_other(url_for("billing.period", month=month))
    with transaction() as session:
        row = close_results.unsettled(session, month, customer)
    status = 422 if form.problems() else 200
    return render_page("billing/set_aside.html", status=status, form=form, month=month, row=row)
