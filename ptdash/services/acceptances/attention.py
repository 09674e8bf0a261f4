"""What of the acceptances needs somebody now: for the overview."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from ptdash.domain.periods import berlin_day
from ptdash.models import Role, User
from ptdash.services.acceptances import worklist
from ptdash.services.acceptances.worklist import Case, Stage

INSPECTORS = frozenset({Role.TECHNICIAN, Role.MANAGER})
PLANNERS = frozenset({Role.DISPATCHER, Role.MANAGER})


@dataclass(frozen=True)
class Attention:
    """`mine`: the person's inspections that are begun, or planned for today or before; `again`: the person's
    devices whose faults are all remedied; `unplanned`: nobody has said when; `ready`: accepted, and not in its
    contract yet; `revoked`: in a contract without a valid acceptance."""

    mine: Sequence[Case] = ()
    again: Sequence[Case] = ()
    unplanned: Sequence[Case] = ()
    ready: Sequence[Case] = ()
    revoked: Sequence[Case] = ()

    @property
    def count(self) -> int:
        return sum(1 for found in (self.mine, self.again, self.unplanned, self.ready, self.revoked) if found)

    @property
    def waiting_since(self) -> date | None:
        """The day on which the first of the unplanned devices was proposed."""
        days = [berlin_day(case.proposal.proposed_at) for case in self.unplanned if case.proposal]
        return min(days, default=None)


def needed(session: Session, user: User, today: date) -> Attention:
    """Who inspects sees what is next, who plans what has no day, a manager what is to be decided."""
    cases = worklist.cases(session, today)

    def those(roles: frozenset[Role], wanted: Callable[[Case], bool]) -> list[Case]:
        return [case for case in cases if wanted(case)] if user.role in roles else []

    def own(case: Case) -> bool:
        return case.assignee is not None and case.assignee.id == user.id

    return Attention(
        mine=those(INSPECTORS, lambda case: own(case) and _is_due(case, today)),
        again=those(INSPECTORS, lambda case: own(case) and _is_remedied(case, today)),
        unplanned=those(PLANNERS, lambda case: case.stage is Stage.WAITING and case.scheduled_at is None),
        ready=those(frozenset({Role.MANAGER}), lambda case: case.stage is Stage.READY),
        revoked=those(frozenset({Role.MANAGER}), lambda case: case.stage is Stage.REVOKED),
    )


def _is_due(case: Case, today: date) -> bool:
    if case.stage is Stage.INSPECTING:
        return True
    return case.scheduled_at is not None and berlin_day(case.scheduled_at) <= today


def _is_remedied(case: Case, today: date) -> bool:
    done = case.stage is Stage.REMEDIATION and case.tally.remedied == case.tally.failed
    return done and not _is_due(case, today)
