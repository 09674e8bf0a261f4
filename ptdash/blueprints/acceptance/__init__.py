"""Geräteabnahme: what waits, the checklist in front of the device, its signature, checklists.

Every module adds its routes to `bp`; technicians and managers inspect, dispatchers read.
"""

from typing import Any

from flask import Blueprint

from ptdash.blueprints.devices.words import WORDS
from ptdash.models import Role
from ptdash.web import access

READERS = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)
WRITERS = (Role.TECHNICIAN, Role.MANAGER)

bp = Blueprint("acceptance", __name__, url_prefix="/devices/acceptance")
access.blueprint(bp, *WRITERS)


@bp.context_processor
def words() -> dict[str, Any]:
    return WORDS


from ptdash.blueprints.acceptance import answering, checklists, files, planning, signing, worklist  # noqa: E402

__all__ = ["READERS", "WRITERS", "answering", "bp", "checklists", "files", "planning", "signing", "worklist"]
