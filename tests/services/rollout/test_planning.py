"""An approval makes one task for every covered device, on the days of the coming window."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ptdash.models import MaintenanceWindow, Product, Setting, SoftwareAgreement
from ptdash.services import windows
from ptdash.services.rollout import planning
from tests.services.rollout.house import FIRST, NOW, TODAY, WINDOWS, House, utc


def test_every_device_in_a_running_contract_that_runs_the_product_gets_a_task(house: House):
    customer, contract, devices = house.customer(3)
    house.device(customer)
    other = house.device(customer, contract, product="Firefox")
    told = house.plan(house.approve(house.update()))
    assert [task.device_id for task in house.tasks()] == [device.id for device in devices]
    assert other.id not in {task.device_id for task in house.tasks()}
    assert (told.tasks, told.devices, told.customers, told.days) == (3, 3, 1, ((FIRST, 3),))
    assert {(t.contract_id, t.customer_id, t.status) for t in house.tasks()} == {
        (contract.id, customer.id, "planned")
    }


def test_foreign_software_is_left_out_unless_the_contract_or_the_catalogue_says_otherwise(house: House):
    customer, contract, _ = house.customer(0)
    for product in ("Fremd A", "Fremd B", "Fremd C"):
        house.device(customer, contract, product=product, source="foreign")
    agreed, offered, foreign = (house.update(product) for product in ("Fremd A", "Fremd B", "Fremd C"))
    house.company.add(SoftwareAgreement(contract_id=contract.id, product=" fremd a ", agreement="mit"))
    house.session.query(Product).filter_by(name="Fremd B").one().offered_by_us = True
    house.session.flush()
    told = {update.title: house.plan(house.approve(update)) for update in (agreed, offered, foreign)}
    assert [plan.tasks for plan in told.values()] == [1, 1, 0]
    assert [plan.not_allowed for plan in told.values()] == [0, 0, 1]


def test_a_contract_that_has_ended_or_not_begun_and_a_retired_device_get_nothing(house: House):
    customer = house.company.customer()
    ended = house.company.maintenance(customer, starts_on=date(2025, 1, 1), ends_before=TODAY)
    coming = house.company.maintenance(customer, starts_on=TODAY + timedelta(days=1))
    running = house.company.maintenance(customer)
    house.device(customer, ended)
    house.device(customer, coming)
    house.device(customer, running).retired_on = TODAY
    house.device(customer, running, source="foreign")
    assert house.plan(house.approve(house.update())).tasks == 0


def test_planning_twice_makes_nothing_twice(house: House):
    house.customer(4)
    approval = house.approve(house.update())
    assert (house.plan(approval).tasks, house.plan(approval).tasks) == (4, 0)
    assert len(house.tasks()) == 4


def test_december_has_four_days_and_what_does_not_fit_goes_to_january_and_says_so(house: House):
    house.tester.active = False
    house.company.add(Setting(key="rollout.per_day", value="2"))
    house.customer(9)
    told = house.plan(house.approve(house.update()))
    assert [day.isoformat() for day, _ in told.days] == [
        "2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24", "2027-01-18",
    ]  # fmt: skip
    assert told.put_off == ((date(2027, 1, 1), 1),)
    assert {task.technician_id for task in house.tasks()} == {house.technician.id}


def test_a_second_approval_keeps_devices_together_and_servers_last(house: House):
    house.company.add(Setting(key="rollout.per_day", value="2"))
    house.tester.active = False
    customer, contract, devices = house.customer(2)
    server = house.device(customer, contract, product="SQL Server", type="server")
    house.approved("SQL Server")
    assert [task.planned_on.day for task in house.tasks()] == [21]
    house.approved(WINDOWS, "critical")
    days = {task.device_id: task.planned_on.day for task in house.tasks()}
    assert days == {server.id: 22, devices[0].id: 21, devices[1].id: 21}
    house.approved(WINDOWS)
    assert {task.planned_on.day for task in house.tasks(device_id=devices[0].id)} == {21}


def test_what_a_person_put_on_a_day_stays_there(house: House):
    _, _, devices = house.customer(1)
    house.approved()
    task = house.tasks()[0]
    task.planned_on, task.moved_by_id = date(2026, 12, 23), house.manager.id
    house.session.flush()
    house.approved()
    assert task.planned_on == date(2026, 12, 23)
    assert {t.planned_on for t in house.tasks(device_id=devices[0].id)} == {date(2026, 12, 23)}


def test_a_window_with_work_in_it_keeps_its_days_whatever_the_settings_say_later(house: House):
    house.customer(1)
    house.approved()
    state = house.session.get_one(Setting, "company.federal_state")
    rule = house.company.add(Setting(key="window_rule", value="week_of_15th"))
    state.value = "BY"
    house.session.flush()
    kept = windows.window(house.session, date(2026, 12, 1))
    assert kept["days"] == ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24"]
    assert kept["left_out"] == [{"day": "2026-12-25", "reason": "Erster Weihnachtstag"}]
    assert windows.window(house.session, date(2027, 1, 1))["days"][0] == "2027-01-11"
    assert rule.value == "week_of_15th"
    with pytest.raises(DBAPIError, match="work is planned"):
        house.session.execute(text("UPDATE maintenance_windows SET days = days[1:2]"))


def test_a_window_without_work_follows_the_settings(house: House):
    windows.keep(house.session, date(2026, 12, 1), now=NOW)
    house.company.add(Setting(key="window_rule", value="week_of_15th"))
    assert windows.keep(house.session, date(2026, 12, 1), now=NOW).days[0] == date(2026, 12, 14)
    assert house.session.get_one(MaintenanceWindow, date(2026, 12, 1)).days[0] == date(2026, 12, 14)


def test_on_a_day_of_the_window_work_is_planned_from_the_next_day_on(house: House):
    house.customer(1)
    approval = house.approve(house.update(), at=utc(FIRST, 6))
    assert house.plan(approval, today=FIRST, now=utc(FIRST, 9)).days == ((date(2026, 12, 22), 1),)
    house.customer(1)
    assert house.plan(approval, today=FIRST, now=utc(FIRST, 6)).days == ((FIRST, 1),)


def test_an_approval_that_has_ended_plans_nothing(house: House):
    house.customer(1)
    approval = house.approve(house.update())
    house.withdraw(approval)
    with pytest.raises(planning.NotApproved):
        house.plan(approval)


def test_a_withdrawal_stops_what_is_open_and_lists_what_is_installed(house: House):
    customer, _, devices = house.customer(3)
    approval = house.approved()
    done = house.tasks()[0]
    done.status, done.installed_at, done.installed_by_id = "installed", utc(FIRST, 9), house.technician.id
    house.session.flush()
    stopped = house.withdraw(approval, at=utc(FIRST, 10))
    assert (stopped.tasks, stopped.devices, stopped.customers) == (2, 2, 1)
    assert [(one.device, one.customer, one.by) for one in stopped.installed] == [
        (devices[0].inventory_number, customer.name, "Tarek Kaya")
    ]
    assert [(task.status, task.reason) for task in house.tasks()[1:]] == [("skipped", "Drucker stehen still")] * 2
    assert all(task.stopped_at == utc(FIRST, 10) for task in house.tasks()[1:])
