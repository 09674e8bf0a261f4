"""Entering, changing and retiring devices."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import Gate, gate
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.models import (
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProduct,
    DeviceProposal,
    Inspection,
)
from ptdash.services import audit
from ptdash.services.acceptances import gates

REQUIRED = ("inventory_number", "customer", "type", "name")
SERIAL_INDEX = "uq_devices_serial"
INVENTORY_INDEX = "uq_devices_inventory_number"


class DeviceFieldMissing(Invalid):
    message = "Fill in every required field. Still missing: %(field)s."


class CustomerUnknown(Invalid):
    message = "There is no customer %(customer)s."


class InventoryNumberTaken(Invalid):
    message = "There is already a device %(inventory_number)s. Choose another inventory number."


class SerialNumberTaken(Invalid):
    message = "%(device)s has the serial number %(serial_number)s already. A manufacturer gives each one once."


class ProductTwice(Invalid):
    message = "%(product)s stands twice. Remove one of the two lines."


class OwnerKept(Conflict):
    message = (
        "%(device)s has been in a contract or was inspected: it stays with its customer. "
        "Retire it, and enter it for the new customer as another device."
    )


class OriginKept(Conflict):
    message = (
        "%(device)s is in contract %(contract)s as a device that was bought from us. "
        "Have it accepted from %(day)s on, or take it out of the contract first."
    )


class StaleDevice(Conflict):
    message = "Somebody changed this device in the meantime. Your entries are still here; compare and save again."


class StillInContract(Conflict):
    message = "%(device)s is in contract %(contract)s. Take it out of the contract first."


class StillInspected(Conflict):
    message = "%(device)s is under inspection. Sign the inspection or call it off first."


class RetiredBefore(Invalid):
    message = "A device is not retired before it was bought."


@dataclass(frozen=True)
class DeviceData:
    """What people enter about a device; `customer` is the customer's number."""

    inventory_number: str
    customer: str
    type: str
    name: str
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    purchased_from_us: bool = True
    purchased_from: str = ""
    purchased_on: date | None = None
    warranty_until: date | None = None
    guarantee_until: date | None = None
    active_station: bool = False
    note: str = ""


@dataclass(frozen=True)
class ProductData:
    """Software on a device. `source`: `ours` was bought from or offered by us, `foreign` was not."""

    product: str
    vendor: str = ""
    version: str = ""
    source: str = "ours"


def get(session: Session, inventory_number: str, *, lock: bool = False) -> Device:
    """Raises NotFound."""
    found = select(Device).where(Device.inventory_number == inventory_number)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    device = session.execute(found).scalar_one_or_none()
    if device is None:
        raise NotFound(what=inventory_number)
    return device


def data_of(session: Session, device: Device) -> tuple[DeviceData, list[ProductData]]:
    """What is stored, in the form in which it is entered."""
    number = session.execute(select(Customer.number).where(Customer.id == device.customer_id)).scalar_one()
    values = {name: getattr(device, name) for name in DeviceData.__dataclass_fields__ if name != "customer"}
    rows = session.execute(
        select(DeviceProduct).where(DeviceProduct.device_id == device.id).order_by(DeviceProduct.product)
    ).scalars()
    products = [ProductData(row.product, row.vendor, row.version, row.source) for row in rows]
    return DeviceData(customer=number, **values), products


def fingerprint(data: DeviceData, products: list[ProductData]) -> str:
    """Tells whether somebody else saved a device since it was read."""
    return sha256(repr((data, sorted(products, key=repr))).encode()).hexdigest()[:16]


def create(
    session: Session, data: DeviceData, products: list[ProductData], *, actor_id: int | None, now: datetime
) -> Device:
    """Enter a device. Raises DeviceFieldMissing, CustomerUnknown, InventoryNumberTaken, SerialNumberTaken,
    ProductTwice."""
    data, products = _clean(data), _clean_products(products)
    customer = _check(session, data, None)
    device = Device(customer_id=customer.id, **_columns(data))
    _store(session, device, data)
    _keep_products(session, device, products)
    after = asdict(data) | {"products": [asdict(row) for row in products]}
    audit.record(
        session, "add", "device", device.inventory_number, actor_id=actor_id, now=now, after=_changed({}, after)
    )
    return device


def change(
    session: Session,
    inventory_number: str,
    data: DeviceData,
    products: list[ProductData],
    *,
    seen: str | None = None,
    actor_id: int | None,
    now: datetime,
) -> Device:
    """Change what is known of a device; `seen` is the fingerprint of what the person had before them.

    The inventory number stays. Raises what `create` raises, NotFound, StaleDevice, OwnerKept, OriginKept.
    """
    device = get(session, inventory_number, lock=True)
    old, old_products = data_of(session, device)
    if seen is not None and seen != fingerprint(old, old_products):
        raise StaleDevice()
    data = _clean(replace(data, inventory_number=inventory_number))
    products = _clean_products(products)
    customer = _check(session, data, device)
    if customer.id != device.customer_id:
        _refuse_other_owner(session, device)
    if device.purchased_from_us and not data.purchased_from_us:
        _refuse_lost_gate(session, device)
    for name, value in _columns(data).items():
        setattr(device, name, value)
    device.customer_id = customer.id
    _store(session, device, data)
    _keep_products(session, device, products)
    before = asdict(old) | {"products": [asdict(row) for row in old_products]}
    after = asdict(data) | {"products": [asdict(row) for row in products]}
    new = _changed(before, after)
    if new:
        was = {name: before[name] for name in new}
        audit.record(
            session, "change", "device", inventory_number, actor_id=actor_id, now=now, before=was, after=new
        )
    return device


