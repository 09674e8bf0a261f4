"""The coverage verdict of a stored ticket, from one query."""

from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, ScalarSelect, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.coverage import Coverage, CoverageFacts, DeviceCover, verdict
from ptdash.domain.errors import NotFound
from ptdash.domain.tickets import Category, Concern
from ptdash.models import Contract, ContractDevice, Device, DeviceProduct, SoftwareAgreement, Ticket


def of_ticket(session: Session, ticket_id: int, day: date) -> Coverage:
    """What the facts of a ticket, its device and its product say about work on a day. Raises NotFound."""
    return verdict(facts(session, ticket_id, day))


def facts(session: Session, ticket_id: int, day: date) -> CoverageFacts:
    """Everything that decides. Raises NotFound."""
    row = session.execute(_facts(), {"ticket": ticket_id, "day": day}).one_or_none()
    if row is None:
        raise NotFound(what=str(ticket_id))
    concern, category, product, device, source, maintained_by, agreed = row
    return CoverageFacts(
        day=day,
        concern=Concern(concern) if concern else None,
        category=Category(category),
        device=_cover(device, maintained_by) if device else None,
        product=product,
        source=source,
        individual_agreement=agreed,
    )


@cache
def _facts() -> Select[*tuple[Any, ...]]:
    return (
        select(Ticket.concern, Ticket.category, Ticket.product, Device, _source(), _maintained_by(), _agreed())
        .outerjoin(Device, Device.id == Ticket.device_id)
        .where(Ticket.id == bindparam("ticket"))
    )


def _cover(device: Device, maintained_by: str | None) -> DeviceCover:
    return DeviceCover(
        name=device.inventory_number,
        purchased_from_us=device.purchased_from_us,
        warranty_until=device.warranty_until,
        guarantee_until=device.guarantee_until,
        maintained_by=maintained_by,
    )


def _source() -> ScalarSelect[str]:
    """Where the ticket's product comes from: as written down for its device, else for another of its customer."""
    owner = aliased(Device)
    return (
        select(DeviceProduct.source)
        .join(owner, owner.id == DeviceProduct.device_id)
        .where(
            owner.customer_id == Ticket.customer_id,
            Ticket.product != "",
            func.fold(DeviceProduct.product) == func.fold(Ticket.product),
        )
        .order_by((DeviceProduct.device_id == Ticket.device_id).desc().nulls_last(), DeviceProduct.source.desc())
        .limit(1)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _maintained_by() -> ScalarSelect[str]:
    """The running maintenance contract that the ticket's device is in on the day that is asked about."""
    day = bindparam("day", type_=Date())
    return (
        select(Contract.number)
        .join(ContractDevice, ContractDevice.contract_id == Contract.id)
        .where(
            ContractDevice.device_id == Ticket.device_id,
            ContractDevice.included_from <= day,
            or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > day),
            Contract.starts_on <= day,
            or_(Contract.ends_before.is_(None), Contract.ends_before > day),
        )
        .limit(1)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _agreed() -> ColumnElement[bool]:
    """Whether a maintenance contract of the ticket's customer that runs on a day says what was agreed on its
    product."""
    day = bindparam("day", type_=Date)
    return (
        select(SoftwareAgreement.id)
        .join(Contract, Contract.id == SoftwareAgreement.contract_id)
        .where(
            Contract.customer_id == Ticket.customer_id,
            Contract.starts_on <= day,
            or_(Contract.ends_before.is_(None), Contract.ends_before > day),
            Ticket.product != "",
            func.fold(SoftwareAgreement.product) == func.fold(Ticket.product),
        )
        .correlate(Ticket)
        .exists()
    )
