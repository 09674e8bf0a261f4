"""Taking a ticket, and what is said on it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.tickets import Channel, Priority, Status
from ptdash.models import AuditEvent, Contact, Role, Ticket, User
from ptdash.services.tickets import changing, creating, editing, entries, history, reading, threads
from ptdash.services.tickets.creating import NewTicket
from ptdash.services.tickets.threads import Upload
from tests.company import Company
from tests.conftest import NOW


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def taken(company: Company, **more: object) -> Ticket:
    customer = company.customer()
    new = NewTicket(customer_id=customer.id, subject="VPN bricht ab", **more)  # type: ignore[arg-type]
    return creating.create(company.session, new, actor_id=company.technician.id, now=NOW)


def test_a_telephone_ticket_needs_customer_and_subject_only(company: Company) -> None:
    ticket = taken(company)
    assert (ticket.number, ticket.channel, ticket.priority, ticket.status) == ("1001", "phone", "normal", "new")
    assert ticket.created_at == NOW
    assert ticket.due_at is not None and ticket.deadline_known


def test_a_ticket_with_somebody_on_it_is_open(company: Company) -> None:
    assert taken(company, assignee_id=company.technician.id).status == "open"


def test_a_number_that_an_import_brought_is_skipped(company: Company) -> None:
    company.ticket(company.customer()).number = "1001"
    company.session.flush()
    assert taken(company).number == "1002"


def test_a_ticket_without_a_subject_is_refused(company: Company) -> None:
    with pytest.raises(creating.SubjectMissing):
        creating.create(
            company.session, NewTicket(company.customer().id, "  "), actor_id=company.technician.id, now=NOW
        )


def test_a_contact_of_another_customer_is_refused(company: Company) -> None:
    stranger = company.add(Contact(customer_id=company.customer().id, name="Sabine Krüger"))
    with pytest.raises(creating.NotTheCustomers):
        taken(company, contact_id=stranger.id)


def test_an_administrator_takes_no_tickets(company: Company) -> None:
    admin = company.add(User(email="a@pt.example", name="Anna", role="admin"))
    with pytest.raises(changing.AssigneeUnknown):
        taken(company, assignee_id=admin.id)


def test_the_first_reply_meets_the_response_deadline(company: Company) -> None:
    ticket = taken(company)
    me = company.technician.id
    threads.note(company.session, ticket.id, "Client 7.4.2", actor_id=me, now=NOW)
    assert ticket.responded_at is None
    response = ticket.due_at
    later = NOW + timedelta(minutes=5)
    threads.reply(company.session, ticket.id, "Wir schauen", actor_id=me, now=later)
    assert ticket.responded_at == later
    assert ticket.due_at == ticket.resolution_due_at != response
    threads.reply(company.session, ticket.id, "Noch etwas", actor_id=me, now=later + timedelta(hours=1))
    assert ticket.responded_at == later


def test_nothing_is_no_message(company: Company) -> None:
    with pytest.raises(threads.NothingSaid):
        threads.reply(company.session, taken(company).id, " \n", actor_id=company.technician.id, now=NOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.RESOLVED, Status.OPEN),
        (Status.WAITING_CUSTOMER, Status.IN_PROGRESS),
        (Status.IN_PROGRESS, Status.IN_PROGRESS),
        (Status.SCHEDULED, Status.SCHEDULED),
    ],
)
def test_the_customers_words_open_a_resolved_ticket_and_end_the_waiting(
    company: Company, before: Status, after: Status
) -> None:
    ticket = taken(company)
    me = company.technician.id
    changing.set_status(company.session, ticket.id, before, actor_id=me, now=NOW)
    threads.record_inbound(
        company.session, ticket.id, "Geht wieder nicht", channel=Channel.PHONE, sender="", actor_id=me, now=NOW
    )
    assert ticket.status == after


def test_a_closed_ticket_takes_notes_only(company: Company) -> None:
    ticket = taken(company)
    me = company.technician.id
    for status in (Status.RESOLVED, Status.CLOSED):
        changing.set_status(company.session, ticket.id, status, actor_id=me, now=NOW)
    with pytest.raises(threads.TicketClosed):
        threads.reply(company.session, ticket.id, "Hallo", actor_id=me, now=NOW)
    assert threads.note(company.session, ticket.id, "Zur Akte", actor_id=me, now=NOW).kind == "note"


def test_a_reply_is_held_back_where_the_other_side_wrote_meanwhile(company: Company) -> None:
    ticket = taken(company)
    me = company.technician.id
    seen = threads.newest_message(company.session, ticket.id)
    said = threads.record_inbound(
        company.session, ticket.id, "Hat sich erledigt", channel=Channel.EMAIL, sender="", actor_id=me, now=NOW
    )
    with pytest.raises(threads.ThreadMovedOn):
        threads.reply(company.session, ticket.id, "Wir kommen", actor_id=me, now=NOW, seen=seen)
    threads.reply(company.session, ticket.id, "Schön", actor_id=me, now=NOW, seen=said.id)


def test_the_thread_tells_words_time_and_files_in_order(company: Company) -> None:
    session, me = company.session, company.technician.id
    ticket = taken(company, body="Drei Kollegen ohne VPN")
    customer = reading.show(session, ticket.number, company.technician).customer
    before = NOW - timedelta(hours=2)
    company.entry(customer, 10, ticket=ticket, at=before, note="Telefonat")
    upload = [Upload("vpn.log", b"timeout")]
    threads.reply(session, ticket.id, "Siehe Log", actor_id=me, now=NOW + timedelta(minutes=1), uploads=upload)
    threads.attach(session, ticket.id, [Upload("x.txt", b"x")], actor_id=me, now=NOW + timedelta(minutes=2))
    told = entries.thread(session, ticket.id, {ticket.id: ticket.number})
    assert [entry.kind for entry in told] == ["opened", "time", "reply", "file"]
    assert [file.name for entry in told for file in entry.files] == ["vpn.log", "x.txt"]
    assert told[1].minutes == 10


def test_an_edit_that_somebody_overtook_is_refused_with_what_changed(company: Company) -> None:
    session, me = company.session, company.technician.id
    ticket = taken(company)
    seen = ticket.version
    changing.set_priority(session, ticket.id, Priority.HIGH, actor_id=me, now=NOW)
    with pytest.raises(changing.StaleEdit) as refused:
        editing.edit(session, ticket.id, {"priority": "low", "product": "VPN"}, actor_id=me, now=NOW, version=seen)
    assert [(c.field, c.before, c.after, c.by) for c in refused.value.changes] == [
        ("priority", "normal", "high", "Tarek Kaya")
    ]
    editing.edit(session, ticket.id, {"product": "VPN"}, actor_id=me, now=NOW, version=seen)
    assert (ticket.priority, ticket.product) == ("high", "VPN")


def test_the_history_tells_names_instead_of_ids(company: Company) -> None:
    session, me = company.session, company.technician.id
    ticket = taken(company)
    changing.assign(session, ticket.id, me, actor_id=me, now=NOW)
    told = history.of_ticket(session, ticket.number)
    assert [happening.action for happening in told] == ["change", "create"]
    assert ("assignee_id", None, "Tarek Kaya") in [(s.field, s.before, s.after) for s in told[0].steps]


def test_a_technician_sees_no_ticket_of_a_colleague(company: Company) -> None:
    session = company.session
    other = company.add(User(email="b@pt.example", name="Lukas", role=Role.TECHNICIAN))
    ticket = taken(company, assignee_id=other.id)
    assert reading.show(session, ticket.number, other).assignee == "Lukas"
    with pytest.raises(changing.NotYourTicket):
        reading.show(session, ticket.number, company.technician)


def around(session: Session, ticket: Ticket, user: User) -> tuple[str | None, str | None]:
    found = reading.neighbours(session, ticket, user)
    return found.before, found.after


def test_the_neighbours_follow_the_deadlines(company: Company) -> None:
    session = company.session
    first, second, third = (
        company.ticket(company.customer(), due_at=NOW + timedelta(hours=hours)) for hours in (1, 2, 3)
    )
    waiting = company.ticket(company.customer(), status="waiting_customer")
    company.ticket(company.customer(), status="resolved")
    me = company.technician
    assert around(session, second, me) == (first.number, third.number)
    assert around(session, first, me) == (None, second.number)
    assert around(session, waiting, me) == (third.number, None)
    other = company.add(User(email="c@pt.example", name="Lukas", role=Role.TECHNICIAN))
    first.assignee_id, third.assignee_id = me.id, other.id
    session.flush()
    assert around(session, second, me) == (first.number, waiting.number)
    assert around(session, second, other) == (None, third.number)


def test_every_word_leaves_an_event(company: Company) -> None:
    session, me = company.session, company.technician.id
    ticket = taken(company)
    threads.note(session, ticket.id, "Eins", actor_id=me, now=NOW, uploads=[Upload("a.txt", b"a")])
    actions = session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all()
    assert list(actions) == ["create", "note", "attach"]
