"""What time asks for: devices that come and go, windows that are over."""

from datetime import date, timedelta

import pytest

from ptdash.domain.rollout import TaskStatus
from ptdash.services.rollout import moving, sweeping, ticking
from ptdash.services.rollout.ticking import Step
from tests.services.rollout.house import FIRST, IN_WINDOW, NOW, TODAY, House, utc

AFTER = utc(date(2026, 12, 24), 15)
JANUARY = date(2027, 1, 1)


def sweep(house: House, day: date = TODAY, at=NOW) -> sweeping.Swept:
    return sweeping.sweep(house.session, today=day, now=at)


def test_a_device_that_enters_a_running_contract_gets_what_is_approved(house: House):
    customer, contract, _ = house.customer(1)
    house.approved()
    house.approved()
    late = house.device(customer, contract)
    assert sweep(house) == sweeping.Swept(0, 0, 0, 2)
    assert {task.planned_on for task in house.tasks(device_id=late.id)} == {FIRST}
    assert sweep(house) == sweeping.NOTHING


def test_a_device_whose_contract_begins_later_gets_its_task_on_that_day(house: House):
    customer = house.company.customer()
    contract = house.company.maintenance(customer, starts_on=TODAY + timedelta(days=3))
    house.device(customer, contract)
    house.approved()
    assert sweep(house) == sweeping.NOTHING
    assert sweep(house, TODAY + timedelta(days=3)).made == 1


def test_open_tasks_stop_when_the_contract_ends_and_installed_ones_stay(house: House):
    customer = house.company.customer()
    contract = house.company.maintenance(customer, ends_before=date(2026, 12, 22))
    house.device(customer, contract)
    house.device(customer, contract)
    house.approved()
    first, second = house.tasks()
    ticking.tick(house.session, [first.id], Step(TaskStatus.INSTALLED), actor=house.technician, today=FIRST,
                 now=IN_WINDOW)  # fmt: skip
    assert sweep(house, date(2026, 12, 21), utc(date(2026, 12, 21), 10)) == sweeping.NOTHING
    assert sweep(house, date(2026, 12, 22), utc(date(2026, 12, 22), 8)).stopped == 1
    house.session.expire_all()
    assert (first.status, first.stopped_at) == ("installed", None)
    assert (second.status, second.reason) == ("skipped", "not_covered")


def test_a_successor_of_the_contract_takes_the_device_over_with_a_task_of_its_own(house: House):
    customer = house.company.customer()
    old = house.company.maintenance(customer, ends_before=date(2026, 12, 15))
    new = house.company.maintenance(customer, starts_on=date(2026, 12, 15))
    device = house.device(customer, old)
    house.company.include(new, device)
    house.approved()
    swept = sweep(house, date(2026, 12, 15), utc(date(2026, 12, 15), 8))
    assert (swept.stopped, swept.made) == (1, 1)
    assert [(t.contract_id, t.status) for t in house.tasks()] == [(old.id, "skipped"), (new.id, "planned")]


def test_what_the_window_left_open_is_missed_and_follows_in_the_next_one(house: House):
    house.customer(2)
    house.approved()
    done, left = house.tasks()
    ticking.tick(house.session, [done.id], Step(TaskStatus.INSTALLED), actor=house.technician, today=FIRST,
                 now=IN_WINDOW)  # fmt: skip
    assert sweep(house, date(2026, 12, 24), utc(date(2026, 12, 24), 14, 59)) == sweeping.NOTHING
    assert sweep(house, date(2026, 12, 24), AFTER) == sweeping.Swept(0, 1, 1, 0)
    house.session.expire_all()
    assert (left.status, left.reason, left.followed) == ("missed", "window_over", True)
    again = house.tasks(follows_id=left.id)[0]
    assert (again.window_month, again.planned_on, again.status) == (JANUARY, date(2027, 1, 18), "planned")
    assert sweep(house, date(2026, 12, 24), AFTER) == sweeping.NOTHING


def test_skipped_and_failed_ones_follow_too_but_not_what_does_not_apply_or_was_withdrawn(house: House):
    house.customer(4)
    approval = house.approved()
    tasks = house.tasks()
    for task, to in zip(tasks, ("skipped", "failed", "not_applicable"), strict=False):
        ticking.tick(house.session, [task.id], Step(TaskStatus(to), reason="so"), actor=house.technician,
                     today=FIRST, now=IN_WINDOW)  # fmt: skip
    assert sweep(house, date(2026, 12, 28), AFTER + timedelta(days=4)).again == 3
    house.withdraw(approval, at=AFTER + timedelta(days=5))
    assert all(task.stopped_at for task in house.tasks(window_month=JANUARY))
    assert sweep(house, date(2027, 1, 25), utc(date(2027, 1, 25), 9)) == sweeping.NOTHING


def test_a_moved_task_stays_and_its_day_may_be_fuller_than_planned(house: House):
    house.customer(1)
    house.approved()
    task = house.tasks()[0]
    facts = {"actor": house.manager, "today": TODAY, "now": NOW}
    moved = moving.move(house.session, [task.id], date(2026, 12, 23), house.tester.id, **facts)
    assert (moved.load, moved.capacity) == (1, 20)
    house.approved()
    assert {t.planned_on for t in house.tasks()} == {date(2026, 12, 23)}
    assert house.tasks()[0].technician_id == house.tester.id


def test_a_task_is_moved_onto_days_of_a_window_only(house: House):
    house.customer(1)
    house.approved()
    task = house.tasks()[0]
    facts = {"actor": house.manager, "today": TODAY, "now": NOW}
    for day, refusal in (
        (date(2026, 12, 25), moving.NoWindowDay),
        (date(2026, 12, 16), moving.NoWindowDay),
        (date(2026, 11, 16), moving.DayIsOver),
    ):
        with pytest.raises(refusal):
            moving.move(house.session, [task.id], day, None, **facts)
    moving.move(house.session, [task.id], date(2027, 1, 20), None, **facts)
    assert (task.window_month, task.planned_on) == (JANUARY, date(2027, 1, 20))
    ticking.tick(house.session, [task.id], Step(TaskStatus.SKIPPED, reason="so"), actor=house.technician,
                 today=TODAY, now=NOW)  # fmt: skip
    with pytest.raises(moving.NotPlanned):
        moving.move(house.session, [task.id], date(2027, 1, 20), None, **facts)
