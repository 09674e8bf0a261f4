"""One device with everything that belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.acceptance import DeviceState, Gate, Verdict, gate
from ptdash.models import (
    Acceptance,
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProduct,
    DeviceProposal,
    Inspection,
    Ticket,
    User,
)
from ptdash.services.devices import listing, register

TICKETS = 10


@dataclass(frozen=True)
class AcceptanceRow:
    acceptance: Acceptance
    inspector: str
    revoked_by: str | None


@dataclass(frozen=True)
class DevicePage:
    """`gate` says whether the device may enter a contract today, by `verdict` (None: it needs none, or has none).
    `open` is the inspection that is planned or under way."""

    device: Device
    customer: Customer
    state: DeviceState
    gate: Gate
    verdict: Verdict | None
    products: list[DeviceProduct]
    contracts: Sequence[tuple[ContractDevice, Contract]]
    proposal: tuple[DeviceProposal, Contract] | None
    acceptances: list[AcceptanceRow]
    open: Inspection | None
    tickets: list[Ticket]

    def running(self, today: date) -> list[Contract]:
        return [
            contract
            for row, contract in self.contracts
            if row.included_from <= today and (row.ends_before is None or row.ends_before > today)
        ]


def page(session: Session, inventory_number: str, today: date) -> DevicePage:
    """Raises NotFound."""
    device = register.get(session, inventory_number)
    acceptances = _acceptances(session, device)
    verdicts = [
        Verdict(row.acceptance.inspected_on, row.acceptance.outcome, row.acceptance.revoked_on)
        for row in acceptances
    ]
    state, verdict = gate(device.purchased_from_us, verdicts, today)
    return DevicePage(
        device=device,
        customer=session.get_one(Customer, device.customer_id),
        state=listing.state_of(session, device, today),
        gate=state,
        verdict=verdict,
        products=_products(session, device),
        contracts=_contracts(session, device),
        proposal=_proposal(session, device),
        acceptances=acceptances,
        open=_open(session, device),
        tickets=_tickets(session, device),
    )


def _products(session: Session, device: Device) -> list[DeviceProduct]:
    rows = select(DeviceProduct).where(DeviceProduct.device_id == device.id).order_by(DeviceProduct.product)
    return list(session.execute(rows).scalars())


def _contracts(session: Session, device: Device) -> list[tuple[ContractDevice, Contract]]:
    rows = session.execute(
        select(ContractDevice, Contract)
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .where(ContractDevice.device_id == device.id)
        .order_by(ContractDevice.included_from.desc())
    )
    return [(row, contract) for row, contract in rows]


def _proposal(session: Session, device: Device) -> tuple[DeviceProposal, Contract] | None:
    row = session.execute(
        select(DeviceProposal, Contract)
        .join(Contract, Contract.id == DeviceProposal.contract_id)
        .where(DeviceProposal.device_id == device.id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _acceptances(session: Session, device: Device) -> list[AcceptanceRow]:
    """Its verdicts, the newest first."""
    revoker = aliased(User)
    rows = session.execute(
        select(Acceptance, User.name, revoker.name)
        .join(User, User.id == Acceptance.inspector_id)
        .outerjoin(revoker, revoker.id == Acceptance.revoked_by_id)
        .where(Acceptance.device_id == device.id)
        .order_by(Acceptance.inspected_on.desc())
    )
    return [AcceptanceRow(*row) for row in rows]


def _open(session: Session, device: Device) -> Inspection | None:
    return session.execute(
        select(Inspection).where(Inspection.device_id == device.id, Inspection.signed_at.is_(None))
    ).scalar_one_or_none()


def _tickets(session: Session, device: Device) -> list[Ticket]:
    rows = select(Ticket).where(Ticket.device_id == device.id, Ticket.status != "merged")
    return list(session.execute(rows.order_by(Ticket.created_at.desc()).limit(TICKETS)).scalars())
