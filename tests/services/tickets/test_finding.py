"""The queue's search: complete and in order wherever a page begins, and forgiving by the words that there are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ptdash.models import SearchWord, Ticket, User
from ptdash.services.bulk import insert_rows
from ptdash.services.tickets import finding, queue
from ptdash.services.tickets.asking import Asked, Moment, Sort, begin_at
from tests.company import Company
from tests.counting import queries

NOW = datetime(2026, 11, 17, 9, 42, tzinfo=UTC)
MOMENT = Moment(NOW)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages of two rows, of which a search looks through three before it asks the index."""
    monkeypatch.setattr(queue, "PAGE", 2)
    monkeypatch.setattr(finding, "LOOKED_THROUGH", 3)
    finding._spelled.cache_clear()
    yield
    finding._spelled.cache_clear()


def dispatcher(company: Company) -> User:
    return company.add(User(email="jana@pt.example", name="Jana Petersen", role="dispatcher"))


def pages(session: Session, asked: Asked, user: User) -> list[queue.Page]:
    """All pages of a view, from the first on."""
    found = [queue.page(session, asked, user, MOMENT)]
    while found[-1].after:
        found.append(queue.page(session, begin_at(asked, found[-1].after, back=False), user, MOMENT))
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(
        st.tuples(st.sampled_from(["Drucker", "VPN", "Drucker VPN"]), st.integers(0, 3), st.booleans()),
        max_size=12,
    ),
    typed=st.sampled_from(["drucker", "vpn drucker", "rucke muller", "muller", "pn"]),
    sort=st.sampled_from([Sort.DEADLINE, Sort.NEWEST, Sort.CUSTOMER]),
    technician=st.booleans(),
)
def test_the_pages_of_a_search_are_all_that_has_its_words_in_order(
    session: Session, small: None, facts: list[tuple[str, int, bool]], typed: str, sort: Sort, technician: bool
) -> None:
    session.rollback()
    company = Company(session)
    customers = [company.customer(name=name) for name in ("Brandt", "Müller & Söhne")]
    user = company.technician if technician else dispatcher(company)
    expected = []
    for place, (subject, hours, own) in enumerate(facts):
        customer = customers[place % 2]
        at = NOW + timedelta(hours=hours)
        ticket = company.ticket(
            customer,
            subject=subject,
            due_at=at,
            deadline_known=True,
            created_at=at,
            assignee_id=company.technician.id if own else None,
        )
        if all(word in f"{ticket.number} {subject} {customer.search}".lower() for word in typed.split()):
            key = (at, ticket.id)
            expected.append((customer.sort_key, *key, ticket.id) if sort is Sort.CUSTOMER else (*key, ticket.id))
    expected.sort(reverse=sort is Sort.NEWEST)
    found = pages(session, Asked(text=typed, sort=sort), user)
    assert [row.id for page in found for row in page.rows] == [key[-1] for key in expected]
    assert not any(page.alike for page in found)
    assert {page.found for page in found} <= {None, len(expected)}
    assert len(found) > 1 or found[0].found == len(expected)


@pytest.mark.parametrize("own", [True, False])
def test_a_technician_finds_what_stands_far_back_among_one_half_of_what_is_seen(
    session: Session, company: Company, small: None, own: bool
) -> None:
    """The own tickets and those of nobody are looked through apart."""
    customer, me = company.customer(name="Brandt"), company.technician
    for place, subject in enumerate(["VPN", "VPN", "VPN", "Drucker"]):
        mine = {"assignee_id": me.id if own else None, "due_at": NOW + timedelta(hours=place)}
        company.ticket(customer, subject=subject, deadline_known=True, **mine)
    company.ticket(customer, subject="Drucker", assignee_id=None if own else me.id)
    page = queue.page(session, Asked(text="drucker"), me, MOMENT)
    assert (len(page.rows), page.found) == (2, 2)


