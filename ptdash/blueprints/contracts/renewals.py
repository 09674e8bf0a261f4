"""The renewals page: every contract with its term and its deadline, as timeline, list, cancellations, archive."""

from datetime import timedelta
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext

from ptdash.blueprints.contracts import READERS, bp
from ptdash.blueprints.contracts.timeline import strip, year
from ptdash.db import transaction
from ptdash.documents import contract_list
from ptdash.domain.terms import ContractState
from ptdash.services import advice, renewals
from ptdash.services.renewals import LATER, RUNNING, Row
from ptdash.web import access, render_page, today

VIEWS = {
    "timeline": RUNNING,
    "list": frozenset(ContractState) - {ContractState.ENDED},
    "notices": frozenset({ContractState.NOTICE_GIVEN}),
    "archive": frozenset({ContractState.ENDED}),
}
WITHIN = {"30": 30, "90": 90}


@bp.get("/")
@access(*READERS)
def index() -> Response:
    with transaction() as session:
        everything = renewals.load(session, today())
        rows = _asked_for(everything)
        asking = {row.known.customer.id for row in rows if row.known.package and row.is_within(LATER)}
        advices = advice.of_customers(session, asking) if asking else {}
    scale = year(today())
    return render_page(
        "contracts/index.html",
        today=today(),
        figures=renewals.figures(everything),
        ended=sum(row.state is ContractState.ENDED for row in everything),
        rows=rows,
        view=_view(),
        filters=_filters(),
        address=_address,
        advices=advices,
        scale=scale,
        strip=lambda row: strip(row, scale),
        until=today() + timedelta(days=90),
    )


@bp.get("/contracts.csv")
@access(*READERS)
def as_csv() -> Response:
    """What the page shows with these filters, as a file."""
    with transaction() as session:
        rows = _asked_for(renewals.load(session, today()))
    name = gettext("contracts")
    return Response(
        contract_list.render(rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{today().isoformat()}.csv"'},
    )


def _asked_for(everything: list[Row]) -> list[Row]:
    filters = _filters()
    rows = [row for row in everything if row.state in VIEWS[_view()]]
    return renewals.matching(rows, filters["q"], filters["kind"], WITHIN.get(filters["within"]))


def _view() -> str:
    asked = request.args.get("view", "")
    return asked if asked in VIEWS else "timeline"


def _filters() -> dict[str, str]:
    kind, within = request.args.get("kind", ""), request.args.get("within", "")
    return {
        "q": request.args.get("q", "").strip()[:100],
        "kind": kind if kind in ("support", "maintenance") else "",
        "within": within if within in WITHIN else "",
    }


def _address(endpoint: str = "contracts.index", **changes: str) -> str:
    """This page (or its file) with the present filters, some of them changed."""
    view = "" if _view() == "timeline" else _view()
    asked = {"view": view, **_filters(), **changes}
    values: dict[str, Any] = {key: value for key, value in asked.items() if value}
    return url_for(endpoint, **values)
