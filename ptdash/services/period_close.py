"""Posting customers' months: settlements, the issued invoice and its number, in one transaction."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.orm import Session

from ptdash.domain.bills import Parked, PostingFailed
from ptdash.domain.einvoices import InvoiceSource
from ptdash.domain.periods import format_month
from ptdash.models import (
    CustomerBook,
    CustomerMonth,
    Posting,
    Run,
    Settlement,
    StaleCustomer,
)
from ptdash.services import audit, books, invoice_documents, prices, settings
from ptdash.services.billing import CustomerBill, Ground, MonthTaken, grounds
from ptdash.services.bulk import among, insert_rows
from ptdash.services.invoice_documents import CheckedInvoice
from ptdash.services.invoice_sources import Issue, of_bills
from ptdash.services.issuing import issue, reserve_invoice_ids

KEPT_OF_SETTLED = (
    *("contract_id", "package", "package_price", "overage_rate", "month_days"),
    *("included_minutes", "used_minutes", "covered_minutes", "overage_minutes", "expired_minutes"),
    *("base_cents", "overage_cents"),
)
_kept_of = attrgetter(*KEPT_OF_SETTLED)


@dataclass(frozen=True)
class Draft:
    """A customer's bill before it is posted, what it was calculated from, and the invoices it becomes."""

    ground: Ground
    issue: Issue
    bill: CustomerBill
    sources: Sequence[InvoiceSource]

    def check(self) -> "Checked":
        """Ask the rules of e-invoices, which takes longest: nothing needs to be locked for it."""
        return Checked(self, [invoice_documents.check(source) for source in self.sources])


@dataclass(frozen=True)
class Checked:
    """A drafted bill with its checked invoices."""

    draft: Draft
    documents: Sequence[CheckedInvoice]

    @property
    def bill(self) -> CustomerBill:
        return self.draft.bill

    @property
    def parked(self) -> Parked | None:
        return self.bill.parked or invoice_documents.refused(self.documents)


def draft(session: Session, run_id: int, customer_ids: Collection[int]) -> dict[int, Draft]:
    """What posting these customers would do by today's facts, by customer; nothing is locked."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    run = session.get_one(Run, run_id)
    undecided = books.pending(session, run_id, customer_ids)
    if not undecided:
        return {}
    return _draft(session, _issue_of(session, run), _grounds(session, run, undecided))


def post(
    session: Session,
    run_id: int,
    customer_ids: Collection[int],
    *,
    now: datetime,
    checked: Mapping[int, Checked] | None = None,
) -> int:
    """Post those of the customers that the run has still to post; how many were decided (posted or parked).

    Their books are locked first, in id order and in a statement of its own, so that whatever is read
    afterwards has every fact committed before. The invoice numbers are drawn last.
    `checked` are their bills, drafted and checked before; whose bill would be calculated from anything else by
    now stays undecided. Without it everything is drafted and checked here, before the numbers are drawn.
    """
    run = session.get_one(Run, run_id)
    undecided = _lock_undecided(session, run_id, customer_ids)
    if not undecided:
        return 0
    common = _issue_of(session, run)
    found = _grounds(session, run, undecided)
    if checked is None:
        checked = {customer_id: made.check() for customer_id, made in _draft(session, common, found).items()}
    decided = [
        item
        for ground in found
        if (item := checked.get(ground.customer.id)) and (item.draft.ground, item.draft.issue) == (ground, common)
    ]
    billed = []
    for item in decided:
        if reason := item.parked:
            _park(session, item.bill.customer.id, run, reason)
        else:
            billed.append(item)
    _write(session, run, common, billed, now)
    return len(decided)


def park_failed(session: Session, run_id: int, customer_id: int, reference: str) -> None:
    """Park a customer whose posting raised something unforeseen, so that it stops nobody else; whoever else
    has posted it meanwhile was right."""
    if _lock_undecided(session, run_id, [customer_id]):
        _park(session, customer_id, session.get_one(Run, run_id), PostingFailed(reference=reference))


def _lock_undecided(session: Session, run_id: int, customer_ids: Collection[int]) -> Sequence[int]:
    """Lock the customers' books in id order; which of them the run has still to post."""
    session.execute(
        select(CustomerBook.customer_id)
        .where(among(CustomerBook.customer_id, customer_ids))
        .order_by(CustomerBook.customer_id)
        .with_for_update()
    )
    return books.pending(session, run_id, customer_ids)


def _grounds(session: Session, run: Run, customer_ids: Collection[int]) -> list[Ground]:
    return grounds(session, customer_ids, run.month, prices.valid_on(session, run.month))


