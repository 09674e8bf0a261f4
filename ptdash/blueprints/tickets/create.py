"""Taking a ticket: on the telephone in a few seconds, everything else below."""

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.forms import NewTicketForm
from ptdash.db import transaction
from ptdash.domain.errors import Invalid, NotFound
from ptdash.domain.tickets import Category, Channel, Concern, Priority
from ptdash.services.tickets import choices, creating
from ptdash.services.tickets.choices import Suggestion
from ptdash.services.tickets.creating import NewTicket
from ptdash.web import now, render_page, see_other, toast, today


@bp.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = NewTicketForm()
    if request.method == "GET":
        form.customer.data = request.args.get("customer", "")
        form.subject.data = request.args.get("subject", "")
    known, found = _caller(form)
    _offer(form, known)
    if form.submitted() and known:
        try:
            with transaction() as session:
                wanted = _wanted(form, known.id)
                ticket = creating.create(session, wanted, actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error)
        else:
            toast(gettext("Ticket %(number)s is taken.", number=ticket.number))
            return see_other(url_for("tickets.show", number=ticket.number))
    if request.method == "POST" and not known:
        form.caller.errors = [_ask_again(form, found)]
    status = 422 if form.problems() else 200
    return render_page(
        "tickets/new.html", status=status, form=form, known=known, found=found, reported=_reported(known)
    )


@bp.get("/new/customers")
def suggest() -> Response:
    """Customers that fit what was typed so far: the options of the field's list."""
    with transaction() as session:
        found = choices.customers(session, request.args.get("q", ""), today=today())
    return render_page("tickets/_suggestions.html", fragment="tickets/_suggestions.html", found=found)


@bp.get("/new/customer")
def known_customer() -> Response:
    """What is known about the chosen customer, and its contacts and devices to choose from."""
    form = NewTicketForm(formdata=None)
    with transaction() as session:
        known = choices.customer(session, request.args.get("customer", ""), today=today())
    _offer(form, known)
    template = "tickets/_known.html"
    return render_page(template, fragment=template, form=form, known=known, reported=_reported(known))


def _caller(form: NewTicketForm) -> tuple[Suggestion | None, list[Suggestion]]:
    """The customer that was chosen, or the only one that fits what was typed; else those to choose from."""
    number, typed = (form.customer.data or "").strip(), (form.caller.data or "").strip()
    with transaction() as session:
        if number:
            try:
                known = choices.customer(session, number, today=today())
            except NotFound:
                known = None
            if known:
                form.caller.data = known.name
                return known, []
        found = choices.customers(session, typed, today=today(), limit=20)
    exact = [row for row in found if row.number == typed] or found
    if len(exact) == 1:
        form.customer.data, form.caller.data = exact[0].number, exact[0].name
        return exact[0], []
    return None, found


def _ask_again(form: NewTicketForm, found: list[Suggestion]) -> str:
    if not (form.caller.data or "").strip():
        return str(gettext("Enter the customer's name or number"))
    if found:
        return str(gettext("Several customers fit. Choose one"))
    return str(
        gettext("No customer fits “%(typed)s”. Try a part of the name, or the number", typed=form.caller.data)
    )


def _offer(form: NewTicketForm, known: Suggestion | None) -> None:
    with transaction() as session:
        people = choices.assignees(session)
        contacts = choices.contacts(session, known.id) if known else []
        devices = choices.devices(session, known.id) if known else []
    form.offer(people, contacts, devices)


def _reported(known: Suggestion | None) -> list[tuple[str, str, str]]:
    if known is None:
        return []
    with transaction() as session:
        return choices.open_tickets(session, known.id)


def _wanted(form: NewTicketForm, customer_id: int) -> NewTicket:
    return NewTicket(
        customer_id=customer_id,
        subject=form.subject.data,
        body=form.body.data or "",
        channel=Channel(form.channel.data),
        category=Category(form.category.data),
        priority=Priority(form.priority.data),
        concern=Concern(form.concern.data) if form.concern.data else None,
        product=form.product.data or "",
        contact_id=form.contact_id.data,
        device_id=form.device_id.data,
        assignee_id=form.assignee_id.data,
    )
