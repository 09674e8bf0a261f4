"""The form of a device with the products that run on it."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from ptdash.blueprints.devices.words import TYPES, type_name
from ptdash.services.devices.register import DeviceData, ProductData
from ptdash.web import BaseForm, choices

OURS, FOREIGN = "ours", "foreign"
BOUGHT = {OURS: lazy_gettext("from us"), FOREIGN: lazy_gettext("elsewhere")}
SOURCES = {OURS: lazy_gettext("bought from or offered by us"), FOREIGN: lazy_gettext("foreign")}
SPARE_LINES = 3
DAY = lazy_gettext("Enter the day as a date, for example 31.12.2026")


class DeviceForm(BaseForm):
    inventory_number = StringField(
        lazy_gettext("Inventory number"),
        [InputRequired(lazy_gettext("Enter the inventory number")), Length(max=100)],
    )
    customer = SelectField(lazy_gettext("Customer"), validate_choice=False)
    type = SelectField(lazy_gettext("Type"), validate_choice=False)
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name")), Length(max=200)])
    manufacturer = StringField(lazy_gettext("Manufacturer"), [Length(max=200)])
    model = StringField(lazy_gettext("Model"), [Length(max=200)])
    serial_number = StringField(lazy_gettext("Serial number"), [Length(max=200)])
    bought = RadioField(lazy_gettext("Bought"), choices=choices(BOUGHT), default=OURS)
    purchased_from = StringField(lazy_gettext("Dealer"), [Length(max=200)])
    purchased_on = DateField(lazy_gettext("Bought on"), [Optional()])
    warranty_until = DateField(lazy_gettext("Statutory warranty until"), [Optional()])
    guarantee_until = DateField(lazy_gettext("Manufacturer's guarantee until"), [Optional()])
    active_station = BooleanField(lazy_gettext("Active station"))
    note = TextAreaField(lazy_gettext("Note"))
    seen = HiddenField()

    def offer(self, customers: Iterable[tuple[str, str]], types: Iterable[str]) -> None:
        """The customers and types that can be chosen; a type that only an import knows stays possible."""
        self.customer.choices = [("", ""), *((number, f"{name} ({number})") for number, name in customers)]
        names = [*TYPES, *sorted(set(types) - set(TYPES))]
        self.type.choices = [(name, type_name(name)) for name in names]

    def fill(self, data: DeviceData, seen: str) -> None:
        for name in DeviceData.__dataclass_fields__:
            if name != "purchased_from_us":
                self[name].data = getattr(data, name)
        self.bought.data = OURS if data.purchased_from_us else FOREIGN
        self.seen.data = seen

    def as_data(self) -> DeviceData:
        values: dict[str, Any] = {
            name: self[name].data
            or ("" if isinstance(self[name], (StringField, SelectField)) else self[name].data)
            for name in DeviceData.__dataclass_fields__
            if name != "purchased_from_us"
        }
        return DeviceData(**values, purchased_from_us=self.bought.data == OURS)


class RetireForm(BaseForm):
    retired_on = DateField(lazy_gettext("Retired on"), [InputRequired(lazy_gettext("Enter the day"))])
    note = StringField(lazy_gettext("Why"))


def products_from(values: Iterable[tuple[str, str, str, str]]) -> list[ProductData]:
    """The lines of products that a form sent: product, vendor, version, source."""
    return [
        ProductData(product, vendor, version, source if source in SOURCES else OURS)
        for product, vendor, version, source in values
        if product.strip()
    ]
