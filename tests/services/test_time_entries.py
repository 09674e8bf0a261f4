from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from ptdash.config import BERLIN
from ptdash.domain.minutes import Treatment
from ptdash.domain.walltime import EndBeforeStart, LongerThanADay, WorkInFuture
from ptdash.models import AuditEvent, TimeEntry, User
from ptdash.services import corrections, meters, time_entries
from ptdash.services.books import ReasonMissing
from ptdash.services.corrections import NothingCorrected, NotPosted
from ptdash.services.time_entries import (
    AlreadyPosted,
    GoodwillWithoutReason,
    NobodyToBookFor,
    Odd,
    ReversedBefore,
    SomebodyElsesTime,
    StillRunning,
    TicketIsMerged,
    Work,
)
from tests.company import Company
from tests.services.test_period_close import close

AT = datetime(2026, 9, 15, 10, tzinfo=BERLIN)
NOW = datetime(2026, 10, 5, 9, tzinfo=BERLIN)
MONTH = date(2026, 9, 1)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def ticket(company):
    customer = company.customer()
    company.support(customer)
    return company.ticket(customer)


@pytest.fixture
def dispatcher(company):
    return company.add(User(email="dispo@pt.example", name="Jana Petersen", role="dispatcher"))


def work(minutes=10, treatment=Treatment.PACKAGE, at=AT, **more):
    return Work(at, at + timedelta(minutes=minutes), treatment, **{"note": "Fernwartung", **more})


def book(session, ticket, company, *, by=None, **more):
    return time_entries.book(session, ticket.id, work(**more), actor_id=(by or company.technician).id, now=NOW)


def events(session, action):
    return (
        session.execute(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
        .scalars()
        .all()
    )


def test_work_is_recorded_with_its_minutes_rounded_up_once(session, company, ticket):
    entry, odd = time_entries.book(
        session,
        ticket.id,
        Work(AT, AT + timedelta(minutes=12, seconds=1), Treatment.PACKAGE),
        actor_id=company.technician.id,
        now=NOW,
    )
    assert (entry.minutes, entry.customer_id, entry.technician_id, odd) == (
        (13, ticket.customer_id, company.technician.id, [])
    )
    assert events(session, "book")[0].after["treatment"] == "package"


def test_an_exhausted_package_refuses_nothing(session, company, ticket):
    book(session, ticket, company, minutes=50)
    assert book(session, ticket, company, minutes=50, at=AT + timedelta(days=1))[0].minutes == 50


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"minutes": 0}, EndBeforeStart),
        ({"at": NOW + timedelta(hours=1)}, WorkInFuture),
        ({"minutes": 25 * 60}, LongerThanADay),
        ({"treatment": Treatment.GOODWILL, "note": " "}, GoodwillWithoutReason),
        ({"technician_id": 4711}, SomebodyElsesTime),
    ],
)
def test_what_cannot_be_is_refused(session, company, ticket, wrong, error):
    with pytest.raises(error):
        book(session, ticket, company, **wrong)


def test_more_than_a_day_is_booked_once_confirmed(session, company, ticket):
    assert book(session, ticket, company, minutes=25 * 60, long_confirmed=True)[0].minutes == 1500


def test_a_dispatcher_books_for_a_colleague_a_technician_does_not(session, company, ticket, dispatcher):
    entry, _ = book(session, ticket, company, by=dispatcher, technician_id=company.technician.id)
    assert entry.technician_id == company.technician.id
    with pytest.raises(SomebodyElsesTime):
        book(session, ticket, company, technician_id=dispatcher.id)


def test_nobody_books_for_an_administrator(session, company, ticket, dispatcher):
    admin = company.add(User(email="admin@pt.example", name="Anna Adler", role="admin"))
    with pytest.raises(NobodyToBookFor):
        book(session, ticket, company, by=dispatcher, technician_id=admin.id)


def test_nothing_is_booked_on_a_merged_ticket(session, company, ticket):
    ticket.status = "merged"
    session.flush()
    with pytest.raises(TicketIsMerged):
        book(session, ticket, company)


def test_two_things_at_once_are_told_and_recorded(session, company, ticket):
    book(session, ticket, company)
    entry, odd = book(session, ticket, company, at=AT + timedelta(minutes=5))
    assert entry.id and [(found.odd, found.params["ticket"]) for found in odd] == [(Odd.OVERLAPS, ticket.number)]


