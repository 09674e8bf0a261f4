"""The dated price list: what is valid when, and how it changes."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, selectinload

from ptdash.domain.errors import Conflict, Invalid
from ptdash.domain.periods import format_month
from ptdash.domain.reach import reached_from
from ptdash.domain.settlement import PackagePrice, Rates
from ptdash.models import Books, Contract, Customer, Period, Price
from ptdash.services import audit

PACKAGES = ("S", "M", "L")
ITEMS = (*(f"package_{name}" for name in PACKAGES), "overage_minute", "separate_minute", "vat_standard")

MOST_NET = Decimal(1_000_000)
MOST_PERCENT = Decimal(100)
NET_DECIMALS = 4
PERCENT_DECIMALS = 2


class UnknownItem(Invalid):
    message = "%(item)s is not an item of the price list."


class PriceWithinMonth(Invalid):
    message = "A price begins on the first of a month."


class PriceInUse(Conflict):
    message = "The close of %(month)s has begun with the price of that month. Choose a later month."


class PriceNegative(Invalid):
    message = "A price cannot be less than zero."


class PriceTooLarge(Invalid):
    message = "That is too much. The most that is possible is %(most)s."


class PriceTooPrecise(Invalid):
    message = "Give at most %(decimals)s decimals."


class MinutesMissing(Invalid):
    message = "Give the included minutes of the package, as a whole number from 0 on."


class MinutesNotAllowed(Invalid):
    message = "Only packages have included minutes."


@dataclass(frozen=True)
class MonthPrices:
    """The prices of a month; `missing` names the items without one."""

    items: dict[str, Price]

    @property
    def missing(self) -> list[str]:
        return [item for item in ITEMS if item not in self.items]

    @cached_property
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
    return MonthPrices({row.item: row for row in session.execute(_newest(), {"day": day}).scalars()})


@cache
def _newest() -> Select[Price]:
    found = select(Price).where(Price.valid_from <= bindparam("day"))
    return found.order_by(Price.item, Price.valid_from.desc()).ext(distinct_on(Price.item))


@dataclass(frozen=True)
class ListedPrice:
    """A price in the list: past, current or future on the day of the look."""

    item: str
    valid_from: date
    net: Decimal
    included_minutes: int | None
    state: str


@dataclass(frozen=True)
class TouchedContract:
    """A running support contract and the day from which the price counts for it."""

    number: str
    customer: str
    name: str
    reached_from: date


@dataclass(frozen=True)
class Touched:
    """What a price reaches: named contracts, or `customers` of whom any may be billed with it."""

    contracts: list[TouchedContract]
    customers: int | None = None


def listed(session: Session, today: date) -> list[ListedPrice]:
    """The whole price list, item by item, the newest price first."""
    current = valid_on(session, today).items
    rows = session.execute(select(Price).order_by(Price.valid_from.desc())).scalars().all()
    found = []
    for row in sorted(rows, key=lambda row: ITEMS.index(row.item)):
        state = "current" if current.get(row.item) is row else "future" if row.valid_from > today else "past"
        found.append(ListedPrice(row.item, row.valid_from, row.net, row.included_minutes, state))
    return found


def change(
    session: Session,
    item: str,
    valid_from: date,
    net: Decimal,
    included_minutes: int | None,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Set what an item costs (net EUR, VAT in percent) from the first of a month on; raises as `check` does."""
    check(session, item, valid_from, net, included_minutes)
    price = session.get(Price, (item, valid_from))
    before = {"net": price.net, "included_minutes": price.included_minutes} if price else None
    if price is None:
        session.add(Price(item=item, valid_from=valid_from, net=net, included_minutes=included_minutes))
    else:
        price.net, price.included_minutes = net, included_minutes
    session.flush()
    after = {"net": net, "included_minutes": included_minutes}
    subject = f"{item} {valid_from}"
    audit.record(session, "change_price", "price", subject, actor_id=actor_id, now=now, before=before, after=after)


def check(session: Session, item: str, valid_from: date, net: Decimal, included_minutes: int | None) -> None:
    """Whether a price can be set; holds off the start of a run until the end of the transaction.

    Raises UnknownItem, PriceWithinMonth, PriceNegative, PriceTooLarge, PriceTooPrecise, MinutesMissing,
    MinutesNotAllowed, and PriceInUse where the close of a month that it would count for has begun.
    """
    if item not in ITEMS:
        raise UnknownItem(item=item)
    if valid_from.day != 1:
        raise PriceWithinMonth()
    _check_net(item, net)
    if item.startswith("package_"):
        if included_minutes is None or included_minutes < 0:
            raise MinutesMissing()
    elif included_minutes is not None:
        raise MinutesNotAllowed()
    session.execute(select(Books.id).with_for_update(read=True))
    begun = select(func.max(Period.month)).where(Period.month >= valid_from)
    if until := _followed_on(session, item, valid_from):
        begun = begun.where(Period.month < until)
    if month := session.execute(begun).scalar_one():
        raise PriceInUse(month=format_month(month))


def last_begun(session: Session) -> date | None:
    """The newest month whose close has begun with its prices; None before the first."""
    return session.execute(select(func.max(Period.month))).scalar_one()


def touched(session: Session, item: str, valid_from: date) -> Touched:
    """What a price from `valid_from` on reaches, until the next price of its item."""
    valid = (valid_from, _followed_on(session, item, valid_from))
    if item in ("separate_minute", "vat_standard"):
        return Touched([], session.execute(select(func.count()).select_from(Customer)).scalar_one())
    contracts = session.execute(
        select(Contract, Customer)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(Contract.kind == "support")
        .order_by(Customer.sort_key, Contract.number)
        .options(selectinload(Contract.package_changes))
    )
    found = []
    for contract, customer in contracts:
        changes = [(row.effective_on, row.package) for row in contract.package_changes]
        package, initial = item.removeprefix("package_"), contract.package or ""
        if item == "overage_minute":
            package, initial, changes = "", "", []
        day = reached_from(package, initial, changes, (contract.starts_on, contract.ends_before), valid)
        if day:
            found.append(TouchedContract(contract.number, customer.number, customer.name, day))
    return Touched(found)


def _check_net(item: str, net: Decimal) -> None:
    is_percent = item == "vat_standard"
    if net < 0:
        raise PriceNegative()
    if net > (most := MOST_PERCENT if is_percent else MOST_NET):
        raise PriceTooLarge(most=most)
    if net != round(net, decimals := PERCENT_DECIMALS if is_percent else NET_DECIMALS):
        raise PriceTooPrecise(decimals=decimals)


def _followed_on(session: Session, item: str, valid_from: date) -> date | None:
    """The day of the item's next price."""
    later = select(func.min(Price.valid_from)).where(Price.item == item, Price.valid_from > valid_from)
    return session.execute(later).scalar_one()
