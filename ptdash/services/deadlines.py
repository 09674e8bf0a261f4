"""Tickets' deadlines, kept beside them so that the queue can be ordered by them."""

from collections import defaultdict
from collections.abc import Collection
from datetime import time

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.deadlines import BusinessHours, Clock, Pause, Target, deadline
from ptdash.domain.tickets import Priority, Status
from ptdash.models import Ticket, TicketPause
from ptdash.services import settings
from ptdash.services.bulk import among
from ptdash.services.windows import public_holidays

Targets = dict[Priority, Target]
BATCH = 1000
CLOCK_COLUMNS = (Ticket.id, Ticket.priority, Ticket.status, Ticket.created_at, Ticket.responded_at)


def refresh(session: Session, ticket_ids: Collection[int]) -> None:
    """Compute the deadlines of these tickets from their facts and the settings of now."""
    _refresh(session, among(Ticket.id, ticket_ids))


def refresh_unknown(session: Session) -> int:
    """Compute a batch of those deadlines that are not known: of imported tickets, or after a change of the
    settings; how many there were."""
    waiting = select(Ticket.id).where(~Ticket.deadline_known).order_by(Ticket.id.desc()).limit(BATCH)
    ids = session.execute(waiting.with_for_update(skip_locked=True)).scalars().all()
    if ids:
        refresh(session, ids)
    return len(ids)


def business_hours(session: Session) -> BusinessHours:
    """The company's hours, in Berlin, without the public holidays of its federal state."""
    return _hours(settings.all_settings(session))


def targets(session: Session) -> Targets:
    """What the company promises for each priority."""
    return _targets(settings.all_settings(session))


def _refresh(session: Session, which: ColumnElement[bool]) -> None:
    values = settings.all_settings(session)
    hours, targets = _hours(values), _targets(values)
    pauses: dict[int, list[Pause]] = defaultdict(list)
    resting = select(TicketPause.ticket_id, TicketPause.started_at, TicketPause.ended_at).join(
        Ticket, Ticket.id == TicketPause.ticket_id
    )
    for ticket_id, started_at, ended_at in session.execute(resting.where(which)):
        pauses[ticket_id].append((started_at, ended_at))
    computed = []
    for row in session.execute(select(*CLOCK_COLUMNS).where(which)):
        clock = Clock(
            Priority(row.priority),
            Status(row.status),
            row.created_at,
            row.responded_at,
            tuple(pauses.get(row.id, ())),
        )
        found = deadline(clock, targets, hours)
        computed.append({"id": row.id, "deadline_known": True} | vars(found))
    if computed:
        session.execute(update(Ticket), computed)


def _hours(values: dict[str, str]) -> BusinessHours:
    names = settings.WEEKDAYS.split()
    return BusinessHours(
        weekdays=frozenset(names.index(day) for day in values["hours.days"].split(",")),
        opens=time.fromisoformat(values["hours.from"]),
        closes=time.fromisoformat(values["hours.until"]),
        zone=BERLIN,
        closed=public_holidays(values["company.federal_state"]),
    )


def _targets(values: dict[str, str]) -> Targets:
    minutes = {priority: values[f"target.{priority.value}"].split("/") for priority in Priority}
    return {priority: Target(int(reply), int(solution)) for priority, (reply, solution) in minutes.items()}
