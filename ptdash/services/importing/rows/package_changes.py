"""package_changes.csv: upgrades and downgrades of support contracts."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, select

from ptdash.domain import packages
from ptdash.domain.packages import DowngradeInsideTerm, SamePackage, UpgradeNotOnFirst
from ptdash.domain.terms import ContractFacts
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
        package, moved = contract.package, _moved_start(world, number)
        for row in sorted(rows, key=lambda row: row.effective_on):
            known = package if number not in doubtful else None
            _check_one(world, row, known)
            if world.package_changes.is_touched(key := (number, row.effective_on)):
                moved = world.package_changes.place(key)
            elif moved and known:
                _check_follower(world, row, known, moved)
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
        before_start = packages.ChangeBeforeStart(contract=row.contract, starts_on=contract.starts_on)
        world.error(place, "effective_on", "outside_contract", str(before_start))
    elif world.package_changes.is_touched(key) and facts:
        _check_day(world, row, facts, package_before, world.package_changes.place(key))
        _check_posted(world, row, contract.customer, world.package_changes.place(key))


def _check_day(
    world: "World", row: PackageChangeRow, facts: ContractFacts, before: str | None, place: Place | None
) -> None:
    """As `domain.packages` holds it, while the contract runs."""
    end = world.ends[row.contract]
    outside = packages.outside(row.contract, facts, end, row.effective_on)
    if outside and row.contract not in world.life_in_doubt:
        world.error(place, "effective_on", "outside_contract", str(outside))
    if before is None:
        return
    match packages.fault(row.contract, facts, before, row.package, row.effective_on):
        case SamePackage() as fault:
            world.warn(place, "package", fault.code, str(fault))
        case UpgradeNotOnFirst() | DowngradeInsideTerm() as fault:
            world.error(place, "effective_on", fault.code, str(fault))


def _moved_start(world: "World", number: str) -> Place | None:
    """Where the files give a stored contract another package to begin with."""
    old, new = world.contracts.stored.get(number), world.contracts.get(number)
    return world.contracts.place(number) if old and new and old.package != new.package else None


def _check_follower(world: "World", row: PackageChangeRow, before: str, moved: Place) -> None:
    """What is stored for later must stay possible after a change that the files bring."""
    facts = world.facts.get(row.contract)
    fault = packages.fault(row.contract, facts, before, row.package, row.effective_on) if facts else None
    if isinstance(fault, UpgradeNotOnFirst | DowngradeInsideTerm):
        message = (
            f"After this, the change of contract {row.contract} to package {row.package} on {row.effective_on} "
            f"is not possible any more. {fault}"
        )
        world.error(moved, "package", fault.code, message)


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
