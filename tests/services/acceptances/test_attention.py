"""What the overview says of acceptances, and to whom."""

from dataclasses import dataclass

import pytest

from ptdash.domain.acceptance import Outcome
from ptdash.models import Acceptance, InspectionResult, Role, User
from ptdash.services.acceptances import attention, inspecting, signing
from tests.services.acceptances.inspection import NOW, TODAY, Bench, day, later


@dataclass
class Office:
    bench: Bench

    def person(self, role: Role) -> User:
        return self.bench.company.add(User(email=f"{role}@pt.example", name=role, role=role))

    def told(self, user: User, on: int = 0) -> dict[str, int]:
        found = attention.needed(self.bench.session, user, day(on))
        names = ("mine", "again", "unplanned", "ready", "revoked")
        told = {name: len(getattr(found, name)) for name in names if getattr(found, name)}
        assert found.count == len(told)
        return told

    def plan(self, days: int) -> None:
        inspecting.plan(
            self.bench.session,
            self.bench.device.inventory_number,
            assignee_id=self.bench.colleague.id,
            scheduled_at=later(days),
            actor_id=None,
            now=NOW,
        )


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


def test_what_has_no_day_waits_for_who_plans(office: Office, bench: Bench) -> None:
    bench.propose()
    for role in (Role.DISPATCHER, Role.MANAGER):
        assert office.told(office.person(role)) == {"unplanned": 1}
    assert office.told(bench.colleague) == {}
    found = attention.needed(bench.session, office.person(Role.ADMIN), TODAY)
    assert (found.count, found.waiting_since) == (0, None)


def test_what_is_planned_shows_on_its_day_to_its_assignee(office: Office, bench: Bench) -> None:
    bench.propose()
    office.plan(2)
    assert office.told(bench.colleague, 1) == {}
    assert office.told(bench.colleague, 2) == {"mine": 1}
    assert office.told(bench.technician, 2) == {}
    assert office.told(office.person(Role.DISPATCHER), 2) == {}


def test_what_was_refused_shows_once_every_fault_is_remedied(office: Office, bench: Bench) -> None:
    bench.propose()
    refused = bench.inspected(Outcome.REFUSED, failed=(1, 2))
    assert office.told(bench.technician) == {}
    faults = bench.session.query(InspectionResult).filter_by(inspection_id=refused.id, state="failed").all()
    for fault in faults:
        signing.remedy(bench.session, refused.id, fault.pos, "Getauscht", actor_id=bench.technician.id, now=NOW)
    assert office.told(bench.technician) == {"again": 1}


def test_what_was_accepted_or_revoked_waits_for_a_manager(office: Office, bench: Bench) -> None:
    bench.propose()
    bench.inspected()
    manager = office.person(Role.MANAGER)
    assert office.told(manager) == {"ready": 1}
    assert office.told(bench.technician) == {}
    bench.company.include(bench.contract, bench.device, included_from=TODAY)
    (acceptance,) = bench.session.query(Acceptance).all()
    signing.revoke(bench.session, acceptance.id, "Fehler", today=day(1), actor_id=manager.id, now=later(1))
    assert office.told(manager, 1) == {"revoked": 1}
