"""Ticking off: every step where it is allowed, every other one refused in words that say what happened."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ptdash.config import BERLIN
from ptdash.domain.rollout import ReasonMissing, StepNotPossible, TaskStatus
from ptdash.models import ContractDevice, RolloutTask, Ticket, UpdateApproval
from ptdash.services.contract_changes import agreed
from ptdash.services.rollout import acknowledging, ticking, undoing
from ptdash.services.rollout.acknowledging import version
from ptdash.services.rollout.ticking import Emergency, Step
from tests.services.rollout.house import FIRST, IN_WINDOW, NOW, House, utc

S = TaskStatus


def tick(house: House, ids, to: TaskStatus, *, at: datetime = IN_WINDOW, by=None, **more):
    ids = ids if isinstance(ids, list) else [ids]
    actor = by or house.technician
    day = at.astimezone(BERLIN).date()
    return ticking.tick(house.session, ids, Step(to, **more), actor=actor, today=day, now=at)


@pytest.fixture
def task(house: House) -> RolloutTask:
    house.customer(1)
    house.approved()
    return house.tasks()[0]


def test_installed_then_verified_keeps_who_and_when(house: House, task: RolloutTask):
    tick(house, task.id, S.INSTALLED)
    tick(house, task.id, S.VERIFIED, at=IN_WINDOW + timedelta(minutes=20), by=house.tester)
    assert (task.status, task.installed_at, task.installed_by_id) == ("verified", IN_WINDOW, house.technician.id)
    assert (task.verified_at - task.installed_at, task.verified_by_id) == (timedelta(minutes=20), house.tester.id)


@pytest.mark.parametrize("to", [S.FAILED, S.SKIPPED, S.MISSED, S.NOT_APPLICABLE])
def test_a_deviation_needs_a_reason(house: House, task: RolloutTask, to: TaskStatus):
    with pytest.raises(ReasonMissing):
        tick(house, task.id, to, reason="  ")
    tick(house, task.id, to, reason=" Gerät auf Dienstreise ")
    assert (task.status, task.reason) == (to.value, "Gerät auf Dienstreise")


def test_a_reboot_stays_with_the_device_whatever_happens_to_its_other_updates(house: House, task: RolloutTask):
    house.approved()
    other = house.tasks()[1]
    tick(house, [task.id, other.id], S.INSTALLED)
    tick(house, task.id, S.REBOOT_PENDING)
    tick(house, other.id, S.FAILED, reason="Fehler 1603")
    assert (task.status, other.status) == ("reboot_pending", "failed")
    tick(house, task.id, S.VERIFIED)


def test_only_steps_of_the_state_machine_are_possible(house: House, task: RolloutTask):
    with pytest.raises(StepNotPossible):
        tick(house, task.id, S.VERIFIED)
    tick(house, task.id, S.INSTALLED)
    with pytest.raises(ticking.AlreadySo):
        tick(house, task.id, S.INSTALLED)
    tick(house, task.id, S.ROLLED_BACK, reason="Drucker tot")
    with pytest.raises(StepNotPossible):
        tick(house, task.id, S.PLANNED)


def test_outside_the_window_only_as_an_emergency_with_a_reason_and_a_manager(house: House, task: RolloutTask):
    evening = utc(FIRST, 15)
    with pytest.raises(ticking.OutsideWindow):
        tick(house, task.id, S.INSTALLED, at=evening)
    with pytest.raises(ticking.EmergencyReasonMissing):
        tick(house, task.id, S.INSTALLED, at=evening, emergency=Emergency(" ", house.manager.id))
    for nobody in (None, house.technician.id):
        with pytest.raises(ticking.EmergencyManagerMissing):
            tick(house, task.id, S.INSTALLED, at=evening, emergency=Emergency("Lücke wird ausgenutzt", nobody))
    tick(house, task.id, S.INSTALLED, at=evening, emergency=Emergency("Lücke wird ausgenutzt", house.manager.id))
    assert (task.emergency_reason, task.emergency_by_id) == ("Lücke wird ausgenutzt", house.manager.id)


@pytest.mark.parametrize(("at", "open_"), [((7, 0), True), ((14, 59), True), ((6, 59), False), ((15, 0), False)])
def test_the_window_is_open_from_seven_until_three(house: House, task: RolloutTask, at, open_):
    when = utc(FIRST, *at)
    if open_:
        tick(house, task.id, S.INSTALLED, at=when)
    else:
        with pytest.raises(ticking.OutsideWindow):
            tick(house, task.id, S.INSTALLED, at=when)


def test_a_holiday_is_not_in_the_window(house: House, task: RolloutTask):
    with pytest.raises(ticking.OutsideWindow):
        tick(house, task.id, S.INSTALLED, at=utc(date(2026, 12, 25), 9))


def test_withdrawn_between_opening_the_page_and_ticking_says_who_when_and_why(house: House, task: RolloutTask):
    house.withdraw(_approval(house, task), at=utc(FIRST, 8))
    with pytest.raises(ticking.Withdrawn) as refused:
        tick(house, task.id, S.INSTALLED)
    facts = refused.value.params
    assert (facts["who"], facts["at"], facts["why"]) == ("Maria Vogt", utc(FIRST, 8), "Drucker stehen still")
    assert task.status == "skipped"


def test_a_superseded_approval_installs_nothing(house: House, task: RolloutTask):
    approval = _approval(house, task)
    approval.ended_at, approval.ended_by, approval.ended_by_id = NOW, "superseded", house.manager.id
    newer = house.update()
    update = house.session.get_one(type(newer), task.update_id)
    update.state, update.superseded_by_id = "superseded", newer.id
    house.session.flush()
    with pytest.raises(ticking.Superseded):
        tick(house, task.id, S.INSTALLED)


def test_the_database_refuses_what_no_service_was_asked_about(house: House, task: RolloutTask):
    house.withdraw(_approval(house, task))
    house.session.commit()
    installed = text("UPDATE rollout_tasks SET status = 'installed', installed_at = :at, installed_by_id = :by")
    with pytest.raises(DBAPIError, match="not approved"):
        house.session.execute(installed, {"at": IN_WINDOW, "by": house.technician.id})
    house.session.rollback()


def test_a_device_that_left_its_contract_gets_nothing(house: House):
    house.customer(1)
    house.approved()
    task = house.tasks()[0]
    inclusion = house.session.query(ContractDevice).one()
    inclusion.included_until, inclusion.ends_before = FIRST - timedelta(days=1), FIRST
    house.session.flush()
    with pytest.raises(ticking.NotCovered):
        tick(house, task.id, S.INSTALLED)


def test_an_active_station_waits_until_its_procedure_is_read(house: House):
    _, contract, devices = house.customer(2)
    devices[0].active_station = True
    contract.active_station_procedure = "Vor Beginn anrufen"
    house.approved()
    first, second = house.tasks()
    with pytest.raises(ticking.ProcedureNotRead):
        tick(house, first.id, S.INSTALLED)
    tick(house, second.id, S.INSTALLED)
    month = date(2026, 12, 1)
    facts = {"actor": house.technician, "now": IN_WINDOW}
    with pytest.raises(acknowledging.ProcedureChanged):
        acknowledging.acknowledge(house.session, contract.number, month, FIRST, version("Älter"), **facts)
    seen = version(contract.active_station_procedure)
    assert acknowledging.acknowledge(house.session, contract.number, month, FIRST, seen, **facts) == 1
    house.session.refresh(first)
    assert (first.acknowledged_at, first.acknowledged_by_id) == (IN_WINDOW, house.technician.id)
    tick(house, first.id, S.INSTALLED)
    assert first.status == "installed"


def test_several_at_once_leave_out_what_cannot_and_say_why(house: House):
    _, _, devices = house.customer(3)
    devices[1].active_station = True
    house.approved()
    ids = [task.id for task in house.tasks()]
    outcome = tick(house, ids, S.INSTALLED)
    assert [task.row.id for task in outcome.done] == [ids[0], ids[2]]
    assert [type(left.error) for left in outcome.left] == [ticking.ProcedureNotRead]
    assert [task.status for task in house.tasks()] == ["installed", "planned", "installed"]
    with pytest.raises(ticking.NothingChosen):
        tick(house, [], S.INSTALLED)


def test_a_failure_can_take_a_ticket_for_the_rework(house: House, task: RolloutTask):
    outcome = tick(house, task.id, S.FAILED, reason="Fehler 1603", ticket=True)
    ticket = house.session.query(Ticket).one()
    assert outcome.tickets == [ticket.number] == [task.note]
    assert (ticket.device_id, ticket.body) == (task.device_id, "Fehler 1603")


def test_undo_puts_back_what_was(house: House, task: RolloutTask):
    change = tick(house, task.id, S.INSTALLED).change
    undone = undoing.undo(house.session, change, actor=house.technician, now=IN_WINDOW + timedelta(seconds=9))
    assert [one.row.id for one in undone.done] == [task.id]
    assert (task.status, task.installed_at, task.installed_by_id) == ("planned", None, None)
    with pytest.raises(undoing.ChangedSince):
        undoing.undo(house.session, change, actor=house.technician, now=IN_WINDOW + timedelta(seconds=9))


def test_undo_leaves_alone_what_somebody_changed_since(house: House, task: RolloutTask):
    change = tick(house, task.id, S.INSTALLED).change
    tick(house, task.id, S.VERIFIED, at=IN_WINDOW + timedelta(minutes=1))
    with pytest.raises(undoing.ChangedSince):
        undoing.undo(house.session, change, actor=house.technician, now=IN_WINDOW + timedelta(minutes=2))
    assert task.status == "verified"


def test_undo_is_for_its_author_or_a_manager_and_for_two_days(house: House, task: RolloutTask):
    change = tick(house, task.id, S.INSTALLED).change
    soon = IN_WINDOW + timedelta(seconds=5)
    with pytest.raises(undoing.NotYours):
        undoing.undo(house.session, change, actor=house.tester, now=soon)
    with pytest.raises(undoing.TooLate):
        undoing.undo(house.session, change, actor=house.manager, now=IN_WINDOW + timedelta(days=3))
    undoing.undo(house.session, change, actor=house.manager, now=soon)


def test_undo_after_a_withdrawal_stops_the_task_instead_of_planning_it(house: House, task: RolloutTask):
    change = tick(house, task.id, S.INSTALLED).change
    house.withdraw(_approval(house, task), at=utc(FIRST, 10))
    undoing.undo(house.session, change, actor=house.technician, now=utc(FIRST, 10, 1))
    assert (task.status, task.reason, task.stopped_at) == ("skipped", "Drucker stehen still", utc(FIRST, 10, 1))


def test_undoing_a_failure_after_a_withdrawal_puts_nothing_back_onto_the_device(house: House, task: RolloutTask):
    tick(house, task.id, S.INSTALLED)
    change = tick(house, task.id, S.FAILED, reason="Bluescreen", at=IN_WINDOW + timedelta(minutes=5)).change
    house.withdraw(_approval(house, task), at=utc(FIRST, 10))
    with pytest.raises(undoing.ChangedSince):
        undoing.undo(house.session, change, actor=house.technician, now=utc(FIRST, 10, 1))


def test_a_change_of_the_procedure_has_to_be_read_again(house: House):
    _, contract, devices = house.customer(1)
    devices[0].active_station = True
    house.approved()
    task = house.tasks()[0]
    task.acknowledged_at, task.acknowledged_by_id = IN_WINDOW, house.technician.id
    house.session.flush()
    agreed.set_procedure(house.session, contract.number, "Neu", actor_id=house.manager.id, now=IN_WINDOW)
    assert house.tasks()[0].acknowledged_at is None


def _approval(house: House, task: RolloutTask):
    return house.session.get_one(UpdateApproval, task.approval_id)
