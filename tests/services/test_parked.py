"""What becomes of parked customers: tried again alone, or set aside with a reason; then the result is released."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from ptdash.models import AuditEvent, CustomerMonth, Invoice, Role, Run, User
from ptdash.services import books, cancellations, checks, period_close, releases
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import SEPTEMBER, TODAY, close

LATER = date(2026, 10, 9)
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def manager(company):
    return company.add(User(email="mia@pt.example", name="Mia Behn", role=Role.MANAGER))


def mend(entry) -> None:
    entry.treatment = "separate"


def work_off(session, run: Run) -> None:
    session.flush()
    period_close.post(session, run.id, books.pending(session, run.id), now=NOW)
    books.finish(session, run.id, now=NOW)


def again(session, customer, today: date = LATER) -> Run:
    return books.try_again(session, SEPTEMBER, customer.number, today, actor_id=None, now=NOW)


def actions(session) -> list[str]:
    return list(session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars())


# Tried again alone -----------------------------------------------------------------------------------


def test_one_customer_is_tried_again_alone_on_a_business_day_of_its_own(session, company):
    mended, other = company.customer(), company.customer()
    timer = company.entry(mended, treatment=None)
    company.entry(other, treatment=None)
    close(session)
    mend(timer)
    run = again(session, mended)
    assert list(books.pending(session, run.id)) == [mended.id]
    work_off(session, run)
    issued = session.execute(select(Invoice.customer_id, Invoice.issued_on)).all()
    assert issued == [(mended.id, LATER)]
    assert session.get(CustomerMonth, (other.id, SEPTEMBER)).park_code == "missing_treatment"
    assert books.state(session, SEPTEMBER) == "closing"
    assert run.finished_at
    assert checks.run(session)["ok"]


def test_one_that_is_not_mended_is_parked_again(session, company):
    customer = company.customer()
    company.entry(customer, treatment=None)
    close(session)
    run = again(session, customer)
    work_off(session, run)
    assert session.get(CustomerMonth, (customer.id, SEPTEMBER)).park_code == "missing_treatment"
    assert run.finished_at


def test_asked_twice_it_is_one_run(session, company):
    customer = company.customer()
    company.entry(customer, treatment=None)
    close(session)
    assert again(session, customer).id == again(session, customer).id


def test_trying_everybody_again_leaves_to_its_run_who_is_just_tried_alone(session, company):
    first, second = company.customer(), company.customer()
    entries = [company.entry(customer, treatment=None) for customer in (first, second)]
    close(session)
    for entry in entries:
        mend(entry)
    alone = again(session, first)
    everybody, _ = books.begin(session, SEPTEMBER, LATER, actor_id=None, now=NOW)
    assert list(books.pending(session, everybody.id)) == [second.id]
    work_off(session, everybody)
    assert books.state(session, SEPTEMBER) == "closing"
    work_off(session, alone)
    assert books.state(session, SEPTEMBER) == "closed"


def test_whoever_is_posted_or_unknown_cannot_be_tried_again(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    with pytest.raises(books.NotParked):
        again(session, customer)
    with pytest.raises(books.CustomerNotInClose):
        books.try_again(session, SEPTEMBER, "nobody", LATER, actor_id=None, now=NOW)


# Set aside -------------------------------------------------------------------------------------------


def set_aside(session, customer, reason: str = "Vertrag strittig") -> None:
    books.set_aside(session, SEPTEMBER, customer.number, reason, actor_id=None, now=NOW)


def test_setting_the_last_parked_customer_aside_closes_the_month(session, company):
    customer, other = company.customer(), company.customer()
    company.entry(customer, treatment=None)
    company.support(other)
    close(session)
    set_aside(session, customer, "  Vertrag \n strittig ")
    kept = session.get(CustomerMonth, (customer.id, SEPTEMBER))
    assert (kept.park_code, kept.set_aside_reason) == (None, "Vertrag strittig")
    assert books.state(session, SEPTEMBER) == "closed"
    assert books.progress(session, SEPTEMBER) == books.Progress(total=2, posted=1, parked=0, set_aside=1)
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "set_aside")).scalar_one()
    assert (event.before, event.after) == (
        {"parked": "missing_treatment"},
        {"customer": customer.number, "reason": "Vertrag strittig"},
    )


def test_setting_aside_what_a_run_has_still_to_post_finishes_the_run(session, company):
    customer = company.customer()
    company.support(customer)
    run, _ = books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW)
    set_aside(session, customer)
    assert run.finished_at
    assert not period_close.post(session, run.id, [customer.id], now=NOW)
    assert books.state(session, SEPTEMBER) == "closed"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_setting_aside_needs_a_reason(session, company, reason):
    customer = company.customer()
    company.entry(customer, treatment=None)
    close(session)
    with pytest.raises(books.ReasonMissing):
        set_aside(session, customer, reason)


def test_what_is_posted_or_set_aside_stays(session, company):
    posted, aside = company.customer(), company.customer()
    company.support(posted)
    company.entry(aside, treatment=None)
    close(session)
    set_aside(session, aside)
    for customer in (posted, aside):
        with pytest.raises(books.AlreadySettled):
            set_aside(session, customer)
    with pytest.raises(books.NotParked):
        again(session, aside)


def test_a_month_that_has_not_begun_sets_nobody_aside(session, company):
    with pytest.raises(books.CustomerNotInClose):
        set_aside(session, company.customer())


# Released --------------------------------------------------------------------------------------------


def test_a_closed_months_result_is_released_once_with_who_and_when(session, company, manager):
    customer = company.customer()
    timer = company.entry(customer, treatment=None)
    close(session)
    mend(timer)
    work_off(session, again(session, customer))
    assert releases.released(session, SEPTEMBER) is None
    assert releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW) == 2
    assert releases.released(session, SEPTEMBER) == releases.Release(NOW, "Mia Behn")
    assert releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW + timedelta(hours=1)) == 0
    assert releases.released(session, SEPTEMBER).at == NOW
    assert actions(session).count("release") == 1


def test_a_later_order_for_one_customer_is_not_the_months_release(session, company, manager):
    customer = company.customer()
    company.support(customer)
    close(session)
    releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW)
    later = NOW + timedelta(days=1)
    order = {"released_at": later, "released_by_id": manager.id, "finished_at": later, "ordered_at": later}
    session.add(Run(month=SEPTEMBER, kind="customer", customer_id=customer.id, business_day=LATER, **order))
    session.flush()
    assert releases.released(session, SEPTEMBER).at == NOW


def test_a_month_with_parked_customers_cannot_be_released(session, company, manager):
    company.entry(company.customer(), treatment=None)
    close(session)
    with pytest.raises(releases.MonthNotClosed):
        releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW)


def test_a_month_that_has_not_begun_cannot_be_released(session, company, manager):
    with pytest.raises(releases.MonthNotClosed):
        releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW)


def test_the_preview_that_was_seen_is_kept_with_the_order(session, company):
    company.support(company.customer())
    books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW, seen_net_cents=4000)
    session.flush()
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "begin_close")).scalar_one()
    assert event.after["seen_net_cents"] == 4000


# A cancelled month whose new bill is parked -----------------------------------------------------------


@pytest.fixture
def cancelled(session, company):
    """A customer whose September was cancelled and is to be billed again, but has lost its address meanwhile."""
    customer = company.customer()
    company.support(customer)
    close(session)
    number = session.execute(select(Invoice.number)).scalar_one()
    cancellations.cancel(session, number, "Falscher Empfänger", business_day=LATER, actor_id=None, now=NOW)
    customer.city = ""
    run = cancellations.bill_again(session, customer.number, SEPTEMBER, business_day=LATER, actor_id=None, now=NOW)
    work_off(session, run)
    assert session.get(CustomerMonth, (customer.id, SEPTEMBER)).park_code == "missing_address"
    return customer


def test_a_cancelled_month_that_is_parked_is_set_aside_like_any_other(session, cancelled):
    assert books.progress(session, SEPTEMBER) == books.Progress(total=1, posted=0, parked=1, set_aside=0)
    set_aside(session, cancelled)
    assert books.state(session, SEPTEMBER) == "closed"
    assert books.progress(session, SEPTEMBER) == books.Progress(total=1, posted=0, parked=0, set_aside=1)
    assert checks.run(session)["ok"]


def test_a_cancelled_month_that_was_set_aside_is_billed_by_the_next_run(session, cancelled):
    set_aside(session, cancelled)
    cancelled.city = "Leipzig"
    close(session, OCTOBER, date(2026, 11, 5))
    bills = select(Invoice.period, Invoice.revision).where(Invoice.kind == "bill").order_by(Invoice.id)
    assert session.execute(bills).all() == [(SEPTEMBER, 1), (SEPTEMBER, 2), (OCTOBER, 1)]
    assert session.get(CustomerMonth, (cancelled.id, SEPTEMBER)).set_aside_reason is None
    assert checks.run(session)["ok"]


def test_a_cancelled_month_that_is_parked_is_not_parked_once_the_next_run_has_billed_it(session, cancelled):
    cancelled.city = "Leipzig"
    close(session, OCTOBER, date(2026, 11, 5))
    assert session.get(CustomerMonth, (cancelled.id, SEPTEMBER)).park_code is None
    with pytest.raises(books.NotParked):
        again(session, cancelled)


def test_a_cancelled_month_that_stands_again_cannot_be_set_aside(session, cancelled):
    cancelled.city = "Leipzig"
    work_off(session, again(session, cancelled))
    with pytest.raises(books.AlreadySettled):
        set_aside(session, cancelled)


def test_a_cancelled_month_tried_again_by_a_manager_is_released_by_that_order(session, cancelled, manager):
    releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW)
    cancelled.city = "Leipzig"
    work_off(session, books.try_again(session, SEPTEMBER, cancelled.number, LATER, actor_id=manager.id, now=NOW))
    assert releases.released(session, SEPTEMBER)


def test_what_no_person_ordered_waits_for_a_manager_to_release_it(session, cancelled, manager):
    releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW)
    cancelled.city = "Leipzig"
    run = again(session, cancelled)
    work_off(session, run)
    assert releases.unreleased(session) == {SEPTEMBER}
    assert releases.release(session, SEPTEMBER, actor_id=manager.id, now=NOW) == 1
    assert run.released_by_id == manager.id