@pytest.mark.parametrize(
    ("typed", "subject"),
    [
        ("druker", "Drucker streikt"),
        ("zahnartz", "Zahnarzt wartet"),
        ("Kasensystem", "Kassensystem meldet Fehler"),
        ("Etiketendrucker", "Etikettendrucker Halle 2"),
        ("etikettendrucker", "Etiketten-Drucker Halle 2"),
        ("etiketten", "Etikettdrucker"),
        ("uebertragunk", "Übertragung hängt"),
        ("drucker mueler", "Drucker streikt"),
    ],
)
def test_a_slip_of_the_finger_finds_the_nearest_words(
    session: Session, company: Company, typed: str, subject: str
) -> None:
    company.ticket(company.customer(name="Müller & Söhne"), subject=subject)
    company.ticket(company.customer(name="Brandt"), subject="Monitor flackert")
    page = queue.page(session, Asked(text=typed), dispatcher(company), MOMENT)
    assert ([row.subject for row in page.rows], page.found, page.alike) == ([subject], 1, True)


def test_what_is_similar_has_pages_too(session: Session, company: Company, small: None) -> None:
    customer = company.customer(name="Brandt")
    for hours in range(5):
        company.ticket(customer, subject="Kassensystem", due_at=NOW + timedelta(hours=hours), deadline_known=True)
    found = pages(session, Asked(text="kasensystem"), dispatcher(company))
    assert [len(page.rows) for page in found] == [2, 2, 1]
    assert all(page.alike and page.found == 5 for page in found)


def test_a_page_behind_the_last_hit_is_empty_and_not_similar(
    session: Session, company: Company, small: None
) -> None:
    customer, jana = company.customer(name="Brandt"), dispatcher(company)
    tickets = [
        company.ticket(customer, subject="Drucker", due_at=NOW + timedelta(hours=hours), deadline_known=True)
        for hours in range(3)
    ]
    asked = Asked(text="drucker")
    following = begin_at(asked, queue.page(session, asked, jana, MOMENT).after or "", back=False)
    session.execute(update(Ticket).where(Ticket.id == tickets[2].id).values(subject="Druckerei"))
    session.execute(update(Ticket).where(Ticket.id == tickets[2].id).values(status="closed"))
    page = queue.page(session, following, jana, MOMENT)
    assert (page.rows, page.alike) == ([], False)


def known(session: Session) -> list[str]:
    return sorted(session.scalars(select(SearchWord.word)))


def test_words_are_learnt_once_from_tickets_and_customers_and_from_their_changes(
    session: Session, company: Company
) -> None:
    customer = company.customer(number="K1", name="Bäckerei Öztürk", city="Köln")
    ticket = company.ticket(customer, subject="Server: Öztürk, 4711 A-1", product="")
    company.ticket(customer, subject="Server")
    assert known(session) == ["backerei", "koln", "ozturk", "server"]
    ticket.subject = "Monitor"
    customer.city = "Bonn"
    session.flush()
    assert known(session) == ["backerei", "bonn", "koln", "monitor", "ozturk", "server"]


def test_many_tickets_at_once_teach_their_words(session: Session, company: Company) -> None:
    row = {"customer_id": company.customer().id, "channel": "phone", "category": "software", "status": "open"}
    row |= {"priority": "low", "created_at": NOW}
    before = set(known(session))
    insert_rows(session, Ticket, [row | {"number": f"{n}", "subject": f"Flut Nummer{n % 3}"} for n in range(9)])
    assert sorted(set(known(session)) - before) == ["flut", "nummer0", "nummer1", "nummer2"]


def test_a_word_longer_than_an_index_takes_is_found(session: Session, company: Company) -> None:
    company.ticket(company.customer(), subject="x" * 3000 + "ende")
    assert len(queue.page(session, Asked(text="xende"), dispatcher(company), MOMENT).rows) == 1


def test_what_nobody_has_takes_at_most_four_questions(session: Session, company: Company) -> None:
    company.ticket(company.customer(), subject="Drucker")
    jana = dispatcher(company)
    with queries() as sent:
        assert queue.page(session, Asked(text="xyzzyq"), jana, MOMENT).found == 0
    assert len(sent) <= 4
