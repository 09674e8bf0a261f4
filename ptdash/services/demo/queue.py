"""The demo's queue: tickets taken, answered and worked on by the same services as in daily work, only earlier."""

from datetime import datetime, timedelta

from faker import Faker
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.deadlines import BusinessHours, due
from ptdash.domain.periods import berlin_day, month_of
from ptdash.domain.tickets import Category, Channel, Concern, Priority, Status
from ptdash.models import Contact, Customer, CustomerNote, Device, Ticket, TimeEntry, User
from ptdash.models.tickets import ticket_numbers
from ptdash.services import deadlines, thresholds, timers
from ptdash.services.demo.bundle import SEED, USERS
from ptdash.services.demo.conversations import CUSTOMER, NOTES, REPLY, WAITING, Waiting
from ptdash.services.tickets import changing, creating, threads

DISPATCHER = USERS[1][0]
ASSIGNEES = (USERS[2][0], USERS[3][0], USERS[4][0], USERS[1][0], USERS[0][0])
FIRST_CUSTOMER = 10001
# A timer of this morning, and one that somebody forgot: by minutes ago and place in ASSIGNEES.
TIMERS = ((0, timedelta(minutes=25)), (2, timedelta(hours=5)))


def fill(session: Session, moment: datetime) -> None:
    """Everything around the imported history: contacts, notes, what is open at this moment, and its alerts."""
    _finish_history(session)
    last = session.execute(select(func.max(Ticket.number)).where(Ticket.number.regexp_match("^[0-9]{1,9}$")))
    session.execute(select(func.setval(ticket_numbers.name, int(last.scalar_one()))))
    customers = dict(session.execute(select(Customer.number, Customer.id)).all())
    people = dict(session.execute(select(User.email, User.id)).all())
    ids = {place: customers[str(FIRST_CUSTOMER + place)] for place in range(len(customers))}
    contacts = _contacts(session, ids)
    for place, body in NOTES:
        at = moment - timedelta(days=40 - place)
        session.add(CustomerNote(customer_id=ids[place], author_id=people[DISPATCHER], body=body, at=at))
    hours = deadlines.business_hours(session)
    targets = deadlines.targets(session)
    taken = [(_taken_at(one, moment, targets, hours), one) for one in WAITING]
    for at, one in sorted(taken, key=lambda pair: pair[0]):
        _live(session, one, at, moment, hours, ids[one.customer], contacts[one.customer], people)
    _start_timers(session, moment, people)
    thresholds.note(session, list(ids.values()), month_of(berlin_day(moment)), moment)


def before(moment: datetime, minutes: int, hours: BusinessHours) -> datetime:
    """The instant from which so many business minutes pass until `moment`."""
    left, day = timedelta(minutes=minutes), moment.astimezone(BERLIN).date()
    while True:
        span = hours.day(day)
        if span and (end := min(span[1], moment)) > span[0]:
            if left <= end - span[0]:
                return end - left
            left -= end - span[0]
        day -= timedelta(days=1)


def _finish_history(session: Session) -> None:
    """What is closed was answered ten minutes after it came in, and solved with its last work."""
    worked = select(func.max(TimeEntry.ended_at)).where(TimeEntry.ticket_id == Ticket.id).scalar_subquery()
    done = func.coalesce(worked, Ticket.created_at + timedelta(hours=2))
    answered = func.least(Ticket.created_at + timedelta(minutes=10), done)
    session.execute(
        update(Ticket)
        .where(Ticket.status == Status.CLOSED)
        .values(responded_at=answered, resolved_at=done, updated_at=done)
        .execution_options(synchronize_session=False)
    )
    while deadlines.refresh_unknown(session):
        continue


