"""The result beside the month before and beside the preview."""

from datetime import date, datetime

import pytest

from ptdash.config import BERLIN
from ptdash.services import books, comparing
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import OCTOBER, SEPTEMBER, TODAY, close

NOVEMBER_DAY = date(2026, 11, 2)
IN_OCTOBER = datetime(2026, 10, 12, 10, tzinfo=BERLIN)


@pytest.fixture
def company(session):
    return Company(session)


def test_customers_whose_amount_jumps_are_named_the_largest_difference_first(session, company):
    steady, up, gone, new = (company.customer() for _ in range(4))
    company.support(steady)
    company.support(up)
    company.entry(up, 60, "separate", IN_OCTOBER)
    company.support(gone, ends_before=OCTOBER)
    company.support(new, "S", starts_on=OCTOBER)
    close(session)
    close(session, OCTOBER, NOVEMBER_DAY)
    rows = comparing.jumps(session, OCTOBER)
    assert [(row.customer, row.jump, row.before_cents, row.after_cents) for row in rows] == [
        (up.number, "up", 4000, 14000),
        (gone.number, "gone", 4000, 0),
        (new.number, "new", 0, 1500),
    ]


def test_whoever_was_set_aside_is_missing_for_that_reason(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, treatment=None, at=IN_OCTOBER)
    close(session, OCTOBER, NOVEMBER_DAY)
    books.set_aside(session, OCTOBER, customer.number, "Vertrag strittig", actor_id=None, now=NOW)
    (row,) = comparing.jumps(session, OCTOBER)
    assert (row.jump, row.set_aside) == ("gone", True)


def test_the_first_month_of_the_books_is_compared_with_nothing(session, company):
    company.support(company.customer())
    close(session)
    assert comparing.jumps(session, SEPTEMBER) == []


def test_the_preview_of_the_first_order_is_compared_not_that_of_a_later_try(session, company):
    company.entry(company.customer(), treatment=None)
    for seen in (4000, None):
        run, _ = books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW, seen_net_cents=seen)
        close(session)
        run.finished_at = NOW
        session.flush()
    assert comparing.seen_net(session, SEPTEMBER) == 4000


def test_a_close_from_the_command_line_has_no_preview_on_screen(session, company):
    close(session)
    assert comparing.seen_net(session, SEPTEMBER) is None
