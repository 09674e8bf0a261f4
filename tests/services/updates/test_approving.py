"""Decisions about updates, what they do to the rollout, and what the database refuses whoever asks."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from ptdash.domain.updates import (
    DayNotAhead,
    NotChecked,
    OwnTestApproved,
    ReasonMissing,
    Result,
    State,
    StepRefused,
)
from ptdash.models import AuditEvent, RolloutTask, UpdateApproval
from ptdash.services import settings
from ptdash.services.updates import approving, checking, entering
from tests.services.test_integrity import refused
from tests.services.updates.house import NOW, TODAY, House, later


def open_tasks(house: House, update_id: int) -> int:
    found = select(func.count()).where(
        RolloutTask.update_id == update_id, RolloutTask.status == "planned", RolloutTask.stopped_at.is_(None)
    )
    return house.session.execute(found).scalar_one()


def test_an_approval_plans_a_task_for_every_device_in_a_contract(house):
    house.covered(2)
    house.covered(1)
    update = house.tested()
    made = approving.approve(house.session, update.id, note="läuft", **house.by)
    assert (made.planned.devices, made.planned.customers, open_tasks(house, update.id)) == (3, 2, 3)
    assert (update.state, made.approval.four_eyes, made.approval.note) == ("approved", True, "läuft")
    # November 2026: the window is from Monday 16 to Friday 20.
    assert {day for day, _ in made.planned.days} <= {date(2026, 11, 16) + timedelta(days=n) for n in range(5)}


def test_without_a_passed_check_there_is_no_approval(house):
    update = house.update()
    with pytest.raises(StepRefused):
        approving.approve(house.session, update.id, **house.by)
    house.finish(house.start(update), Result.FAILED, "bootet nicht")
    assert update.state == "in_test"
    with pytest.raises(NotChecked):
        approving.approve(house.session, update.id, **house.by)


def test_after_a_failed_check_another_one_can_pass(house):
    update = house.tested(result=Result.FAILED)
    house.finish(house.start(update))
    assert approving.approve(house.session, update.id, **house.by).approval.check_id == 2


def test_a_check_that_failed_after_one_that_passed_stands_in_the_way(house):
    update = house.tested()
    house.finish(house.start(update), Result.FAILED, "doch nicht")
    with pytest.raises(NotChecked):
        approving.approve(house.session, update.id, **house.by)


def test_a_check_of_another_version_does_not_count(house):
    update = house.tested()
    entry = house.entry("140.5.1")
    entering.change(house.session, update.id, entry, seen=1, **house.by)
    with pytest.raises(NotChecked):
        approving.approve(house.session, update.id, **house.by)


def test_while_another_check_is_under_way_nobody_approves(house):
    update = house.tested()
    house.start(update)
    with pytest.raises(entering.CheckRuns):
        approving.approve(house.session, update.id, **house.by)


def test_with_four_eyes_the_tester_does_not_approve(house):
    update = house.tested()
    own = house.by | {"actor_id": house.tester.id}
    with pytest.raises(OwnTestApproved):
        approving.approve(house.session, update.id, **own)
    settings.change(house.session, "four_eyes", "no", actor_id=None, now=NOW)
    assert approving.approve(house.session, update.id, **own).approval.four_eyes is False


def test_a_rehearsal_says_what_an_approval_would_do_and_leaves_nothing(house):
    house.covered(3)
    update = house.tested()
    events = house.session.execute(select(func.count(AuditEvent.id))).scalar_one()
    told = approving.rehearse(house.session, lambda: approving.approve(house.session, update.id, **house.by))
    house.session.expire_all()
    assert told.planned.devices == 3
    assert (update.state, open_tasks(house, update.id)) == ("in_test", 0)
    assert house.session.execute(select(func.count(AuditEvent.id))).scalar_one() == events


def test_an_update_is_rejected_with_a_reason_and_for_good(house):
    update = house.tested(result=Result.FAILED)
    with pytest.raises(ReasonMissing):
        approving.reject(house.session, update.id, "  ", **house.by)
    approving.reject(house.session, update.id, "Exchange startet nicht", **house.by)
    assert (update.state, update.reason) == ("rejected", "Exchange startet nicht")
    with pytest.raises(StepRefused):
        house.start(update)


def test_a_decision_takes_an_unfinished_check_along_and_the_trail_keeps_it(house):
    update = house.update()
    check = house.start(update)
    approving.reject(house.session, update.id, "betrifft uns nicht", **house.by)
    assert checking.pending(house.session, update.id) is None
    actions = house.session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all()
    assert actions[-2:] == ["call off", "reject"]
    with pytest.raises(Exception, match="does not exist"):
        checking.finish(house.session, check.id, Result.FAILED, note="x", actor_id=house.tester.id, now=NOW)


@pytest.mark.parametrize("tested", [False, True])
def test_what_is_deferred_comes_back_where_it_was(house, tested):
    update = house.tested() if tested else house.update()
    with pytest.raises(DayNotAhead):
        approving.defer(house.session, update.id, TODAY, **house.by)
    approving.defer(house.session, update.id, TODAY + timedelta(days=7), "Hersteller prüft", **house.by)
    was = State.IN_TEST if tested else State.DETECTED
    assert entering.state_of(update, TODAY + timedelta(days=6)) is State.DEFERRED
    assert entering.state_of(update, TODAY + timedelta(days=7)) is was
    if tested:
        with pytest.raises(StepRefused):
            approving.approve(house.session, update.id, **house.by)
        approving.approve(house.session, update.id, **house.by | later(7))
        assert (update.state, update.deferred_until) == ("approved", None)


def test_what_is_deferred_can_be_taken_up_before_its_day(house):
    update = house.tested()
    approving.defer(house.session, update.id, TODAY + timedelta(days=7), **house.by)
    approving.take_up(house.session, update.id, **house.by)
    assert (update.state, update.deferred_from) == ("in_test", None)
    with pytest.raises(StepRefused):
        approving.take_up(house.session, update.id, **house.by)


def test_a_withdrawal_stops_the_open_tasks_and_lists_what_is_installed(house):
    house.covered(3)
    update = house.approved()
    installed_on_one(house)
    with pytest.raises(ReasonMissing):
        approving.withdraw(house.session, update.id, "", **house.by | later(5))
    ended = approving.withdraw(house.session, update.id, "Hersteller zieht zurück", **house.by | later(5))
    assert (ended.stopped.tasks, len(ended.stopped.installed), open_tasks(house, update.id)) == (2, 1, 0)
    approval = house.session.execute(select(UpdateApproval)).scalar_one()
    assert (approval.ended_by, approval.end_reason, update.state) == (
        "withdrawn",
        "Hersteller zieht zurück",
        "withdrawn",
    )
    assert refused(house.session, "SAVEPOINT before; " + INSTALL.format(one="")) == "PD005"


def test_a_newer_version_closes_its_older_ones_when_it_is_approved(house):
    house.covered(2)
    old, older = house.approved("140.4.0"), house.update("140.3.9")
    new = house.tested("140.5.0")
    assert old.state == "approved"  # it stays in force until the new one is
    made = approving.approve(house.session, new.id, **house.by)
    assert {row.update_id: row.stopped and row.stopped.tasks for row in made.closed} == {old.id: 2, older.id: None}
    assert (old.state, old.superseded_by_id, older.state) == ("superseded", new.id, "superseded")
    assert (open_tasks(house, old.id), open_tasks(house, new.id)) == (0, 2)


def test_an_older_version_that_is_to_stay_stays(house):
    old, new = house.approved("140.4.0"), house.tested("140.5.0")
    assert not approving.approve(house.session, new.id, closing=[], **house.by).closed
    assert old.state == "approved"


def test_a_newer_version_entered_on_the_page_closes_one_that_is_not_approved(house):
    old = house.tested("140.4.0", result=Result.FAILED)
    new = approving.enter_newer(house.session, old.id, house.entry("140.5.0"), **house.by)
    assert (old.state, old.superseded_by_id, new.state) == ("superseded", new.id, "detected")


def test_an_update_is_superseded_only_by_another_that_can_still_be_installed(house):
    one, other = house.update("1.0"), house.update("2.0")
    with pytest.raises(approving.SupersededByItself):
        approving.supersede(house.session, one.id, one.id, **house.by)
    approving.reject(house.session, other.id, "unbrauchbar", **house.by)
    with pytest.raises(approving.SuccessorEnded):
        approving.supersede(house.session, one.id, other.id, **house.by)


def test_what_could_take_an_updates_place_is_for_the_same_product(house):
    chrome = house.product("Chrome", "Google")
    one, newer = house.update("1.0"), house.update("2.0")
    house.update("3.0", title="Chrome", products=(chrome.id,))
    both = house.update("9", title="Sammelpaket", products=(chrome.id, house.firefox.id))
    assert approving.newer_versions(house.session, one) == [newer, both]


INSTALL = """UPDATE rollout_tasks t SET status = 'installed', installed_by_id = 1,
    installed_at = (t.planned_on + time '08:00') AT TIME ZONE 'Europe/Berlin' {one}"""
ONE = "WHERE id = (SELECT min(id) FROM rollout_tasks)"


def installed_on_one(house: House) -> None:
    house.session.execute(text(INSTALL.format(one=ONE)))


def test_who_withdraws_says_what_is_to_be_done_where_it_is_installed(house):
    house.covered(1)
    update = house.approved()
    approving.withdraw(house.session, update.id, "Bug", " Zurück auf 140.4.0 ", **house.by | later(5))
    approval = house.session.execute(select(UpdateApproval)).scalar_one()
    assert approval.end_instruction == "Zurück auf 140.4.0"
    event = house.session.execute(select(AuditEvent).where(AuditEvent.action == "withdraw")).scalar_one()
    assert event.after["instruction"] == "Zurück auf 140.4.0"
    assert refused(house.session, "UPDATE update_approvals SET end_instruction = 'anders'") == "PD003"


def test_an_instruction_is_optional_and_as_long_as_a_reason(house):
    house.covered(1)
    update = house.approved()
    with pytest.raises(entering.FieldTooLong):
        approving.withdraw(house.session, update.id, "Bug", "x" * 2001, **house.by)
    assert open_tasks(house, update.id) == 1
    approving.withdraw(house.session, update.id, "Bug", **house.by | later(5))
    assert house.session.execute(select(UpdateApproval.end_instruction)).scalar_one() == ""


def test_an_approval_in_force_has_no_instruction(house):
    house.covered(1)
    house.approved()
    assert refused(house.session, "UPDATE update_approvals SET end_instruction = 'ohne Ende'") == "23514"


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("UPDATE updates SET state = 'approved'", "PD005"),
        (
            "INSERT INTO update_approvals (update_id, check_id, approved_at, approved_by_id, four_eyes)"
            " SELECT update_id, id, now() + interval '10 years', 2, false FROM update_checks",
            "PD005",
        ),
    ],
)
@pytest.mark.parametrize("result", [None, Result.FAILED])
def test_the_database_refuses_an_approval_without_a_passed_check(house, sql, state, result):
    update = house.update()
    check = house.start(update)
    if result:
        house.finish(check, result, "bootet nicht")
    assert refused(house.session, sql) == state


def test_the_database_refuses_an_approval_by_the_tester(house):
    house.tested()
    sql = (
        "INSERT INTO update_approvals (update_id, check_id, approved_at, approved_by_id, four_eyes)"
        " SELECT update_id, id, now() + interval '10 years', tester_id, false FROM update_checks"
    )
    assert refused(house.session, sql) == "PD005"


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("UPDATE update_checks SET note = 'schöner'", "PD003"),
        ("DELETE FROM update_checks", "PD003"),
        ("UPDATE update_check_results SET state = 'passed'", "PD003"),
        ("UPDATE updates SET version = '9.9'", "PD003"),
        ("UPDATE update_approvals SET approved_by_id = 1", "PD003"),
        ("UPDATE update_approvals SET ended_at = now() + interval '10 years', ended_by = 'withdrawn'", "23514"),
        ("UPDATE updates SET state = 'withdrawn', reason = 'weg'", "PD005"),
    ],
)
def test_the_database_keeps_what_was_tested_and_approved(house, sql, state):
    house.approved()
    assert refused(house.session, sql) == state
