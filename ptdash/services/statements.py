"""One customer's month as people read it: lines, sums, and every amount traced down to its time entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, selectinload

from ptdash.domain.bills import MissingRate, Parked, VatShare, vat_shares
from ptdash.domain.errors import NotFound
from ptdash.domain.minutes import Draw, Treatment, draw_minutes
from ptdash.domain.money import line_cents
from ptdash.domain.periods import Span, berlin_day
from ptdash.domain.settlement import Settled
from ptdash.domain.vat import VatCategory
from ptdash.models import Contract, Customer, Invoice, Posting, Run, Settlement, Ticket, TimeEntry, User
from ptdash.services import prices
from ptdash.services.billing import CustomerBill, bill, buyer
from ptdash.services.close_document import contract_numbers


@dataclass(frozen=True)
class EntryLine:
    """A time entry with what it drew and cost. `amount_cents` is its share of the line it is billed in."""

    started_at: datetime
    ended_at: datetime
    ticket: str
    subject: str
    note: str
    technician: str
    treatment: Treatment
    minutes: int
    contract: str | None = None
    draw: Draw | None = None
    amount_cents: int = 0

    @property
    def day(self) -> date:
        return berlin_day(self.started_at)


@dataclass(frozen=True)
class StatementLine:
    kind: str
    contract: str | None
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net_cents: int
    service_from: date
    service_until: date
    explanation: dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """An issued invoice, or what would be issued (`number` None)."""

    number: str | None
    month: date
    buyer: dict[str, str]
    seller: dict[str, str] | None
    issued_on: date | None
    due_on: date | None
    lines: Sequence[StatementLine]
    vat: Sequence[VatShare]
    contracts: Sequence[Settled]
    entries: Sequence[EntryLine] = field(default=())
    parked: Parked | None = None
    revision: int = 1
    # The invoice that this Storno cancels; the Storno that cancelled this invoice, with its reason.
    cancels: str | None = None
    cancelled_by: tuple[str, str] | None = None
    reason: str | None = None
    # Whether the month of this cancelled invoice waits to be billed again.
    waits: bool = False

    @property
    def net_cents(self) -> int:
        return sum(line.net_cents for line in self.lines)

    @property
    def vat_cents(self) -> int:
        return sum(share.vat_cents for share in self.vat)

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.vat_cents


def issued(session: Session, number: str) -> Statement:
    """An issued invoice with its explanation, as it was posted; raises NotFound."""
    invoice = session.execute(
        select(Invoice).where(Invoice.number == number).options(selectinload(Invoice.lines))
    ).scalar_one_or_none()
    if invoice is None:
        raise NotFound(what=number)
    contracts, entries = evidence(session, invoice)
    numbers = contract_numbers(session, invoice.lines)
    return Statement(
        number=invoice.number,
        month=invoice.period,
        buyer=invoice.buyer,
        seller=invoice.seller,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        lines=[_line(row, numbers.get(row.contract_id or 0), row.description) for row in invoice.lines],
        vat=vat_shares((VatCategory(line.vat_category), line.vat_rate, line.net_cents) for line in invoice.lines),
        contracts=contracts,
        entries=entries,
        revision=invoice.revision,
        cancels=_number_of(session, invoice.cancels_id),
        cancelled_by=_cancelled_by(session, invoice.id),
        reason=session.get_one(Run, invoice.run_id).reason,
        waits=invoice_of(session, invoice.buyer["number"], invoice.period) is None,
    )


def evidence(session: Session, invoice: Invoice) -> tuple[list[Settled], list[EntryLine]]:
    """What an invoice (with its lines) settled, and the entries behind it, as they were posted."""
    posting = session.execute(
        select(Posting).where(Posting.invoice_id == invoice.id, Posting.month == invoice.period)
    ).scalar_one_or_none()
    contracts = _posted_contracts(session, posting) if posting else []
    rows = _entries(session, invoice.customer_id, invoice.period, posting.n if posting else 0)
    separate = next((line.unit_price for line in invoice.lines if line.kind == "separate"), Decimal(0))
    return contracts, explain(rows, contracts, separate)


def drafted(session: Session, customer_number: str, month: date) -> Statement:
    """What a customer would be billed for a month that is not posted; raises NotFound, MissingRate."""
    customer = session.execute(select(Customer).where(Customer.number == customer_number)).scalar_one_or_none()
    if customer is None:
        raise NotFound(what=customer_number)
    valid = prices.valid_on(session, month)
    if valid.missing:
        raise MissingRate(subject=valid.missing[0])
    found: CustomerBill = bill(session, [customer.id], month, valid)[0]
    contracts = found.settlements
    return Statement(
        number=None,
        month=month,
        buyer=buyer(found.customer),
        seller=None,
        issued_on=None,
        due_on=None,
        lines=[_line(row.line, row.line.contract, row.description) for row in found.lines],
        vat=vat_shares((row.vat.category, row.vat.rate, row.line.net_cents) for row in found.lines),
        contracts=contracts,
        entries=explain(_entries(session, customer.id, month, None), contracts, valid.rates.separate),
        parked=found.parked,
    )


def invoice_of(session: Session, customer_number: str, month: date) -> str | None:
    """The number of the invoice in force for a customer's month; None where there is none or it is cancelled."""
    cancelled = select(Invoice.cancels_id).where(Invoice.cancels_id.is_not(None))
    return session.execute(
        select(Invoice.number)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(
            Customer.number == customer_number,
            Invoice.period == month,
            Invoice.kind == "bill",
            Invoice.id.not_in(cancelled),
        )
    ).scalar_one_or_none()


