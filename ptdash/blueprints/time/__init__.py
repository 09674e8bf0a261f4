"""Time: booking it, timers, entries and their corrections, packages that run out. Every module adds to `bp`."""

from flask import Blueprint

from ptdash.models import Role
from ptdash.web import access, now

bp = Blueprint("time", __name__)
access.blueprint(bp, Role.DISPATCHER, Role.TECHNICIAN, Role.MANAGER)

from ptdash.blueprints.time import alerts, booking, entries, panel, timers  # noqa: E402

bp.add_app_template_global(panel.of_ticket, "time_panel")
bp.add_app_template_global(timers.shown, "timer")
bp.add_app_template_global(now, "now_utc")

__all__ = ["alerts", "booking", "bp", "entries", "panel", "timers"]
