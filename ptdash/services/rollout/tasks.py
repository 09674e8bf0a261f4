"""Tasks for a change: locked, with what decides whether they may take it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.rollout import TaskStatus
from ptdash.domain.windows import Window
from ptdash.models import Contract, Device, MaintenanceWindow, RolloutTask, Update, UpdateApproval, User
from ptdash.services import windows
from ptdash.services.bulk import among


@dataclass(frozen=True)
class Task:
    """`ended_by`: who ended the approval, where it has ended."""

    row: RolloutTask
    device: Device
    update: Update
    approval: UpdateApproval
    contract: Contract
    window: Window
    ended_by: str | None

    @property
    def status(self) -> TaskStatus:
        return TaskStatus(self.row.status)

    @property
    def name(self) -> str:
        """The device and its update, as a refusal names them."""
        return f"{self.device.inventory_number}, {self.update.title} {self.update.version}"


def lock(session: Session, ids: Collection[int]) -> Sequence[Task]:
    """The tasks of these numbers that exist, in order.

    Their approvals first, in share: a withdrawal waits, or is seen. Whoever withdraws locks in the same order.
    """
    session.flush()
    of_tasks = select(RolloutTask.approval_id).where(among(RolloutTask.id, ids))
    session.execute(
        select(UpdateApproval.id)
        .where(UpdateApproval.id.in_(of_tasks))
        .order_by(UpdateApproval.id)
        .with_for_update(read=True)
    )
    session.execute(
        select(RolloutTask.id).where(among(RolloutTask.id, ids)).order_by(RolloutTask.id).with_for_update()
    )
    return load(session, ids)


def load(session: Session, ids: Collection[int]) -> Sequence[Task]:
    ended_by = aliased(User)
    rows = session.execute(
        select(RolloutTask, Device, Update, UpdateApproval, Contract, MaintenanceWindow, ended_by.name)
        .join(Device, Device.id == RolloutTask.device_id)
        .join(Update, Update.id == RolloutTask.update_id)
        .join(UpdateApproval, UpdateApproval.id == RolloutTask.approval_id)
        .join(Contract, Contract.id == RolloutTask.contract_id)
        .join(MaintenanceWindow, MaintenanceWindow.month == RolloutTask.window_month)
        .outerjoin(ended_by, ended_by.id == UpdateApproval.ended_by_id)
        .where(among(RolloutTask.id, ids))
        .order_by(RolloutTask.id)
        .execution_options(populate_existing=True)
    )
    return [
        Task(task, device, update, approval, contract, windows.stored(window), who)
        for task, device, update, approval, contract, window, who in rows
    ]