def _number_of(session: Session, invoice_id: int | None) -> str | None:
    return session.get_one(Invoice, invoice_id).number if invoice_id else None


def _cancelled_by(session: Session, invoice_id: int) -> tuple[str, str] | None:
    """(number, reason) of the Storno that cancelled an invoice."""
    stornos = select(Invoice.number, Run.reason).join(Run, Run.id == Invoice.run_id)
    row = session.execute(stornos.where(Invoice.cancels_id == invoice_id)).one_or_none()
    return (row.number, row.reason or "") if row else None


def explain(
    rows: Sequence[tuple[int, EntryLine]], contracts: Sequence[Settled], separate_rate: Decimal
) -> list[EntryLine]:
    """Entries in order of start, each with what it drew from its contract's minutes and what it cost.

    An entry's amount is the growth of the rounded running total, so that the amounts add up to the line.
    """
    explained: dict[int, EntryLine] = {}
    drawing = [(i, e) for i, e in rows if e.treatment is Treatment.PACKAGE]
    for contract in contracts:
        own = {i: e for i, e in drawing if e.day in contract.span}
        draws = draw_minutes([(e.started_at, i, e.minutes) for i, e in own.items()], contract.included_minutes)
        for draw in draws:
            before = line_cents(draw.charged_so_far - draw.charged, contract.overage_rate)
            amount = line_cents(draw.charged_so_far, contract.overage_rate) - before
            explained[draw.entry_id] = _with(own[draw.entry_id], contract.contract, draw, amount)
    billed_before = 0
    for entry_id, entry in rows:
        separate = entry.treatment is Treatment.SEPARATE or entry.treatment is Treatment.PACKAGE
        if entry_id not in explained and separate:
            so_far = billed_before + entry.minutes
            amount = line_cents(so_far, separate_rate) - line_cents(billed_before, separate_rate)
            explained[entry_id], billed_before = _with(entry, None, None, amount), so_far
    return [explained.get(entry_id, entry) for entry_id, entry in rows]


def _with(entry: EntryLine, contract: str | None, draw: Draw | None, amount_cents: int) -> EntryLine:
    return replace(entry, contract=contract, draw=draw, amount_cents=amount_cents)


def _entries(
    session: Session, customer_id: int, month: date, posting_n: int | None
) -> list[tuple[int, EntryLine]]:
    """The standing entries of a customer's month that a posting took (None: all), by start, then id."""
    reversal = aliased(TimeEntry)
    reversed_by = select(reversal.id).where(reversal.reverses_id == TimeEntry.id)
    taken = []
    if posting_n is not None:
        reversed_by = reversed_by.where(reversal.posting_n <= posting_n)
        taken = [TimeEntry.posting_n <= posting_n]
    rows = session.execute(
        select(TimeEntry, Ticket.number, Ticket.subject, User.name)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .join(User, User.id == TimeEntry.technician_id)
        .where(
            TimeEntry.customer_id == customer_id,
            TimeEntry.service_month == month,
            TimeEntry.ended_at.is_not(None),
            TimeEntry.treatment.is_not(None),
            TimeEntry.reverses_id.is_(None),
            ~reversed_by.exists(),
            *taken,
        )
        .order_by(TimeEntry.started_at, TimeEntry.id)
    )
    return [(row.id, _entry(row, number, subject, name)) for row, number, subject, name in rows]


def _entry(row: TimeEntry, ticket: str, subject: str, technician: str) -> EntryLine:
    assert row.ended_at is not None and row.minutes is not None and row.treatment is not None
    return EntryLine(
        started_at=row.started_at,
        ended_at=row.ended_at,
        ticket=ticket,
        subject=subject,
        note=row.note,
        technician=technician,
        treatment=Treatment(row.treatment),
        minutes=row.minutes,
    )


def _posted_contracts(session: Session, posting: Posting) -> list[Settled]:
    rows = session.execute(
        select(Settlement, Contract.number)
        .join(Contract, Contract.id == Settlement.contract_id)
        .where(
            Settlement.customer_id == posting.customer_id,
            Settlement.month == posting.month,
            Settlement.n == posting.n,
        )
        .order_by(Settlement.covered_from)
    )
    return [_settled(row, number) for row, number in rows]


def _settled(row: Settlement, number: str) -> Settled:
    own = {name for name in Settled.__dataclass_fields__ if name not in ("contract", "span")}
    span = Span(row.covered_from, row.covered_days)
    return Settled(contract=number, span=span, **{name: getattr(row, name) for name in own})


def _line(row: Any, contract: str | None, description: str) -> StatementLine:
    return StatementLine(
        kind=str(row.kind),
        contract=contract,
        description=description,
        quantity=row.quantity,
        unit=row.unit,
        unit_price=row.unit_price,
        net_cents=row.net_cents,
        service_from=row.service_from,
        service_until=row.service_until,
        explanation=row.explanation,
    )
