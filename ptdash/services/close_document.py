"""A month's result as one document: the same form before and after it is posted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from ptdash.domain.bills import PARKED, Blocker, Parked
from ptdash.domain.periods import format_month
from ptdash.models import (
    Contract,
    Customer,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    Material,
    Posting,
    Run,
    Settlement,
)
from ptdash.services import books, prices
from ptdash.services.billing import CustomerBill, bill
from ptdash.services.facts import standing_entries

MONEY = ("net_cents", "vat_cents", "gross_cents")


@dataclass
class Result:
    """A month's settlements, invoices and parked customers, each with the customer's number."""

    settlements: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    parked: list[tuple[str, Parked]] = field(default_factory=list)

    def as_document(self, month: date, state: str, blockers: Iterable[Blocker]) -> dict[str, Any]:
        return {
            "period": format_month(month),
            "state": state,
            "blockers": [{"code": b.code, "subject": b.params["subject"], "message": str(b)} for b in blockers],
            "settlements": sorted(self.settlements, key=lambda s: s["contract"]),
            "invoices": sorted(self.invoices, key=lambda i: (i["customer"], i["number"] or "")),
            "parked": [
                {"customer": number, "code": reason.code, "message": str(reason)}
                for number, reason in sorted(self.parked, key=lambda p: p[0])
            ],
            "totals": {name: sum(i[name] for i in self.invoices) for name in MONEY},
        }


def preview(session: Session, month: date, today: date) -> dict[str, Any]:
    """What closing the month would give: the calculation of the close on the same data, without the writing.

    Customers that are posted already stand with what was posted.
    """
    state = books.state(session, month)
    blockers = books.blockers(session, month, today) if state is books.PeriodState.OPEN else []
    found = _posted(session, month)
    valid = prices.valid_on(session, month)
    if state is not books.PeriodState.CLOSED and not valid.missing:
        for item in bill(session, _unposted_customers(session, month), month, valid):
            _add_bill(found, item)
    shown = "preview" if state is books.PeriodState.OPEN else state.value
    return found.as_document(month, shown, blockers) | {"not_billed": not_billed(session, month)}


def posted(session: Session, month: date) -> dict[str, Any]:
    """What was posted for a month, and who is parked."""
    found = _posted(session, month)
    found.parked = _parked(session, month)
    state = books.state(session, month)
    return found.as_document(month, state.value, []) | {"not_billed": not_billed(session, month)}


def refused(session: Session, month: date, today: date) -> dict[str, Any]:
    """The preview of a month whose run was refused, as it stands: open."""
    return preview(session, month, today) | {"state": books.state(session, month).value}


def invoice_document(invoice: Invoice, contracts: dict[int, str]) -> dict[str, Any]:
    """One issued invoice with its lines."""
    return {
        "number": invoice.number,
        "period": format_month(invoice.period),
        "customer": invoice.buyer["number"],
        **{name: getattr(invoice, name) for name in MONEY},
        "lines": [_line(row, contracts.get(row.contract_id or 0), row.vat_rate) for row in invoice.lines],
    }


def not_billed(session: Session, month: date) -> list[dict[str, Any]]:
    """Earlier months with time or material that no invoice will take, as the books begin with this one."""
    if books.begins_on(session) not in (None, month):
        return []
    entries = standing_entries().subquery()
    time = session.execute(
        select(entries.c.service_month, func.count(), func.coalesce(func.sum(entries.c.minutes), 0))
        .where(entries.c.service_month < month)
        .group_by(entries.c.service_month)
    )
    rows = {on: {"entries": count, "minutes": minutes, "materials": 0} for on, count, minutes in time}
    material = session.execute(
        select(Material.service_month, func.count())
        .where(Material.service_month < month)
        .group_by(Material.service_month)
    )
    for on, count in material:
        rows.setdefault(on, {"entries": 0, "minutes": 0})["materials"] = count
    return [{"month": format_month(on), **rows[on]} for on in sorted(rows)]


def _add_bill(found: Result, item: CustomerBill) -> None:
    number = item.customer.number
    if item.parked:
        found.parked.append((number, item.parked))
        return
    found.settlements += [_settlement(s, s.contract, number) for s in item.settlements]
    for document in item.documents:
        found.invoices.append(
            {
                "number": None,
                "period": format_month(document.period),
                "customer": number,
                **{name: getattr(document.totals, name) for name in MONEY},
                "lines": [
                    _line(row.line, row.line.contract, row.vat.rate, row.description) for row in document.lines
                ],
            }
        )


def _posted(session: Session, month: date) -> Result:
    """The settlements of each customer's newest posting, and the invoices that the month's runs issued.

    A contract that by later facts did not run in the month has none in the newest: its earlier ones count no more.
    """
    last = select(Posting.customer_id, func.max(Posting.n).label("n")).where(Posting.month == month)
    last_n = last.group_by(Posting.customer_id).subquery()
    newest = (
        select(Settlement, Contract.number, Customer.number)
        .join(last_n, (last_n.c.customer_id == Settlement.customer_id) & (last_n.c.n == Settlement.n))
        .join(Contract, Contract.id == Settlement.contract_id)
        .join(Customer, Customer.id == Settlement.customer_id)
        .where(Settlement.month == month)
    )
    invoices = session.execute(
        select(Invoice)
        .join(Run, Run.id == Invoice.run_id)
        .where(Run.month == month)
        .order_by(Invoice.id)
        .options(selectinload(Invoice.lines))
    ).scalars()
    found = invoices.all()
    numbers = contract_numbers(session, (line for invoice in found for line in invoice.lines))
    return Result(
        settlements=[_settlement(row, contract, customer) for row, contract, customer in session.execute(newest)],
        invoices=[invoice_document(invoice, numbers) for invoice in found],
    )


def contract_numbers(session: Session, lines: Iterable[InvoiceLine]) -> dict[int, str]:
    """The numbers of the contracts that lines name, by the contract's id."""
    ids = {line.contract_id for line in lines if line.contract_id}
    rows = session.execute(select(Contract.id, Contract.number).where(Contract.id.in_(ids)))
    return {row.id: row.number for row in rows}


