"""Forms about customers."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from ptdash.blueprints.tickets.words import TREATMENTS
from ptdash.services.contacts import ContactData
from ptdash.services.customers import InvoiceData
from ptdash.web import BaseForm, choices

DECISIONS = {
    "": lazy_gettext("By country and VAT id"),
    "standard": lazy_gettext("Standard rate"),
    "reverse_charge": lazy_gettext("Reverse charge"),
}
INVOICE_FORMATS = {
    "zugferd": lazy_gettext("PDF with e-invoice inside (ZUGFeRD)"),
    "xrechnung": lazy_gettext("XRechnung, for public buyers"),
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
    invoice_format = SelectField(lazy_gettext("Form of the invoice"), choices=choices(INVOICE_FORMATS))
    routing_id = StringField(lazy_gettext("Routing id (Leitweg-ID)"))
    wants_xml = BooleanField(lazy_gettext("Attach the XML file to the e-mail, too"))

    def as_data(self) -> InvoiceData:
        """What was entered, as it is stored."""
        names = InvoiceData.__dataclass_fields__.keys() - {"wants_xml"}
        text = {name: (self[name].data or "").strip() for name in names}
        decision = text["vat_decision"] or None
        text["country"] = text["country"].upper()
        decided = {"vat_decision": decision, "vat_reason": decision and text["vat_reason"]}
        return InvoiceData(**(text | decided | {"wants_xml": self.wants_xml.data}))


class TreatmentForm(BaseForm):
    treatment = SelectField(lazy_gettext("Treatment"), choices=choices(TREATMENTS))
    reason = StringField(lazy_gettext("Reason"))


class ContactForm(BaseForm):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter the name of the contact."))])
    role = StringField(lazy_gettext("Function"))
    email = EmailField(lazy_gettext("E-mail address"))
    phone = StringField(lazy_gettext("Telephone"))

    def as_data(self) -> ContactData:
        return ContactData(**{name: self[name].data or "" for name in ContactData.__dataclass_fields__})


class NoteForm(BaseForm):
    body = TextAreaField(lazy_gettext("Note"), [InputRequired(lazy_gettext("Write what colleagues should know."))])
