"""Kontakte und Notizen of a customer."""

from flask import Response, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.customers.forms import ContactForm, NoteForm
from ptdash.blueprints.customers.views import bp
from ptdash.db import transaction
from ptdash.domain.errors import Invalid
from ptdash.services import contacts, customer_pages, customers
from ptdash.web import now, render_page, see_other, toast, today

FIELD_OF = {contacts.ContactNameMissing: "name", contacts.ContactEmailUnreadable: "email"}


@bp.get("/<number>/contacts")
def people(number: str) -> Response:
    return _people(number, ContactForm(formdata=None), NoteForm(formdata=None))


@bp.post("/<number>/contacts")
def add_contact(number: str) -> Response:
    form = ContactForm()
    if form.submitted():
        try:
            with transaction() as session:
                contacts.add(session, number, form.as_data(), actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The contact is saved."))
            return see_other(url_for("customers.people", number=number))
    return _people(number, form, NoteForm(formdata=None))


@bp.route("/<number>/contacts/<int:contact_id>", methods=["GET", "POST"])
def contact(number: str, contact_id: int) -> Response:
    """Change what is known about a contact."""
    with transaction() as session:
        customer = customers.get(session, number)
        found = contacts.get(session, number, contact_id)
        form = ContactForm(obj=found)
    if form.submitted():
        try:
            with transaction() as session:
                contacts.change(session, number, contact_id, form.as_data(), actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The contact is saved."))
            return see_other(url_for("customers.people", number=number))
    status = 422 if form.problems() else 200
    return render_page("customers/contact.html", status=status, form=form, customer=customer, contact=found)


@bp.post("/<number>/contacts/<int:contact_id>/deactivate")
def deactivate_contact(number: str, contact_id: int) -> Response:
    return _set_active(number, contact_id, False)


@bp.post("/<number>/contacts/<int:contact_id>/activate")
def activate_contact(number: str, contact_id: int) -> Response:
    return _set_active(number, contact_id, True)


@bp.post("/<number>/notes")
def add_note(number: str) -> Response:
    form = NoteForm()
    if form.submitted():
        try:
            with transaction() as session:
                contacts.add_note(session, number, form.body.data, actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error, "body")
        else:
            toast(gettext("The note is saved."))
            return see_other(url_for("customers.people", number=number))
    return _people(number, ContactForm(formdata=None), form)


@bp.route("/<number>/notes/<int:note_id>", methods=["GET", "POST"])
def note(number: str, note_id: int) -> Response:
    """Change a note; only its author may."""
    with transaction() as session:
        customer = customers.get(session, number)
        found = contacts.get_note(session, number, note_id)
        contacts.refuse_others_note(found, current_user.id)
        form = NoteForm(obj=found)
    if form.submitted():
        try:
            with transaction() as session:
                contacts.change_note(session, number, note_id, form.body.data, actor_id=current_user.id, now=now())
        except Invalid as error:
            form.refuse(error, "body")
        else:
            toast(gettext("The note is saved."))
            return see_other(url_for("customers.people", number=number))
    status = 422 if form.problems() else 200
    return render_page("customers/note.html", status=status, form=form, customer=customer, written=found)


def _set_active(number: str, contact_id: int, active: bool) -> Response:
    with transaction() as session:
        contacts.set_active(session, number, contact_id, active, actor_id=current_user.id, now=now())
    toast(gettext("The contact is offered again.") if active else gettext("The contact is offered no more."))
    return see_other(url_for("customers.people", number=number))


def _people(number: str, form: ContactForm, note_form: NoteForm) -> Response:
    with transaction() as session:
        customer = customers.get(session, number)
        rows = contacts.of_customer(session, customer.id)
        notes = contacts.notes(session, customer.id)
        frame = customer_pages.frame(session, customer, today())
    failed = form if form.problems() else note_form
    return render_page(
        "customers/people.html",
        status=422 if failed.problems() else 200,
        form=form,
        note_form=note_form,
        failed=failed,
        rows=rows,
        notes=notes,
        frame=frame,
    )
