"""Booking time on a ticket, with what it costs before it is saved."""

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.time import bp, panel
from ptdash.blueprints.time.forms import FIELD_OF, BookForm, asked
from ptdash.blueprints.time.words import oddity_words
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError, Invalid
from ptdash.domain.tickets import Status
from ptdash.models import Role, Ticket
from ptdash.services import time_entries, time_pages
from ptdash.services.tickets import changing, reading
from ptdash.web import now, render_page, see_other, toast, today


@bp.get("/tickets/<number>/time")
def form(number: str) -> Response:
    """The form on a page of its own, also to book for a colleague; what the address names is filled in."""
    ticket = _ticket(number)
    if not request.args:
        return _page(ticket, None)
    filled = BookForm(asked(request.args))
    filled.day.data = filled.day.data or today()
    return _page(ticket, filled)


@bp.post("/tickets/<number>/time")
def book(number: str) -> Response:
    ticket = _ticket(number)
    entered = BookForm()
    entered.technician.data = entered.technician.data or current_user.id
    if not entered.submitted():
        return _page(ticket, entered, status=422)
    resolve = "resolve" in request.form
    try:
        with transaction() as session:
            work = entered.work(now())
            price = panel.of_ticket(ticket, entered).price
            _, odd = time_entries.book(session, ticket.id, work, actor_id=current_user.id, now=now())
            if resolve:
                resolved = Status.RESOLVED
                changing.set_status(session, ticket.id, resolved, actor_id=current_user.id, now=now())
    except DomainError as error:
        entered.refuse(error, FIELD_OF.get(type(error)))
        return _page(ticket, entered, status=error.status if not isinstance(error, Invalid) else 422)
    toast(gettext("Booked: %(price)s.", price=price))
    for found in odd:
        flash(oddity_words(found), "danger")
    # Without an anchor: from the page itself, a browser would only scroll to it and load nothing.
    return see_other(url_for("tickets.show", number=number))


@bp.get("/tickets/<number>/time/preview")
def preview(number: str) -> Response:
    """The meter with what is being entered, and its price in words; nothing is saved."""
    entered = BookForm(request.args, meta={"csrf": False})
    entered.day.data = entered.day.data or today()
    shown = panel.of_ticket(_ticket(number), entered)
    return Response(render_template("time/_preview.html", time=shown))


def _ticket(number: str) -> Ticket:
    session = db.session()
    return reading.show(session, number, current_user).ticket


def _page(ticket: Ticket, entered: BookForm | None, status: int = 200) -> Response:
    shown = panel.of_ticket(ticket, entered)
    if current_user.role in (Role.DISPATCHER, Role.MANAGER):
        shown.form.technician.choices = time_pages.colleagues(db.session())
    return render_page(
        "time/book.html", status=status, fragment="time/_book.html", ticket=ticket, time=shown, form=shown.form
    )
