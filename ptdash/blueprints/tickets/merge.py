"""Leading a ticket elsewhere: into another ticket, or to another customer."""

from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.tickets import bp
from ptdash.blueprints.tickets.forms import MergeForm, MoveForm
from ptdash.db import transaction
from ptdash.domain.errors import DomainError, NotFound
from ptdash.domain.tickets import Status
from ptdash.models import Role
from ptdash.services.tickets import choices, merging, moving, reading
from ptdash.services.tickets.choices import Suggestion
from ptdash.services.tickets.threads import TicketMerged
from ptdash.web import access, now, render_page, see_other, toast, today


@bp.route("/<number>/merge", methods=["GET", "POST"])
def merge(number: str) -> Response:
    """First which ticket, then what would move along, then the deed."""
    form = MergeForm()
    if request.method == "GET":
        form.into.data = request.args.get("into", "")
    into = (form.into.data or "").strip().removeprefix("#")
    with transaction() as session:
        ticket = reading.show(session, number, current_user).ticket
        candidates = merging.candidates(session, ticket)
    share, target = None, None
    if into or request.method == "POST":
        try:
            with transaction() as session:
                target = reading.show(session, into, current_user).ticket
                if form.submitted():
                    merging.merge(session, [ticket.id], into=target.id, actor_id=current_user.id, now=now())
                else:
                    (share,) = merging.preview(session, [ticket.id], into=target.id)
        except DomainError as error:
            form.refuse(error, "into")
        else:
            if share is None:
                toast(gettext("Ticket %(number)s was merged into this one.", number=number))
                return see_other(url_for("tickets.show", number=into))
    return render_page(
        "tickets/merge.html",
        status=422 if form.problems() else 200,
        form=form,
        ticket=ticket,
        candidates=candidates,
        share=share,
        target=target,
    )


@bp.route("/<number>/move", methods=["GET", "POST"])
@access(Role.DISPATCHER, Role.MANAGER)
def move(number: str) -> Response:
    """Give a ticket to another customer, with its time: what is posted is reversed there and booked again here."""
    form = MoveForm()
    with transaction() as session:
        shown = reading.show(session, number, current_user)
    if shown.ticket.status == Status.MERGED:
        raise TicketMerged()
    found: list[Suggestion] = []
    if form.submitted():
        try:
            with transaction() as session:
                wanted, found = _customer(session, form.customer.data)
                if wanted is not None:
                    moving.move(
                        session, shown.ticket.id, wanted.id, form.reason.data, actor_id=current_user.id, now=now()
                    )
        except DomainError as error:
            form.refuse(error)
        else:
            if wanted is not None:
                toast(gettext("The ticket is now of %(customer)s.", customer=wanted.name))
                return see_other(url_for("tickets.show", number=number))
            form.customer.errors = [_which(form, found)]
    status = 422 if form.problems() else 200
    return render_page("tickets/move.html", status=status, form=form, shown=shown, found=found)


def _customer(session: Any, typed: str) -> tuple[Suggestion | None, list[Suggestion]]:
    """The customer that is meant, by number or as the only one that fits; else those that fit."""
    try:
        return choices.customer(session, typed, today=today()), []
    except NotFound:
        found = choices.customers(session, typed, today=today(), limit=20)
    return (found[0], []) if len(found) == 1 else (None, found)


def _which(form: MoveForm, found: list[Suggestion]) -> str:
    if found:
        return str(gettext("Several customers fit. Choose one"))
    return str(
        gettext("No customer fits “%(typed)s”. Try a part of the name, or the number", typed=form.customer.data)
    )
