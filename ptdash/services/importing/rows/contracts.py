"""contracts.csv: support and maintenance contracts."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ptdash.domain.packages import MAINTENANCE, PROMISED, SUPPORT
from ptdash.domain.terms import CONSUMER_NOTICE_MONTHS, ContractFacts
from ptdash.models import Contract, Customer
from ptdash.services.importing.cells import Column, day, key, number, one_of, reference, whole
from ptdash.services.importing.result import Tell
from ptdash.services.importing.rows.notices import NoticeRow
from ptdash.services.importing.tables import File, Ids, Stored
from ptdash.services.prices import PACKAGES

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

ENDS_WITH_ITS_TERM = 0
MOST_MONTHS = 600


@dataclass(slots=True)
class ContractRow:
    """`renewal_months` None: the contract ends with its term."""

    number: str
    customer: str
    kind: str
    package: str | None
    starts_on: date
    term_months: int
    notice_months: int
    renewal_months: int | None
    monthly_fee: Decimal | None

    def facts(self, is_consumer: bool, notices: Iterable[NoticeRow]) -> ContractFacts:
        return ContractFacts(
            starts_on=self.starts_on,
            term_months=self.term_months,
            notice_months=self.notice_months,
            renewal_months=self.renewal_months,
            is_consumer=is_consumer,
            notices=tuple(notice.fact() for notice in notices),
        )


def renewal(cell: str) -> int:
    return ENDS_WITH_ITS_TERM if cell == "none" else int(whole(1, MOST_MONTHS)(cell))


def finish(row: ContractRow, tell: Tell) -> None:
    """Support has a package and no fee of its own, maintenance a fee and no package; each its own renewal."""
    if row.renewal_months is None:
        row.renewal_months = PROMISED[row.kind].renewal_months
    elif row.renewal_months == ENDS_WITH_ITS_TERM:
        row.renewal_months = None
    if row.kind == SUPPORT:
        if row.package is None:
            tell("package", "required", f"A support contract needs its package: {', '.join(PACKAGES)}.")
        if row.monthly_fee is not None:
            tell(
                "monthly_fee",
                "fee_not_allowed",
                "A support contract costs what its package costs. Leave this empty.",
            )
    else:
        if row.package is not None:
            tell("package", "package_not_allowed", "A maintenance contract has no package. Leave this empty.")
        if row.monthly_fee is None:
            tell("monthly_fee", "required", "A maintenance contract needs its monthly fee; 0 is possible.")


def check(world: "World") -> None:
    _check_consumers(world)
    _check_overlaps(world)
    _check_posted(world)
    _warn_of_posted(world)
    for row_number, row, _ in world.contracts.touched():
        world.warn_of_future(CONTRACTS.name, row_number, "starts_on", row.starts_on)


def _check_consumers(world: "World") -> None:
    """A consumer's notice period is one month (BGB 309 no. 9)."""
    for row in world.contracts.merged():
        customer = world.customers.get(row.customer)
        if customer and customer.is_consumer and row.notice_months != CONSUMER_NOTICE_MONTHS:
            place = world.place((world.contracts, row.number), (world.customers, row.customer))
            field = "notice_months" if place and place[0] == CONTRACTS.name else "is_consumer"
            message = (
                f"Customer {row.customer} is a consumer: the notice period of contract {row.number} "
                f"must be {CONSUMER_NOTICE_MONTHS} month."
            )
            world.error(place, field, "consumer_notice_months", message)


def _check_overlaps(world: "World") -> None:
    """A customer has at most one support package at a time."""
    of_customer: dict[str, list[ContractRow]] = {}
    for row in world.contracts.merged():
        if row.kind == SUPPORT and row.number in world.ends and row.number not in world.life_in_doubt:
            of_customer.setdefault(row.customer, []).append(row)
    for rows in of_customer.values():
        rows.sort(key=lambda row: (row.starts_on, row.number))
        longest = rows[0]
        for row in rows[1:]:
            if row.starts_on < (world.ends[longest.number] or date.max):
                _tell_overlap(world, longest, row)
            longest = max(longest, row, key=lambda either: world.ends[either.number] or date.max)


def _tell_overlap(world: "World", one: ContractRow, two: ContractRow) -> None:
    place = world.later_place(world.contracts, one.number, two.number)
    place = place or world.notice_place(one.number) or world.notice_place(two.number)
    place = place or world.place((world.customers, one.customer))
    message = (
        f"Customer {one.customer} has support contract {one.number} from {one.starts_on} and {two.number} from "
        f"{two.starts_on}: one support package at a time. Let {one.number} end before {two.starts_on}."
    )
    world.error(place, "starts_on", "support_overlap", message)


def _check_posted(world: "World") -> None:
    """Package, fee, kind and customer stay as they were posted."""
    for row_number, row, old in world.contracts.touched():
        if old is None or not world.is_posted(old.customer, old.starts_on):
            continue
        for field in ("customer", "kind", "package", "monthly_fee"):
            if getattr(row, field) != getattr(old, field):
                message = (
                    f"A posted month has taken contract {row.number} with {field} "
                    f"{getattr(old, field)}. Reverse it first: cancel that month's invoice (Storno)."
                )
                world.report.error(CONTRACTS.name, row_number, field, "already_posted", message)


def _warn_of_posted(world: "World") -> None:
    """A start or an end that becomes known after the posting is billed by the difference."""
    for row in world.contracts.merged():
        if row.number not in world.ends:
            continue
        old, end = world.contracts.stored.get(row.number), world.ends[row.number]
        until = world.posted_until(row.customer)
        starts = {row.starts_on} ^ ({old.starts_on} if old else set())
        if starts and min(starts) < until:
            place = world.place((world.contracts, row.number))
            world.warn(place, "starts_on", "reaches_into_posted", _reaches(row.number, "start", until))
        old_end = world.last_days.get(row.number)
        if end != old_end and min(end or date.max, old_end or date.max) < until:
            place = world.notice_place(row.number) or world.place(
                (world.contracts, row.number), (world.customers, row.customer)
            )
            field = "received_on" if place and place[0] not in (CONTRACTS.name, "customers.csv") else ""
            world.warn(place, field, "reaches_into_posted", _reaches(row.number, "end", until))


def _reaches(contract: str, what: str, until: date) -> str:
    return (
        f"The {what} of contract {contract} reaches into months before {until} that are posted already. "
        "The difference is billed as an adjustment."
    )


def _stored() -> Stored:
    c = Contract
    return select(
        *(c.id, c.number, Customer.number, c.kind, c.package, c.starts_on, c.term_months, c.notice_months),
        *(c.renewal_months, c.monthly_fee),
    ).join(Customer, Customer.id == c.customer_id)


def _values(row: ContractRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["customer_id"] = ids["customers.csv"][values.pop("customer")]
    return values


CONTRACTS = File(
    name="contracts.csv",
    row=ContractRow,
    key=("number",),
    columns={
        "number": key(),
        "customer": reference("customers.csv"),
        "kind": Column(one_of(SUPPORT, MAINTENANCE), required=True),
        "package": Column(one_of(*PACKAGES)),
        "starts_on": Column(day, required=True),
        "term_months": Column(whole(1, MOST_MONTHS), required=True),
        "notice_months": Column(whole(1, MOST_MONTHS), required=True),
        "renewal_months": Column(renewal),
        "monthly_fee": Column(number(2)),
    },
    finish=finish,
    model=Contract,
    stored=_stored,
    values=_values,
)
