"""The overview's figures are those of the ledger, the contracts and the queue, in queries that do not grow."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.domain.periods import next_month
from ptdash.models import Customer
from ptdash.services import ledger, overview_figures, renewals
from ptdash.services.overview_figures import MonthMinutes
from ptdash.services.tickets.asking import Moment
from tests.company import Company
from tests.conftest import empty
from tests.counting import queries
from tests.services.test_period_close import close
from tests.services.test_period_close_properties import close as close_all
from tests.services.test_period_close_properties import companies, context, on_the_database, write

__all__ = ["context"]

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
TODAY = date(2026, 11, 17)
NOW = datetime(2026, 11, 17, 10, 42, tzinfo=BERLIN)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def at(month: int, day: int = 10, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BERLIN)


# Minutes ---------------------------------------------------------------------------------------------


def test_posted_months_and_the_running_one_stand_side_by_side(session: Session, company: Company) -> None:
    one, other = company.customer(name="Optik Weiß"), company.customer(name="Autohaus Kessler")
    company.support(one, "M", starts_on=SEPTEMBER)
    company.support(other, "S", starts_on=OCTOBER)
    for month, minutes in ((9, 34), (10, 12), (11, 25)):
        company.entry(one, minutes, at=at(month))
    company.entry(other, 13, at=at(11))
    company.entry(other, 20, "goodwill", at=at(11), note="Fehler lag bei uns")
    close(session, SEPTEMBER, date(2026, 10, 5))
    # Booked after the close: it rides on the next invoice, the posted month stays as it was told.
    company.entry(one, 50, at=at(9))
    found = overview_figures.minutes(session, TODAY)
    assert found.months[:3] == [MonthMinutes(date(2026, month, 1)) for month in (6, 7, 8)]
    assert found.months[3:] == [
        MonthMinutes(SEPTEMBER, 30, 30, 4, 600, 1, 0),
        MonthMinutes(OCTOBER, 40, 12, 0, 0, 2, 2),
        MonthMinutes(NOVEMBER, 40, 35, 3, 450, 2, 1),
    ]
    assert (found.goodwill_minutes, found.goodwill_cents) == (20, 3333)
    assert [(row.name, row.included, row.used) for row in found.low] == [
        ("Autohaus Kessler", 10, 13),
        ("Optik Weiß", 30, 25),
    ]


def test_without_a_contract_there_are_no_minutes(session: Session, company: Company) -> None:
    company.entry(company.customer(), 40, at=at(11))
    found = overview_figures.minutes(session, TODAY)
    assert found.months[-1] == MonthMinutes(NOVEMBER)
    assert found.low == []


@settings(on_the_database, max_examples=15)
@given(companies())
def test_on_random_books_minutes_are_the_sums_of_the_ledger_before_and_after_the_close(context, generated):
    month, customers = generated
    empty(context)
    with transaction() as session:
        write(Company(session), customers)
    today = next_month(month)
    agree(today)
    close_all(month)
    agree(today)


def agree(today: date) -> None:
    """Every month shown is what the ledgers of all customers say of it."""
    with transaction() as session:
        ids = session.execute(select(Customer.id)).scalars().all()
        told = [row for each in ids for row in ledger.months(session, each, today).rows]
        for shown in overview_figures.minutes(session, today).months:
            rows = [row for row in told if row.month == shown.month]
            packages = [contract for row in rows for contract in row.contracts]
            assert shown == MonthMinutes(
                shown.month,
                included=sum(row.included for row in rows),
                covered=sum(row.covered for row in rows),
                overage=sum(row.overage for row in rows),
                overage_cents=sum(each.overage_cents for each in packages),
                packages=len(packages),
                packages_left=sum(each.expired_minutes > 0 for each in packages),
            )


# Tickets ---------------------------------------------------------------------------------------------


def test_tickets_are_counted_in_the_week_of_berlin_in_which_they_came_and_went(
    session: Session, company: Company
) -> None:
    customer = company.customer()
    sunday_night = datetime(2026, 11, 15, 23, 59, tzinfo=BERLIN)
    company.ticket(customer, created_at=sunday_night)
    company.ticket(customer, created_at=sunday_night + timedelta(minutes=1), status="new")
    company.ticket(customer, created_at=at(11, 2), status="closed", resolved_at=at(11, 16))
    company.ticket(customer, created_at=at(11, 16), status="merged")
    company.ticket(customer, created_at=at(8, 1), status="resolved", resolved_at=at(8, 2))
    found = overview_figures.tickets(session, Moment(NOW))
    assert found.open == 2
    assert [row.monday for row in found.weeks[-3:]] == [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]
    assert [(row.taken, row.solved) for row in found.weeks] == [(0, 0)] * 9 + [(1, 0), (1, 0), (1, 1)]


def test_a_technicians_own_tickets_are_counted_alone(session: Session, company: Company) -> None:
    customer, me = company.customer(), company.technician.id
    company.ticket(customer, created_at=at(11, 16))
    company.ticket(customer, created_at=at(11, 16), assignee_id=me)
    company.ticket(customer, created_at=at(11, 9), assignee_id=me, status="closed", resolved_at=at(11, 9))
    found = overview_figures.tickets(session, Moment(NOW), me)
    assert found.open == 1
    assert [(row.taken, row.solved) for row in found.weeks[-2:]] == [(1, 1), (1, 0)]


# Revenue ---------------------------------------------------------------------------------------------


def test_additions_and_losses_are_told_contract_by_contract(session: Session, company: Company) -> None:
    customer = company.customer()
    company.maintenance(customer, "29.00", date(2025, 1, 1))
    company.maintenance(company.customer(), "50.00", date(2025, 1, 1), ends_before=OCTOBER)
    begun = company.maintenance(customer, "40.00", date(2026, 10, 15))
    company.include(begun, company.device(customer), "9.90", included_from=date(2026, 11, 2))
    company.maintenance(company.customer(), "70.00", date(2026, 11, 18))
    found = overview_figures.revenue(session, TODAY)
    assert [(row.net_cents, row.added_cents, row.lost_cents) for row in found] == [
        *[(7900, 0, 0)] * 10,
        (6900, 4000, 5000),
        (7890, 990, 0),
    ]


@settings(on_the_database, max_examples=15)
@given(companies())
def test_on_random_contracts_revenue_is_that_of_the_page_of_contracts(context, generated):
    month, customers = generated
    empty(context)
    with transaction() as session:
        write(Company(session), customers)
        for today in (month, month + timedelta(days=13), next_month(month)):
            found = overview_figures.revenue(session, today)
            assert found[-1].net_cents == renewals.figures(renewals.load(session, today)).recurring_cents
            for before, after in pairwise(found):
                assert after.net_cents == before.net_cents + after.added_cents - after.lost_cents
                assert min(after.added_cents, after.lost_cents) >= 0


# Cost ------------------------------------------------------------------------------------------------


def test_many_customers_cost_as_many_queries_as_one(session: Session, company: Company) -> None:
    def asked() -> int:
        session.flush()
        session.expire_all()
        with queries() as sent:
            overview_figures.minutes(session, TODAY)
            overview_figures.tickets(session, Moment(NOW))
            overview_figures.revenue(session, TODAY)
        return len(sent)

    def more(count: int) -> None:
        for _ in range(count):
            customer = company.customer()
            company.support(customer, starts_on=OCTOBER)
            company.include(company.maintenance(customer), company.device(customer))
            company.entry(customer, 29, at=at(11))

    more(1)
    few = asked()
    more(12)
    assert asked() == few <= 26