def _contacts(session: Session, ids: dict[int, int]) -> dict[int, list[Contact]]:
    """Two people a customer: the one who is named on its invoices, and a colleague."""
    fake = Faker("de_DE")
    fake.seed_instance(SEED)
    named = dict(session.execute(select(Customer.id, Customer.contact)).all())
    found: dict[int, list[Contact]] = {}
    for place, customer_id in ids.items():
        for name, role in ((named[customer_id], "Geschäftsleitung"), (fake.name(), "Büro")):
            number = fake.random_int(100000, 999999)
            contact = Contact(customer_id=customer_id, name=name, role=role, phone=f"+49 251 {number}")
            contact.email = f"kontakt-{number}@kunde-{FIRST_CUSTOMER + place}.example"
            session.add(contact)
            found.setdefault(place, []).append(contact)
    session.flush()
    return found


def _taken_at(one: Waiting, moment: datetime, targets: deadlines.Targets, hours: BusinessHours) -> datetime:
    """When it came in, so that what counts now is due as many business minutes from now as it says."""
    target = targets[Priority(one.priority)]
    answered = any(speaker == REPLY for speaker, _ in one.thread)
    return before(moment, (target.resolution if answered else target.response) - one.due, hours)


def _live(
    session: Session,
    one: Waiting,
    taken_at: datetime,
    moment: datetime,
    hours: BusinessHours,
    customer_id: int,
    contacts: list[Contact],
    people: dict[str, int],
) -> None:
    """A ticket's life so far: taken by the dispatcher, given to somebody, answered, worked on."""
    contact = contacts[len(one.subject) % 2]
    new = creating.NewTicket(
        customer_id=customer_id,
        subject=one.subject,
        body=one.body,
        channel=Channel(one.channel),
        category=Category(one.category),
        priority=Priority(one.priority),
        concern=Concern(one.concern) if one.concern else None,
        product=one.product,
        contact_id=contact.id,
        device_id=_device(session, customer_id, one.device) if one.device else None,
    )
    actor = people[DISPATCHER]
    ticket = creating.create(session, new, actor_id=actor, now=taken_at)

    def at(minutes: int) -> datetime:
        return min(due(taken_at, minutes, (), hours), moment)

    if one.who is not None:
        person = people[ASSIGNEES[one.who]]
        changing.assign(session, ticket.id, person, actor_id=actor, now=at(3))
        actor = person
    minutes = 8
    for speaker, words in one.thread:
        if speaker == CUSTOMER:
            channel = Channel.EMAIL
            threads.record_inbound(
                session, ticket.id, words, channel=channel, sender=contact.name, actor_id=actor, now=at(minutes)
            )
        elif speaker == REPLY:
            threads.reply(session, ticket.id, words, actor_id=actor, now=at(minutes))
        else:
            threads.note(session, ticket.id, words, actor_id=actor, now=at(minutes))
        minutes += 9
    if Status(one.status) not in (Status.NEW, Status.OPEN):
        values: dict[str, object] = {"status": one.status}
        if one.status == Status.SCHEDULED:
            values["scheduled_at"] = due(moment, max(one.due - 60, 30), (), hours)
        changing.change(session, ticket.id, values, actor_id=actor, now=at(minutes))


def _device(session: Session, customer_id: int, kind: str) -> int | None:
    """The customer's device of a type, that with the longest warranty."""
    found = select(Device.id).where(Device.customer_id == customer_id, Device.type == kind)
    return session.execute(found.order_by(Device.warranty_until.desc().nulls_last(), Device.id).limit(1)).scalar()


def _start_timers(session: Session, moment: datetime, people: dict[str, int]) -> None:
    """Two that run, on tickets of their owners; none where they would have begun in the month before."""
    for place, ago in TIMERS:
        started_at, person = moment - ago, people[ASSIGNEES[place]]
        mine = select(Ticket.id).where(Ticket.assignee_id == person, Ticket.status == Status.IN_PROGRESS)
        ticket_id = session.execute(mine.order_by(Ticket.due_at, Ticket.id)).scalars().first()
        if ticket_id and month_of(berlin_day(started_at)) == month_of(berlin_day(moment)):
            timers.start(session, ticket_id, actor_id=person, now=started_at)
