"""package_changes.csv: upgrades and downgrades of support contracts."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, select

from ptdash.domain.terms import ContractFacts, term_on
from ptdash.models import Contract, PackageChange
from ptdash.services.importing.cells import Column, day, one_of, reference
from ptdash.services.importing.tables import File, Ids, Place, Stored
from ptdash.services.prices import PACKAGES

if TYPE_CHECKING:
    from ptdash.services.importing.world import World


@dataclass(slots=True)
class PackageChangeRow:
    contract: str
    effective_on: date
    package: str


def check(world: "World") -> None:
    changes_of: dict[str, list[PackageChangeRow]] = {}
    for row in world.package_changes.merged():
        changes_of.setdefault(row.contract, []).append(row)
    doubtful = world.package_changes.in_doubt("contract")
    for number, rows in changes_of.items():
        contract = world.contracts.get(number)
        if contract is None:
            continue
        package = contract.package
        for row in sorted(rows, key=lambda row: row.effective_on):
            _check_one(world, row, package if number not in doubtful else None)
            package = row.package


def _check_one(world: "World", row: PackageChangeRow, package_before: str | None) -> None:
    key = (row.contract, row.effective_on)
    contract, facts = world.contracts.get(row.contract), world.facts.get(row.contract)
    place = world.place((world.package_changes, key), (world.contracts, row.contract))
    if contract is None:
        return
    if contract.package is None:
        message = f"Contract {row.contract} is a maintenance contract; it has no package to change."
        world.error(place, "contract", "not_a_support_contract", message)
        return
    if row.effective_on < contract.starts_on:
        message = f"Contract {row.contract} starts on {contract.starts_on}; its package cannot change before."
        world.error(place, "effective_on", "outside_contract", message)
    elif world.package_changes.is_touched(key) and facts:
        _check_day(world, row, facts, package_before, world.package_changes.place(key))
        _check_posted(world, row, contract.customer, world.package_changes.place(key))


def _check_day(
    world: "World", row: PackageChangeRow, facts: ContractFacts, before: str | None, place: Place | None
) -> None:
    """An upgrade starts on the first of a month, a downgrade on the first day of a term; both while it runs."""
    end = world.ends[row.contract]
    if end and row.effective_on >= end and row.contract not in world.life_in_doubt:
        message = f"Contract {row.contract} does not run on {row.effective_on} any more."
        world.error(place, "effective_on", "outside_contract", message)
    if before is None:
        return
    if row.package == before:
        message = f"Contract {row.contract} has package {before} already; nothing changes."
        world.warn(place, "package", "same_package", message)
    elif PACKAGES.index(row.package) > PACKAGES.index(before):
        if row.effective_on.day != 1:
            message = f"An upgrade starts on the first of a month; {row.effective_on} is none."
            world.error(place, "effective_on", "upgrade_not_on_first", message)
    elif not _begins_a_term(facts, row.effective_on):
        message = f"A downgrade starts with a term of the contract; on {row.effective_on} none begins."
        world.error(place, "effective_on", "downgrade_inside_term", message)


def _begins_a_term(facts: ContractFacts, day: date) -> bool:
    """Whether a term begins on the day. A consumer's time without an end, which may be left at any time, has
    no terms: every month of it counts."""
    term = term_on(facts, day)
    return day == term.starts_on or (term.ends_on is None and day.day == 1)


def _check_posted(world: "World", row: PackageChangeRow, customer: str, place: Place | None) -> None:
    if world.is_posted(customer, row.effective_on):
        message = (
            f"A month from {row.effective_on} on is posted with another package. Let the change start on "
            f"{world.posted_until(customer)} or later, or reverse the posting first: cancel its invoice (Storno)."
        )
        world.error(place, "effective_on", "already_posted", message)


def _stored() -> Stored:
    return select(null(), Contract.number, PackageChange.effective_on, PackageChange.package).join(
        Contract, Contract.id == PackageChange.contract_id
    )


def _values(row: PackageChangeRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["contract_id"] = ids["contracts.csv"][values.pop("contract")]
    return values


PACKAGE_CHANGES = File(
    name="package_changes.csv",
    row=PackageChangeRow,
    key=("contract", "effective_on"),
    columns={
        "contract": reference("contracts.csv"),
        "effective_on": Column(day, required=True),
        "package": Column(one_of(*PACKAGES), required=True),
    },
    model=PackageChange,
    stored=_stored,
    values=_values,
)
