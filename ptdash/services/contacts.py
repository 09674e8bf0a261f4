"""The people at a customer, and what colleagues should know about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Forbidden, Invalid, NotFound
from ptdash.models import Contact, Customer, CustomerNote, User
from ptdash.services import audit, customers


class ContactNameMissing(Invalid):
    message = "Enter the name of the contact."


class ContactEmailUnreadable(Invalid):
    message = "%(email)s is not an e-mail address. Enter one like name@example.com."


class NoteEmpty(Invalid):
    message = "Write what colleagues should know."


class NotYourNote(Forbidden):
    message = "Only the person who wrote a note can change it."


@dataclass(frozen=True)
class ContactData:
    name: str
    role: str
    email: str
    phone: str


def of_customer(session: Session, customer_id: int) -> Sequence[Contact]:
    """The contacts, those who left last, by name."""
    rows = select(Contact).where(Contact.customer_id == customer_id)
    return session.execute(rows.order_by(Contact.active.desc(), Contact.name, Contact.id)).scalars().all()


def get(session: Session, customer_number: str, contact_id: int) -> Contact:
    """A contact of this customer; raises NotFound."""
    found = select(Contact).join(Customer, Customer.id == Contact.customer_id)
    contact = session.execute(
        found.where(Customer.number == customer_number, Contact.id == contact_id)
    ).scalar_one_or_none()
    if contact is None:
        raise NotFound(what=str(contact_id))
    return contact


def add(
    session: Session, customer_number: str, data: ContactData, *, actor_id: int | None, now: datetime
) -> Contact:
    """Raises NotFound, ContactNameMissing, ContactEmailUnreadable."""
    known = _checked(data)
    contact = Contact(customer_id=customers.get(session, customer_number).id, **asdict(known))
    session.add(contact)
    session.flush()
    audit.record(
        session, "add_contact", "customer", customer_number, actor_id=actor_id, now=now, after=asdict(known)
    )
    return contact


def change(
    session: Session,
    customer_number: str,
    contact_id: int,
    data: ContactData,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Raises NotFound, ContactNameMissing, ContactEmailUnreadable."""
    contact, known = get(session, customer_number, contact_id), asdict(_checked(data))
    changed = {name: value for name, value in known.items() if getattr(contact, name) != value}
    if not changed:
        return
    before = {name: getattr(contact, name) for name in changed}
    who = {"contact": contact.name}
    for name, value in changed.items():
        setattr(contact, name, value)
    session.flush()
    audit.record(
        session,
        "change_contact",
        "customer",
        customer_number,
        actor_id=actor_id,
        now=now,
        before=who | before,
        after=who | changed,
    )


def set_active(
    session: Session, customer_number: str, contact_id: int, active: bool, *, actor_id: int | None, now: datetime
) -> None:
    """Somebody left or came back; who left stays on the tickets, but is offered no more. Raises NotFound."""
    contact = get(session, customer_number, contact_id)
    if contact.active == active:
        return
    contact.active = active
    session.flush()
    action = "activate_contact" if active else "deactivate_contact"
    after = {"contact": contact.name}
    audit.record(session, action, "customer", customer_number, actor_id=actor_id, now=now, after=after)


def notes(session: Session, customer_id: int) -> Sequence[tuple[CustomerNote, str]]:
    """The notes with their authors' names, the newest first."""
    rows = select(CustomerNote, User.name).join(User, User.id == CustomerNote.author_id)
    mine = rows.where(CustomerNote.customer_id == customer_id)
    found = session.execute(mine.order_by(CustomerNote.at.desc(), CustomerNote.id.desc()))
    return [(note, name) for note, name in found]


def get_note(session: Session, customer_number: str, note_id: int) -> CustomerNote:
    """A note about this customer; raises NotFound."""
    found = select(CustomerNote).join(Customer, Customer.id == CustomerNote.customer_id)
    note = session.execute(
        found.where(Customer.number == customer_number, CustomerNote.id == note_id)
    ).scalar_one_or_none()
    if note is None:
        raise NotFound(what=str(note_id))
    return note


def add_note(session: Session, customer_number: str, body: str, *, actor_id: int, now: datetime) -> CustomerNote:
    """Raises NotFound, NoteEmpty."""
    if not body.strip():
        raise NoteEmpty()
    customer = customers.get(session, customer_number)
    note = CustomerNote(customer_id=customer.id, author_id=actor_id, body=body.strip(), at=now)
    session.add(note)
    session.flush()
    after = {"note": note.body}
    audit.record(session, "add_note", "customer", customer_number, actor_id=actor_id, now=now, after=after)
    return note


def change_note(
    session: Session, customer_number: str, note_id: int, body: str, *, actor_id: int, now: datetime
) -> None:
    """Raises NotFound, NotYourNote, NoteEmpty."""
    note = get_note(session, customer_number, note_id)
    refuse_others_note(note, actor_id)
    if not body.strip():
        raise NoteEmpty()
    if note.body == body.strip():
        return
    before = {"note": note.body}
    note.body = body.strip()
    session.flush()
    audit.record(
        session,
        "change_note",
        "customer",
        customer_number,
        actor_id=actor_id,
        now=now,
        before=before,
        after={"note": note.body},
    )


def refuse_others_note(note: CustomerNote, actor_id: int) -> None:
    """Raises NotYourNote."""
    if note.author_id != actor_id:
        raise NotYourNote()


def _checked(data: ContactData) -> ContactData:
    """What is stored, without blanks around it; raises ContactNameMissing, ContactEmailUnreadable."""
    clean = ContactData(**{name: value.strip() for name, value in asdict(data).items()})
    if not clean.name:
        raise ContactNameMissing()
    if clean.email:
        try:
            validate_email(clean.email, check_deliverability=False)
        except EmailNotValidError:
            raise ContactEmailUnreadable(email=clean.email) from None
    return clean
