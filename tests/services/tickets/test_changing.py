"""Changing a ticket: what is allowed, what is remembered, and that nobody overwrites what they have not seen."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.errors import NotFound
from ptdash.domain.tickets import Priority, Status, StepNotAllowed
from ptdash.models import AuditEvent, Ticket, TicketPause, User
from ptdash.services.tickets import changing
from ptdash.services.tickets.changing import AssigneeUnknown, NotYourTicket, StaleEdit
from tests.company import Company

NOW = datetime(2026, 11, 17, 10, tzinfo=BERLIN)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def ticket(company: Company) -> Ticket:
    return company.ticket(company.customer(), created_at=NOW - timedelta(hours=1))


def person(company: Company, name: str, role: str = "technician", **more: Any) -> User:
    return company.add(User(email=f"{name}@pt.example", name=name.title(), role=role, **more))


def change(company: Company, ticket: Ticket, **values: Any) -> Ticket:
    edge = {"actor_id": values.pop("actor_id", None), "now": values.pop("now", NOW)}
    version = values.pop("version", None)
    return changing.change(company.session, ticket.id, values, version=version, **edge)


def events(session: Session, ticket: Ticket) -> list[AuditEvent]:
    found = select(AuditEvent).where(AuditEvent.subject == "ticket", AuditEvent.subject_id == ticket.number)
    return list(session.execute(found.order_by(AuditEvent.id)).scalars())


def test_a_change_is_recorded_with_what_was_and_what_became_of_it(company: Company, ticket: Ticket) -> None:
    jana = person(company, "jana", "dispatcher")
    change(company, ticket, product="Outlook", subject="Outlook startet nicht", actor_id=jana.id)
    (event,) = events(company.session, ticket)
    assert (event.action, event.actor_id, event.at) == ("change", jana.id, NOW)
    assert event.before == {"product": "", "subject": "Drucker druckt nicht"}
    assert event.after == {"product": "Outlook", "subject": "Outlook startet nicht", "version": 2}


def test_each_change_makes_a_new_version(company: Company, ticket: Ticket) -> None:
    assert [change(company, ticket, subject=word).version for word in ("a", "b", "c")] == [2, 3, 4]
    assert ticket.updated_at == NOW


def test_where_nothing_differs_nothing_happens(company: Company, ticket: Ticket) -> None:
    changed = change(company, ticket, subject=ticket.subject, priority=ticket.priority, version=1)
    assert changed.version == 1
    assert events(company.session, ticket) == []


def test_a_ticket_that_does_not_exist_cannot_be_changed(company: Company) -> None:
    with pytest.raises(NotFound):
        changing.change(company.session, 4711, {"subject": "x"}, actor_id=None, now=NOW)


def test_who_comes_back_knows_the_new_deadline(company: Company, ticket: Ticket) -> None:
    changed = changing.set_priority(company.session, ticket.id, Priority.URGENT, actor_id=None, now=NOW)
    assert changed.deadline_known
    assert changed.due_at == datetime(2026, 11, 17, 9, 30, tzinfo=BERLIN)


# Two people at once.


def test_a_stale_edit_is_refused_with_what_changed_meanwhile(company: Company, ticket: Ticket) -> None:
    jana = person(company, "jana", "dispatcher")
    change(company, ticket, subject="Outlook startet nicht", actor_id=jana.id)
    with pytest.raises(StaleEdit) as refused:
        change(company, ticket, subject="Drucker streikt", version=1)
    assert refused.value.version == 2
    (newer,) = refused.value.changes
    assert (newer.field, newer.before, newer.after) == ("subject", "Drucker druckt nicht", "Outlook startet nicht")
    assert (newer.by, newer.at) == ("Jana", NOW)
    assert ticket.subject == "Outlook startet nicht"


def test_two_people_can_change_different_fields(company: Company, ticket: Ticket) -> None:
    change(company, ticket, product="Outlook")
    changed = change(company, ticket, subject="Startet nicht", version=1)
    assert (changed.product, changed.subject, changed.version) == ("Outlook", "Startet nicht", 3)


def test_two_people_who_want_the_same_do_not_disturb_each_other(company: Company, ticket: Ticket) -> None:
    change(company, ticket, priority="high")
    assert change(company, ticket, priority="high", version=1).version == 2


def test_an_edit_is_measured_against_every_change_since_it_was_opened(company: Company, ticket: Ticket) -> None:
    change(company, ticket, priority="high")
    change(company, ticket, subject="Neuer Betreff")
    with pytest.raises(StaleEdit) as refused:
        change(company, ticket, priority="low", version=1)
    assert [newer.field for newer in refused.value.changes] == ["priority", "subject"]
    assert change(company, ticket, priority="low", version=3).priority == "low"


# States.


def test_a_state_is_reached_by_the_steps_of_a_tickets_life(company: Company) -> None:
    ticket = company.ticket(company.customer(), status="new")
    changing.set_status(company.session, ticket.id, Status.WAITING_VENDOR, actor_id=None, now=NOW)
    (event,) = events(company.session, ticket)
    assert (event.before, event.after) == (
        {"status": "new"},
        {"status": "waiting_vendor", "version": 2},
    )


@pytest.mark.parametrize(("start", "target"), [("open", "closed"), ("closed", "open"), ("merged", "open")])
def test_a_step_that_a_tickets_life_does_not_have_is_refused(company: Company, start: str, target: str) -> None:
    ticket = company.ticket(company.customer(), status=start)
    with pytest.raises(StepNotAllowed):
        changing.set_status(company.session, ticket.id, Status(target), actor_id=None, now=NOW)
    assert (ticket.status, ticket.version) == (start, 1)


def test_when_a_ticket_was_resolved_is_kept_until_it_opens_again(company: Company, ticket: Ticket) -> None:
    steps = [("resolved", NOW), ("open", None), ("resolved", NOW), ("closed", NOW)]
    for status, resolved_at in steps:
        assert change(company, ticket, status=status).resolved_at == resolved_at


def test_an_appointment_ends_with_being_scheduled(company: Company, ticket: Ticket) -> None:
    appointment = NOW + timedelta(days=1)
    assert change(company, ticket, status="scheduled", scheduled_at=appointment).scheduled_at == appointment
    assert change(company, ticket, status="in_progress").scheduled_at is None


def test_waiting_for_the_customer_is_a_pause_with_a_beginning_and_an_end(company: Company, ticket: Ticket) -> None:
    later = NOW + timedelta(hours=2)
    change(company, ticket, status="waiting_customer")
    change(company, ticket, status="waiting_vendor", now=later)
    change(company, ticket, status="waiting_customer", now=later)
    pauses = select(TicketPause.started_at, TicketPause.ended_at).order_by(TicketPause.id)
    assert company.session.execute(pauses).all() == [(NOW, later), (later, None)]


def test_a_clock_that_is_behind_ends_a_pause_where_it_began(company: Company, ticket: Ticket) -> None:
    change(company, ticket, status="waiting_customer")
    change(company, ticket, status="resolved", now=NOW - timedelta(seconds=2))
    pauses = select(TicketPause.started_at, TicketPause.ended_at)
    assert company.session.execute(pauses).all() == [(NOW, NOW)]


# People.


def test_a_new_ticket_that_is_given_to_somebody_is_open(company: Company) -> None:
    tarek, ticket = company.technician, company.ticket(company.customer(), status="new")
    changed = changing.assign(company.session, ticket.id, tarek.id, actor_id=None, now=NOW)
    assert (changed.assignee_id, changed.status) == (tarek.id, "open")
    (event,) = events(company.session, ticket)
    assert event.before == {"assignee_id": None, "status": "new"}
    assert changing.assign(company.session, ticket.id, None, actor_id=None, now=NOW).status == "open"


def test_only_colleagues_who_work_on_tickets_are_given_one(company: Company, ticket: Ticket) -> None:
    gone, admin = person(company, "gone", active=False), person(company, "anna", "admin")
    for nobody in (gone.id, admin.id, 4711):
        with pytest.raises(AssigneeUnknown):
            changing.assign(company.session, ticket.id, nobody, actor_id=None, now=NOW)
    assert ticket.assignee_id is None


def test_a_technician_works_on_own_and_unassigned_tickets(company: Company, ticket: Ticket) -> None:
    tarek, lukas = company.technician, person(company, "lukas")
    changing.refuse_stranger(ticket, lukas)
    changing.assign(company.session, ticket.id, tarek.id, actor_id=None, now=NOW)
    changing.refuse_stranger(ticket, tarek)
    with pytest.raises(NotYourTicket):
        changing.refuse_stranger(ticket, lukas)


@pytest.mark.parametrize("role", ["dispatcher", "manager"])
def test_dispatchers_and_managers_work_on_every_ticket(company: Company, ticket: Ticket, role: str) -> None:
    changing.assign(company.session, ticket.id, company.technician.id, actor_id=None, now=NOW)
    changing.refuse_stranger(ticket, person(company, "other", role))
