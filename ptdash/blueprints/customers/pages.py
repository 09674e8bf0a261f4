"""Kunden: the list, and a customer's minutes, tickets, contracts, invoices and history."""

from datetime import date

from flask import Response, make_response, request

from ptdash.blueprints.customers.views import bp
from ptdash.db import transaction
from ptdash.domain.errors import DomainError, NotFound
from ptdash.domain.periods import format_month, parse_month
from ptdash.services import (
    customer_list,
    customer_pages,
    customers,
    ledger,
    ledger_month,
    time_records,
)
from ptdash.services.customer_list import Order
from ptdash.web import now, render_page, today

SHOWN = ("package", "overage", "goodwill", "separate")


@bp.get("")
def index() -> Response:
    """All customers, or those that match what was typed."""
    asked = request.args.get("sort", "")
    order = Order(asked) if asked in set(Order) else Order.NAME
    text = request.args.get("q", "").strip()[:100]
    with transaction() as session:
        page = customer_list.page(
            session,
            today(),
            text=text,
            order=order,
            after=request.args.get("after"),
            before=request.args.get("before"),
        )
    return render_page("customers/index.html", page=page, order=order, text=text)


@bp.get("/<number>")
def show(number: str) -> Response:
    """The minutes ledger, one month of it opened where the address names one."""
    asked, upto = _month("month"), _month("upto")
    shown = request.args.get("show", "")
    with transaction() as session:
        customer = customers.get(session, number)
        found = ledger.months(session, customer.id, today(), upto=upto)
        row = next((row for row in found.rows if row.month == asked), None) if asked else None
        if asked and row is None and (row := ledger.month(session, customer.id, asked, today())) is not None:
            found = ledger.months(session, customer.id, today(), upto=asked)
        if asked and row is None:
            raise NotFound(what=format_month(asked))
        opened = ledger_month.open_month(session, customer.id, row) if row else None
        frame = customer_pages.frame(session, customer, today())
        beside = customer_pages.beside(session, customer.id, today())
    return render_page(
        "customers/show.html",
        fragment="customers/_ledger.html",
        ledger=found,
        opened=opened,
        upto=upto,
        show=shown if shown in SHOWN else None,
        frame=frame,
        beside=beside,
    )


@bp.get("/<number>/time-record/<month:month>.csv")
def time_record(number: str, month: date) -> Response:
    """The time record of a month, as a file."""
    with transaction() as session:
        content = time_records.record(session, number, month, today())
    answer = make_response(content)
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"Leistungsnachweis-{number}-{format_month(month)}.csv"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.get("/<number>/tickets")
def tickets(number: str) -> Response:
    closed = request.args.get("show") == "closed"
    with transaction() as session:
        customer = customers.get(session, number)
        below = request.args.get("below", type=int)
        rows, older = customer_pages.tickets(session, customer.id, closed=closed, below=below)
        frame = customer_pages.frame(session, customer, today())
    return render_page("customers/tickets.html", rows=rows, older=older, closed=closed, now=now(), frame=frame)


@bp.get("/<number>/contracts")
def contracts(number: str) -> Response:
    with transaction() as session:
        frame = customer_pages.frame(session, customers.get(session, number), today())
    return render_page("customers/contracts.html", frame=frame)


@bp.get("/<number>/invoices")
def invoices(number: str) -> Response:
    with transaction() as session:
        customer = customers.get(session, number)
        rows, older = customer_pages.invoices(session, customer.id, below=request.args.get("below"))
        frame = customer_pages.frame(session, customer, today())
    return render_page("customers/invoices.html", rows=rows, older=older, frame=frame)


@bp.get("/<number>/history")
def history(number: str) -> Response:
    with transaction() as session:
        customer = customers.get(session, number)
        below = request.args.get("below", type=int)
        events, older = customer_pages.history(session, customer.id, number, below=below)
        frame = customer_pages.frame(session, customer, today())
    return render_page("customers/history.html", events=events, older=older, frame=frame)


def _month(name: str) -> date | None:
    """A month in the address, as 2026-10; raises NotFound where it is none."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        return parse_month(text)
    except DomainError:
        raise NotFound(what=text) from None
