"""What the page of acceptances shows: what waits, what is under way, what has to be remedied, and what that holds
back. A number of queries that does not grow with the devices."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, ScalarSelect, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.acceptance import OPENS_GATE, ItemState, Outcome
from ptdash.domain.money import cents
from ptdash.domain.periods import berlin_day
from ptdash.models import (
    Acceptance,
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProposal,
    Inspection,
    InspectionResult,
    User,
)
from ptdash.services.bulk import among

RECENT = timedelta(days=30)
RECENT_ROWS = 5
PAGE = 50


class Stage(StrEnum):
    """Where a device stands on its way into a contract, in the order of the page."""

    REVOKED = "revoked"
    WAITING = "waiting"
    INSPECTING = "inspecting"
    REMEDIATION = "remediation"
    READY = "ready"


@dataclass(frozen=True)
class Tally:
    """How many items of an inspection are in which state, and how many faults are remedied."""

    passed: int = 0
    failed: int = 0
    not_applicable: int = 0
    open: int = 0
    remedied: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.not_applicable + self.open

    @property
    def answered(self) -> int:
        return self.total - self.open


@dataclass(frozen=True)
class Case:
    """A device that is not through. `inspection` is the one planned or under way, `refused` the one that has to be
    remedied, `tally` counts the items of the one that the stage is about."""

    stage: Stage
    device: Device
    customer: Customer
    contract: Contract | None
    proposal: DeviceProposal | None
    inspection: Inspection | None
    refused: Inspection | None
    assignee: User | None
    tally: Tally

    @property
    def scheduled_at(self) -> datetime | None:
        return self.inspection.scheduled_at if self.inspection else None


@dataclass(frozen=True)
class Held:
    """What missing acceptances keep out of a contract: devices by stage, their fees a month, since when."""

    contract: Contract
    customer: Customer
    stages: dict[Stage, int]
    included: int
    net_cents: int
    since: date

    @property
    def waiting(self) -> int:
        return sum(self.stages.values())


@dataclass(frozen=True)
class Done:
    acceptance: Acceptance
    device: Device
    customer: Customer
    contract: str | None
    inspector: User


def cases(session: Session, today: date) -> list[Case]:
    """Every device that is not through, in the order of the page."""
    rows = session.execute(_cases(today)).all()
    tallies = _tallies(session, [about.id for row in rows if (about := _about(row))])
    found = [_case(row, tallies) for row in rows]
    order = list(Stage)
    return sorted(found, key=lambda case: (order.index(case.stage), *_urgency(case)))


def waiting(today: date | BindParameter[date]) -> ScalarSelect[int]:
    """Asks how many devices need somebody."""
    ids = _cases(today).with_only_columns(Device.id).order_by(None)
    return select(func.count()).select_from(ids.subquery()).scalar_subquery()


def held(session: Session, found: Collection[Case], today: date) -> list[Held]:
    """What holds back which contract, the oldest first."""
    waiting: dict[int, list[Case]] = defaultdict(list)
    for case in found:
        if case.proposal is not None and case.stage is not Stage.READY:
            waiting[case.proposal.contract_id].append(case)
    included = _included(session, list(waiting), today)
    rows = [_held(group, included[contract_id]) for contract_id, group in waiting.items()]
    return sorted(rows, key=lambda row: (row.since, row.contract.number))


def accepted(
    session: Session, *, since: date | None = None, before: tuple[date, int] | None = None, limit: int = PAGE
) -> list[Done]:
    """Acceptances in force, the newest first; `before` continues after the last one that was shown."""
    found = _done().where(Acceptance.outcome.in_(OPENS_GATE), Acceptance.revoked_on.is_(None))
    if since is not None:
        found = found.where(Acceptance.inspected_on >= since)
    if before is not None:
        day, id_ = before
        found = found.where(
            or_(
                Acceptance.inspected_on < day,
                and_(Acceptance.inspected_on == day, Acceptance.id < id_),
            )
        )
    return [Done(*row) for row in session.execute(found.limit(limit))]


def revoked(session: Session) -> list[Done]:
    """Revoked acceptances, the newest first."""
    rows = session.execute(_done().where(Acceptance.revoked_on.is_not(None)).limit(PAGE))
    return [Done(*row) for row in rows]


def counts(session: Session) -> tuple[int, int]:
    """How many acceptances are in force, and how many are revoked."""
    in_force = func.count().filter(Acceptance.outcome.in_(OPENS_GATE), Acceptance.revoked_on.is_(None))
    row = session.execute(select(in_force, func.count().filter(Acceptance.revoked_on.is_not(None)))).one()
    return row[0], row[1]


def _cases(today: date | BindParameter[date]) -> Select[Any]:
    """Devices with a proposal, an unsigned inspection, a refusal that nothing followed, or a revoked acceptance
    while they are in a contract."""
    refused, later = aliased(Inspection, name="refused"), aliased(Inspection)
    followed = select(later.id).where(later.device_id == refused.device_id, later.id > refused.id)
    followed = followed.where(later.signed_at.is_not(None)).correlate(refused)
    gate_open = func.may_enter_contract(Device.id, today)
    return (
        select(
            Device,
            Customer,
            DeviceProposal,
            Contract,
            Inspection,
            refused,
            User,
            gate_open.label("gate_open"),
            _still_in(today).label("still_in"),
        )
        .join(Customer, Customer.id == Device.customer_id)
        .outerjoin(DeviceProposal, DeviceProposal.device_id == Device.id)
        .outerjoin(Contract, Contract.id == DeviceProposal.contract_id)
        .outerjoin(Inspection, and_(Inspection.device_id == Device.id, Inspection.signed_at.is_(None)))
        .outerjoin(
            refused,
            and_(refused.device_id == Device.id, refused.outcome == Outcome.REFUSED, ~followed.exists()),
        )
        .outerjoin(User, User.id == func.coalesce(Inspection.assignee_id, refused.assignee_id))
        .where(Device.retired_on.is_(None))
        .where(
            or_(
                and_(DeviceProposal.device_id.is_not(None), ~_inclusions(today).exists()),
                Inspection.id.is_not(None),
                and_(refused.id.is_not(None), ~gate_open),
                and_(_still_in(today), ~gate_open),
            )
        )
    )


def _still_in(today: date | BindParameter[date]) -> ColumnElement[bool]:
    """A revoked acceptance, while the device is in a contract: somebody has to decide."""
    gone = select(Acceptance.id).where(Acceptance.device_id == Device.id, Acceptance.revoked_on.is_not(None))
    runs = _inclusions(today).where(ContractDevice.included_from <= today)
    return and_(gone.correlate(Device).exists(), runs.exists())


def _inclusions(today: date | BindParameter[date]) -> Select[Any]:
    """The contracts that the device is in, or will be."""
    return (
        select(ContractDevice.id)
        .where(ContractDevice.device_id == Device.id)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > today))
        .correlate(Device)
    )


def _case(row: Row[Any], tallies: dict[int, Tally]) -> Case:
    about = _about(row)
    return Case(
        stage=_stage(row),
        device=row.Device,
        customer=row.Customer,
        contract=row.Contract,
        proposal=row.DeviceProposal,
        inspection=row.Inspection,
        refused=row.refused,
        assignee=row.User,
        tally=tallies.get(about.id, Tally()) if about is not None else Tally(),
    )


def _about(row: Row[Any]) -> Inspection | None:
    """The inspection that is counted: the one under way, else the one that was refused."""
    planned: Inspection | None = row.Inspection
    refused: Inspection | None = row.refused
    return planned if planned is not None and planned.started_at is not None else refused


def _stage(row: Row[Any]) -> Stage:
    if row.Inspection is not None and row.Inspection.started_at is not None:
        return Stage.INSPECTING
    if row.refused is not None and not row.gate_open:
        return Stage.REMEDIATION
    if row.still_in and not row.gate_open:
        return Stage.REVOKED
    if row.Inspection is None and row.gate_open:
        return Stage.READY
    return Stage.WAITING


def _urgency(case: Case) -> tuple[bool, datetime | str, str]:
    """Within a stage: what has a day first, in the order of the days, then by inventory number."""
    at = case.scheduled_at
    return at is None, at.isoformat() if at else "", case.device.inventory_number


def _tallies(session: Session, inspection_ids: Collection[int]) -> dict[int, Tally]:
    rows = session.execute(
        select(
            InspectionResult.inspection_id,
            InspectionResult.state,
            func.count(),
            func.count(InspectionResult.remedied_at),
        )
        .where(among(InspectionResult.inspection_id, inspection_ids))
        .group_by(InspectionResult.inspection_id, InspectionResult.state)
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for inspection_id, state, number, remedied in rows:
        found[inspection_id][ItemState(state).value] += number
        found[inspection_id]["remedied"] += remedied
    return {inspection_id: Tally(**numbers) for inspection_id, numbers in found.items()}


def _included(session: Session, contract_ids: Collection[int], today: date) -> Counter[int]:
    """How many devices are in each of these contracts on a day."""
    rows = session.execute(
        select(ContractDevice.contract_id, func.count())
        .where(among(ContractDevice.contract_id, contract_ids))
        .where(ContractDevice.included_from <= today)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > today))
        .group_by(ContractDevice.contract_id)
    )
    return Counter({row[0]: row[1] for row in rows})


def _held(group: list[Case], included: int) -> Held:
    proposals = [case.proposal for case in group if case.proposal]
    contract = group[0].contract
    assert contract is not None  # a proposal names its contract
    return Held(
        contract=contract,
        customer=group[0].customer,
        stages=dict(Counter(case.stage for case in group)),
        included=included,
        net_cents=sum(cents(proposal.monthly_fee) for proposal in proposals),
        since=berlin_day(min(proposal.proposed_at for proposal in proposals)),
    )


def _done() -> Select[Any]:
    contract = (
        select(Contract.number)
        .join(ContractDevice, ContractDevice.contract_id == Contract.id)
        .where(ContractDevice.device_id == Device.id)
        .order_by(ContractDevice.included_from.desc())
        .limit(1)
        .correlate(Device)
        .scalar_subquery()
    )
    return (
        select(Acceptance, Device, Customer, contract, User)
        .join(Device, Device.id == Acceptance.device_id)
        .join(Customer, Customer.id == Device.customer_id)
        .join(User, User.id == Acceptance.inspector_id)
        .order_by(Acceptance.inspected_on.desc(), Acceptance.id.desc())
    )
