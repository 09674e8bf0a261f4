"""Everything an import knows: the files over the database, as it will be afterwards."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ptdash.domain.acceptance import Verdict
from ptdash.domain.periods import month_of, next_month
from ptdash.domain.terms import ContractFacts, ends_before
from ptdash.services.importing.result import Report
from ptdash.services.importing.rows.company import COMPANY, CompanyRow
from ptdash.services.importing.rows.contracts import CONTRACTS, ContractRow
from ptdash.services.importing.rows.customers import CUSTOMERS, CustomerRow
from ptdash.services.importing.rows.devices import (
    ACCEPTANCES,
    DEVICES,
    PRODUCTS,
    AcceptanceRow,
    DeviceRow,
    ProductRow,
)
from ptdash.services.importing.rows.inclusions import INCLUSIONS, InclusionRow
from ptdash.services.importing.rows.notices import NOTICES, NoticeRow
from ptdash.services.importing.rows.package_changes import PACKAGE_CHANGES, PackageChangeRow
from ptdash.services.importing.rows.prices import PRICES, PriceRow
from ptdash.services.importing.rows.tickets import TICKETS, TicketRow
from ptdash.services.importing.rows.time_and_material import MATERIALS, TIME_ENTRIES, MaterialRow, TimeEntryRow
from ptdash.services.importing.rows.users import USERS, UserRow
from ptdash.services.importing.tables import File, Place, Table

# In the order in which they are written: whoever is referred to comes first.
FILES: tuple[File[Any], ...] = (
    *(COMPANY, PRICES, USERS, CUSTOMERS, DEVICES, PRODUCTS, ACCEPTANCES, CONTRACTS, PACKAGE_CHANGES, NOTICES),
    *(INCLUSIONS, TICKETS, TIME_ENTRIES, MATERIALS),
)

Span = tuple[str, datetime, datetime, str | None]


@dataclass
class World:
    """`begun` are the months whose close has begun, `posted` the newest posted month of a customer by number,
    `last_days` the stored ends (half-open) of contracts by number, `other_work` what is stored of the people
    with time entries in the files: technician, start, end, external id. `revoked` says since when an acceptance
    lets nothing in, `signed` are those that were signed here; both by device and day."""

    tables: dict[str, Table[Any]]
    report: Report
    today: date
    begun: frozenset[date] = frozenset()
    posted: dict[str, date] = field(default_factory=dict)
    last_days: dict[str, date | None] = field(default_factory=dict)
    other_work: list[Span] = field(default_factory=list)
    revoked: dict[tuple[str, date], date] = field(default_factory=dict)
    signed: set[Hashable] = field(default_factory=set)
    at_work_on: str = ""

    def __post_init__(self) -> None:
        table = self.tables
        self.company: Table[CompanyRow] = table[COMPANY.name]
        self.prices: Table[PriceRow] = table[PRICES.name]
        self.users: Table[UserRow] = table[USERS.name]
        self.customers: Table[CustomerRow] = table[CUSTOMERS.name]
        self.devices: Table[DeviceRow] = table[DEVICES.name]
        self.products: Table[ProductRow] = table[PRODUCTS.name]
        self.acceptances: Table[AcceptanceRow] = table[ACCEPTANCES.name]
        self.contracts: Table[ContractRow] = table[CONTRACTS.name]
        self.package_changes: Table[PackageChangeRow] = table[PACKAGE_CHANGES.name]
        self.notices: Table[NoticeRow] = table[NOTICES.name]
        self.inclusions: Table[InclusionRow] = table[INCLUSIONS.name]
        self.tickets: Table[TicketRow] = table[TICKETS.name]
        self.time_entries: Table[TimeEntryRow] = table[TIME_ENTRIES.name]
        self.materials: Table[MaterialRow] = table[MATERIALS.name]

    @cached_property
    def notices_of(self) -> dict[str, list[NoticeRow]]:
        return _grouped(self.notices.merged(), "contract")

    @cached_property
    def inclusions_of(self) -> dict[str, list[InclusionRow]]:
        """The rows of each device, by inventory number."""
        return _grouped(self.inclusions.merged(), "device")

    @cached_property
    def acceptances_of(self) -> dict[str, list[AcceptanceRow]]:
        return _grouped(self.acceptances.merged(), "device")

    def verdicts_of(self, device: str) -> list[Verdict]:
        """What opens a contract's gate for a device, or closes it."""
        rows = self.acceptances_of.get(device, ())
        return [
            Verdict(row.inspected_on, row.outcome, self.revoked.get((device, row.inspected_on))) for row in rows
        ]

    @cached_property
    def life_in_doubt(self) -> set[Hashable]:
        """Contracts whose notices have an error: nothing is concluded from their end."""
        impossible = {number for number, end in self.ends.items() if end and end <= self.facts[number].starts_on}
        return self.notices.in_doubt("contract") | impossible

    @cached_property
    def gate_in_doubt(self) -> set[Hashable]:
        """Devices with an acceptance that could not be read."""
        return self.acceptances.in_doubt("device")

    @cached_property
    def facts(self) -> dict[str, ContractFacts]:
        """What decides how long a contract runs, for every contract whose customer is known."""
        return {
            contract.number: contract.facts(customer.is_consumer, self.notices_of.get(contract.number, ()))
            for contract in self.contracts.merged()
            if (customer := self.customers.get(contract.customer))
        }

    @cached_property
    def ends(self) -> dict[str, date | None]:
        """The first day on which a contract does not run any more, None where nothing has fixed it."""
        return {number: ends_before(facts) for number, facts in self.facts.items()}

    def posted_until(self, customer: str) -> date:
        """The first day of a customer that no posting has taken."""
        newest = self.posted.get(customer)
        return next_month(newest) if newest else date.min

    def is_posted(self, customer: str, day: date) -> bool:
        """Whether a posting has taken the day's month or a later one."""
        return month_of(day) < self.posted_until(customer)

    def place(self, *wanted: tuple[Table[Any], Hashable]) -> Place | None:
        """The first of these rows that stands in a file; None where the files do not touch any of them."""
        return next((place for table, key in wanted if (place := table.place(key))), None)

    def later_place(self, table: Table[Any], one: Hashable, two: Hashable) -> Place | None:
        """Which of two rows that do not go together is told: the changed one, else the one further down."""
        given = [key for key in (one, two) if key in table.origin]
        given.sort(key=lambda key: (table.is_touched(key), table.origin[key]))
        return table.place(given[-1]) if given else None

    def notice_place(self, contract: str) -> Place | None:
        """The newest notice of a contract that stands in the file."""
        days = sorted((n.received_on for n in self.notices_of.get(contract, ())), reverse=True)
        return self.place(*((self.notices, (contract, on)) for on in days))

    def error(self, place: Place | None, field: str, code: str, message: str) -> None:
        if place:
            self.report.error(*place, field, code, message)

    def warn(self, place: Place | None, field: str, code: str, message: str) -> None:
        if place:
            self.report.warn(*place, field, code, message)

    def warn_of_future(self, file: str, row: int, field: str, day: date) -> None:
        if day > self.today:
            self.report.warn(file, row, field, "in_the_future", f"{day} is in the future.")


def _grouped(rows: Iterable[Any], by: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, by)].append(row)
    return groups
