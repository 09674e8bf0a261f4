"""What was sold or swapped on a ticket."""

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.forms import MaterialForm
from ptdash.db import transaction
from ptdash.domain.errors import Invalid
from ptdash.domain.tickets import Status
from ptdash.models import Role
from ptdash.services import materials as services
from ptdash.services.tickets import reading
from ptdash.services.tickets.threads import TicketMerged
from ptdash.web import now, render_page, see_other, toast, today

FIELD_OF = {
    services.DescriptionMissing: "description",
    services.QuantityNotPositive: "quantity",
    services.CreditWithoutReason: "reason",
    services.CreditNeedsManager: "net",
}


@bp.route("/<number>/materials", methods=["GET", "POST"])
def materials(number: str) -> Response:
    """The ticket's material, and a form for more; a negative price is a credit, which a manager grants."""
    with transaction() as session:
        shown = reading.show(session, number, current_user)
    form = MaterialForm()
    if request.method == "GET":
        form.day.data = today()
    if form.submitted():
        quantity, net = form.amounts
        if shown.ticket.status == Status.MERGED:
            raise TicketMerged()
        try:
            with transaction() as session:
                services.add(
                    session,
                    shown.ticket.id,
                    day=form.day.data,
                    description=form.description.data,
                    quantity=quantity,
                    net=net,
                    reason=form.reason.data or "",
                    may_credit=current_user.role == Role.MANAGER,
                    actor_id=current_user.id,
                    now=now(),
                )
        except (Invalid, services.CreditNeedsManager) as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The material is recorded."))
            return see_other(url_for("tickets.materials", number=number))
    with transaction() as session:
        rows = services.of_ticket(session, shown.ticket.id)
    status = 422 if form.problems() else 200
    return render_page("tickets/materials.html", status=status, form=form, shown=shown, rows=rows)
