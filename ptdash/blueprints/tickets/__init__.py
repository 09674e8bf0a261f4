"""Tickets: the queue and what is done there, the ticket itself. Every module adds its routes to `bp`."""

from flask import Blueprint

from ptdash.models import Role
from ptdash.web import access

bp = Blueprint("tickets", __name__, url_prefix="/tickets")
access.blueprint(bp, Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)

from ptdash.blueprints.tickets import bulk, controls, create, edit, materials, merge, queue, views  # noqa: E402

__all__ = ["bp", "bulk", "controls", "create", "edit", "materials", "merge", "queue", "views"]
