"""The list of devices: search and filters, in pages that stay put while rows are added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import DeviceFacts, DeviceState, device_state
from ptdash.models import Contract, ContractDevice, Customer, Device, Inspection
from ptdash.services.searching import matches

PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty means any. `bought`: ours or foreign, `contract`: in or out."""

    text: str = ""
    customer: str = ""
    type: str = ""
    state: str = ""
    bought: str = ""
    contract: str = ""

    @property
    def active(self) -> bool:
        return self != Filters()


@dataclass(frozen=True)
class Row:
    """A device in the list, its customer, the contract it is in, and its state."""

    device: Device
    customer: Customer
    contract: str | None
    state: DeviceState


@dataclass(frozen=True)
class Page:
    """`before` and `after` are the inventory numbers that the pages around this one go on from (None: no page)."""

    rows: list[Row]
    total: int
    before: str | None
    after: str | None


def page(
    session: Session, filters: Filters, today: date, *, after: str | None = None, before: str | None = None
) -> Page:
    """A page of devices by inventory number; `after` or `before` continue from a page that was shown."""
    found = _filtered(filters, today)
    total = session.execute(select(func.count()).select_from(found.with_only_columns(Device.id).subquery()))
    backwards = before is not None and after is None
    if backwards:
        found = found.where(Device.inventory_number < before).order_by(Device.inventory_number.desc())
    else:
        found = found.order_by(Device.inventory_number)
        if after is not None:
            found = found.where(Device.inventory_number > after)
    rows = [_row(*fields) for fields in session.execute(found.limit(PAGE + 1))]
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    if backwards:
        rows.reverse()
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    has_before = more if backwards else after is not None
    has_after = True if backwards else more
    return Page(
        rows=rows,
        total=total.scalar_one(),
        before=first.device.inventory_number if first and has_before else None,
        after=last.device.inventory_number if last and has_after else None,
    )


def everything(session: Session, filters: Filters, today: date) -> list[Row]:
    """Every device that the filters leave, by inventory number."""
    found = _filtered(filters, today).order_by(Device.inventory_number)
    return [_row(*fields) for fields in session.execute(found)]


def state_of(session: Session, device: Device, today: date) -> DeviceState:
    found = _selected(today).where(Device.id == device.id)
    return _row(*session.execute(found).one()).state


def choices(session: Session) -> tuple[list[str], Sequence[tuple[str, str]]]:
    """What can be filtered by: the types in use, and the customers with devices (number, name)."""
    types = session.execute(select(Device.type).distinct().order_by(Device.type)).scalars()
    customers = session.execute(
        select(Customer.number, Customer.name)
        .where(exists().where(Device.customer_id == Customer.id))
        .order_by(Customer.sort_key, Customer.number)
    )
    return list(types), [(number, name) for number, name in customers]


def customers(session: Session) -> list[tuple[str, str]]:
    """Every customer that a device can belong to: number and name."""
    rows = session.execute(select(Customer.number, Customer.name).order_by(Customer.sort_key, Customer.number))
    return [(number, name) for number, name in rows]


def _selected(today: date) -> Select[Any]:
    """Devices with what decides their state, in one query."""
    retired, contract, inspecting, gate_open = _facts(today)
    return select(Device, Customer, contract, retired, inspecting, gate_open).join(
        Customer, Customer.id == Device.customer_id
    )


def _filtered(filters: Filters, today: date) -> Select[Any]:
    found = _selected(today).where(matches(Device.search, filters.text))
    if filters.customer:
        found = found.where(Customer.number == filters.customer)
    if filters.type:
        found = found.where(Device.type == filters.type)
    if filters.bought:
        found = found.where(Device.purchased_from_us.is_(filters.bought == "ours"))
    if filters.contract:
        covered = _inclusion(today).exists()
        found = found.where(covered if filters.contract == "in" else ~covered)
    if filters.state:
        found = found.where(_state(today) == filters.state)
    elif not filters.text:
        found = found.where(~_facts(today)[0])  # retired ones are found by their state, or by search
    return found


def _inclusion(today: date) -> Select[Any]:
    return (
        select(Contract.number)
        .join(ContractDevice, ContractDevice.contract_id == Contract.id)
        .where(ContractDevice.device_id == Device.id, ContractDevice.included_from <= today)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > today))
        .limit(1)
        .correlate(Device)
    )


def _facts(
    today: date,
) -> tuple[ColumnElement[bool], ColumnElement[Any], ColumnElement[bool], ColumnElement[bool]]:
    """Retired, the contract it is in, under inspection, gate open."""
    retired = func.coalesce(Device.retired_on <= today, False)
    started = and_(
        Inspection.device_id == Device.id,
        Inspection.signed_at.is_(None),
        Inspection.started_at.is_not(None),
    )
    inspecting = select(Inspection.id).where(started).correlate(Device).exists()
    return retired, _inclusion(today).scalar_subquery(), inspecting, func.may_enter_contract(Device.id, today)


def _state(today: date) -> ColumnElement[str]:
    """`domain.acceptance.device_state`, as the database finds it."""
    retired, contract, inspecting, gate_open = _facts(today)
    return case(
        (retired, DeviceState.RETIRED.value),
        (contract.is_not(None), DeviceState.IN_CONTRACT.value),
        (inspecting, DeviceState.UNDER_INSPECTION.value),
        (gate_open, DeviceState.ELIGIBLE.value),
        else_=DeviceState.PROPOSED.value,
    )


def _row(
    device: Device, customer: Customer, contract: str | None, retired: bool, inspecting: bool, gate_open: bool
) -> Row:
    facts = DeviceFacts(
        bought_from_us=device.purchased_from_us,
        retired=retired,
        in_contract=contract is not None,
        inspecting=inspecting,
        gate_open=gate_open,
    )
    return Row(device, customer, contract, device_state(facts))
