"""Making contracts: what they are made with, what is refused, and in which words."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from threading import Barrier
from time import monotonic

import pytest
from sqlalchemy import func, select, text

from ptdash.db import transaction
from ptdash.domain.errors import NotFound
from ptdash.models import AuditEvent, Contract, StaleCustomer
from ptdash.services import contracts, posted
from ptdash.services.contract_changes import creating
from ptdash.services.contract_changes.contract import FeeUnreadable
from ptdash.services.contract_changes.creating import NewContract
from ptdash.services.posted import Confirmed
from tests.conftest import NOW
from tests.services.test_period_close import close

TODAY = date(2026, 10, 5)
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def customer(company):
    return company.customer(name="Fahrschule Rehn GmbH")


@pytest.fixture
def make(session, actor):
    def make(entered, today=TODAY, **more):
        return creating.create(session, entered, today=today, **actor, **more)

    return make


def support(customer, starts_on=NOVEMBER, package="M", **more):
    return replace(NewContract.promised(customer.number, "support", starts_on), package=package, **more)


def maintenance(customer, starts_on=NOVEMBER, fee="29.00", **more):
    found = NewContract.promised(customer.number, "maintenance", starts_on)
    return replace(found, **({"monthly_fee": Decimal(fee)} | more))


def test_support_is_promised_for_6_months_with_1_months_notice_renewed_by_6(customer, make):
    made = make(support(customer))
    assert (made.number, made.package, made.monthly_fee) == ("SV-1001", "M", None)
    assert (made.term_months, made.notice_months, made.renewal_months, made.ends_before) == (6, 1, 6, None)


def test_maintenance_is_promised_for_12_months_with_1_months_notice_renewed_by_12(customer, make):
    made = make(maintenance(customer, active_station_procedure=" Vorher anrufen "))
    assert (made.number, made.package, made.monthly_fee) == ("WV-2001", None, Decimal("29.00"))
    assert (made.term_months, made.notice_months, made.renewal_months) == (12, 1, 12)
    assert made.active_station_procedure == "Vorher anrufen"


def test_each_contract_has_terms_of_its_own(customer, make):
    made = make(support(customer, term_months=3, notice_months=2, renewal_months=1))
    assert (made.term_months, made.notice_months, made.renewal_months) == (3, 2, 1)


def test_without_renewal_its_last_day_is_stored(customer, make):
    assert make(maintenance(customer, renewal_months=None)).ends_before == date(2027, 11, 1)


def test_the_number_is_the_next_free_one_of_its_kind(company, customer, make):
    company.support(company.customer(), number="SV-1017")
    company.maintenance(company.customer(), number="WV-2100")
    assert [make(support(customer)).number, make(maintenance(customer)).number] == ["SV-1018", "WV-2101"]


def test_who_made_it_is_on_record(session, company, customer, make):
    make(support(customer))
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "create")).scalar_one()
    assert (event.subject, event.subject_id, event.actor_id) == ("contract", "SV-1001", company.technician.id)
    assert event.after["package"] == "M"
    assert event.after["starts_on"] == "2026-11-01"


REFUSED = {
    "unknown customer": ({"customer": "99999"}, NotFound, "99999 does not exist"),
    "no kind": ({"kind": ""}, creating.KindMissing, "Choose support or maintenance"),
    "no package": ({"package": None}, creating.PackageMissing, "needs its package: S, M or L"),
    "another package": ({"package": "XL"}, creating.PackageMissing, "S, M or L"),
    "no start": ({"starts_on": None}, creating.StartMissing, "first day"),
    "a year mistyped": ({"starts_on": date(2062, 11, 1)}, creating.StartFarAway, "Check the year"),
    "no term": ({"term_months": None}, creating.MonthsOutOfRange, "from 1 to 600"),
    "no months of notice": ({"notice_months": 0}, creating.MonthsOutOfRange, "from 1 to 600"),
    "endless renewal": ({"renewal_months": 601}, creating.MonthsOutOfRange, "from 1 to 600"),
    "fee missing": ({"kind": "maintenance"}, FeeUnreadable, "two decimals"),
    "fee below zero": ({"kind": "maintenance", "monthly_fee": Decimal(-1)}, FeeUnreadable, "from 0 on"),
    "half cents": ({"kind": "maintenance", "monthly_fee": Decimal("1.005")}, FeeUnreadable, "two decimals"),
}


@pytest.mark.parametrize(("given", "error", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_contract_is_refused_with_its_sentence(session, customer, make, given, error, sentence):
    entered = replace(support(customer), **given)
    for attempt in (make, lambda entered: creating.preview(session, entered, today=TODAY)):
        with pytest.raises(error, match=sentence):
            attempt(entered)
    assert session.scalar(select(func.count()).select_from(Contract)) == 0


def test_a_consumers_notice_period_is_one_month(company, make):
    consumer = company.customer(name="Frau Ohm", is_consumer=True)
    with pytest.raises(creating.ConsumerNotice, match="Frau Ohm is a consumer"):
        make(support(consumer, notice_months=2))
    assert make(support(consumer)).notice_months == 1


def test_a_second_support_package_is_refused_with_the_first_ones_number(company, customer, make):
    company.support(customer, number="SV-1")
    with pytest.raises(creating.SupportOverlaps, match="Rehn GmbH has support contract SV-1 from 2026-01-01 on"):
        make(support(customer))


def test_one_that_begins_later_is_in_the_way_too(company, customer, make):
    company.support(customer, starts_on=date(2027, 3, 1), number="SV-1")
    with pytest.raises(creating.SupportOverlaps, match="SV-1 from 2027-03-01"):
        make(support(customer))
    assert make(support(customer, term_months=4, renewal_months=None)).ends_before == date(2027, 3, 1)


def test_after_the_end_of_one_another_may_begin(company, customer, make):
    company.support(customer, ends_before=NOVEMBER)
    assert make(support(customer)).number == "SV-1001"


def test_maintenance_contracts_stand_beside_each_other(customer, make):
    assert [make(maintenance(customer)).number for _ in range(2)] == ["WV-2001", "WV-2002"]


def test_two_people_at_once_make_one_support_package(app, session, company, customer):
    session.commit()
    actor_id, entered, ready = company.technician.id, support(customer), Barrier(2)

    def attempt(_):
        with app.app_context(), transaction() as own:
            ready.wait(10)
            try:
                return creating.create(own, entered, today=TODAY, actor_id=actor_id, now=NOW).number
            except creating.SupportOverlaps as refusal:
                return str(refusal.params["contract"])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(attempt, range(2))) == ["SV-1001", "SV-1001"]
    assert session.scalar(select(func.count()).select_from(Contract)) == 1


def test_what_slips_past_the_question_is_refused_in_the_same_words(app, session, company, customer):
    """Another way of writing that is not committed yet when the question is asked: the database's own refusal."""
    session.commit()
    actor_id, entered = company.technician.id, support(customer)
    company.support(customer, number="SV-1")

    def attempt():
        with app.app_context(), transaction() as own:
            try:
                return creating.create(own, entered, today=TODAY, actor_id=actor_id, now=NOW)
            except creating.SupportOverlaps as refusal:
                return str(refusal)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(attempt)
        wait_until_one_waits(session)
        session.commit()
        assert "has support contract SV-1 from 2026-01-01 on" in answer.result(10)


