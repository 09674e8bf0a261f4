"""One inspection as its page and its protocol show it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.acceptance import Answer, ItemState, Outcome, Section, outcomes
from ptdash.domain.periods import berlin_day
from ptdash.models import (
    Acceptance,
    AuditEvent,
    ChecklistItem,
    ChecklistTemplate,
    Contract,
    Customer,
    Device,
    DeviceProposal,
    Inspection,
    InspectionFile,
    InspectionResult,
    StoredFile,
    User,
)
from ptdash.services.acceptances import inspecting

EVENTS = 6


@dataclass(frozen=True)
class Finding:
    """What was found for an item once: by whom, with which photos, and how a fault was remedied."""

    result: InspectionResult
    by: str | None
    remedied_by: str | None
    photos: tuple[StoredFile, ...]

    @property
    def state(self) -> ItemState:
        return ItemState(self.result.state)

    @property
    def found_on(self) -> date | None:
        return berlin_day(self.result.answered_at) if self.result.answered_at else None


@dataclass(frozen=True)
class Line:
    """An item of the checklist; `before` is what the inspection found that this one continues, where it failed."""

    item: ChecklistItem
    finding: Finding
    before: Finding | None

    @property
    def pos(self) -> int:
        return self.item.pos

    @property
    def state(self) -> ItemState:
        return self.finding.state

    @property
    def carried(self) -> bool:
        return self.finding.result.carried_from_id is not None


@dataclass(frozen=True)
class Group:
    section: Section
    lines: tuple[Line, ...]

    def number(self, *states: ItemState) -> int:
        return sum(line.state in states for line in self.lines)

    @property
    def answered(self) -> int:
        return len(self.lines) - self.number(ItemState.OPEN)

    @property
    def complete(self) -> bool:
        return self.answered == len(self.lines)

    @property
    def failed(self) -> int:
        return self.number(ItemState.FAILED)


@dataclass(frozen=True)
class Event:
    """What happened: `item` is the checklist's text where it is about one, `state` what it was answered with."""

    at: datetime
    action: str
    item: str | None
    state: str | None
    by: str | None

    @property
    def on(self) -> date:
        return berlin_day(self.at)


@dataclass(frozen=True)
class InspectionPage:
    """`chain` are the inspections that this one continues, the first one first, and itself at the end."""

    inspection: Inspection
    device: Device
    customer: Customer
    template: ChecklistTemplate | None
    assignee: User | None
    lines: tuple[Line, ...]
    chain: Sequence[tuple[Inspection, str | None]]
    followed_by: int | None
    proposal: tuple[DeviceProposal, Contract] | None
    acceptance: Acceptance | None
    events: Sequence[Event]

    @cached_property
    def asked(self) -> tuple[Line, ...]:
        """What this inspection asks: everything, or after a refusal what was not taken over."""
        return tuple(line for line in self.lines if not line.carried)

    @cached_property
    def taken_over(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.carried)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return grouped(self.asked)

    @property
    def round(self) -> int:
        return len(self.chain)

    @property
    def open(self) -> list[int]:
        return [line.pos for line in self.asked if line.state is ItemState.OPEN]

    @property
    def failed(self) -> list[Line]:
        return [line for line in self.lines if line.state is ItemState.FAILED]

    @property
    def answered(self) -> int:
        return len(self.asked) - len(self.open)

    @property
    def outcomes(self) -> list[Outcome]:
        return outcomes(Answer(line.pos, line.state) for line in self.lines) if self.lines else []

    @property
    def signed(self) -> bool:
        return self.inspection.signed_at is not None


def grouped(lines: Sequence[Line]) -> tuple[Group, ...]:
    """Lines by section, in the order of the work; sections without any are left out."""
    found = (Group(section, tuple(line for line in lines if line.item.section == section)) for section in Section)
    return tuple(group for group in found if group.lines)


def page(session: Session, inspection_id: int) -> InspectionPage:
    """Raises NotFound."""
    inspection = inspecting.get(session, inspection_id)
    chain = _chain(session, inspection)
    findings = _findings(session, [inspection_id, *([inspection.continues_id] if inspection.continues_id else [])])
    items = _items(session, inspection)
    device = session.get_one(Device, inspection.device_id)
    followed = select(Inspection.id).where(Inspection.continues_id == inspection_id)
    return InspectionPage(
        inspection=inspection,
        device=device,
        customer=session.get_one(Customer, device.customer_id),
        template=session.get(ChecklistTemplate, inspection.template_id) if inspection.template_id else None,
        assignee=session.get(User, inspection.assignee_id) if inspection.assignee_id else None,
        lines=_lines(items, inspection, findings),
        chain=chain,
        followed_by=session.execute(followed).scalar_one_or_none(),
        proposal=_proposal(session, device),
        acceptance=_acceptance(session, inspection),
        events=_events(session, [row.id for row, _ in chain], items),
    )


