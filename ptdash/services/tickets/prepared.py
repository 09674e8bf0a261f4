"""Statements about the queue that are put together once: who asks, and when, are their parameters."""

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Date, DateTime, Integer, bindparam
from sqlalchemy.types import TypeEngine

from ptdash.models import Role, User
from ptdash.services.tickets.asking import Moment

INSTANTS: dict[str, TypeEngine[Any]] = {
    "now": DateTime(timezone=True),
    "tomorrow": DateTime(timezone=True),
    "critical": DateTime(timezone=True),
    "month": Date(),
}


def anybody(role: Role) -> Any:
    """Somebody of a role, in the place of a user."""
    return SimpleNamespace(id=bindparam("me", type_=Integer()), role=role)


def any_moment() -> Any:
    """In the place of a moment."""
    return SimpleNamespace(**{name: bindparam(name, type_=kind) for name, kind in INSTANTS.items()})


def values(user: User, moment: Moment) -> dict[str, Any]:
    """What stands for `anybody` and `any_moment` this time."""
    return {"me": user.id} | {name: getattr(moment, name) for name in INSTANTS}
