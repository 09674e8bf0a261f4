"""devices.csv, device_products.csv and acceptances.csv."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ptdash.models import Acceptance, Customer, Device, DeviceProduct, Role, User
from ptdash.services.importing.cells import Column, day, key, one_of, reference, text, truth, user_email, words
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

INSPECTORS = (Role.TECHNICIAN, Role.MANAGER)
REFUSED = "refused"


@dataclass(slots=True)
class DeviceRow:
    inventory_number: str
    customer: str
    type: str
    name: str
    manufacturer: str
    model: str
    serial_number: str
    purchased_from_us: bool
    purchased_on: date | None
    warranty_until: date | None
    guarantee_until: date | None
    active_station: bool


@dataclass(slots=True)
class ProductRow:
    device: str
    product: str
    vendor: str
    version: str
    source: str


@dataclass(slots=True)
class AcceptanceRow:
    device: str
    inspected_on: date
    outcome: str
    inspector: str
    note: str


def check(world: "World") -> None:
    _check_serial_numbers(world)
    _check_acceptances(world)


def _check_serial_numbers(world: "World") -> None:
    """A manufacturer gives a serial number once."""
    holders: dict[tuple[str, str], list[str]] = {}
    for device in world.devices.merged():
        if device.serial_number:
            serial = (device.manufacturer, device.serial_number)
            holders.setdefault(serial, []).append(device.inventory_number)
    for serial, numbers in holders.items():
        if len(numbers) < 2:
            continue
        first, *_, place = sorted(numbers, key=lambda number: world.devices.origin.get(number, 0))
        if place in world.devices.origin:
            message = (
                f"Device {first} has the serial number {serial[1]} of {serial[0] or 'no manufacturer'} already."
            )
            at = world.devices.origin[place]
            world.report.error(DEVICES.name, at, "serial_number", "duplicate_serial_number", message)


def _check_acceptances(world: "World") -> None:
    for row_key, row in world.acceptances.rows.items():
        at = world.acceptances.origin[row_key]
        inspector = world.users.get(row.inspector)
        if inspector and inspector.role not in INSPECTORS:
            message = f"{row.inspector} is {inspector.role}; acceptances are signed by technicians and managers."
            world.report.warn(ACCEPTANCES.name, at, "inspector", "unusual_inspector", message)
        if row_key in world.signed and world.acceptances.is_touched(row_key):
            message = f"The acceptance of {row.device} on {row.inspected_on} was signed here and does not change."
            world.report.error(ACCEPTANCES.name, at, "outcome", "already_signed", message)
        world.warn_of_future(ACCEPTANCES.name, at, "inspected_on", row.inspected_on)


def _stored_devices() -> Stored:
    d = Device
    return select(
        *(d.id, d.inventory_number, Customer.number, d.type, d.name, d.manufacturer, d.model, d.serial_number),
        *(d.purchased_from_us, d.purchased_on, d.warranty_until, d.guarantee_until, d.active_station),
    ).join(Customer, Customer.id == d.customer_id)


def _device_values(row: DeviceRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["customer_id"] = ids["customers.csv"][values.pop("customer")]
    return values


def _stored_products() -> Stored:
    p = DeviceProduct
    return select(p.id, Device.inventory_number, p.product, p.vendor, p.version, p.source).join(
        Device, Device.id == p.device_id
    )


def _product_values(row: ProductRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["device_id"] = ids[DEVICES.name][values.pop("device")]
    return values


def _stored_acceptances() -> Stored:
    a = Acceptance
    return (
        select(a.id, Device.inventory_number, a.inspected_on, a.outcome, func.lower(User.email), a.note)
        .join(Device, Device.id == a.device_id)
        .join(User, User.id == a.inspector_id)
    )


def _acceptance_values(row: AcceptanceRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["device_id"] = ids[DEVICES.name][values.pop("device")]
    values["inspector_id"] = ids["users.csv"][values.pop("inspector")]
    return values


DEVICES = File(
    name="devices.csv",
    row=DeviceRow,
    key=("inventory_number",),
    columns={
        "inventory_number": key(),
        "customer": reference("customers.csv"),
        "type": Column(text(100), required=True),
        "name": Column(text(200), required=True),
        "manufacturer": words(200),
        "model": words(200),
        "serial_number": words(200),
        "purchased_from_us": Column(truth, required=True),
        "purchased_on": Column(day),
        "warranty_until": Column(day),
        "guarantee_until": Column(day),
        "active_station": Column(truth, empty=False),
    },
    model=Device,
    stored=_stored_devices,
    values=_device_values,
)
PRODUCTS = File(
    name="device_products.csv",
    row=ProductRow,
    key=("device", "product"),
    columns={
        "device": reference(DEVICES.name),
        "product": key(200),
        "vendor": words(200),
        "version": words(200),
        "source": Column(one_of("ours", "foreign"), required=True),
    },
    model=DeviceProduct,
    stored=_stored_products,
    values=_product_values,
)
ACCEPTANCES = File(
    name="acceptances.csv",
    row=AcceptanceRow,
    key=("device", "inspected_on"),
    columns={
        "device": reference(DEVICES.name),
        "inspected_on": Column(day, required=True),
        "outcome": Column(one_of("accepted", "accepted_with_reservations", REFUSED), required=True),
        "inspector": reference("users.csv", parse=user_email),
        "note": words(10_000),
    },
    model=Acceptance,
    stored=_stored_acceptances,
    values=_acceptance_values,
)
