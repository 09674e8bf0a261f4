"""What is entered of updates, decisions, products and feeds."""

from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import (
    BooleanField,
    DateField,
    Field,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional, ValidationError

from ptdash.blueprints.updates.words import SEVERITIES
from ptdash.domain.updates import Severity
from ptdash.models import Product
from ptdash.services.updates.entering import Entry
from ptdash.web import BaseForm, choices


class DayField(DateField):
    """A day, as the browser's own date field sends it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(gettext("Enter a day, for example 31.05.2026")) from None


class UpdateForm(BaseForm):
    vendor = StringField(lazy_gettext("Vendor"), [InputRequired(lazy_gettext("Name the vendor."))])
    title = StringField(lazy_gettext("Title"), [InputRequired(lazy_gettext("Give the update a title."))])
    version = StringField(lazy_gettext("Version"), [InputRequired(lazy_gettext("Name the version."))])
    kb_number = StringField(lazy_gettext("KB number"))
    severity = SelectField(lazy_gettext("Severity"), choices=choices(SEVERITIES), default="important")
    released_on = DayField(lazy_gettext("Released on"), validators=[Optional()])
    link = StringField(lazy_gettext("Link"))
    products = SelectMultipleField(lazy_gettext("For which products"), coerce=int, validate_choice=False)
    description = TextAreaField(lazy_gettext("What the update changes"))

    def offer(self, products: list[Product]) -> None:
        self.products.choices = [
            (product.id, f"{product.name} ({product.vendor})" if product.vendor else product.name)
            for product in products
        ]

    def validate_released_on(self, field: Field) -> None:
        if field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day on which the vendor released it"))

    def fill(self, entry: Entry) -> None:
        for name in ("vendor", "title", "version", "kb_number", "link", "description", "released_on"):
            self[name].data = getattr(entry, name)
        self.severity.data, self.products.data = entry.severity.value, list(entry.products)

    @property
    def entry(self) -> Entry:
        """What was entered, of a form that holds."""
        values: dict[str, Any] = {
            name: self[name].data or "" for name in ("vendor", "title", "version", "kb_number", "link")
        }
        return Entry(
            **values,
            severity=Severity(self.severity.data),
            released_on=self.released_on.data,
            products=tuple(self.products.data or ()),
            description=self.description.data or "",
        )


class ReasonForm(BaseForm):
    reason = TextAreaField(lazy_gettext("Reason"))


class WithdrawForm(ReasonForm):
    instruction = TextAreaField(lazy_gettext("What is to be done where it is installed? (optional)"))


class ApproveForm(BaseForm):
    note = TextAreaField(lazy_gettext("Note (internal)"))


class DeferForm(BaseForm):
    until = DayField(lazy_gettext("Until which day"), validators=[Optional()])
    reason = TextAreaField(lazy_gettext("Reason (optional)"))


class SupersedeForm(BaseForm):
    by = SelectField(lazy_gettext("Newer update"), coerce=int, validate_choice=False)


class ProductForm(BaseForm):
    name = StringField(lazy_gettext("Name"))
    vendor = StringField(lazy_gettext("Vendor"))
    section = StringField(lazy_gettext("Section of the matrix"))
    offered_by_us = BooleanField(lazy_gettext("We sell or offer it"))


class FeedForm(BaseForm):
    source = StringField(lazy_gettext("Address or file"))
    vendor = StringField(lazy_gettext("Vendor"))
    product = SelectField(lazy_gettext("Product"), coerce=int, validate_choice=False)
    severity = SelectField(lazy_gettext("Severity"), choices=choices(SEVERITIES), default="important")
    active = BooleanField(lazy_gettext("Read it every six hours"), default=True)