def wait_until_one_waits(session):
    """Until another connection waits for what this one holds."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = monotonic() + 10
    while not session.scalar(waiting):
        assert monotonic() < deadline


# What follows another


def test_a_contract_follows_one_that_ends(session, company, customer, make):
    old = company.maintenance(customer, number="WV-1", renewal_months=None)
    contracts.store_ends(session, [old.id])
    made = make(maintenance(customer, starts_on=date(2027, 1, 1), follows="WV-1"))
    assert made.follows_id == old.id
    with pytest.raises(creating.CannotFollow, match="not be followed already"):
        make(maintenance(customer, starts_on=date(2027, 2, 1), follows="WV-1"))


@pytest.mark.parametrize("follows", ["WV-1", "WV-2", "SV-3", "WV-4", "WV-9"])
def test_only_one_of_the_same_customer_and_kind_that_has_ended_is_followed(
    session, company, customer, make, follows
):
    company.maintenance(customer, number="WV-1")
    company.maintenance(company.customer(), number="WV-2", ends_before=NOVEMBER)
    company.support(customer, number="SV-3", ends_before=NOVEMBER)
    company.maintenance(customer, number="WV-4", ends_before=date(2026, 11, 2))
    with pytest.raises(creating.CannotFollow):
        make(maintenance(customer, follows=follows))


# Said before


def test_the_preview_says_what_it_would_be_and_keeps_nothing(session, customer):
    found = creating.preview(session, support(customer, starts_on=date(2026, 11, 16)), today=TODAY)
    assert (found.life.term_ends_on, found.life.notice_deadline) == (date(2027, 5, 15), date(2027, 4, 15))
    assert found.life.renews_on == date(2027, 5, 16)
    assert (found.monthly_cents, found.first_month, found.first_cents) == (4000, NOVEMBER, 2000)
    assert found.posted == ()
    assert session.scalar(select(func.count()).select_from(Contract)) == 0


def test_a_start_in_posted_months_shows_its_difference_and_needs_a_reason(session, company, customer, make):
    close(session)
    entered = support(customer, starts_on=date(2026, 9, 16))
    found = creating.preview(session, entered, today=TODAY)
    assert [(row.month, row.before_cents, row.after_cents) for row in found.posted] == [
        (date(2026, 9, 1), 0, 2000)
    ]
    for confirmed, refusal in (
        (Confirmed(), posted.ReachNotSeen),
        (Confirmed(1999, "Erst heute bekannt"), posted.ReachNotSeen),
        (Confirmed(2000, " "), posted.ReachReasonMissing),
    ):
        with pytest.raises(refusal), session.begin_nested():
            make(entered, confirmed=confirmed)
    make(entered, confirmed=Confirmed(2000, "Erst heute bekannt"))
    assert session.execute(select(StaleCustomer.since)).scalar_one() == date(2026, 9, 1)
    event = session.execute(select(AuditEvent).where(AuditEvent.action == "create")).scalar_one()
    assert (event.after["reason"], event.after["posted_difference_cents"]) == ("Erst heute bekannt", 2000)
