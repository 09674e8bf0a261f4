"""The queue's pages and figures: found, in order, complete, and counted."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.tickets import Priority
from ptdash.models import MinuteAlert, Role, Ticket, User
from ptdash.services.bulk import insert_rows
from ptdash.services.tickets import counts, queue
from ptdash.services.tickets.asking import RANKS, Asked, Group, Moment, Sort, Tab, begin_at
from ptdash.services.tickets.prepared import values
from tests.company import Company

NOW = datetime(2026, 11, 17, 9, 42, tzinfo=UTC)
MOMENT = Moment(NOW)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def jana(company: Company) -> User:
    found: User = company.add(User(email="jana@pt.example", name="Jana Petersen", role=Role.DISPATCHER.value))
    return found


def due(company: Company, customer: Any, minutes: int | None, **more: Any) -> Ticket:
    at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return company.ticket(customer, due_at=at, deadline_known=True, **more)


def subjects(session: Session, asked: Asked, user: User) -> list[str]:
    return [row.subject for row in queue.page(session, asked, user, MOMENT).rows]


@pytest.mark.parametrize("typed", ["Müller", "mueller", "MULLER drucker", "drucker", "#drucker"])
def test_every_word_is_found_in_ticket_or_customer_whatever_its_spelling(
    session: Session, company: Company, jana: User, typed: str
) -> None:
    due(company, company.customer(name="Müller & Söhne"), 5, subject="Drucker streikt")
    due(company, company.customer(name="Brandt"), 5, subject="Monitor flackert")
    assert subjects(session, Asked(text=typed), jana) == ["Drucker streikt"]


def test_a_slip_of_the_finger_is_forgiven_only_where_nothing_fits(
    session: Session, company: Company, jana: User
) -> None:
    due(company, company.customer(name="Brandt"), 5, subject="Kassensystem meldet Fehler")
    page = queue.page(session, Asked(text="kasensystem"), jana, MOMENT)
    assert (len(page.rows), page.alike) == (1, True)
    page = queue.page(session, Asked(text="kassen"), jana, MOMENT)
    assert (len(page.rows), page.alike) == (1, False)


def test_a_wildcard_is_a_letter_like_any_other(session: Session, company: Company, jana: User) -> None:
    due(company, company.customer(name="Brandt"), 5, subject="Drucker")
    assert subjects(session, Asked(text="%r_cker%"), jana) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(
        st.tuples(
            st.sampled_from([None, -60, 0, 30, 30, 500]), st.sampled_from(list(Priority)), st.integers(0, 2)
        ),
        max_size=12,
    ),
    sort=st.sampled_from(list(Sort)),
    size=st.integers(1, 4),
    technician=st.booleans(),
)
def test_the_pages_together_are_the_whole_in_order_forth_and_back(
    session: Session, facts: list[tuple[int | None, Priority, int]], sort: Sort, size: int, technician: bool
) -> None:
    session.rollback()
    company = Company(session)
    user = company.technician if technician else company.add(User(email="j@x", name="J", role="dispatcher"))
    customers = [company.customer(name=name) for name in ("Ärzte", "Brandt", "Ärzte")]
    tickets = [
        due(
            company,
            customers[customer],
            minutes,
            priority=priority.value,
            created_at=NOW - timedelta(days=customer),
            assignee_id=company.technician.id if customer else None,
            status="waiting_customer" if minutes is None else "open",
        )
        for minutes, priority, customer in facts
    ]
    names = {customer.id: customer.sort_key for customer in customers}
    expected = [ticket.id for ticket in sorted(tickets, key=lambda ticket: _key(sort, ticket, names))]
    if sort is Sort.NEWEST:
        expected.reverse()
    seen, asked, before = [], Asked(sort=sort), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue, "PAGE", size)
        while True:
            page = queue.page(session, asked, user, MOMENT)
            seen += [row.id for row in page.rows]
            before.append([row.id for row in page.rows])
            if page.after is None:
                break
            asked = begin_at(Asked(sort=sort), page.after, back=False)
        assert seen == expected
        for earlier, _ in reversed(list(pairwise(before))):
            assert page.before is not None
            page = queue.page(session, begin_at(Asked(sort=sort), page.before, back=True), user, MOMENT)
            assert [row.id for row in page.rows] == earlier
        assert page.before is None or len(before) == 1
    session.rollback()


def test_a_place_that_nobody_named_is_the_beginning() -> None:
    for text in ("x", "W10", "%%%", "bnVsbA", "WyIyMDI2LTAxLTAxIiwgInoiXQ"):
        assert begin_at(Asked(), text, back=False).start is None


def test_tabs_and_groups_are_counted_by_the_berlin_day(session: Session, company: Company, jana: User) -> None:
    kessler = company.customer(name="Kessler")
    contract = company.support(kessler)
    month = date(2026, 11, 1)
    alert = {"level": 80, "used_minutes": 25, "included_minutes": 30, "crossed_at": NOW}
    session.add(MinuteAlert(contract_id=contract.id, month=month, customer_id=kessler.id, **alert))
    due(company, kessler, -5, assignee_id=jana.id)
    due(company, company.customer(), 119)
    due(company, company.customer(), 13 * 60 + 17)  # 23:59 in Berlin
    due(company, company.customer(), 13 * 60 + 18)  # midnight
    due(company, company.customer(), None, status="waiting_customer")
    company.ticket(kessler, status="closed")
    figures = counts.figures(session, Asked(), jana, MOMENT)
    assert figures.tabs == {
        Tab.OPEN: 5,
        Tab.UNASSIGNED: 4,
        Tab.CRITICAL: 2,
        Tab.MINE: 1,
        Tab.HOLD: 1,
        Tab.LOW: 1,
    }
    assert figures.groups == {Group.OVERDUE: 1, Group.TODAY: 2, Group.LATER: 1, Group.HOLD: 1}
    assert (figures.overdue, figures.total) == (1, 5)
    assert counts.figures(session, Asked(status="closed"), jana, MOMENT).total == 1


def test_a_technician_counts_own_and_unassigned_tickets(session: Session, company: Company, jana: User) -> None:
    for assignee in (jana.id, company.technician.id, None):
        due(company, company.customer(), -5, assignee_id=assignee)
    assert session.scalar(select(counts.overdue(Role.TECHNICIAN)), values(company.technician, MOMENT)) == 2
    assert session.scalar(select(counts.overdue(Role.DISPATCHER)), values(jana, MOMENT)) == 3


def test_counting_stops_at_a_thousand(session: Session, company: Company, jana: User) -> None:
    row = {"customer_id": company.customer().id, "channel": "phone", "category": "software", "subject": "Flut"}
    row |= {"status": "open", "priority": "low", "created_at": NOW, "due_at": NOW, "deadline_known": True}
    insert_rows(session, Ticket, [row | {"number": f"F{number}"} for number in range(1002)])
    figures = counts.figures(session, Asked(), jana, MOMENT)
    assert (figures.tabs[Tab.OPEN], figures.total) == (1000, 1000)


def _key(sort: Sort, ticket: Ticket, names: dict[int, str]) -> tuple[Any, ...]:
    rank = RANKS[Priority(ticket.priority)]
    return {
        Sort.DEADLINE: (ticket.due_key, ticket.id),
        Sort.NEWEST: (ticket.created_at, ticket.id),
        Sort.UNTOUCHED: (ticket.updated_at, ticket.id),
        Sort.PRIORITY: (rank, ticket.due_key, ticket.id),
        Sort.CUSTOMER: (names[ticket.customer_id], ticket.due_key, ticket.id),
    }[sort]