def _chain(session: Session, inspection: Inspection) -> list[tuple[Inspection, str | None]]:
    """An inspection and those that it continues, with the name of who signed or has them; the first one first."""
    signer, assignee = aliased(User), aliased(User)
    rows = session.execute(
        select(Inspection, signer.name, assignee.name)
        .outerjoin(signer, signer.id == Inspection.signed_by_id)
        .outerjoin(assignee, assignee.id == Inspection.assignee_id)
        .where(Inspection.device_id == inspection.device_id, Inspection.id <= inspection.id)
    )
    known = {row.id: (row, signed or given) for row, signed, given in rows}
    found: list[tuple[Inspection, str | None]] = []
    at = inspection.id
    while at in known:
        found.append(known[at])
        at = known[at][0].continues_id or 0
    return found[::-1]


def _items(session: Session, inspection: Inspection) -> list[ChecklistItem]:
    rows = select(ChecklistItem).where(ChecklistItem.template_id == inspection.template_id)
    return list(session.execute(rows.order_by(ChecklistItem.pos)).scalars())


def _findings(session: Session, inspection_ids: list[int]) -> dict[tuple[int, int], Finding]:
    photos = defaultdict(list)
    for inspection_id, pos, file in session.execute(
        select(InspectionFile.inspection_id, InspectionFile.pos, StoredFile)
        .join(StoredFile, StoredFile.id == InspectionFile.file_id)
        .where(InspectionFile.inspection_id.in_(inspection_ids))
        .order_by(StoredFile.id)
    ):
        photos[inspection_id, pos].append(file)
    by, remedied_by = aliased(User), aliased(User)
    rows = session.execute(
        select(InspectionResult, by.name, remedied_by.name)
        .outerjoin(by, by.id == InspectionResult.answered_by_id)
        .outerjoin(remedied_by, remedied_by.id == InspectionResult.remedied_by_id)
        .where(InspectionResult.inspection_id.in_(inspection_ids))
        .execution_options(populate_existing=True)
    )
    return {
        (row.inspection_id, row.pos): Finding(row, name, remedied, tuple(photos[row.inspection_id, row.pos]))
        for row, name, remedied in rows
    }


def _lines(
    items: Sequence[ChecklistItem], inspection: Inspection, findings: dict[tuple[int, int], Finding]
) -> tuple[Line, ...]:
    lines = []
    for item in items:
        before = findings.get((inspection.continues_id or 0, item.pos))
        if before is not None and before.state is not ItemState.FAILED:
            before = None
        if finding := findings.get((inspection.id, item.pos)):
            lines.append(Line(item, finding, before))
    return tuple(lines)


def _proposal(session: Session, device: Device) -> tuple[DeviceProposal, Contract] | None:
    row = session.execute(
        select(DeviceProposal, Contract)
        .join(Contract, Contract.id == DeviceProposal.contract_id)
        .where(DeviceProposal.device_id == device.id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _acceptance(session: Session, inspection: Inspection) -> Acceptance | None:
    return session.execute(
        select(Acceptance).where(Acceptance.inspection_id == inspection.id)
    ).scalar_one_or_none()


def _events(session: Session, inspection_ids: list[int], items: Sequence[ChecklistItem]) -> list[Event]:
    """What happened in a chain of inspections, the newest first."""
    texts = {item.pos: item.text for item in items}
    rows = session.execute(
        select(AuditEvent, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == "inspection", AuditEvent.subject_id.in_(map(str, inspection_ids)))
        .order_by(AuditEvent.id.desc())
        .limit(EVENTS)
    )
    return [_event(event, by, texts) for event, by in rows]


def _event(event: AuditEvent, by: str | None, texts: dict[int, str]) -> Event:
    said: dict[str, Any] = event.after or event.before or {}
    return Event(
        at=event.at,
        action=event.action,
        item=texts.get(said.get("pos", 0)),
        state=said.get("state") or said.get("outcome"),
        by=by,
    )