def test_maintenance_without_a_running_contract_is_told(session, company, ticket):
    _, odd = book(session, ticket, company, treatment=Treatment.MAINTENANCE)
    assert [found.odd for found in odd] == [Odd.NO_MAINTENANCE]


def test_an_entry_that_is_not_posted_changes_in_place(session, company, ticket):
    entry, _ = book(session, ticket, company)
    changed = work(minutes=25, treatment=Treatment.SEPARATE, note="Vor Ort")
    time_entries.change(session, entry.id, changed, actor_id=company.technician.id, now=NOW)
    assert (entry.minutes, entry.treatment, entry.note) == (25, "separate", "Vor Ort")
    assert events(session, "change")[0].before == {
        "ended_at": "2026-09-15T08:10:00+00:00",
        "treatment": "package",
        "note": "Fernwartung",
    }


def test_a_removed_entry_lives_on_in_the_audit_trail(session, company, ticket):
    entry, _ = book(session, ticket, company)
    time_entries.remove(session, entry.id, actor_id=company.technician.id, now=NOW)
    assert session.get(TimeEntry, entry.id) is None
    assert events(session, "remove")[0].before["note"] == "Fernwartung"


def test_a_technician_leaves_a_colleagues_time_alone(session, company, ticket, dispatcher):
    entry, _ = book(session, ticket, company, by=dispatcher)
    with pytest.raises(SomebodyElsesTime):
        time_entries.remove(session, entry.id, actor_id=company.technician.id, now=NOW)


def test_a_running_timer_is_stopped_before_it_is_changed(session, company, ticket):
    entry = company.entry(None, None, ticket=ticket)
    with pytest.raises(StillRunning):
        time_entries.remove(session, entry.id, actor_id=company.technician.id, now=NOW)


def test_what_is_not_posted_is_changed_not_corrected(session, company, ticket):
    entry, _ = book(session, ticket, company)
    with pytest.raises(NotPosted):
        corrections.correct(session, entry.id, None, "war falsch", actor_id=company.technician.id, now=NOW)


class TestPosted:
    @pytest.fixture
    def entry(self, session, company, ticket):
        entry, _ = book(session, ticket, company, minutes=43)
        close(session, MONTH, date(2026, 10, 2))
        return entry

    def test_it_cannot_be_changed_or_removed(self, session, company, entry):
        with pytest.raises(AlreadyPosted):
            time_entries.change(session, entry.id, work(), actor_id=company.technician.id, now=NOW)
        with pytest.raises(AlreadyPosted):
            time_entries.remove(session, entry.id, actor_id=company.technician.id, now=NOW)

    def test_a_correction_reverses_it_once_and_replaces_it(self, session, company, entry):
        right = work(minutes=34)
        new = corrections.correct(session, entry.id, right, "Pause", actor_id=company.technician.id, now=NOW)
        assert (new.minutes, new.note) == (34, "Fernwartung; Pause")
        assert meters.meters(session, [entry.customer_id], MONTH)[entry.customer_id].used == 34
        with pytest.raises(ReversedBefore):
            corrections.correct(session, entry.id, right, "noch einmal", actor_id=company.technician.id, now=NOW)
        assert session.get(TimeEntry, entry.id).minutes == 43

    def test_a_correction_may_leave_nothing(self, session, company, entry):
        assert (
            corrections.correct(session, entry.id, None, "Doppelt", actor_id=company.technician.id, now=NOW)
            is None
        )
        assert meters.meters(session, [entry.customer_id], MONTH)[entry.customer_id].used == 0

    def test_it_needs_a_reason_and_a_difference(self, session, company, entry):
        with pytest.raises(ReasonMissing):
            corrections.correct(session, entry.id, None, " ", actor_id=company.technician.id, now=NOW)
        with pytest.raises(NothingCorrected):
            same = work(minutes=43)
            corrections.correct(session, entry.id, same, "Pause", actor_id=company.technician.id, now=NOW)

    def test_the_difference_is_told_before(self, session, company, entry):
        found = corrections.difference(session, entry, work(minutes=34))
        assert (found.before, found.after, found.cents) == (43, 34, -1350)
        assert corrections.difference(session, entry, None).cents == -1950
        other_month = work(minutes=43, at=datetime(2026, 10, 1, 8, tzinfo=BERLIN))
        assert corrections.difference(session, entry, other_month).cents == 0
