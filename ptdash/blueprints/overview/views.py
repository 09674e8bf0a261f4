"""What needs me now, per role."""

from functools import partial

from flask import Blueprint, Response, current_app, url_for
from flask_login import current_user

from ptdash.blueprints.tickets.rows import due_words
from ptdash.db import db
from ptdash.models import Role
from ptdash.services import contract_tasks, overview, thresholds
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
    commercial = role == Role.MANAGER
    window = overview.next_window(session, day)
    mine = waiting.personal(role, current_user.id)
    return render_page(
        "overview/index.html",
        now=moment.now,
        due_words=partial(due_words, status="", moment=moment),
        today=day,
        window=window,
        commercial=commercial,
        tickets=attention.needed(session, current_user, moment) if role != Role.ADMIN else None,
        rollout=waiting.needed(session, day, mine, role) if role != Role.ADMIN else None,
        planned=waiting.planned(session, window.days, mine) if role != Role.ADMIN else None,
        updates_url=url_for("updates.index") if "updates.index" in current_app.view_functions else None,
        team=attention.loads(session, moment) if role in (Role.DISPATCHER, Role.MANAGER) else [],
        contracts=contract_tasks.needed(session, day) if commercial else None,
        months=overview.months_to_do(session, day) if commercial else [],
        alerts=thresholds.waiting(session, day) if commercial else [],
        deadlines=overview.deadlines(session, day) if commercial else [],
    )
