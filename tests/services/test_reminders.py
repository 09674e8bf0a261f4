"""Reminders before deadlines and ends: the nearest one, once each, to every manager."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from ptdash.models import ContractReminder, OutboxMessage, User
from ptdash.services import contracts, decisions, notices, reminders
from tests.company import Company
from tests.conftest import NOW

DEADLINE = date(2026, 11, 30)


@pytest.fixture
def company(session):
    company = Company(session)
    for name in ("miriam", "frank"):
        company.add(User(email=f"{name}@pt.example", name=name, role="manager"))
    company.add(User(email="weg@pt.example", name="weg", role="manager", active=False))
    return company


@pytest.fixture
def contract(company):
    """SV-1 may be given notice of until 30 Nov 2026."""
    return company.support(company.customer(name="Kanzlei Brandt"), number="SV-1")


def due(session, days_before, day=DEADLINE):
    return reminders.due(session, day - timedelta(days=days_before), NOW)


def written(session):
    return list(session.execute(select(ContractReminder.days).order_by(ContractReminder.days.desc())).scalars())


@pytest.mark.parametrize(("days_before", "count"), [(31, 0), (30, 1), (14, 1), (3, 1), (0, 1), (-1, 0)])
def test_a_reminder_is_written_on_its_day(session, contract, days_before, count):
    assert due(session, days_before) == count


def test_each_day_of_the_last_month_writes_three_in_all_once_each(session, contract):
    found = {days: due(session, days) for days in range(40, -2, -1)}
    assert [days for days, count in found.items() if count] == [30, 14, 3]
    assert written(session) == [30, 14, 3]
    assert due(session, 3) == 0


@pytest.mark.parametrize(
    ("looked_on", "expected"), [((20, 2), [30, 3]), ((2,), [3]), ((13,), [14]), ((29, 1), [30, 3])]
)
def test_of_missed_ones_only_the_nearest_is_made_up_for(session, contract, looked_on, expected):
    for days_before in looked_on:
        due(session, days_before)
    assert written(session) == expected


def test_every_active_manager_gets_one_message_a_reminder(session, contract):
    due(session, 14)
    due(session, 14)
    messages = session.execute(select(OutboxMessage).order_by(OutboxMessage.recipient)).scalars().all()
    assert [message.recipient for message in messages] == ["frank@pt.example", "miriam@pt.example"]
    assert messages[0].subject == "Kündigungstermin in 14 Tagen: SV-1 Kanzlei Brandt (30.11.2026)"
    assert "verlängert er sich am 01.01.2027" in messages[0].body
    assert messages[0].state == "waiting"


def test_a_contract_that_ends_is_told_of_60_days_ahead(session, company):
    contract = company.maintenance(company.customer(), number="WV-1", renewal_months=None)
    contracts.store_ends(session, [contract.id])
    end = date(2026, 12, 31)
    found = [days for days in range(70, -1, -1) if due(session, days, end)]
    assert found == [60, 30, 14, 3]
    body = session.execute(select(OutboxMessage.body)).scalars().first()
    assert "verlängert sich nicht" in body


def test_who_decided_or_was_given_notice_is_left_alone(session, company, contract):
    actor_id = company.technician.id
    decisions.decide(session, "SV-1", "renew", today=date(2026, 11, 1), now=NOW, actor_id=actor_id)
    assert due(session, 14) == 0
    other = company.support(company.customer(), number="SV-2")
    given = notices.Entered(date(2026, 11, 2))
    notices.record(session, other.number, given, today=date(2026, 11, 2), now=NOW, actor_id=actor_id)
    assert due(session, 14) == 0


def test_a_decision_is_asked_for_in_each_term_anew(session, company, contract):
    actor_id = company.technician.id
    decisions.decide(session, "SV-1", "renew", today=date(2026, 11, 1), now=NOW, actor_id=actor_id)
    assert due(session, 14, date(2027, 5, 31)) == 1


def test_an_open_reminder_is_a_task_until_something_is_decided(session, company, contract):
    today = DEADLINE - timedelta(days=14)
    due(session, 14)
    assert session.scalar(select(reminders.undecided(today))) == 1
    actor_id = company.technician.id
    notices.record(session, "SV-1", notices.Entered(today), today=today, now=NOW, actor_id=actor_id)
    assert session.scalar(select(reminders.undecided(today))) == 0
    notices.withdraw(session, "SV-1", today, today=today, now=NOW, actor_id=actor_id)
    assert session.scalar(select(reminders.undecided(today))) == 1


def test_the_day_is_looked_at_once(session, contract):
    day = DEADLINE - timedelta(days=3)
    assert [reminders.look_once_a_day(session, day, NOW) for _ in range(3)] == [1, 0, 0]
    assert reminders.look_once_a_day(session, day + timedelta(days=1), NOW) == 0
