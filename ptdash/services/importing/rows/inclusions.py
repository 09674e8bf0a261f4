"""contract_devices.csv: which device is in which maintenance contract, and when."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ptdash.domain.acceptance import Gate, gate
from ptdash.models import Contract, ContractDevice, Device
from ptdash.services.contracts import device_ends_before
from ptdash.services.importing.cells import Column, day, number, reference
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import File, Ids, Place, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.rows.contracts import ContractRow
    from ptdash.services.importing.world import World


@dataclass(slots=True)
class InclusionRow:
    """`included_until` is inclusive."""

    contract: str
    device: str
    included_from: date
    included_until: date | None
    monthly_fee: Decimal

    @property
    def key(self) -> tuple[str, str, date]:
        return self.contract, self.device, self.included_from


def finish(row: InclusionRow, tell: Tell) -> None:
    if row.included_until and row.included_until < row.included_from:
        tell("included_until", "ends_before_start", f"{row.included_until} is before {row.included_from}.")


def check(world: "World") -> None:
    for row in world.inclusions.merged():
        contract = world.contracts.get(row.contract)
        if contract:
            _check_kind(world, row, contract)
            _check_life(world, row, contract)
            _check_posted(world, row, contract.customer)
        _check_acceptance(world, row)
    _check_one_contract(world)


def _check_kind(world: "World", row: InclusionRow, contract: "ContractRow") -> None:
    """Only maintenance contracts have devices, and those are their customer's."""
    device = world.devices.get(row.device)
    place = world.place((world.inclusions, row.key), (world.devices, row.device), (world.contracts, row.contract))
    if contract.kind != "maintenance":
        message = f"Contract {row.contract} is a support contract; devices belong to maintenance contracts."
        world.error(place, "contract", "not_a_maintenance_contract", message)
    if device and device.customer != contract.customer:
        message = (
            f"Device {row.device} belongs to customer {device.customer}, "
            f"contract {row.contract} to customer {contract.customer}."
        )
        world.error(place, "device", "other_customer", message)


def _check_life(world: "World", row: InclusionRow, contract: "ContractRow") -> None:
    """A device stays inside its contract's life. A notice that comes later ends it with the contract."""
    place = world.place((world.inclusions, row.key), (world.contracts, row.contract))
    if row.included_from < contract.starts_on:
        message = f"Contract {row.contract} starts on {contract.starts_on}; no device is in it before."
        world.error(place, "included_from", "outside_contract", message)
    end = world.ends.get(row.contract)
    if end is None or row.contract in world.life_in_doubt:
        return
    if row.included_from >= end:
        place = world.place((world.inclusions, row.key)) or world.notice_place(row.contract) or place
        message = f"Device {row.device} would enter contract {row.contract} on {row.included_from}, after its end."
        world.error(place, "included_from", "outside_contract", message)
    elif world.inclusions.is_touched(row.key) and row.included_until and row.included_until >= end:
        message = f"Contract {row.contract} ends before {end}; the device cannot stay in it any longer."
        world.error(world.inclusions.place(row.key), "included_until", "outside_contract", message)


def _check_acceptance(world: "World", row: InclusionRow) -> None:
    """A device that was not bought from us needs an acceptance that opens the gate on that day."""
    device = world.devices.get(row.device)
    if device is None or row.device in world.gate_in_doubt:
        return
    state, newest = gate(device.purchased_from_us, world.verdicts_of(row.device), row.included_from)
    if state is not Gate.OPEN:
        place = world.place(
            (world.inclusions, row.key),
            (world.acceptances, (row.device, newest.inspected_on if newest else None)),
            (world.devices, row.device),
        )
        why = "there is none up to that day"
        if newest:
            why = f"it was {state} on {newest.revoked_on if state is Gate.REVOKED else newest.inspected_on}"
        message = (
            f"Device {row.device} was not bought from us "
            f"and needs an acceptance before {row.included_from}: {why}."
        )
        world.error(place, "device", "no_acceptance", message)


def _check_one_contract(world: "World") -> None:
    """A device is in one contract at a time."""
    for rows in world.inclusions_of.values():
        certain = [row for row in rows if row.contract in world.ends and row.contract not in world.life_in_doubt]
        certain.sort(key=lambda row: (row.included_from, row.contract))
        longest: InclusionRow | None = None
        for row in certain:
            if longest and row.included_from < (end_of(world, longest) or date.max):
                _tell_overlap(world, longest, row)
            longest = max(longest or row, row, key=lambda either: end_of(world, either) or date.max)


def _tell_overlap(world: "World", one: InclusionRow, two: InclusionRow) -> None:
    place: Place | None = world.later_place(world.inclusions, one.key, two.key)
    place = place or world.notice_place(one.contract)
    place = place or world.place((world.contracts, one.contract), (world.contracts, two.contract))
    message = (
        f"Device {one.device} is in contract {one.contract} from {one.included_from} and in {two.contract} from "
        f"{two.included_from}: one contract at a time. Let the first end before {two.included_from}."
    )
    world.error(place, "included_from", "device_overlap", message)


def _check_posted(world: "World", row: InclusionRow, customer: str) -> None:
    """A fee stays as it was posted; a start or an end that becomes known later is billed by the difference."""
    old, until = world.inclusions.stored.get(row.key), world.posted_until(customer)
    place = world.inclusions.place(row.key)
    if old and old.monthly_fee != row.monthly_fee and world.is_posted(customer, row.included_from):
        message = (
            f"A posted month has taken device {row.device} with {old.monthly_fee}. "
            "Reverse it first: cancel that month's invoice (Storno)."
        )
        world.error(place, "monthly_fee", "already_posted", message)
    changed = (
        {row.included_until, old.included_until} if old and old.included_until != row.included_until else set()
    )
    days = {day or date.max for day in changed} if old else {row.included_from}
    if days and min(days) < until:
        field = "included_until" if old else "included_from"
        message = f"Months before {until} are posted already. The difference is billed as an adjustment."
        world.warn(place, field, "reaches_into_posted", message)


def end_of(world: "World", row: InclusionRow) -> date | None:
    """The first day on which the device is not in the contract any more."""
    return device_ends_before(row.included_until, world.ends.get(row.contract))


def _stored() -> Stored:
    i = ContractDevice
    return (
        select(i.id, Contract.number, Device.inventory_number, i.included_from, i.included_until, i.monthly_fee)
        .join(Contract, Contract.id == i.contract_id)
        .join(Device, Device.id == i.device_id)
    )


def _values(row: InclusionRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["contract_id"] = ids["contracts.csv"][values.pop("contract")]
    values["device_id"] = ids["devices.csv"][values.pop("device")]
    return values


INCLUSIONS = File(
    name="contract_devices.csv",
    row=InclusionRow,
    key=("contract", "device", "included_from"),
    columns={
        "contract": reference("contracts.csv"),
        "device": reference("devices.csv"),
        "included_from": Column(day, required=True),
        "included_until": Column(day),
        "monthly_fee": Column(number(2), required=True),
    },
    finish=finish,
    model=ContractDevice,
    stored=_stored,
    values=_values,
)