def retire(
    session: Session,
    inventory_number: str,
    retired_on: date,
    note: str,
    *,
    actor_id: int | None,
    now: datetime,
) -> Device:
    """Take a device out of the register's living part from a day on; a waiting proposal goes with it.

    Raises NotFound, RetiredBefore, StillInContract, StillInspected.
    """
    device = get(session, inventory_number, lock=True)
    if device.purchased_on and retired_on < device.purchased_on:
        raise RetiredBefore()
    later = or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > retired_on)
    contract = session.execute(
        select(Contract.number)
        .join(ContractDevice, ContractDevice.contract_id == Contract.id)
        .where(ContractDevice.device_id == device.id, later)
        .limit(1)
    ).scalar_one_or_none()
    if contract:
        raise StillInContract(device=inventory_number, contract=contract)
    unsigned = select(Inspection.id).where(Inspection.device_id == device.id, Inspection.signed_at.is_(None))
    if session.execute(unsigned).first():
        raise StillInspected(device=inventory_number)
    session.execute(delete(DeviceProposal).where(DeviceProposal.device_id == device.id))
    before = {"retired_on": device.retired_on}
    device.retired_on = retired_on
    after = {"retired_on": retired_on, "note": note.strip()}
    audit.record(
        session, "retire", "device", inventory_number, actor_id=actor_id, now=now, before=before, after=after
    )
    return device


def bring_back(session: Session, inventory_number: str, *, actor_id: int | None, now: datetime) -> Device:
    """Take back that a device was retired. Raises NotFound."""
    device = get(session, inventory_number, lock=True)
    before = {"retired_on": device.retired_on}
    device.retired_on = None
    audit.record(
        session,
        "bring back",
        "device",
        inventory_number,
        actor_id=actor_id,
        now=now,
        before=before,
        after={"retired_on": None},
    )
    return device


def _clean(data: DeviceData) -> DeviceData:
    texts: dict[str, Any] = {name: value.strip() for name, value in asdict(data).items() if isinstance(value, str)}
    return replace(data, **texts)


def _clean_products(products: list[ProductData]) -> list[ProductData]:
    """Lines without a product are left out. Raises ProductTwice."""
    rows = [ProductData(*(str(value).strip() for value in asdict(row).values())) for row in products]
    rows = [row for row in rows if row.product]
    for row in rows:
        if sum(other.product == row.product for other in rows) > 1:
            raise ProductTwice(product=row.product)
    return rows


def _columns(data: DeviceData) -> dict[str, Any]:
    return {name: value for name, value in asdict(data).items() if name != "customer"}


def _check(session: Session, data: DeviceData, device: Device | None) -> Customer:
    for name in REQUIRED:
        if not getattr(data, name):
            raise DeviceFieldMissing(field=name)
    customer = session.execute(select(Customer).where(Customer.number == data.customer)).scalar_one_or_none()
    if customer is None:
        raise CustomerUnknown(customer=data.customer)
    twin = _holder_of_serial(session, data)
    if twin is not None and (device is None or twin.id != device.id):
        raise _serial_taken(data, twin.inventory_number)
    return customer


def _holder_of_serial(session: Session, data: DeviceData) -> Device | None:
    if not data.serial_number:
        return None
    with session.no_autoflush:
        return session.execute(
            select(Device).where(
                Device.manufacturer == data.manufacturer, Device.serial_number == data.serial_number
            )
        ).scalar_one_or_none()


def _serial_taken(data: DeviceData, device: str) -> SerialNumberTaken:
    return SerialNumberTaken(serial_number=data.serial_number, device=device)


def _store(session: Session, device: Device, data: DeviceData) -> None:
    """Into the database; who enters the same number at the same moment is told so, not shown a failure."""
    try:
        with session.begin_nested():
            session.add(device)
            session.flush()
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if constraint == SERIAL_INDEX:
            holder = _holder_of_serial(session, data)
            raise _serial_taken(data, holder.inventory_number if holder else "?") from None
        if constraint == INVENTORY_INDEX:
            raise InventoryNumberTaken(inventory_number=data.inventory_number) from None
        raise


def _keep_products(session: Session, device: Device, products: list[ProductData]) -> None:
    """Rows keep their id where the product stays, so that what refers to them stays too."""
    stored = {
        row.product: row
        for row in session.execute(select(DeviceProduct).where(DeviceProduct.device_id == device.id)).scalars()
    }
    for row in products:
        kept = stored.pop(row.product, None) or DeviceProduct(device_id=device.id, product=row.product)
        kept.vendor, kept.version, kept.source = row.vendor, row.version, row.source
        session.add(kept)
    for gone in stored.values():
        session.delete(gone)
    session.flush()


def _refuse_other_owner(session: Session, device: Device) -> None:
    for table in (ContractDevice, Inspection, DeviceProposal):
        if session.execute(select(table.device_id).where(table.device_id == device.id).limit(1)).first():
            raise OwnerKept(device=device.inventory_number)


def _refuse_lost_gate(session: Session, device: Device) -> None:
    """A device in a contract is not said to be foreign afterwards, unless an acceptance opened the gate."""
    verdicts = gates.verdicts(session, [device.id]).get(device.id, [])
    inclusions = session.execute(
        select(Contract.number, ContractDevice.included_from)
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .where(ContractDevice.device_id == device.id)
    )
    for contract, included_from in inclusions:
        if gate(False, verdicts, included_from)[0] is not Gate.OPEN:
            raise OriginKept(device=device.inventory_number, contract=contract, day=included_from)


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in after.items()
        if value != before.get(name) and (before or value not in ("", None))
    }
