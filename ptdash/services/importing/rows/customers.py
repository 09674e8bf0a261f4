"""customers.csv: who is served and billed."""

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pycountry
from sqlalchemy import select

from ptdash.domain.sorting import sort_key
from ptdash.models import Customer
from ptdash.services.importing.cells import BadCell, Column, email, key, truth, words
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Za-z+*.]{2,12}")
# They begin with the country's code, Greece's with EL and Northern Ireland's with XI (EN 16931 BR-CO-09).
OTHER_PREFIXES = ("EL", "XI")
# Where a VAT id does not begin with the country's own code.
VAT_PREFIXES = {"GR": "EL", "GB": "XI"}
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
    """Two letters of ISO 3166."""
    code = cell.upper()
    if len(code) != 2 or not code.isascii() or not pycountry.countries.get(alpha_2=code):
        raise BadCell(
            "unknown_country", f"'{cell[:50]}' is not a country of ISO 3166. Give two letters, such as DE."
        )
    return code


def vat_id(cell: str) -> str:
    compact = cell.replace(" ", "").upper()
    if not VAT_ID.fullmatch(compact):
        raise BadCell("invalid_vat_id", f"'{cell[:50]}' is not a VAT id. It begins with two letters: DE123456789.")
    if compact[:2] not in OTHER_PREFIXES and not pycountry.countries.get(alpha_2=compact[:2]):
        raise BadCell("invalid_vat_id", f"'{cell[:50]}' is not a VAT id. {compact[:2]} is not a country's code.")
    return compact


def check(world: "World") -> None:
    """An incomplete address parks the customer's month at the close; here it is only told."""
    for number, row in world.customers.rows.items():
        at = world.customers.origin[number]
        for field in ADDRESS:
            if not getattr(row, field):
                message = f"Customer {number} has no {field}. Until it is there, no invoice can be issued."
                world.report.warn(CUSTOMERS.name, at, field, "incomplete_address", message)
        if row.vat_id and row.vat_id[:2] not in (row.country, VAT_PREFIXES.get(row.country)):
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
