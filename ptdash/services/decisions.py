"""Decisions about contracts whose term ends: renew, change, let end."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid
from ptdash.domain.terms import ONE_DAY, ContractState
from ptdash.models import Contract, ContractDecision, ContractDevice, Device, SoftwareAgreement
from ptdash.services import audit, contract_numbers, contracts, notices, reminders
from ptdash.services.contracts import ContractOnDay


class Decision(StrEnum):
    """A change is a successor that a person enters; it holds once that contract is there."""

    RENEW = "renew"
    CHANGE = "change"
    LET_END = "let_end"


class DecisionUnknown(Invalid):
    message = "Choose what shall happen: renew, change or let end."


class LetEndReasonMissing(Invalid):
    message = "Say why the contract ends. The reason stays with it."


class NothingToDecide(Conflict):
    message = "There is nothing to decide about %(contract)s: it has no term that ends, or its end is fixed."


class RenewsItself(Conflict):
    message = "%(contract)s renews itself. To end it, record a notice."


class AlreadyFollowed(Conflict):
    message = "%(contract)s is followed by %(successor)s already."


class DevicesNotAccepted(Conflict):
    message = "Without a valid acceptance on %(day)s these devices cannot be in the new contract: %(devices)s."


def decide(
    session: Session,
    number: str,
    decision: str,
    *,
    reason: str = "",
    today: date,
    now: datetime,
    actor_id: int,
) -> Contract | None:
    """Decide what happens when the running term ends; the successor where one was made.

    A contract that renews itself can only be let go on. Without automatic renewal, `renew` makes a contract with
    the same data and devices from the day after. Raises NotFound, DecisionUnknown, LetEndReasonMissing,
    NothingToDecide, RenewsItself, AlreadyFollowed, DevicesNotAccepted.
    """
    if decision not in set(Decision):
        raise DecisionUnknown()
    session.execute(select(Contract.id).where(Contract.number == number).with_for_update(key_share=True))
    row = notices.contract_on(session, number, today)
    ends_on = row.life.term_ends_on
    if row.life.state is not ContractState.ACTIVE or ends_on is None:
        raise NothingToDecide(contract=number)
    if successor := successor_of(session, row.contract):
        raise AlreadyFollowed(contract=number, successor=successor.number)
    if decision != Decision.RENEW and row.contract.renewal_months is not None:
        raise RenewsItself(contract=number)
    if decision == Decision.LET_END and not reason.strip():
        raise LetEndReasonMissing()
    made = None
    if decision == Decision.RENEW and row.contract.renewal_months is None:
        made = _renew(session, row, ends_on + ONE_DAY)
    session.merge(
        ContractDecision(
            contract_id=row.contract.id,
            term_ends_on=ends_on,
            decision=decision,
            reason=reason.strip(),
            decided_at=now,
            decided_by_id=actor_id,
        )
    )
    session.flush()
    if decision != Decision.CHANGE:
        reminders.finish(session, row.contract.id, actor_id=actor_id, now=now)
    after = {"decision": decision, "term_ends_on": ends_on, "reason": reason.strip()}
    after |= {"successor": made.number} if made else {}
    audit.record(session, "decide", "contract", number, actor_id=actor_id, now=now, after=after)
    return made


def successor_of(session: Session, contract: Contract) -> Contract | None:
    """The contract that follows this one."""
    return session.execute(select(Contract).where(Contract.follows_id == contract.id)).scalar_one_or_none()


def followed(session: Session, contract: Contract, *, actor_id: int, now: datetime) -> None:
    """Whoever enters a contract that follows another (`follows_id`) says so here: nothing is left to decide."""
    if contract.follows_id is not None:
        reminders.finish(session, contract.follows_id, actor_id=actor_id, now=now)


def carried(session: Session, old: Contract, starts_on: date) -> list[ContractDevice]:
    """The devices that are in a contract to its end, at their fees, for one that follows from `starts_on`; not
    those that are retired or in another contract by then. Raises DevicesNotAccepted where the gate is closed."""
    fees = {
        device.device_id: device.monthly_fee
        for device in old.devices
        if device.ends_before is None or device.ends_before == old.ends_before
    }
    elsewhere = select(ContractDevice.id).where(
        ContractDevice.device_id == Device.id,
        or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > starts_on),
    )
    found = session.execute(
        select(Device.id, Device.inventory_number, func.may_enter_contract(Device.id, starts_on))
        .where(Device.id.in_(fees), Device.retired_on.is_(None), ~elsewhere.exists())
        .order_by(Device.inventory_number)
    ).all()
    if refused := [number for _, number, may_enter in found if not may_enter]:
        raise DevicesNotAccepted(day=starts_on, devices=", ".join(refused))
    return [
        ContractDevice(device_id=device_id, included_from=starts_on, monthly_fee=fees[device_id])
        for device_id, _, _ in found
    ]


def take_over_agreements(session: Session, old: Contract, successor: Contract) -> None:
    """What was agreed on foreign software holds in the contract that follows, too."""
    agreements = select(SoftwareAgreement).where(SoftwareAgreement.contract_id == old.id)
    for agreed in session.execute(agreements).scalars().all():
        session.add(
            SoftwareAgreement(contract_id=successor.id, product=agreed.product, agreement=agreed.agreement)
        )
    session.flush()


def _renew(session: Session, row: ContractOnDay, starts_on: date) -> Contract:
    """The same contract once more: package, fee, devices, procedure and agreements as they are at its end."""
    old, last_day = row.contract, starts_on - ONE_DAY
    successor = Contract(
        number=contract_numbers.following(session, old.kind),
        customer_id=old.customer_id,
        kind=old.kind,
        package=contracts.package_on(old, last_day),
        monthly_fee=contracts.fee_on(old, last_day),
        starts_on=starts_on,
        term_months=old.term_months,
        notice_months=old.notice_months,
        renewal_months=old.renewal_months,
        active_station_procedure=old.active_station_procedure,
        follows_id=old.id,
        devices=carried(session, old, starts_on),
    )
    session.add(successor)
    session.flush()
    contracts.store_ends(session, [successor.id])
    take_over_agreements(session, old, successor)
    return successor
