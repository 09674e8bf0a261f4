"""What stands around a customer: counts for its tabs, its devices, tickets, invoices and history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.meters import Meter
from ptdash.domain.periods import month_of
from ptdash.domain.tickets import OPEN_STATUSES
from ptdash.models import (
    Acceptance,
    AuditEvent,
    Contact,
    Contract,
    ContractDevice,
    Customer,
    Device,
    Invoice,
    Ticket,
    User,
)
from ptdash.services.customer_contracts import ContractRow, of_customers, recurring_cents
from ptdash.services.meters import meters

PAGE_ROWS = 50
TICKETS_BESIDE = 5
GUARANTEE_HORIZON = timedelta(days=60)
ACCEPTED = ("accepted", "accepted_with_reservations")


@dataclass(frozen=True)
class Counts:
    open_tickets: int
    contacts: int
    contracts: int
    invoices: int


@dataclass(frozen=True)
class DeviceCounts:
    """Devices in a running contract, foreign ones that wait for their acceptance, guarantees that end soon."""

    all: int
    in_contract: int
    waiting: int
    guarantee_ends: int
    guarantee_until: date


@dataclass(frozen=True)
class InvoiceRow:
    number: str
    issued_on: date
    period: date
    storno: bool
    revision: int
    cancelled_by: str | None
    net_cents: int
    gross_cents: int


@dataclass(frozen=True)
class HistoryEvent:
    id: int
    at: datetime
    actor: str | None
    action: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """What every page of a customer has around it."""

    customer: Customer
    contracts: Sequence[ContractRow]
    counts: Counts

    @property
    def running(self) -> list[ContractRow]:
        return [row for row in self.contracts if row.runs]

    @property
    def recurring_cents(self) -> int:
        return recurring_cents(self.contracts)


@dataclass(frozen=True)
class Beside:
    """What stands beside the ledger: this month's meter (None without a package), devices, newest open tickets."""

    month: date
    meter: Meter | None
    devices: DeviceCounts
    tickets: Sequence[tuple[Ticket, str | None]]


def frame(session: Session, customer: Customer, today: date) -> Frame:
    contracts = of_customers(session, [customer.id], today).get(customer.id, [])
    return Frame(customer, contracts, counts(session, customer.id))


def beside(session: Session, customer_id: int, today: date) -> Beside:
    month = month_of(today)
    return Beside(
        month=month,
        meter=meters(session, [customer_id], month, on=today).get(customer_id),
        devices=devices(session, customer_id, today),
        tickets=tickets(session, customer_id, limit=TICKETS_BESIDE)[0],
    )


def counts(session: Session, customer_id: int) -> Counts:
    def of(model: Any, *more: Any) -> Any:
        return (
            select(func.count())
            .select_from(model)
            .where(model.customer_id == customer_id, *more)
            .scalar_subquery()
        )

    row = session.execute(
        select(
            of(Ticket, Ticket.status.in_(OPEN_STATUSES)),
            of(Contact, Contact.active),
            of(Contract),
            of(Invoice),
        )
    ).one()
    return Counts(*row)


def devices(session: Session, customer_id: int, today: date) -> DeviceCounts:
    included = (
        select(ContractDevice.id).where(ContractDevice.device_id == Device.id, ContractDevice.life.contains(today))
    ).exists()
    accepted = (
        select(Acceptance.id).where(Acceptance.device_id == Device.id, Acceptance.outcome.in_(ACCEPTED))
    ).exists()
    until = today + GUARANTEE_HORIZON
    row = session.execute(
        select(
            func.count(),
            func.count().filter(included),
            func.count().filter(and_(~Device.purchased_from_us, ~accepted, ~included)),
            func.count().filter(Device.guarantee_until.between(today, until)),
        ).where(Device.customer_id == customer_id)
    ).one()
    return DeviceCounts(*row, until)


def tickets(
    session: Session, customer_id: int, *, closed: bool = False, below: int | None = None, limit: int = PAGE_ROWS
) -> tuple[Sequence[tuple[Ticket, str | None]], int | None]:
    """The customer's open (or all other) tickets with their assignees' names, the newest first; and the id that
    the next page lies below."""
    status = Ticket.status.in_(OPEN_STATUSES)
    found = select(Ticket, User.name).outerjoin(User, User.id == Ticket.assignee_id)
    found = found.where(Ticket.customer_id == customer_id, ~status if closed else status)
    if below:
        found = found.where(Ticket.id < below)
    rows = session.execute(found.order_by(Ticket.id.desc()).limit(limit + 1)).all()
    shown = [(ticket, name) for ticket, name in rows[:limit]]
    return shown, shown[-1][0].id if len(rows) > limit else None


def invoices(
    session: Session, customer_id: int, *, below: str | None = None
) -> tuple[Sequence[InvoiceRow], str | None]:
    """The issued documents, the newest number first; and the number that the next page lies below."""
    storno = aliased(Invoice)
    found = select(Invoice, storno.number).outerjoin(storno, storno.cancels_id == Invoice.id)
    found = found.where(Invoice.customer_id == customer_id)
    if below:
        edge = select(Invoice.id).where(Invoice.number == below).scalar_subquery()
        found = found.where(Invoice.id < edge)
    rows = session.execute(found.order_by(Invoice.id.desc()).limit(PAGE_ROWS + 1)).all()
    shown = [
        InvoiceRow(
            number=row.number,
            issued_on=row.issued_on,
            period=row.period,
            storno=row.kind == "storno",
            revision=row.revision,
            cancelled_by=cancelled_by,
            net_cents=row.net_cents,
            gross_cents=row.gross_cents,
        )
        for row, cancelled_by in rows[:PAGE_ROWS]
    ]
    return shown, shown[-1].number if len(rows) > PAGE_ROWS else None


def history(
    session: Session, customer_id: int, number: str, *, below: int | None = None
) -> tuple[Sequence[HistoryEvent], int | None]:
    """What was changed about the customer and its invoices, the newest first; and the id that the next page lies
    below."""
    numbers = select(Invoice.number).where(Invoice.customer_id == customer_id)
    found = select(AuditEvent, User.name).outerjoin(User, User.id == AuditEvent.actor_id)
    found = found.where(
        or_(
            and_(AuditEvent.subject == "customer", AuditEvent.subject_id == number),
            and_(AuditEvent.subject == "invoice", AuditEvent.subject_id.in_(numbers)),
        )
    )
    if below:
        found = found.where(AuditEvent.id < below)
    rows = session.execute(found.order_by(AuditEvent.id.desc()).limit(PAGE_ROWS + 1)).all()
    shown = [
        HistoryEvent(
            event.id,
            event.at,
            name,
            event.action,
            event.before or {},
            (event.after or {}) | ({"invoice": event.subject_id} if event.subject == "invoice" else {}),
        )
        for event, name in rows[:PAGE_ROWS]
    ]
    return shown, shown[-1].id if len(rows) > PAGE_ROWS else None
