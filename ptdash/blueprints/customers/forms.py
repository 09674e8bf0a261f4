"""Forms about customers."""

from decimal import Decimal

from flask_babel import gettext, lazy_gettext
from wtforms import DateField, EmailField, Field, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from ptdash.domain.minutes import Treatment
from ptdash.services.contacts import ContactData
from ptdash.services.customers import InvoiceData
from ptdash.web import BaseForm, choices
from ptdash.web.numbers import read_decimal

DECISIONS = {
    "": lazy_gettext("By country and VAT id"),
    "standard": lazy_gettext("Standard rate"),
    "reverse_charge": lazy_gettext("Reverse charge"),
}
TREATMENTS = {
    Treatment.PACKAGE: lazy_gettext("Package"),
    Treatment.MAINTENANCE: lazy_gettext("Maintenance"),
    Treatment.WARRANTY: lazy_gettext("Warranty"),
    Treatment.SEPARATE: lazy_gettext("Separate"),
    Treatment.GOODWILL: lazy_gettext("Goodwill"),
}


class InvoiceDataForm(BaseForm):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name"))])
    contact = StringField(lazy_gettext("Contact"))
    email = EmailField(lazy_gettext("E-mail address"))
    street = StringField(lazy_gettext("Street"), [InputRequired(lazy_gettext("Enter the street"))])
    postal_code = StringField(lazy_gettext("Postal code"), [InputRequired(lazy_gettext("Enter the postal code"))])
    city = StringField(lazy_gettext("City"), [InputRequired(lazy_gettext("Enter the city"))])
    country = StringField(lazy_gettext("Country"), [InputRequired(lazy_gettext("Enter the country"))])
    vat_id = StringField(lazy_gettext("VAT id"))
    vat_decision = SelectField(lazy_gettext("VAT"), choices=choices(DECISIONS))
    vat_reason = TextAreaField(lazy_gettext("Reason for the decision"))

    def as_data(self) -> InvoiceData:
        """What was entered, as it is stored."""
        text = {name: (self[name].data or "").strip() for name in InvoiceData.__dataclass_fields__}
        decision = text["vat_decision"] or None
        text["country"] = text["country"].upper()
        return InvoiceData(**(text | {"vat_decision": decision, "vat_reason": decision and text["vat_reason"]}))


class TreatmentForm(BaseForm):
    treatment = SelectField(lazy_gettext("Treatment"), choices=choices(TREATMENTS))
    reason = StringField(lazy_gettext("Reason"))


class MaterialForm(BaseForm):
    ticket = SelectField(lazy_gettext("Ticket"), coerce=int)
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


class ContactForm(BaseForm):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter the name of the contact."))])
    role = StringField(lazy_gettext("Function"))
    email = EmailField(lazy_gettext("E-mail address"))
    phone = StringField(lazy_gettext("Telephone"))

    def as_data(self) -> ContactData:
        return ContactData(**{name: self[name].data or "" for name in ContactData.__dataclass_fields__})


class NoteForm(BaseForm):
    body = TextAreaField(lazy_gettext("Note"), [InputRequired(lazy_gettext("Write what colleagues should know."))])
