"""Merging tickets: what moves, what stays, and who is refused."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import AuditEvent, Customer, Material, Ticket, TimeEntry
from ptdash.services import checks
from ptdash.services.tickets import entries, merging, reading, threads
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close

LATER = datetime(2026, 10, 20, 10, tzinfo=BERLIN)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def customer(company: Company) -> Customer:
    return company.customer()


def merge(company: Company, *tickets: Ticket, into: Ticket) -> Ticket:
    ids = [ticket.id for ticket in tickets]
    return merging.merge(company.session, ids, into=into.id, actor_id=company.technician.id, now=NOW)


def of(session: Session, model: type, ticket: Ticket) -> list:
    found = select(model).where(model.ticket_id == ticket.id).order_by(model.id)
    return list(session.execute(found.execution_options(populate_existing=True)).scalars())


def test_time_and_material_of_open_months_move(session: Session, company: Company, customer: Customer) -> None:
    source, target = company.ticket(customer), company.ticket(customer)
    entry = company.entry(customer, 12, ticket=source)
    running = company.entry(customer, None, None, ticket=source, at=LATER)
    material = company.material(customer)
    material.ticket_id = source.id
    merge(company, source, into=target)
    assert [row.id for row in of(session, TimeEntry, target)] == [entry.id, running.id]
    assert [row.id for row in of(session, Material, target)] == [material.id]
    assert (source.status, source.merged_into_id) == ("merged", target.id)


def test_time_of_a_posted_month_stays_and_is_linked(
    session: Session, company: Company, customer: Customer
) -> None:
    company.support(customer)
    source, target = company.ticket(customer), company.ticket(customer)
    posted = company.entry(customer, 12, ticket=source)
    close(session)
    late = company.entry(customer, 5, ticket=source, at=LATER)
    (share,) = merging.preview(session, [source.id], into=target.id)
    assert (share.minutes_moved, share.minutes_kept) == (5, 12)
    merge(company, source, into=target)
    assert [row.id for row in of(session, TimeEntry, source)] == [posted.id]
    assert [row.id for row in of(session, TimeEntry, target)] == [late.id]
    shown = reading.show(session, target.number, company.technician)
    assert shown.merged == {source.id: source.number}
    told = {entry.id: entry for entry in entries.thread(session, target.id, shown.family) if entry.kind == "time"}
    assert (told[posted.id].number, told[posted.id].posted) == (source.number, True)
    assert (told[late.id].number, told[late.id].posted) == (None, False)
    assert checks.run(session)["ok"]


def test_a_correction_stays_with_what_it_corrects(session: Session, company: Company, customer: Customer) -> None:
    company.support(customer)
    source, target = company.ticket(customer), company.ticket(customer)
    posted = company.entry(customer, 12, ticket=source)
    close(session)
    same = {"ticket": source, "at": posted.started_at}
    reversal = company.entry(customer, 12, reverses_id=posted.id, **same)
    replacement = company.entry(customer, 10, **same)
    merge(company, source, into=target)
    assert [row.id for row in of(session, TimeEntry, source)] == [posted.id, reversal.id]
    assert [row.id for row in of(session, TimeEntry, target)] == [replacement.id]


def test_what_was_said_is_read_in_the_target(session: Session, company: Company, customer: Customer) -> None:
    source = company.ticket(customer, subject="Teams geht nicht", body="Seit heute")
    target = company.ticket(customer)
    threads.note(session, source.id, "Router neu gestartet", actor_id=company.technician.id, now=NOW)
    merge(company, source, into=target)
    shown = reading.show(session, target.number, company.technician)
    told = entries.thread(session, target.id, shown.family)
    assert [(entry.kind, entry.number, entry.text) for entry in told] == [
        ("opened", None, ""),
        ("opened", source.number, "Teams geht nicht\n\nSeit heute"),
        ("note", source.number, "Router neu gestartet"),
    ]


def test_what_was_merged_before_follows(company: Company, customer: Customer) -> None:
    first, second, third = (company.ticket(customer) for _ in range(3))
    merge(company, first, into=second)
    merge(company, second, into=third)
    assert reading.show(company.session, third.number, company.technician).merged.keys() == {first.id, second.id}


def test_several_go_at_once_and_each_leaves_an_event(
    session: Session, company: Company, customer: Customer
) -> None:
    one, two, target = (company.ticket(customer) for _ in range(3))
    company.entry(customer, 12, ticket=one)
    merge(company, two, one, into=target)
    told = select(AuditEvent.after).where(AuditEvent.action == "merge").order_by(AuditEvent.id)
    assert list(session.execute(told).scalars()) == [
        {"from": one.number, "minutes_moved": 12},
        {"from": two.number},
    ]


def test_tickets_of_different_customers_are_not_merged(company: Company, customer: Customer) -> None:
    with pytest.raises(merging.OtherCustomer, match="Move it"):
        merge(company, company.ticket(company.customer()), into=company.ticket(customer))


@pytest.mark.parametrize("status", ["resolved", "closed", "merged"])
def test_a_finished_ticket_takes_nothing_in(company: Company, customer: Customer, status: str) -> None:
    with pytest.raises(merging.CannotTakeIn):
        merge(company, company.ticket(customer), into=company.ticket(customer, status=status))


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_a_closed_ticket_is_not_merged(company: Company, customer: Customer, status: str) -> None:
    with pytest.raises(merging.AlreadyFinished):
        merge(company, company.ticket(customer, status=status), into=company.ticket(customer))


def test_a_ticket_is_not_merged_into_itself(company: Company, customer: Customer) -> None:
    ticket = company.ticket(customer)
    with pytest.raises(merging.MergesIntoItself):
        merge(company, ticket, into=ticket)
    with pytest.raises(merging.NothingToMerge):
        merge(company, into=ticket)


def test_a_preview_moves_nothing(session: Session, company: Company, customer: Customer) -> None:
    source, target = company.ticket(customer), company.ticket(customer)
    company.entry(customer, 12, ticket=source, at=NOW - timedelta(days=1))
    (share,) = merging.preview(session, [source.id], into=target.id)
    assert (share.number, share.minutes_moved, share.messages) == (source.number, 12, 0)
    assert of(session, TimeEntry, target) == []
    assert source.status == "open"
