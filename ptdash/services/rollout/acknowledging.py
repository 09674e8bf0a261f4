"""The procedure for active stations: read and confirmed before anything is installed on them."""

from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.domain.rollout import TaskStatus
from ptdash.models import Contract, Device, RolloutTask, User
from ptdash.services import audit


class ProcedureChanged(Conflict):
    message = "The procedure of %(contract)s was changed meanwhile. Read it again."


def version(procedure: str) -> str:
    """What names one wording of a procedure."""
    return sha256(procedure.encode()).hexdigest()[:12]


def acknowledge(
    session: Session, contract_number: str, month: date, until: date, seen: str, *, actor: User, now: datetime
) -> int:
    """Confirm a contract's procedure for the active stations that are planned in a month's window up to a day;
    how many tasks that opens. Raises NotFound, ProcedureChanged."""
    contract = session.execute(
        select(Contract).where(Contract.number == contract_number).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if contract is None:
        raise NotFound(what=contract_number)
    if seen != version(contract.active_station_procedure):
        raise ProcedureChanged(contract=contract_number)
    stations = select(Device.id).where(Device.active_station)
    changed = session.execute(
        update(RolloutTask)
        .where(
            RolloutTask.contract_id == contract.id,
            RolloutTask.window_month == month,
            RolloutTask.planned_on <= until,
            RolloutTask.status == TaskStatus.PLANNED,
            RolloutTask.acknowledged_at.is_(None),
            RolloutTask.device_id.in_(stations),
        )
        .values(acknowledged_at=now, acknowledged_by_id=actor.id)
        .returning(RolloutTask.id)
    )
    opened = len(changed.scalars().all())
    if opened:
        after = {"window": month, "tasks": opened, "procedure": seen}
        audit.record(
            session, "acknowledge_procedure", "contract", contract_number, actor_id=actor.id, now=now, after=after
        )
    return opened


def forget(session: Session, contract_id: int) -> None:
    """A procedure that is changed has to be read again before the next installation."""
    session.execute(
        update(RolloutTask)
        .where(RolloutTask.contract_id == contract_id, RolloutTask.status == TaskStatus.PLANNED)
        .where(RolloutTask.acknowledged_at.is_not(None))
        .values(acknowledged_at=None, acknowledged_by_id=None)
    )
