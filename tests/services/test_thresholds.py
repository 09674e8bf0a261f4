from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from ptdash.config import BERLIN
from ptdash.domain.minutes import Treatment
from ptdash.models import MinuteAlert
from ptdash.services import thresholds, time_entries
from ptdash.services.time_entries import Work
from tests.company import Company

AT = datetime(2026, 9, 15, 10, tzinfo=BERLIN)
NOW = datetime(2026, 9, 20, 9, tzinfo=BERLIN)
TODAY = NOW.date()
MONTH = date(2026, 9, 1)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def ticket(company):
    customer = company.customer(name="Autohaus Kessler")
    company.support(customer)
    return company.ticket(customer)


@pytest.fixture
def book(session, company, ticket):
    def booked(minutes):
        work = Work(AT, AT + timedelta(minutes=minutes), Treatment.PACKAGE)
        return time_entries.book(session, ticket.id, work, actor_id=company.technician.id, now=NOW)[0]

    return booked


def recorded(session):
    rows = session.execute(select(MinuteAlert).order_by(MinuteAlert.level)).scalars()
    return [(row.level, row.used_minutes, row.fell_below_at is not None) for row in rows]


def test_eighty_and_hundred_are_recorded_once_each(session, book):
    for minutes in (23, 1, 2, 4, 9):
        book(minutes)
    assert recorded(session) == [(80, 24, False), (100, 30, False)]


def test_where_both_are_passed_at_once_only_the_higher_is_recorded(session, book):
    book(43)
    assert recorded(session) == [(100, 43, False)]


def test_a_correction_marks_it_and_crossing_again_takes_the_mark_away(session, company, book):
    entry = book(24)
    time_entries.choose_treatment(session, entry.id, Treatment.SEPARATE, "", actor_id=None, now=NOW)
    assert recorded(session) == [(80, 24, True)]
    assert thresholds.waiting(session, TODAY) == []
    time_entries.choose_treatment(session, entry.id, Treatment.PACKAGE, "", actor_id=None, now=NOW)
    assert recorded(session) == [(80, 24, False)]


def test_falling_from_hundred_to_eighty_announces_nothing_new(session, company, book):
    first, _ = book(25), book(20)
    assert recorded(session) == [(80, 25, False), (100, 45, False)]
    time_entries.remove(session, first.id, actor_id=company.technician.id, now=NOW)
    assert recorded(session) == [(80, 25, True), (100, 45, True)]


def test_managers_see_the_highest_until_they_acknowledge_it(session, company, book):
    book(25)
    book(20)
    assert [
        (alert.name, alert.level, alert.used, alert.included) for alert in thresholds.waiting(session, TODAY)
    ] == [("Autohaus Kessler", 100, 45, 30)]
    alert = thresholds.waiting(session, TODAY)[0]
    thresholds.acknowledge(session, alert.contract_id, MONTH, actor_id=company.technician.id, now=NOW)
    assert thresholds.waiting(session, TODAY) == []
    book(5)
    assert thresholds.waiting(session, TODAY) == []


def test_without_a_package_there_is_nothing_to_reach(session, company):
    ticket = company.ticket(company.customer())
    work = Work(AT, AT + timedelta(minutes=90), Treatment.PACKAGE)
    time_entries.book(session, ticket.id, work, actor_id=company.technician.id, now=NOW)
    assert recorded(session) == []
