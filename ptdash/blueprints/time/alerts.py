"""Packages that run out, as managers are told."""

from flask import Response, url_for
from flask_login import current_user

from ptdash.blueprints.time import bp
from ptdash.db import transaction
from ptdash.domain.periods import parse_month
from ptdash.models import Role
from ptdash.services import thresholds
from ptdash.web import access, now, see_other


@bp.post("/time/alerts/<int:contract_id>/<month>/acknowledge")
@access(Role.MANAGER)
def acknowledge(contract_id: int, month: str) -> Response:
    with transaction() as session:
        thresholds.acknowledge(session, contract_id, parse_month(month), actor_id=current_user.id, now=now())
    return see_other(url_for("overview.index", _anchor="minutes"))
