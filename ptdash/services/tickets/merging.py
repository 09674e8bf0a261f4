"""Merging tickets that are about the same thing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, ScalarSelect, func, select, update
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.tickets import OPEN_STATUSES, TRANSITIONS, Status
from ptdash.models import Customer, CustomerBook, Material, Ticket, TicketMessage, TimeEntry
from ptdash.services import audit
from ptdash.services.bulk import among
from ptdash.services.standing import standing, taken
from ptdash.services.tickets.changing import change


class MergesIntoItself(Invalid):
    message = "Choose another ticket than this one."


class NothingToMerge(Invalid):
    message = "Choose a ticket to merge."


class OtherCustomer(Conflict):
    message = "Ticket %(number)s is of %(customer)s. Move it to the same customer first, then merge."


class CannotTakeIn(Conflict):
    message = "Ticket %(number)s is finished. Merge into one that is still open."


class AlreadyFinished(Conflict):
    message = "Ticket %(number)s is finished and cannot be merged."


@dataclass(frozen=True)
class Share:
    """What of a ticket goes along, and what stays because a posting has taken it. Time in minutes."""

    number: str
    subject: str
    minutes_moved: int
    minutes_kept: int
    materials_moved: int
    materials_kept: int
    messages: int
    timer_runs: bool


def merge(
    session: Session, ticket_ids: Collection[int], *, into: int, actor_id: int | None, now: datetime
) -> Ticket:
    """Lead tickets of the same customer into another one: time and material that no posting has taken move along,
    a running timer too; what one took stays where it is and is linked. What was said is read in the target.

    Raises NothingToMerge, MergesIntoItself, NotFound, CannotTakeIn, AlreadyFinished,
    OtherCustomer.
    """
    target, sources = _checked(session, ticket_ids, into, lock=True)
    # Shared, and in a statement of its own: a posting is before all of this or after it.
    books = select(CustomerBook.customer_id).where(CustomerBook.customer_id == target.customer_id)
    session.execute(books.with_for_update(read=True))
    shares = _shares(session, sources)
    ids = [ticket.id for ticket in sources]
    # Halves of a correction stay where they are.
    time = among(TimeEntry.ticket_id, ids), standing(), ~taken(TimeEntry)
    session.execute(update(TimeEntry).where(*time).values(ticket_id=into))
    material = among(Material.ticket_id, ids), ~taken(Material)
    session.execute(update(Material).where(*material).values(ticket_id=into))
    session.execute(update(Ticket).where(Ticket.merged_into_id.in_(ids)).values(merged_into_id=into))
    for ticket, share in zip(sources, shares, strict=True):
        end = {"status": Status.MERGED.value, "merged_into_id": into}
        change(session, ticket.id, end, actor_id=actor_id, now=now)
        after = {"from": ticket.number, **_figures(share)}
        audit.record(session, "merge", "ticket", target.number, actor_id=actor_id, now=now, after=after)
    target.updated_at = now
    session.flush()
    return target


def preview(session: Session, ticket_ids: Collection[int], *, into: int) -> list[Share]:
    """What merging would move, by ticket number; raises what merge raises."""
    _, sources = _checked(session, ticket_ids, into, lock=False)
    return _shares(session, sources)


def candidates(session: Session, ticket: Ticket) -> list[Row[tuple[str, str, str]]]:
    """The customer's other open tickets: number, subject, status; the newest first."""
    others = select(Ticket.number, Ticket.subject, Ticket.status).where(
        Ticket.customer_id == ticket.customer_id, Ticket.id != ticket.id, Ticket.status.in_(OPEN_STATUSES)
    )
    return list(session.execute(others.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(20)))


def _checked(
    session: Session, ticket_ids: Collection[int], into: int, *, lock: bool
) -> tuple[Ticket, list[Ticket]]:
    """The target and the tickets that go into it; locked in id order, so that two merges never wait for each
    other."""
    if not ticket_ids:
        raise NothingToMerge()
    if into in ticket_ids:
        raise MergesIntoItself()
    wanted = select(Ticket).where(among(Ticket.id, {*ticket_ids, into})).order_by(Ticket.id)
    if lock:
        wanted = wanted.with_for_update()
    found = {t.id: t for t in session.execute(wanted.execution_options(populate_existing=True)).scalars()}
    for missing in {*ticket_ids, into} - set(found):
        raise NotFound(what=str(missing))
    target = found.pop(into)
    if target.status not in OPEN_STATUSES:
        raise CannotTakeIn(number=target.number)
    for ticket in found.values():
        if Status.MERGED not in TRANSITIONS[Status(ticket.status)]:
            raise AlreadyFinished(number=ticket.number)
        if ticket.customer_id != target.customer_id:
            owner = session.get_one(Customer, ticket.customer_id)
            raise OtherCustomer(number=ticket.number, customer=owner.name)
    return target, list(found.values())


def _shares(session: Session, sources: Sequence[Ticket]) -> list[Share]:
    """What of each moves and what stays, by the order of the tickets, in one statement."""

    def minutes(*which: ColumnElement[bool]) -> ScalarSelect[int]:
        total = select(func.coalesce(func.sum(TimeEntry.minutes), 0))
        return total.where(TimeEntry.ticket_id == Ticket.id, standing(), *which).scalar_subquery()

    def materials(which: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(func.count()).where(Material.ticket_id == Ticket.id, which).scalar_subquery()

    messages = select(func.count()).where(TicketMessage.ticket_id == Ticket.id).scalar_subquery()
    running = select(TimeEntry.id).where(TimeEntry.ticket_id == Ticket.id, TimeEntry.ended_at.is_(None)).exists()
    rows = session.execute(
        select(
            Ticket.number,
            Ticket.subject,
            minutes(~taken(TimeEntry)).label("minutes_moved"),
            minutes(taken(TimeEntry)).label("minutes_kept"),
            materials(~taken(Material)).label("materials_moved"),
            materials(taken(Material)).label("materials_kept"),
            messages.label("messages"),
            running.label("timer_runs"),
        )
        .where(among(Ticket.id, [ticket.id for ticket in sources]))
        .order_by(Ticket.id)
    )
    return [Share(**row._mapping) for row in rows]


def _figures(share: Share) -> dict[str, int]:
    """The part of an event that says what went along; zeros are left out."""
    names = ("minutes_moved", "minutes_kept", "materials_moved", "materials_kept")
    return {name: getattr(share, name) for name in names if getattr(share, name)}
