"""Verteilung: the technician's day list, its ticks, the plan of a window, maintenance reports.

Every module adds its routes to `bp`; technicians and managers tick off, managers move, dispatchers read.
"""

from typing import Any

from flask import Blueprint

from ptdash.blueprints.rollout.words import WORDS
from ptdash.models import Role
from ptdash.web import access

READERS = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
WRITERS = (Role.TECHNICIAN, Role.MANAGER)

bp = Blueprint("rollout", __name__, url_prefix="/rollout")
access.blueprint(bp, *WRITERS)


@bp.context_processor
def words() -> dict[str, Any]:
    return WORDS


from ptdash.blueprints.rollout import day, plan, reports, ticks  # noqa: E402

__all__ = ["READERS", "WRITERS", "bp", "day", "plan", "reports", "ticks"]
