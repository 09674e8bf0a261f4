"""Verträge: what runs, renews and ends. Every module adds its routes to `bp`.

Managers change contracts; dispatchers read. A view that only reads declares `@access(*READERS)`.
"""

from flask import Blueprint

from ptdash.models import Role
from ptdash.web import access

READERS = (Role.DISPATCHER, Role.MANAGER)

bp = Blueprint("contracts", __name__, url_prefix="/contracts")
access.blueprint(bp, Role.MANAGER)

from ptdash.blueprints.contracts import (  # noqa: E402
    changes,
    contract,
    create,
    decision,
    inclusion,
    notice,
    renewals,
    telling,
)

__all__ = [
    "READERS",
    "bp",
    "changes",
    "contract",
    "create",
    "decision",
    "inclusion",
    "notice",
    "renewals",
    "telling",
]
