from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event

from ptdash.config import BERLIN
from ptdash.db import db
from ptdash.models import TimeEntry
from ptdash.services import meters
from tests.company import Company

MONTH = date(2026, 9, 1)
AT = datetime(2026, 9, 15, 10, tzinfo=BERLIN)


@pytest.fixture
def company(session):
    return Company(session)


def test_finished_package_minutes_of_the_month_are_used(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, 20)
    company.entry(customer, 5, "separate")
    company.entry(customer, 7, at=datetime(2026, 8, 31, 23, 59, tzinfo=BERLIN))
    company.entry(customer, None, at=AT)
    found = meters.meters(session, [customer.id], MONTH)[customer.id]
    assert (found.included, found.used, found.left, found.package) == (30, 20, 10, "M")


def test_a_reversed_entry_leaves_the_draw_with_its_reversal(session, company):
    customer = company.customer()
    company.support(customer)
    wrong = company.entry(customer, 20)
    company.add(
        TimeEntry(
            ticket_id=wrong.ticket_id,
            customer_id=customer.id,
            technician_id=wrong.technician_id,
            started_at=wrong.started_at,
            ended_at=wrong.ended_at,
            treatment=wrong.treatment,
            note="Korrektur",
            reverses_id=wrong.id,
        )
    )
    assert meters.meters(session, [customer.id], MONTH)[customer.id].used == 0


def test_a_running_timer_counts_up_to_now_if_told_so(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, None, at=AT)
    now = AT + timedelta(minutes=12, seconds=1)
    assert meters.meters(session, [customer.id], MONTH, now=now)[customer.id].used == 13


def test_the_package_in_force_on_the_first_covered_day_counts_pro_rata(session, company):
    customer = company.customer()
    contract = company.support(customer, "M", date(2026, 9, 16))
    company.package_change(contract, date(2026, 9, 16), "L")
    company.package_change(contract, date(2026, 10, 1), "S")
    assert meters.meters(session, [customer.id], MONTH)[customer.id].included == 30


def test_whoever_has_no_package_is_missing(session, company):
    assert meters.meters(session, [company.customer().id], MONTH) == {}


def test_three_queries_for_any_number_of_customers(session, company):
    customers = [company.customer() for _ in range(5)]
    for customer in customers:
        company.support(customer)
        company.entry(customer, 3)
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = meters.meters(session, [customer.id for customer in customers], MONTH)
    assert len(statements) <= 3 and {meter.used for meter in found.values()} == {3}