def _draft(session: Session, common: Issue, found: Sequence[Ground]) -> dict[int, Draft]:
    bills = [ground.bill() for ground in found]
    sources = of_bills(session, common, [item for item in bills if not item.parked])
    return {
        item.customer.id: Draft(ground, common, item, sources.get(item.customer.id, ()))
        for ground, item in zip(found, bills, strict=True)
    }


def _park(session: Session, customer_id: int, run: Run, reason: Parked) -> None:
    session.execute(
        update(CustomerMonth)
        .where(CustomerMonth.customer_id == customer_id, CustomerMonth.month == run.month)
        .values(park_code=reason.code, park_params=reason.params)
        .execution_options(synchronize_session=False)
    )


def _issue_of(session: Session, run: Run) -> Issue:
    return Issue(settings.company(session), run.business_day)


def _write(
    session: Session,
    run: Run,
    common: Issue,
    checked: Sequence[Checked],
    now: datetime,
) -> None:
    """Postings and settlements first, the invoices with their numbers last."""
    if not checked:
        return
    bills = [item.bill for item in checked]
    issued = [
        (item.bill.customer.id, document, original)
        for item in checked
        for document, original in zip(item.bill.documents, item.documents, strict=True)
    ]
    invoice_ids = reserve_invoice_ids(session, len(issued))
    ids = iter(invoice_ids)
    postings: list[dict[str, Any]] = []
    settled: list[dict[str, Any]] = []
    for item in bills:
        own = [next(ids) for _ in item.documents]
        for taken in item.taken:
            invoice_id = own[taken.document] if taken.document is not None else None
            postings.append(_posting_row(item.customer.id, taken, invoice_id))
            settled += _settlement_rows(item.customer.id, taken)
    insert_rows(session, Posting, postings, run_id=run.id)
    insert_rows(session, Settlement, settled)
    _settle_marks(session, run, [item.customer.id for item in bills])
    numbers = issue(session, run, common, issued, invoice_ids)
    originals = [
        (invoice_id, number, customer_id, original)
        for invoice_id, number, (customer_id, _, original) in zip(invoice_ids, numbers, issued, strict=True)
    ]
    invoice_documents.write(session, run, originals, now)
    _record(session, run, bills, numbers, now)


def _posting_row(customer_id: int, taken: MonthTaken, invoice_id: int | None) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "month": taken.month,
        "n": taken.n,
        "invoice_id": invoice_id,
        "owed_cents": taken.result.net_cents,
        "separate_minutes": taken.result.separate_minutes,
        "vat_category": taken.vat.category if taken.vat else None,
        "vat_rate": taken.vat.rate if taken.vat else None,
    }


def _settle_marks(session: Session, run: Run, customer_ids: Sequence[int]) -> None:
    """What was set aside, or parked when billed again in vain, is posted now; what was stale is calculated."""
    session.execute(
        update(CustomerMonth)
        .where(
            among(CustomerMonth.customer_id, customer_ids),
            CustomerMonth.month <= run.month,
            or_(CustomerMonth.set_aside_reason.is_not(None), CustomerMonth.park_code.is_not(None)),
        )
        .values(set_aside_reason=None, park_code=None, park_params=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(StaleCustomer)
        .where(among(StaleCustomer.customer_id, customer_ids))
        .execution_options(synchronize_session=False)
    )


def _settlement_rows(customer_id: int, taken: MonthTaken) -> list[dict[str, Any]]:
    return [
        {
            "month": taken.month,
            "n": taken.n,
            "customer_id": customer_id,
            "covered_from": settled.span.first,
            "covered_days": settled.span.days,
            **dict(zip(KEPT_OF_SETTLED, _kept_of(settled), strict=True)),
        }
        for settled in taken.result.settlements
    ]


def _record(
    session: Session, run: Run, bills: Sequence[CustomerBill], numbers: Sequence[str], now: datetime
) -> None:
    """One audit event a batch, with counts and a hash over what was posted."""
    posted = "\n".join(f"{item.customer.number} {item.totals.net_cents} {item.totals.vat_cents}" for item in bills)
    after = {
        "run": run.id,
        "customers": len(bills),
        "invoices": len(numbers),
        "first": numbers[0] if numbers else None,
        "last": numbers[-1] if numbers else None,
        "sha256": hashlib.sha256(posted.encode()).hexdigest(),
    }
    audit.record(
        session, "post", "period", format_month(run.month), actor_id=run.ordered_by_id, now=now, after=after
    )
