from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.models import AuditEvent, TimeEntry, User
from ptdash.services import timers
from ptdash.services.time_entries import SomebodyElsesTime
from ptdash.services.timers import TimerRunsElsewhere
from tests.company import Company

NOW = datetime(2026, 9, 15, 10, tzinfo=BERLIN)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def ticket(company):
    return company.ticket(company.customer())


@pytest.fixture
def me(company):
    return company.technician.id


def test_a_timer_starts_with_the_proposed_treatment(session, company, me):
    swap = company.ticket(company.customer(), concern="swap")
    entry = timers.start(session, swap.id, actor_id=me, now=NOW)
    assert (entry.treatment, entry.ended_at) == ("separate", None)
    assert timers.running(session, me).ticket == swap.number


def test_one_timer_a_person(session, company, ticket, me):
    timers.start(session, ticket.id, actor_id=me, now=NOW)
    other = company.ticket(company.customer())
    with pytest.raises(TimerRunsElsewhere) as refused:
        timers.start(session, other.id, actor_id=me, now=NOW)
    assert refused.value.ticket == ticket.number


def test_a_second_start_on_the_same_ticket_changes_nothing(session, ticket, me):
    first = timers.start(session, ticket.id, actor_id=me, now=NOW)
    again = timers.start(session, ticket.id, actor_id=me, now=NOW + timedelta(minutes=5))
    assert again.id == first.id and again.started_at == NOW


def test_of_two_starts_at_once_one_wins_and_the_other_is_told(app, session, company, me):
    tickets = [company.ticket(company.customer()).id for _ in range(2)]
    session.commit()

    def start(ticket_id):
        with app.app_context():
            try:
                with transaction() as own:
                    timers.start(own, ticket_id, actor_id=me, now=NOW)
                return "started"
            except TimerRunsElsewhere:
                return "told"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(start, tickets)) == ["started", "told"]
    assert session.execute(select(func.count()).select_from(TimeEntry)).scalar_one() == 1


def test_minutes_are_rounded_up_when_it_stops(session, ticket, me):
    entry = timers.start(session, ticket.id, actor_id=me, now=NOW)
    timers.stop(session, entry.id, actor_id=me, now=NOW + timedelta(minutes=12, seconds=1))
    assert entry.minutes == 13 and timers.running(session, me) is None


@pytest.mark.parametrize(
    ("ended_at", "minutes"),
    [(NOW - timedelta(hours=1), 1), (NOW + timedelta(hours=9), 300), (NOW + timedelta(minutes=90), 90)],
)
def test_an_end_that_cannot_be_becomes_one_that_can(session, ticket, me, ended_at, minutes):
    entry = timers.start(session, ticket.id, actor_id=me, now=NOW)
    timers.stop(session, entry.id, actor_id=me, now=NOW + timedelta(hours=5), ended_at=ended_at)
    assert entry.minutes == minutes


def test_stopping_is_never_refused(session, ticket, me):
    entry = timers.start(session, ticket.id, actor_id=me, now=NOW)
    ticket.status = "closed"
    entry.treatment = None
    timers.stop(session, entry.id, actor_id=me, now=NOW)
    assert entry.minutes == 1
    assert timers.stop(session, entry.id, actor_id=me, now=NOW + timedelta(hours=1)).minutes == 1


def test_a_dispatcher_stops_a_forgotten_one_a_technician_only_the_own(session, company, ticket, me):
    dispatcher = company.add(User(email="dispo@pt.example", name="Jana Petersen", role="dispatcher"))
    colleague = company.add(User(email="kim@pt.example", name="Kim Lang", role="technician"))
    entry = timers.start(session, ticket.id, actor_id=me, now=NOW)
    with pytest.raises(SomebodyElsesTime):
        timers.stop(session, entry.id, actor_id=colleague.id, now=NOW + timedelta(minutes=5))
    timers.stop(session, entry.id, actor_id=dispatcher.id, now=NOW + timedelta(minutes=5))
    assert entry.minutes == 5


def test_it_asks_after_four_hours_and_four_hours_after_the_answer(session, ticket, me):
    timers.start(session, ticket.id, actor_id=me, now=NOW)
    late = NOW + timedelta(hours=4)
    assert not timers.running(session, me).asks(late - timedelta(seconds=1))
    assert timers.running(session, me).asks(late)
    timers.confirm(session, actor_id=me, now=late)
    assert not timers.running(session, me).asks(late + timedelta(hours=3))
    assert timers.running(session, me).asks(late + timedelta(hours=4))


def test_a_discarded_timer_lives_on_in_the_audit_trail(session, ticket, me):
    timers.start(session, ticket.id, actor_id=me, now=NOW)
    timers.discard(session, actor_id=me, now=NOW)
    assert timers.running(session, me) is None
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "discard_timer")).scalar_one()
    assert event.before["ticket_id"] == ticket.id