def _parked(session: Session, month: date) -> list[tuple[str, Parked]]:
    rows = session.execute(
        select(Customer.number, CustomerMonth.park_code, CustomerMonth.park_params)
        .join(Customer, Customer.id == CustomerMonth.customer_id)
        .where(CustomerMonth.month == month, CustomerMonth.park_code.is_not(None))
    )
    return [(number, PARKED[code or ""](**(params or {}))) for number, code, params in rows]


def _unposted_customers(session: Session, month: date) -> Collection[int]:
    posting = select(Posting).where(Posting.customer_id == Customer.id, Posting.month == month)
    aside = select(CustomerMonth).where(
        CustomerMonth.customer_id == Customer.id,
        CustomerMonth.month == month,
        CustomerMonth.set_aside_reason.is_not(None),
    )
    return session.execute(select(Customer.id).where(~posting.exists(), ~aside.exists())).scalars().all()


def _settlement(row: Any, contract: str, customer: str) -> dict[str, Any]:
    names = ("package", "included_minutes", "used_minutes", "covered_minutes", "overage_minutes")
    more = ("expired_minutes", "base_cents", "overage_cents")
    return {"contract": contract, "customer": customer} | {name: getattr(row, name) for name in names + more}


def _line(row: Any, contract: str | None, vat_rate: Decimal, description: str | None = None) -> dict[str, Any]:
    return {
        "kind": str(row.kind),
        "contract": contract,
        "quantity": _plain(row.quantity),
        "unit": row.unit,
        "unit_price": f"{row.unit_price:.4f}",
        "net_cents": row.net_cents,
        "vat_rate": f"{vat_rate:.2f}",
        "service_from": row.service_from.isoformat(),
        "service_until": row.service_until.isoformat(),
        "description": row.description if description is None else description,
    }


def _plain(quantity: Decimal) -> str:
    """A quantity without trailing zeros and without an exponent."""
    return f"{quantity.normalize():f}"
