"""Abrechnung: the months, a month's preview and close, and invoices with every amount explained."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_login import current_user

from ptdash.blueprints.billing.words import LINE_UNITS, MENDING, TREATMENTS, mend_url, named, sentence
from ptdash.blueprints.billing.workers import hand_to_workers
from ptdash.blueprints.contracts.words import MESSAGE_STATES
from ptdash.db import transaction
from ptdash.domain.comparison import JUMP_CENTS, JUMP_SHARE
from ptdash.domain.periods import previous_month
from ptdash.models import Role
from ptdash.services import books, close_results, comparing, invoice_pdfs, releases, statements
from ptdash.web.access import access
from ptdash.web.pages import now, render_page, see_other, today, wants_fragment

PAGE_ROWS = 50
JUMPS_SHOWN = 10

bp = Blueprint("billing", __name__, url_prefix="/billing")
access.blueprint(bp, Role.MANAGER)


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "sentence": sentence,
        "sentence_part": named,
        "mending": MENDING,
        "mend_url": mend_url,
        "treatments": TREATMENTS,
        "units": LINE_UNITS,
        "message_states": MESSAGE_STATES,
        "page_href": _page_href,
    }


@bp.app_template_filter("iso_day")
def _iso_day(text: str) -> date:
    """A day as an explanation stores it."""
    return date.fromisoformat(text)


@bp.app_template_filter("decimal")
def _decimal(text: str) -> Decimal:
    """A number as an explanation stores it."""
    return Decimal(text)


def _page_href(page: int) -> str:
    """This page's address with another page number."""
    values: dict[str, Any] = {**(request.view_args or {}), **request.args, "page": page}
    return url_for(str(request.endpoint), **values)


@bp.get("/")
def index() -> Response:
    with transaction() as session:
        rows = close_results.months(session, today())
        expected = close_results.expected_net(session, rows, today())
        unreleased = releases.unreleased(session)
    return render_page("billing/index.html", rows=rows, expected=expected, unreleased=unreleased)


@bp.get("/<month:month>")
def period(month: date) -> Response:
    with transaction() as session:
        result = close_results.result(session, month, today())
        run = books.latest_run(session, month)
        before = close_results.net_of(session, previous_month(month))
        decided, left = books.worked_off(session, run.id) if run else (0, 0)
        is_closed = result.state is books.PeriodState.CLOSED
        jumps = comparing.jumps(session, month) if is_closed else []
        seen = comparing.seen_net(session, month) if is_closed else None
        release = releases.released(session, month) if is_closed else None
    show = request.args.get("show")
    views: dict[str, Sequence[Any]] = {"parked": result.parked, "aside": result.set_aside, "jumps": jumps}
    rows = views.get(show or "", result.rows)
    pages = max(1, ceil(len(rows) / PAGE_ROWS))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    return render_page(
        "billing/period.html",
        result=result,
        run=run,
        before=before,
        previous=previous_month(month),
        show=show,
        jumps=jumps[:JUMPS_SHOWN],
        all_jumps=len(jumps),
        jump_share=JUMP_SHARE,
        jump_cents=JUMP_CENTS,
        seen=seen,
        release=release,
        rows=rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS],
        page=page,
        pages=pages,
        seconds_left=_seconds_left(decided, left, now() - run.ordered_at) if run else None,
    )


@bp.post("/<month:month>/close")
def close(month: date) -> Response:
    """Begin the close, or try again what was parked; workers do the rest."""
    with transaction() as session:
        run, blockers = books.begin(
            session,
            month,
            today(),
            actor_id=current_user.id,
            now=now(),
            seen_net_cents=request.form.get("seen_net_cents", type=int),
        )
    if blockers:
        raise blockers[0]
    if run:
        hand_to_workers(run.id)
    return see_other(url_for("billing.period", month=month))


@bp.get("/<month:month>/customers/<customer>")
def customer(month: date, customer: str) -> Response:
    """A customer's month before it is posted; afterwards the invoice it became.

    While an order for it is at work the page asks again.
    """
    with transaction() as session:
        number = statements.invoice_of(session, customer, month)
        under_way = number is None and books.is_under_way(session, month, customer)
        if number is None:
            statement = statements.drafted(session, customer, month)
    if number is not None:
        return see_other(url_for("billing.invoice", number=number))
    if under_way and wants_fragment():
        return Response(status=204)
    return render_page("billing/statement.html", statement=statement, under_way=under_way)


@bp.get("/invoices/<number>")
def invoice(number: str) -> Response:
    with transaction() as session:
        statement = statements.issued(session, number)
        documents = invoice_pdfs.documents_of(session, number)
    return render_page("billing/statement.html", statement=statement, documents=documents)


def _seconds_left(decided: int, left: int, elapsed: timedelta) -> int | None:
    """An estimate from the pace of the run so far; None before its first result and after its last."""
    return ceil(elapsed.total_seconds() / decided * left) if decided and left else None
