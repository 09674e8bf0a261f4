"""Geräte: the register. Technicians and managers change it, dispatchers read; every module adds routes to `bp`."""

from typing import Any

from flask import Blueprint

from ptdash.blueprints.devices.words import WORDS
from ptdash.models import Role
from ptdash.web import access

READERS = (Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)

bp = Blueprint("devices", __name__, url_prefix="/devices")
access.blueprint(bp, Role.TECHNICIAN, Role.MANAGER)


@bp.context_processor
def words() -> dict[str, Any]:
    return WORDS


from ptdash.blueprints.devices import transfer, views  # noqa: E402

__all__ = ["READERS", "bp", "transfer", "views"]
