"""Forms about a ticket."""

from datetime import UTC
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import (
    DateField,
    DateTimeLocalField,
    Field,
    HiddenField,
    MultipleFileField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from ptdash.blueprints.tickets.words import CATEGORIES, CHANNELS, CONCERNS, PRIORITIES, STATUSES
from ptdash.config import BERLIN
from ptdash.domain.tickets import Status, reachable
from ptdash.services.tickets.threads import Upload
from ptdash.web import BaseForm, choices
from ptdash.web.numbers import read_decimal

SUBJECT = [
    InputRequired(lazy_gettext("Say in a few words what it is about")),
    Length(max=200, message=lazy_gettext("Keep the subject below 200 characters, the rest in the description")),
]
NOT_KNOWN = {"": lazy_gettext("not yet known")}


def _id(value: Any) -> int | None:
    """A select's value: an id, or nothing."""
    return int(value) if value else None


class TicketForm(BaseForm):
    """The fields that a new ticket and an edited one share. Who and what a ticket names is checked when it is
    saved: the list may have changed since the form was opened."""

    subject = StringField(lazy_gettext("Subject"), SUBJECT)
    priority = SelectField(lazy_gettext("Priority"), choices=choices(PRIORITIES), default="normal")
    assignee_id = SelectField(lazy_gettext("Assignee"), coerce=_id, choices=[], validate_choice=False)
    category = SelectField(lazy_gettext("Category"), choices=choices(CATEGORIES), default="software")
    concern = SelectField(
        lazy_gettext("Concern"), coerce=lambda value: value or None, choices=choices({**NOT_KNOWN, **CONCERNS})
    )
    product = StringField(lazy_gettext("Product"))
    channel = SelectField(lazy_gettext("Channel"), choices=choices(CHANNELS), default="phone")
    contact_id = SelectField(lazy_gettext("Contact"), coerce=_id, choices=[], validate_choice=False)
    device_id = SelectField(lazy_gettext("Device"), coerce=_id, choices=[], validate_choice=False)

    def offer(self, people: Any, contacts: Any, devices: Any) -> None:
        """What the selects hold: pairs of id and name, and of devices their number and name."""
        self.assignee_id.choices = [("", gettext("nobody")), *((str(row.id), row.name) for row in people)]
        self.contact_id.choices = [("", "–"), *((str(row.id), row.name) for row in contacts)]
        self.device_id.choices = [
            ("", "–"),
            *((str(row.id), f"{row.inventory_number} {row.name}".strip()) for row in devices),
        ]


class NewTicketForm(TicketForm):
    caller = StringField(lazy_gettext("Customer"))
    customer = HiddenField()
    body = TextAreaField(lazy_gettext("What the customer said"))


class EditForm(TicketForm):
    """`version` is the ticket's version that the form shows."""

    status = SelectField(lazy_gettext("Status"))
    scheduled_at = DateTimeLocalField(lazy_gettext("Scheduled for"), [Optional()], format="%Y-%m-%dT%H:%M")
    version = HiddenField()

    FIELDS = (
        "subject",
        "status",
        "scheduled_at",
        "priority",
        "assignee_id",
        "contact_id",
        "device_id",
        "category",
        "product",
        "concern",
        "channel",
    )

    def offer_statuses(self, present: Status) -> None:
        """What can follow, and what was entered: a colleague may have led the ticket on since."""
        possible = {present, *reachable(present), self.status.data}
        self.status.choices = [(status.value, STATUSES[status]) for status in Status if status in possible]

    def values(self) -> dict[str, Any]:
        """What was entered, as a ticket keeps it; a time on the wall is one in Berlin."""
        entered = {name: self[name].data for name in self.FIELDS}
        planned = self.scheduled_at.data
        entered["scheduled_at"] = planned.replace(tzinfo=BERLIN).astimezone(UTC) if planned else None
        if entered["status"] != Status.SCHEDULED:
            entered["scheduled_at"] = None
        entered["subject"], entered["product"] = self.subject.data.strip(), (self.product.data or "").strip()
        return entered


class WordsForm(BaseForm):
    """A reply, a note, or what the customer said; `seen` is the newest message that its writer had before them."""

    body = TextAreaField(lazy_gettext("Text"), [InputRequired(lazy_gettext("Write something first"))])
    files = MultipleFileField(lazy_gettext("Files"))
    channel = SelectField(lazy_gettext("Channel"), choices=choices(CHANNELS), default="phone")
    sender = StringField(lazy_gettext("From"))
    seen = HiddenField()

    def uploads(self) -> list[Upload]:
        """The files that were sent; a field left empty sends one without a name."""
        sent = [file for file in self.files.data or () if getattr(file, "filename", "")]
        return [Upload(file.filename, file.read()) for file in sent]


class FilesForm(BaseForm):
    files = MultipleFileField(lazy_gettext("Files"))

    uploads = WordsForm.uploads


class MergeForm(BaseForm):
    into = StringField(lazy_gettext("Merge into ticket"))


class MoveForm(BaseForm):
    customer = StringField(lazy_gettext("New customer"), [InputRequired(lazy_gettext("Enter name or number"))])
    reason = TextAreaField(lazy_gettext("Reason"))


class MaterialForm(BaseForm):
    day = DateField(lazy_gettext("Day"), [InputRequired(lazy_gettext("Enter the day"))])
    description = StringField(lazy_gettext("Description"), [InputRequired(lazy_gettext("Say what it is"))])
    quantity = StringField(lazy_gettext("Quantity"), default="1")
    net = StringField(lazy_gettext("Net price each"))
    reason = StringField(lazy_gettext("Reason, for a credit"))

    def validate_quantity(self, field: Field) -> None:
        _number(field, gettext("Enter the quantity as a number, for example 2"))

    def validate_net(self, field: Field) -> None:
        _number(field, gettext("Enter the price with a decimal comma, for example 34,50"))

    @property
    def amounts(self) -> tuple[Decimal, Decimal]:
        """Quantity and net price of a form that holds."""
        quantity, net = read_decimal(self.quantity.data), read_decimal(self.net.data)
        assert quantity is not None and net is not None
        return quantity, net


def _number(field: Field, sentence: str) -> None:
    if read_decimal(field.data) is None:
        raise ValidationError(sentence)
