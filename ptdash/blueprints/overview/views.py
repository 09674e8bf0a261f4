"""What needs me now, per role."""

from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, Response
from flask_login import current_user

from ptdash.blueprints.overview import charts
from ptdash.blueprints.tickets.rows import due_words
from ptdash.db import db
from ptdash.models import Role
from ptdash.services import contract_tasks, overview, overview_figures, renewals, thresholds, upcoming
from ptdash.services.acceptances import attention as acceptances
from ptdash.services.rollout import waiting
from ptdash.services.tickets import attention
from ptdash.services.tickets.asking import Moment
from ptdash.web import access, now, render_page, today

bp = Blueprint("overview", __name__)


@bp.get("/")
@access.any_user
def index() -> Response:
    session, day, moment = db.session(), today(), Moment(now())
    role = current_user.role
    commercial, reads_contracts = role == Role.MANAGER, role in (Role.DISPATCHER, Role.MANAGER)
    works = role != Role.ADMIN
    window = overview.next_window(session, day)
    mine = waiting.personal(role, current_user.id)
    return render_page(
        "overview/index.html",
        now=moment.now,
        due_words=partial(due_words, status="", moment=moment),
        today=day,
        window=window,
        reads_contracts=reads_contracts,
        tickets=attention.needed(session, current_user, moment) if works else None,
        acceptances=acceptances.needed(session, current_user, day) if works else None,
        rollout=waiting.needed(session, day, mine, role) if works else None,
        planned=waiting.planned(session, window.days, mine) if works else None,
        progress=waiting.progress(session, window.days, mine) if works else None,
        team=attention.loads(session, moment) if reads_contracts else [],
        contracts=contract_tasks.needed(session, day) if commercial else None,
        months=overview.months_to_do(session, day) if commercial else [],
        alerts=thresholds.waiting(session, day) if commercial else [],
        deadlines=upcoming.deadlines(session, day) if reads_contracts else [],
        **_figures(day, moment, mine, commercial, reads_contracts) if works else {},
    )


def _figures(
    day: date, moment: Moment, mine: int | None, commercial: bool, reads_contracts: bool
) -> dict[str, Any]:
    """The figures over time that a role sees, and where the bars of their charts lie."""
    session = db.session()
    weeks = overview_figures.tickets(session, moment, mine)
    found: dict[str, Any] = {"weeks": weeks, "weeks_drawn": charts.tickets(weeks.weeks), "own": mine is not None}
    if reads_contracts:
        minutes = overview_figures.minutes(session, day)
        found |= {"minutes": minutes, "minutes_drawn": charts.minutes(minutes.months)}
    if commercial:
        revenue = overview_figures.revenue(session, day)
        asked = renewals.figures(renewals.load(session, day))
        found |= {"revenue": revenue, "revenue_drawn": charts.revenue(revenue), "renewals": asked}
    return found
