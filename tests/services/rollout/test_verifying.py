"""`ptdash check` on the rollout: what the services and the database refuse is put there by force, and is named."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from ptdash.domain.rollout import TaskStatus
from ptdash.services import calendars, checks, overview
from ptdash.services.rollout import ticking, verifying, waiting
from ptdash.services.rollout.ticking import Step
from tests.services.rollout.house import FIRST, IN_WINDOW, NOW, TODAY, House, utc


@pytest.fixture
def installed(house: House) -> House:
    house.customer(1)
    house.approved()
    step = Step(TaskStatus.INSTALLED)
    ids = [house.tasks()[0].id]
    ticking.tick(house.session, ids, step, actor=house.technician, today=FIRST, now=IN_WINDOW)
    return house


def by_force(house: House, statement: str, **values) -> list[str]:
    house.session.flush()
    house.session.execute(text("SET LOCAL session_replication_role = replica"))
    house.session.execute(text(statement), values)
    return verifying.unapproved(house.session)[1]


def test_what_was_approved_and_in_its_window_is_fine(installed: House):
    assert verifying.unapproved(installed.session) == (1, [])
    verdict = checks.nothing_unapproved_installed(installed.session)
    assert (verdict.checked, verdict.violations) == (1, [])


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE update_approvals SET approved_at = :late", "it was not approved yet"),
        ("UPDATE update_approvals SET ended_at = :early, ended_by = 'superseded'", "the approval had ended"),
        ("UPDATE update_checks SET result = 'failed', note = 'x'", "no passed check"),
        ("UPDATE updates SET version = 'another'", "no passed check"),
        ("UPDATE update_checks SET tester_id = (SELECT approved_by_id FROM update_approvals)", "the same person"),
        ("UPDATE rollout_tasks SET installed_at = :late", "outside its window"),
    ],
)
def test_each_breach_names_device_update_and_reason(installed: House, statement: str, why: str):
    values = {"late": utc(FIRST, 16), "early": utc(FIRST, 7)}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    violations = by_force(installed, statement, **used)
    assert len(violations) == 1 and why in violations[0]
    assert "D-1" in violations[0] and "Windows 11" in violations[0]


def test_a_covered_device_without_a_task_is_named(house: House):
    customer, contract, _ = house.customer(1)
    house.approved()
    assert verifying.without_one_task(house.session, TODAY) == (1, [])
    late = house.device(customer, contract)
    assert verifying.without_one_task(house.session, TODAY)[1] == [
        f"device {late.inventory_number}: 0 tasks of Windows 11, Update KB1"
    ]


def test_the_overview_counts_what_waits_by_role(installed: House):
    installed.customer(2)
    installed.approved()
    installed.update("Windows 11")
    session, me = installed.session, installed.technician.id
    boss = waiting.needed(session, FIRST, None, "manager")
    assert (boss.today, boss.unverified, boss.checks) == (3, 1, 1)
    assert waiting.needed(session, FIRST, None, "dispatcher").checks == 0
    mine = {task.device_id for task in installed.tasks(status="planned") if task.technician_id == me}
    assert waiting.needed(session, FIRST, me, "technician").today == len(mine)
    assert waiting.planned(session, overview.next_window(session, FIRST).days, None) == (3, 2)


def test_the_calendar_tells_the_work_of_a_window_day(installed: House):
    installed.approved()
    token = calendars.open_feed(installed.session, installed.manager.id, now=NOW)
    feed = calendars.feed(installed.session, token, today=TODAY, now=NOW + timedelta(minutes=1))
    assert feed is not None
    assert "1 Gerät bei 1 Kunden eingeplant" in feed.decode().replace("\r\n ", "")
