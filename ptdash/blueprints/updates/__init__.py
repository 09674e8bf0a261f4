"""Updatefreigabe: the matrix, an update with its check and decisions, the catalogue, vendors' feeds.

Every module adds its routes to `bp`; technicians and managers work here, feeds are kept by managers and
administrators.
"""

from typing import Any

from flask import Blueprint

from ptdash.blueprints.updates.words import WORDS
from ptdash.models import Role
from ptdash.web import access

WRITERS = (Role.TECHNICIAN, Role.MANAGER)
FEED_KEEPERS = (Role.MANAGER, Role.ADMIN)

bp = Blueprint("updates", __name__, url_prefix="/updates")
access.blueprint(bp, *WRITERS)


@bp.context_processor
def words() -> dict[str, Any]:
    return WORDS


from ptdash.blueprints.updates import checking, deciding, enter, feeds, products, show, table  # noqa: E402

__all__ = ["FEED_KEEPERS", "WRITERS", "bp", "checking", "deciding", "enter", "feeds", "products", "show", "table"]
