"""What needs me now, per role."""

from flask import Blueprint, Response
from flask_login import current_user

from ptdash.db import db
from ptdash.models import Role
from ptdash.services import contract_tasks, overview
from ptdash.web import access, now, render_page, today

bp = Blueprint("overview", __name__)


@bp.get("/")
@access.any_user
def index() -> Response:
    session, day = db.session(), today()
    commercial = current_user.role == Role.MANAGER
    return render_page(
        "overview/index.html",
        now=now(),
        today=day,
        window=overview.next_window(session, day),
        commercial=commercial,
        contracts=contract_tasks.needed(session, day) if commercial else None,
        months=overview.months_to_do(session, day) if commercial else [],
        deadlines=overview.deadlines(session, day) if commercial else [],
    )
