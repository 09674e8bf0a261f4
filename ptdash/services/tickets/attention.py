"""What of the queue needs somebody now: for the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ptdash.models import Role, Ticket, TimeEntry, User
from ptdash.services.tickets import counts, queue
from ptdash.services.tickets.asking import OPEN, Asked, Group, Moment, Tab
from ptdash.services.timers import ASKS_AFTER

NAMED = 2


@dataclass(frozen=True)
class Pile:
    """Some tickets of the queue: how many (1000: or more), the most pressing ones, and the first deadline."""

    count: int
    first: Sequence[Row[Any]]

    @property
    def due_at(self) -> datetime | None:
        return self.first[0].due_at if self.first else None


@dataclass(frozen=True)
class LongTimer:
    """A timer that nobody has confirmed for four hours."""

    ticket: str
    subject: str
    technician: str
    started_at: datetime


@dataclass(frozen=True)
class Load:
    """What a colleague has: open tickets, and those of them that are due by the end of the day."""

    name: str
    open: int
    due: int


@dataclass(frozen=True)
class Attention:
    overdue: Pile
    unassigned: Pile
    mine_today: Pile
    timers: Sequence[LongTimer]

    @property
    def count(self) -> int:
        piles = (self.overdue, self.unassigned, self.mine_today)
        return sum(1 for pile in piles if pile.count) + len(self.timers)


def needed(session: Session, user: User, moment: Moment) -> Attention:
    """Overdue tickets, those of nobody, one's own that are due by the end of the day, and forgotten timers.

    Each as far as this person sees them: a technician own and unassigned tickets, and the own timer.
    """
    mine_due = (Group.OVERDUE, Group.TODAY)
    figures = counts.figures(session, Asked(tab=Tab.MINE), user, moment, groups=mine_due)
    mine = sum(figures.groups[group] for group in mine_due)
    return Attention(
        _pile(session, Tab.CRITICAL, figures.overdue, user, moment),
        _pile(session, Tab.UNASSIGNED, figures.tabs[Tab.UNASSIGNED], user, moment),
        _pile(session, Tab.MINE, mine, user, moment),
        _long_timers(session, user, moment.now),
    )


def loads(session: Session, moment: Moment) -> list[Load]:
    """What each colleague who works on tickets has, by name."""
    due = func.count(Ticket.id).filter(Ticket.due_at < moment.tomorrow)
    held = (
        select(Ticket.assignee_id, func.count(Ticket.id).label("open"), due.label("due"))
        .where(OPEN, Ticket.assignee_id.is_not(None))
        .group_by(Ticket.assignee_id)
        .subquery()
    )
    found = (
        select(User.name, func.coalesce(held.c.open, 0), func.coalesce(held.c.due, 0))
        .outerjoin(held, held.c.assignee_id == User.id)
        .where(User.active, (User.role != Role.ADMIN.value))
        .where((User.role == Role.TECHNICIAN.value) | held.c.open.is_not(None))
    )
    return [Load(*row) for row in session.execute(found.order_by(User.name, User.id))]


def _pile(session: Session, tab: Tab, count: int, user: User, moment: Moment) -> Pile:
    """The first `count` tickets of a tab, in the order of their deadlines."""
    rows = queue.page(session, Asked(tab=tab), user, moment).rows if count else []
    return Pile(count, rows[: min(count, NAMED)])


def _long_timers(session: Session, user: User, now: datetime) -> list[LongTimer]:
    said = func.coalesce(TimeEntry.confirmed_at, TimeEntry.started_at)
    found = (
        select(Ticket.number, Ticket.subject, User.name, TimeEntry.started_at)
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .join(User, User.id == TimeEntry.technician_id)
        .where(TimeEntry.ended_at.is_(None), said <= now - ASKS_AFTER)
    )
    if user.role == Role.TECHNICIAN:
        found = found.where(TimeEntry.technician_id == user.id)
    return [LongTimer(*row) for row in session.execute(found.order_by(TimeEntry.started_at))]
