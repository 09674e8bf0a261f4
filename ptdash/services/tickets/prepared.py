"""Statements about the queue that are put together once: who asks, and when, are their parameters.

The database plans them once, too. A parameter whose value it sees makes it plan anew each time, and for a dozen
figures in one statement that takes longer than counting them: so each stands in a subquery of its own.
"""

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Date, DateTime, Integer, ScalarSelect, bindparam, select
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
    return SimpleNamespace(id=_unseen("me", Integer()), role=role)


def any_moment() -> Any:
    """In the place of a moment."""
    return SimpleNamespace(**{name: _unseen(name, kind) for name, kind in INSTANTS.items()})


def _unseen(name: str, kind: TypeEngine[Any]) -> ScalarSelect[Any]:
    return select(bindparam(name, type_=kind)).scalar_subquery()


def values(user: User, moment: Moment) -> dict[str, Any]:
    """What stands for `anybody` and `any_moment` this time."""
    return {"me": user.id} | {name: getattr(moment, name) for name in INSTANTS}
