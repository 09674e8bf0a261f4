"""Storno of an issued invoice, and billing a customer's month again."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from ptdash.domain.errors import Conflict, NotFound
from ptdash.domain.periods import format_month
from ptdash.models import Customer, CustomerBook, CustomerMonth, Invoice, InvoiceLine, Period, Run
from ptdash.services import audit, books, history, invoice_documents
from ptdash.services.bulk import insert_rows
from ptdash.services.invoice_documents import CheckedInvoice
from ptdash.services.invoice_sources import of_storno, turned_line
from ptdash.services.issuing import draw_numbers, format_number, reserve_invoice_ids


class StornoIsFinal(Conflict):
    message = "%(number)s is itself a Storno and cannot be cancelled."


class AlreadyCancelled(Conflict):
    message = "%(number)s is cancelled already, by %(storno)s."


class NothingToBillAgain(Conflict):
    message = "%(month)s of customer %(customer)s is posted. Cancel its invoice first."


class MonthNotBegun(Conflict):
    message = "The close of %(month)s has not begun."


def cancel(
    session: Session, number: str, reason: str, *, business_day: date, actor_id: int | None, now: datetime
) -> str:
    """Cancel an issued bill by a Storno with its own number and negative quantities; the Storno's number.

    The Storno is released by its order; its e-invoice is checked before anything is locked.
    Raises NotFound, ReasonMissing, StornoIsFinal, AlreadyCancelled, InvalidInvoice.
    """
    if not reason.strip():
        raise books.ReasonMissing()
    bill = _bill(session, number)
    if bill.kind == "storno":
        raise StornoIsFinal(number=number)
    checked = invoice_documents.check(of_storno(bill, business_day))
    if refusal := invoice_documents.refused([checked]):
        raise refusal
    _lock(session, bill.customer_id)
    if done := session.execute(select(Invoice.number).where(Invoice.cancels_id == bill.id)).scalar_one_or_none():
        raise AlreadyCancelled(number=number, storno=done)
    run = _order(session, "storno", bill.customer_id, bill.period, business_day, actor_id, now, reason.strip())
    run.finished_at = now
    storno = _issue_storno(session, bill, run, checked)
    after = {"storno": storno, "reason": reason.strip(), "net_cents": -bill.net_cents}
    audit.record(session, "cancel", "invoice", number, actor_id=actor_id, now=now, after=after)
    return storno


def bill_again(
    session: Session, customer_number: str, month: date, *, business_day: date, actor_id: int | None, now: datetime
) -> Run:
    """Order the bill of one customer's month, alone: after its invoice was cancelled, or where it was set aside,
    parked or not known when the month was closed. The run is worked off like every other.

    Raises NotFound, MonthNotBegun, NothingToBillAgain.
    """
    customer = session.execute(select(Customer).where(Customer.number == customer_number)).scalar_one_or_none()
    if customer is None:
        raise NotFound(what=customer_number)
    if session.get(Period, month) is None:
        raise MonthNotBegun(month=format_month(month))
    _lock(session, customer.id)
    if history.load(session, [customer.id], month)[customer.id].is_held(month):
        raise NothingToBillAgain(month=format_month(month), customer=customer_number)
    run = _order(session, "customer", customer.id, month, business_day, actor_id, now, None)
    if session.get(CustomerMonth, (customer.id, month)) is None:
        session.add(CustomerMonth(customer_id=customer.id, month=month, run_id=run.id))
        session.flush()
    session.execute(
        update(CustomerMonth)
        .where(CustomerMonth.customer_id == customer.id, CustomerMonth.month == month)
        .values(run_id=run.id, park_code=None, park_params=None, set_aside_reason=None)
    )
    after = {"run": run.id, "month": format_month(month)}
    audit.record(session, "bill_again", "customer", customer_number, actor_id=actor_id, now=now, after=after)
    return run


def _bill(session: Session, number: str) -> Invoice:
    found = select(Invoice).where(Invoice.number == number).options(selectinload(Invoice.lines))
    bill = session.execute(found).scalar_one_or_none()
    if bill is None:
        raise NotFound(what=number)
    return bill


def _lock(session: Session, customer_id: int) -> None:
    """Like a posting: a fact is written before or after, never half; two Stornos cannot both find it in force."""
    session.execute(select(CustomerBook).where(CustomerBook.customer_id == customer_id).with_for_update())


def _order(
    session: Session,
    kind: str,
    customer_id: int,
    month: date,
    business_day: date,
    actor_id: int | None,
    now: datetime,
    reason: str | None,
) -> Run:
    """A run for one customer's month; it needs no release of its own where a person ordered it."""
    run = Run(
        kind=kind,
        customer_id=customer_id,
        month=month,
        reason=reason,
        business_day=business_day,
        ordered_by_id=actor_id,
        ordered_at=now,
        enqueued_at=now,
        released_at=now if actor_id else None,
        released_by_id=actor_id,
    )
    session.add(run)
    session.flush()
    return run


def _issue_storno(session: Session, bill: Invoice, run: Run, checked: CheckedInvoice) -> str:
    (invoice_id,) = reserve_invoice_ids(session, 1)
    year = run.business_day.year
    drawn = draw_numbers(session, year, 1)
    number = format_number(year, drawn)
    copied = ("customer_id", "period", "revision", "seller", "buyer")
    turned = {name: -getattr(bill, name) for name in ("net_cents", "vat_cents", "gross_cents")}
    dates = {"issued_on": run.business_day, "due_on": run.business_day}
    row: dict[str, Any] = {"id": invoice_id, "number": number, "series_year": year, "series_number": drawn}
    row |= {"kind": "storno", "cancels_id": bill.id, "run_id": run.id} | turned | dates
    row |= {name: getattr(bill, name) for name in copied}
    insert_rows(session, Invoice, [row])
    insert_rows(session, InvoiceLine, [_turned_line(line, invoice_id, bill.number) for line in bill.lines])
    invoice_documents.write(session, run, [(invoice_id, number, bill.customer_id, checked)], run.ordered_at)
    return number


def _turned_line(line: InvoiceLine, invoice_id: int, number: str) -> dict[str, Any]:
    same = ("pos", "service_month", "contract_id", "unit", "unit_price", "vat_category", "vat_rate")
    more = ("service_from", "service_until")
    own = {name: getattr(line, name) for name in same + more} | turned_line(line)
    return own | {
        "invoice_id": invoice_id,
        "explanation": {"cancels": number, "kind": line.kind, "description": line.description},
    }
