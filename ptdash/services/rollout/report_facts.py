"""What a maintenance report says: gathered from the rows once, then kept as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.periods import berlin_day, format_month, next_month
from ptdash.domain.rollout import TaskStatus, Why, to_be_done
from ptdash.domain.windows import Window
from ptdash.models import (
    Contract,
    ContractDevice,
    Customer,
    Device,
    RolloutTask,
    Update,
    UpdateApproval,
    UpdateCheck,
    User,
)
from ptdash.services import windows

BAD = (TaskStatus.FAILED, TaskStatus.ROLLED_BACK)
DONE = (TaskStatus.VERIFIED, TaskStatus.NOT_APPLICABLE)


@dataclass(frozen=True)
class Entry:
    """A task of the window, with everything that the report says about it; `again_on`: when it follows."""

    task: RolloutTask
    device: Device
    contract: Contract
    update: Update
    check: UpdateCheck
    approval: UpdateApproval
    tester: str
    approver: str
    installed_by: str | None
    verified_by: str | None
    acknowledged_by: str | None
    manager: str | None
    again_on: date | None

    @property
    def what(self) -> str:
        return f"{self.update.title} {self.update.kb_number or self.update.version}"


def gather(session: Session, customer: Customer, month: date) -> dict[str, Any]:
    """Everything a report of a customer's window says, as plain values."""
    entries = _entries(session, customer.id, month)
    window = windows.of_month(session, month)
    return {
        "month": format_month(month),
        "customer": {"number": customer.number, "name": customer.name},
        "contracts": sorted({entry.contract.number for entry in entries}),
        "window": _window(window),
        "devices": _devices(session, customer.id, window),
        "tasks": len(entries),
        "done": sum(entry.task.status in DONE for entry in entries),
        "open": sum(entry.task.status not in DONE for entry in entries),
        "updates": [_update(list(of)) for _, of in groupby(entries, key=lambda entry: entry.update.id)],
        "installed": [_installed(entry) for entry in entries if entry.task.installed_at],
        "left": _left(entries),
        "stations": _stations(entries),
        "work": _work(entries),
        "next": _window(windows.of_month(session, next_month(month))),
    }


def _entries(session: Session, customer_id: int, month: date) -> list[Entry]:
    people = [aliased(User) for _ in range(6)]
    tester, approver, installed, verified, acknowledged, manager = people
    again = aliased(RolloutTask)
    rows: Sequence[Any] = session.execute(
        select(
            *(RolloutTask, Device, Contract, Update, UpdateCheck, UpdateApproval),
            *(person.name for person in people),
            again.planned_on,
        )
        .join(Device, Device.id == RolloutTask.device_id)
        .join(Contract, Contract.id == RolloutTask.contract_id)
        .join(Update, Update.id == RolloutTask.update_id)
        .join(UpdateApproval, UpdateApproval.id == RolloutTask.approval_id)
        .join(UpdateCheck, UpdateCheck.id == UpdateApproval.check_id)
        .join(tester, tester.id == UpdateCheck.tester_id)
        .join(approver, approver.id == UpdateApproval.approved_by_id)
        .outerjoin(installed, installed.id == RolloutTask.installed_by_id)
        .outerjoin(verified, verified.id == RolloutTask.verified_by_id)
        .outerjoin(acknowledged, acknowledged.id == RolloutTask.acknowledged_by_id)
        .outerjoin(manager, manager.id == RolloutTask.emergency_by_id)
        .outerjoin(again, again.follows_id == RolloutTask.id)
        .where(RolloutTask.customer_id == customer_id, RolloutTask.window_month == month, told())
        .order_by(Update.title, Update.id, Device.inventory_number, RolloutTask.id)
    ).all()
    return [Entry(*row) for row in rows]


def told() -> Any:
    """The tasks a customer is told of: not those of devices that left the contract before anything was done."""
    return or_(RolloutTask.stopped_at.is_(None), RolloutTask.reason != Why.NOT_COVERED.value)


