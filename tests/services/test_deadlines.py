"""Deadlines beside the tickets: known after every change, computed by the tick where they are not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.tickets import Priority, Status
from ptdash.jobs.tick import tick
from ptdash.models import Ticket
from ptdash.services import deadlines, settings
from ptdash.services.tickets import changing
from tests.company import Company
from tests.services.import_bundle import bundle, run

TUESDAY = datetime(2026, 11, 17, 9, tzinfo=BERLIN)  # the office opens at 8 and closes at 17


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def on(hour: int, minute: int = 0, day: int = 17) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


def made(company: Company, **more: object) -> Ticket:
    ticket = company.ticket(company.customer(), created_at=TUESDAY, **more)
    deadlines.refresh(company.session, [ticket.id])
    return stored(company.session, ticket)


def stored(session: Session, ticket: Ticket) -> Ticket:
    found = select(Ticket).where(Ticket.id == ticket.id)
    return session.execute(found.execution_options(populate_existing=True)).scalar_one()


def test_a_ticket_is_due_by_the_target_of_its_priority(company: Company) -> None:
    ticket = made(company, priority="urgent")
    assert (ticket.response_due_at, ticket.resolution_due_at) == (on(9, 30), on(13))
    assert ticket.due_at == ticket.response_due_at
    assert ticket.deadline_known


def test_after_the_first_reply_the_solution_is_due(company: Company) -> None:
    assert made(company, priority="urgent", responded_at=on(9, 10)).due_at == on(13)


def test_a_holiday_of_the_federal_state_moves_the_deadline(company: Company) -> None:
    friday_before_corpus_christi = datetime(2026, 6, 3, 16, 45, tzinfo=BERLIN)
    ticket = company.ticket(company.customer(), priority="urgent", created_at=friday_before_corpus_christi)
    deadlines.refresh(company.session, [ticket.id])
    assert stored(company.session, ticket).due_at == datetime(2026, 6, 5, 8, 15, tzinfo=BERLIN)
    settings.change(company.session, "company.federal_state", "BE", actor_id=None, now=TUESDAY)
    deadlines.refresh_unknown(company.session)
    assert stored(company.session, ticket).due_at == datetime(2026, 6, 4, 8, 15, tzinfo=BERLIN)


def test_waiting_for_the_customer_moves_the_deadline_by_the_business_hours_waited(company: Company) -> None:
    session, ticket = company.session, made(company, status="in_progress", responded_at=on(9, 5))
    before = ticket.due_at
    assert before == on(9, day=20)  # 27 business hours
    changing.set_status(session, ticket.id, Status.WAITING_CUSTOMER, actor_id=None, now=on(16))
    assert stored(session, ticket).due_at is None
    changing.set_status(session, ticket.id, Status.IN_PROGRESS, actor_id=None, now=on(10, day=18))
    assert stored(session, ticket).due_at == on(12, day=20)  # from 16 to 17, and from 8 to 10


def test_an_imported_ticket_that_waits_has_waited_since_it_came(company: Company) -> None:
    ticket = made(company, status="waiting_customer", updated_at=on(9))
    changing.set_status(company.session, ticket.id, Status.IN_PROGRESS, actor_id=None, now=on(11))
    assert stored(company.session, ticket).due_at == on(15)  # 4 hours from 9, without the two waited


def test_a_new_priority_counts_from_when_the_ticket_came_in(company: Company) -> None:
    ticket = made(company, priority="low")
    changing.set_priority(company.session, ticket.id, Priority.URGENT, actor_id=None, now=on(15))
    assert stored(company.session, ticket).due_at == on(9, 30)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hours.from", "09:00"),
        ("hours.until", "16:00"),
        ("hours.days", "mon,tue"),
        ("target.low", "60/90"),
        ("company.federal_state", "BY"),
    ],
)
def test_after_a_change_of_the_settings_open_tickets_wait_for_new_deadlines(
    company: Company, key: str, value: str
) -> None:
    opened, closed = made(company), made(company, status="closed")
    settings.change(company.session, key, value, actor_id=None, now=TUESDAY)
    assert not stored(company.session, opened).deadline_known
    assert stored(company.session, closed).deadline_known
    assert deadlines.refresh_unknown(company.session) == 1
    assert stored(company.session, opened).deadline_known


@pytest.mark.parametrize(("key", "value"), [("company.name", "Neu GmbH"), ("window_rule", "week_of_15th")])
def test_other_settings_leave_deadlines_alone(company: Company, key: str, value: str) -> None:
    ticket = made(company)
    settings.change(company.session, key, value, actor_id=None, now=TUESDAY)
    assert stored(company.session, ticket).deadline_known


def test_an_import_leaves_deadlines_to_be_computed(session: Session, tmp_path: Path) -> None:
    assert run(session, tmp_path, bundle()).ok
    unknown = session.execute(select(Ticket.number).where(~Ticket.deadline_known)).scalars().all()
    assert unknown
    assert deadlines.refresh_unknown(session) == len(unknown)
    assert deadlines.refresh_unknown(session) == 0


def test_a_ticket_that_an_import_changes_gets_new_deadlines(session: Session, tmp_path: Path) -> None:
    tickets = "T9;K1;phone;software;;;Betreff;;;open;{};2026-09-01 09:00;"
    assert run(session, tmp_path, bundle(tickets=[tickets.format("low")])).ok
    deadlines.refresh_unknown(session)
    assert run(session, tmp_path, bundle(tickets=[tickets.format("urgent")])).ok
    assert deadlines.refresh_unknown(session) == 1
    due = session.execute(select(Ticket.due_at).where(Ticket.number == "T9")).scalar_one()
    assert due == datetime(2026, 9, 1, 9, 30, tzinfo=BERLIN)


@pytest.fixture
def house(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def test_the_tick_computes_what_is_not_known_in_batches(house: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "BATCH", 2)
    with transaction() as session:
        company = Company(session)
        customer = company.customer()
        for _ in range(5):
            company.ticket(customer, created_at=datetime.now(UTC) - timedelta(days=1))
    tick()
    with transaction() as session:
        found = session.execute(select(Ticket.deadline_known, Ticket.due_at)).all()
    assert len(found) == 5 and all(known and due for known, due in found)
    db.session.remove()
