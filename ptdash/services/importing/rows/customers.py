"""customers.csv: who is served and billed."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ptdash.domain.countries import CountryUnreadable, VatIdUnreadable, is_vat_id_of
from ptdash.domain.sorting import sort_key
from ptdash.models import Customer
from ptdash.services.countries import clean_country, clean_vat_id
from ptdash.services.importing.cells import BadCell, Column, email, key, truth, words
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

ADDRESS = ("name", "street", "postal_code", "city")


@dataclass(slots=True)
class CustomerRow:
    number: str
    name: str
    contact: str
    email: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    is_consumer: bool


def country(cell: str) -> str:
    try:
        return clean_country(cell)
    except CountryUnreadable as error:
        raise BadCell("unknown_country", f"'{cell[:50]}' is not a country of ISO 3166. {error}") from error


def vat_id(cell: str) -> str:
    try:
        return clean_vat_id(cell)
    except VatIdUnreadable as error:
        raise BadCell("invalid_vat_id", f"'{cell[:50]}' is not a VAT id. {error}") from error


def check(world: "World") -> None:
    """An incomplete address parks the customer's month at the close; here it is only told."""
    for number, row in world.customers.rows.items():
        at = world.customers.origin[number]
        for field in ADDRESS:
            if not getattr(row, field):
                message = f"Customer {number} has no {field}. Until it is there, no invoice can be issued."
                world.report.warn(CUSTOMERS.name, at, field, "incomplete_address", message)
        if row.vat_id and not is_vat_id_of(row.country, row.vat_id):
            message = f"The VAT id {row.vat_id} does not belong to the country {row.country}. Check both."
            world.report.warn(CUSTOMERS.name, at, "vat_id", "vat_id_of_other_country", message)


def _stored() -> Stored:
    c = Customer
    return select(
        *(c.id, c.number, c.name, c.contact, c.email, c.street, c.postal_code, c.city, c.country, c.vat_id),
        c.is_consumer,
    )


def _values(row: CustomerRow, _ids: Ids) -> dict[str, Any]:
    return {**asdict(row), "sort_key": sort_key(row.name)}


CUSTOMERS = File(
    name="customers.csv",
    row=CustomerRow,
    key=("number",),
    columns={
        "number": key(),
        "name": words(200),
        "contact": words(200),
        "email": Column(email, empty=""),
        "street": words(200),
        "postal_code": words(20),
        "city": words(200),
        "country": Column(country, empty="DE"),
        "vat_id": Column(vat_id, empty=""),
        "is_consumer": Column(truth, empty=False),
    },
    model=Customer,
    stored=_stored,
    values=_values,
)