def _window(window: Window) -> dict[str, str]:
    return {
        "first": window.days[0].isoformat(),
        "last": window.days[-1].isoformat(),
        "from": window.opens_at.isoformat("minutes"),
        "until": window.closes_at.isoformat("minutes"),
    }


def _devices(session: Session, customer_id: int, window: Window) -> int:
    found = (
        select(func.count(ContractDevice.device_id.distinct()))
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .where(Contract.customer_id == customer_id, ContractDevice.life.contains(window.days[-1]))
    )
    return session.execute(found).scalar_one()


def _update(entries: Sequence[Entry]) -> dict[str, Any]:
    first = entries[0]
    statuses = [TaskStatus(entry.task.status) for entry in entries]
    return {
        "title": first.update.title,
        "version": first.update.kb_number or first.update.version,
        "checked_at": first.check.finished_at.isoformat() if first.check.finished_at else "",
        "checked_by": first.tester,
        "checked_on": first.check.tested_on,
        "approved_at": first.approval.approved_at.isoformat(),
        "approved_by": first.approver,
        "devices": len(entries),
        "verified": sum(status in DONE for status in statuses),
        "bad": sum(status in BAD for status in statuses),
    }


def _installed(entry: Entry) -> dict[str, Any]:
    task = entry.task
    assert task.installed_at
    return {
        "device": entry.device.inventory_number,
        "name": entry.device.name,
        "what": entry.what,
        "status": task.status,
        "at": task.installed_at.isoformat(),
        "by": entry.installed_by or "",
        "verified_at": task.verified_at.isoformat() if task.verified_at else "",
        "verified_by": entry.verified_by or "",
        "emergency": task.emergency_reason,
        "allowed_by": entry.manager or "",
        "withdrawn": to_be_done(TaskStatus(task.status), entry.approval.ended_by, entry.approval.end_instruction),
    }


def _left(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """What failed or is open, by device, state and reason: one row each, with how it goes on."""
    rows: dict[tuple[str, str, str, str, str], list[str]] = {}
    for entry in entries:
        task = entry.task
        if task.status not in DONE:
            ticket = task.note if task.status == TaskStatus.FAILED else ""
            again = entry.again_on.isoformat() if entry.again_on and not task.stopped_at else ""
            state = "stopped" if task.stopped_at else task.status
            key = (entry.device.inventory_number, state, task.reason, ticket, again)
            rows.setdefault(key, []).append(entry.what)
    names = ("device", "status", "reason", "ticket", "again_on")
    return [dict(zip(names, key, strict=True)) | {"what": what} for key, what in sorted(rows.items())]


def _stations(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The active stations on which the procedure was kept to, by contract, person and day."""
    found: dict[tuple[str, str, date], list[Entry]] = {}
    for entry in entries:
        if entry.task.acknowledged_at and entry.task.installed_at and entry.acknowledged_by:
            key = (entry.contract.number, entry.acknowledged_by, berlin_day(entry.task.installed_at))
            found.setdefault(key, []).append(entry)
    return [
        {
            "contract": contract,
            "by": by,
            "day": day.isoformat(),
            "devices": sorted({entry.device.inventory_number for entry in of}),
            "first": min(entry.task.installed_at for entry in of if entry.task.installed_at).isoformat(),
            "last": max(entry.task.installed_at for entry in of if entry.task.installed_at).isoformat(),
        }
        for (contract, by, day), of in sorted(found.items())
    ]


def _work(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Who installed on which day from when to when, and on how many devices."""
    found: dict[tuple[date, str], list[Entry]] = {}
    for entry in entries:
        if entry.task.installed_at and entry.installed_by:
            key = (berlin_day(entry.task.installed_at), entry.installed_by)
            found.setdefault(key, []).append(entry)
    rows = []
    for (day, by), of in sorted(found.items()):
        times = [at for entry in of for at in (entry.task.installed_at, entry.task.verified_at) if at]
        times = [at for at in times if berlin_day(at) == day]
        devices = len({entry.device.id for entry in of})
        rows.append({"day": day.isoformat(), "first": min(times).isoformat(), "last": max(times).isoformat(),
                     "by": by, "devices": devices})  # fmt: skip
    return rows
