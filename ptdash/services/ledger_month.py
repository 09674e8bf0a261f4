"""One month of the minutes ledger, opened: every entry with what it drew and cost, so that the sums add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.minutes import Draw, Treatment
from ptdash.domain.money import line_cents
from ptdash.domain.periods import berlin_day
from ptdash.models import Invoice, InvoiceLine, Material, Ticket, TimeEntry, User
from ptdash.services.ledger import LedgerRow
from ptdash.services.statements import EntryLine, explain


class Standing(StrEnum):
    """Whether an entry counts in its month as it stands now."""

    COUNTS = "counts"
    LATE = "late"  # came after the newest posting; the next one takes it
    REVERSED = "reversed"  # taken back
    REVERSAL = "reversal"  # takes back
    RUNNING = "running"  # a timer without an end
    UNTREATED = "untreated"  # nobody has said how it is billed


@dataclass(frozen=True)
class LedgerEntry:
    """An entry of a month. `draw` where it drew package minutes; `amount_cents` is its share of the billed line.

    `reason`: why it was taken back. `added_late`: a posting after the month's first took it; `replaces`: in place
    of an entry of the same ticket that was taken back.
    """

    id: int
    started_at: datetime
    ended_at: datetime | None
    ticket: str
    subject: str
    note: str
    technician: str
    treatment: Treatment | None
    minutes: int | None
    standing: Standing
    draw: Draw | None = None
    contract: str | None = None
    amount_cents: int = 0
    reason: str = ""
    added_late: bool = False
    replaces: bool = False
    # Whether it, or what takes it back, is still to be taken by a posting.
    waits: bool = False

    @property
    def day(self) -> date:
        return berlin_day(self.started_at)

    @property
    def counts(self) -> bool:
        return self.standing is Standing.COUNTS

    @property
    def crosses(self) -> bool:
        """Whether the included minutes ended within it."""
        return self.draw is not None and self.draw.free > 0 and self.draw.charged > 0

    @property
    def draws(self) -> bool:
        return self.counts and self.draw is not None

    @property
    def without_package(self) -> bool:
        """Package time on a day without a package: billed as separate."""
        return self.counts and self.treatment is Treatment.PACKAGE and self.draw is None


@dataclass(frozen=True)
class LedgerMaterial:
    day: date
    ticket: str
    description: str
    net_cents: int
    waits: bool


@dataclass(frozen=True)
class BilledPart:
    """What one invoice bills of the month: of its time and packages, and of everything."""

    number: str
    period: date
    storno: bool
    time_cents: int
    net_cents: int


@dataclass(frozen=True)
class OpenedMonth:
    row: LedgerRow
    entries: Sequence[LedgerEntry]
    materials: Sequence[LedgerMaterial]
    billed: Sequence[BilledPart]

    @property
    def counting(self) -> list[LedgerEntry]:
        return [entry for entry in self.entries if entry.counts]

    def shown(self, kind: str | None) -> Sequence[LedgerEntry]:
        """The entries behind one figure: package, overage, goodwill or separate; None for all."""
        match kind:
            case "package":
                return [entry for entry in self.entries if entry.draws]
            case "overage":
                return [entry for entry in self.entries if entry.draw and entry.draw.charged]
            case "goodwill":
                return [entry for entry in self.counting if entry.treatment is Treatment.GOODWILL]
            case "separate":
                return [e for e in self.counting if e.treatment is Treatment.SEPARATE or e.without_package]
        return self.entries

    def included_by(self, entry: LedgerEntry) -> int:
        """The included minutes of the contract that an entry drew from."""
        return next((c.included_minutes for c in self.row.contracts if c.contract == entry.contract), 0)


TIME_LINES = ("package_fee", "overage", "separate")


def open_month(session: Session, customer_id: int, row: LedgerRow) -> OpenedMonth:
    """The entries, material and invoices behind a row of the ledger: three queries."""
    return OpenedMonth(
        row=row,
        entries=entries(session, customer_id, row),
        materials=_materials(session, customer_id, row),
        billed=_billed(session, customer_id, row.month),
    )


def entries(session: Session, customer_id: int, row: LedgerRow) -> list[LedgerEntry]:
    """All entries of the month in order of draw (start, then id); a reversal stands after what it takes back."""
    found = _rows(session, customer_id, row.month)
    reversals = {entry.reverses_id: entry for entry, *_ in found if entry.reverses_id}
    placed = [_placed(*named, reversals=reversals, posting_n=row.posting_n) for named in found]
    explained = _explained([entry for entry in placed if entry.counts], row)
    return [explained.get(entry.id, entry) for entry in placed]


def _rows(session: Session, customer_id: int, month: date) -> Sequence[tuple[TimeEntry, str, str, str]]:
    rows = session.execute(
        select(TimeEntry, Ticket.number, Ticket.subject, User.name)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .join(User, User.id == TimeEntry.technician_id)
        .where(TimeEntry.customer_id == customer_id, TimeEntry.service_month == month)
        .order_by(TimeEntry.started_at, TimeEntry.id)
    )
    return [(entry, ticket, subject, name) for entry, ticket, subject, name in rows]


def _placed(
    entry: TimeEntry,
    ticket: str,
    subject: str,
    technician: str,
    *,
    reversals: Mapping[int, TimeEntry],
    posting_n: int | None,
) -> LedgerEntry:
    reversal = reversals.get(entry.id)
    return LedgerEntry(
        id=entry.id,
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        ticket=ticket,
        subject=subject,
        note="" if entry.reverses_id else entry.note,
        technician=technician,
        treatment=Treatment(entry.treatment) if entry.treatment else None,
        minutes=entry.minutes,
        standing=_standing(entry, reversal, posting_n),
        reason=entry.note if entry.reverses_id else reversal.note if reversal else "",
        added_late=entry.posting_n > 1,
        replaces=_replaces(entry, reversals.values()),
        waits=posting_n is not None and max(entry.posting_n, reversal.posting_n if reversal else 0) > posting_n,
    )


def _standing(entry: TimeEntry, reversal: TimeEntry | None, posting_n: int | None) -> Standing:
    """As the newest posting saw it; without one, as it is."""
    if entry.reverses_id:
        return Standing.REVERSAL
    if reversal and (posting_n is None or reversal.posting_n <= posting_n):
        return Standing.REVERSED
    if entry.ended_at is None:
        return Standing.RUNNING
    if entry.treatment is None:
        return Standing.UNTREATED
    return Standing.LATE if posting_n is not None and entry.posting_n > posting_n else Standing.COUNTS


def _replaces(entry: TimeEntry, reversals: Iterable[TimeEntry]) -> bool:
    """A reversal and its replacement come together: same ticket, same person, taken by the same posting."""
    return entry.reverses_id is None and any(
        (other.ticket_id, other.technician_id, other.posting_n)
        == (entry.ticket_id, entry.technician_id, entry.posting_n)
        and other.reverses_id != entry.id
        and entry.id > other.id
        for other in reversals
    )


def _explained(counting: Sequence[LedgerEntry], row: LedgerRow) -> dict[int, LedgerEntry]:
    lines = [(entry.id, _entry_line(entry)) for entry in counting]
    told = explain(lines, row.contracts, row.separate_rate or Decimal(0))
    return {
        entry.id: replace(entry, draw=line.draw, contract=line.contract, amount_cents=line.amount_cents)
        for entry, line in zip(counting, told, strict=True)
    }


def _entry_line(entry: LedgerEntry) -> EntryLine:
    assert entry.ended_at is not None and entry.minutes is not None and entry.treatment is not None
    return EntryLine(
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        ticket=entry.ticket,
        subject=entry.subject,
        note=entry.note,
        technician=entry.technician,
        treatment=entry.treatment,
        minutes=entry.minutes,
    )


def _materials(session: Session, customer_id: int, row: LedgerRow) -> list[LedgerMaterial]:
    rows = session.execute(
        select(Material, Ticket.number)
        .join(Ticket, Ticket.id == Material.ticket_id)
        .where(Material.customer_id == customer_id, Material.service_month == row.month)
        .order_by(Material.day, Material.id)
    )
    return [
        LedgerMaterial(
            day=item.day,
            ticket=ticket,
            description=item.description,
            net_cents=line_cents(item.quantity, item.net),
            waits=row.posting_n is not None and item.posting_n > row.posting_n,
        )
        for item, ticket in rows
    ]


def _billed(session: Session, customer_id: int, month: date) -> list[BilledPart]:
    """The issued lines of this service month by invoice, Stornos and later adjustments included."""
    time = func.coalesce(func.sum(InvoiceLine.net_cents).filter(InvoiceLine.kind.in_(TIME_LINES)), 0)
    rows = session.execute(
        select(Invoice, time, func.sum(InvoiceLine.net_cents))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(Invoice.customer_id == customer_id, InvoiceLine.service_month == month)
        .group_by(Invoice.id)
        .order_by(Invoice.series_year, Invoice.series_number)
    )
    return [
        BilledPart(invoice.number, invoice.period, invoice.kind == "storno", int(of_time), int(net))
        for invoice, of_time, net in rows
    ]
