"""prices.csv: the dated price list."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, select

from ptdash.domain.periods import format_month
from ptdash.models import Price
from ptdash.services.importing.cells import Column, first_of_month, number, one_of, whole
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import File, Ids, Stored
from ptdash.services.prices import ITEMS

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

MOST_PERCENT = 100


@dataclass(slots=True)
class PriceRow:
    item: str
    valid_from: date
    net: Decimal
    included_minutes: int | None


def finish(row: PriceRow, tell: Tell) -> None:
    """Packages and only they have included minutes; VAT is in percent."""
    if row.item.startswith("package_"):
        if row.included_minutes is None:
            tell("included_minutes", "required", "A package needs its included minutes.")
    elif row.included_minutes is not None:
        tell("included_minutes", "minutes_not_allowed", "Only packages have included minutes. Leave this empty.")
    if row.item == "vat_standard" and row.net > MOST_PERCENT:
        tell("net", "too_large", f"{row.net} % is too much: VAT is given in percent, from 0 to {MOST_PERCENT}.")
    if row.item == "vat_standard" and row.net != round(row.net, 2):
        tell("net", "too_many_decimals", "A VAT rate has at most 2 decimals.")


def check(world: "World") -> None:
    """A price stays as it is once the close of a month that it counts for has begun."""
    for row_number, row, _ in world.prices.touched():
        later = [
            p.valid_from for p in world.prices.merged() if p.item == row.item and p.valid_from > row.valid_from
        ]
        until = min(later, default=date.max)
        begun = [month for month in world.begun if row.valid_from <= month < until]
        if begun:
            message = (
                f"The close of {format_month(min(begun))} has begun with the prices of that month. "
                f"Enter the new price with valid_from after {format_month(max(begun))}."
            )
            world.report.error(PRICES.name, row_number, "valid_from", "price_in_use", message)


def _stored() -> Stored:
    return select(null(), Price.item, Price.valid_from, Price.net, Price.included_minutes)


def _values(row: PriceRow, _ids: Ids) -> dict[str, Any]:
    return asdict(row)


PRICES = File(
    name="prices.csv",
    row=PriceRow,
    key=("item", "valid_from"),
    columns={
        "item": Column(one_of(*ITEMS), required=True),
        "valid_from": Column(first_of_month, required=True),
        "net": Column(number(4), required=True),
        "included_minutes": Column(whole()),
    },
    finish=finish,
    model=Price,
    stored=_stored,
    values=_values,
)
