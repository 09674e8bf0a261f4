"""The dated price list: what is valid when."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from ptdash.domain.settlement import PackagePrice, Rates
from ptdash.models import Price

PACKAGES = ("S", "M", "L")
ITEMS = (*(f"package_{name}" for name in PACKAGES), "overage_minute", "separate_minute", "vat_standard")


@dataclass(frozen=True)
class MonthPrices:
    """The prices of a month; `missing` names the items without one."""

    items: dict[str, Price]

    @property
    def missing(self) -> list[str]:
        return [item for item in ITEMS if item not in self.items]

    @property
    def rates(self) -> Rates:
        return Rates(
            packages={name: self._package(name) for name in PACKAGES},
            overage=self.items["overage_minute"].net,
            separate=self.items["separate_minute"].net,
        )

    @property
    def standard_vat(self) -> Decimal:
        return self.items["vat_standard"].net

    def _package(self, name: str) -> PackagePrice:
        price = self.items[f"package_{name}"]
        return PackagePrice(price.net, price.included_minutes or 0)


def valid_on(session: Session, day: date) -> MonthPrices:
    """The newest price of every item that is valid on a day (prices begin on the first of a month, so the
    month's first and last day see the same)."""
    newest = select(Price).where(Price.valid_from <= day).order_by(Price.item, Price.valid_from.desc())
    rows = session.execute(newest.ext(distinct_on(Price.item))).scalars()
    return MonthPrices({row.item: row for row in rows})
