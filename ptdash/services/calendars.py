"""Calendar feeds: a secret address for each person, and what its calendar holds."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ptdash.documents import calendar
from ptdash.documents.german import euros
from ptdash.domain.periods import BERLIN, month_of, next_month
from ptdash.models import CalendarFeed, Role, User
from ptdash.services import audit, renewals, settings, windows
from ptdash.services.renewals import Row
from ptdash.services.rollout import waiting

MONTHS_AHEAD = 6
HORIZON = timedelta(days=400)


@dataclass(frozen=True)
class Feed:
    """That a person has a calendar address, since when; the address itself is shown once only."""

    created_at: datetime


def present(session: Session, user_id: int) -> Feed | None:
    """The calendar address that works now."""
    found = select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    row = session.execute(found).scalar_one_or_none()
    return Feed(row.created_at) if row else None


def open_feed(session: Session, user_id: int, *, now: datetime) -> str:
    """A new secret for a person's calendar address; an older one stops working. Only its hash is kept."""
    _revoke(session, user_id, now)
    token = secrets.token_urlsafe(32)
    session.add(CalendarFeed(token_hash=_hash(token), user_id=user_id, created_at=now))
    session.flush()
    audit.record(session, "open_calendar", "user", user_id, actor_id=user_id, now=now)
    return token


def revoke(session: Session, user_id: int, *, now: datetime) -> None:
    """A person's calendar address stops working."""
    if _revoke(session, user_id, now):
        audit.record(session, "revoke_calendar", "user", user_id, actor_id=user_id, now=now)


def feed(session: Session, token: str, *, today: date, now: datetime) -> bytes | None:
    """The calendar behind a secret, as its owner may see it today: maintenance windows for everybody in the
    service, deadlines and ends of contracts for managers. None where the secret is wrong or revoked, or its
    owner no longer active."""
    found = session.execute(
        select(User)
        .join(CalendarFeed, CalendarFeed.user_id == User.id)
        .where(CalendarFeed.token_hash == _hash(token), CalendarFeed.revoked_at.is_(None), User.active)
    ).scalar_one_or_none()
    if found is None:
        return None
    name = settings.get(session, "company.name") or "ptdash"
    events: list[calendar.Event] = []
    if found.role != Role.ADMIN:
        events += _windows(session, today, waiting.personal(found.role, found.id))
    if found.role == Role.MANAGER:
        events += _contracts(session, today)
    return calendar.render(f"ptdash {name}", events, at=now)


def _windows(session: Session, today: date, mine: int | None) -> list[calendar.Event]:
    """The days of this month's window and the following ones, with the work on them: a technician's own."""
    month, found = month_of(today), []
    for _ in range(MONTHS_AHEAD):
        found.append(windows.of_month(session, month))
        month = next_month(month)
    work = waiting.by_day(session, [day for window in found for day in window.days], mine)
    return [
        calendar.Timed(
            uid=f"window-{day.isoformat()}",
            title="Wartungsfenster",
            starts_at=datetime.combine(day, window.opens_at, BERLIN),
            ends_at=datetime.combine(day, window.closes_at, BERLIN),
            note=_work(*work[day]) if day in work else "",
        )
        for window in found
        for day in window.days
    ]


def _work(devices: int, customers: int) -> str:
    what = "1 Gerät" if devices == 1 else f"{devices} Geräte"
    return f"{what} bei {'1 Kunden' if customers == 1 else f'{customers} Kunden'} eingeplant"


def _contracts(session: Session, today: date) -> list[calendar.Event]:
    """Deadlines still to come, and the ends that are fixed or would be renewed, within some thirteen months."""
    events: list[calendar.Event] = []
    for row in renewals.load(session, today):
        if row.state in renewals.RUNNING:
            events += [event for event in _of_contract(row) if today <= event.day <= today + HORIZON]
    return events


def _of_contract(row: Row) -> list[calendar.AllDay]:
    life, what = row.known.life, f"{row.number} {row.name}"
    net = "" if row.net_cents is None else f"{euros(row.net_cents)} netto im Monat"
    events = []
    if row.renews_itself and row.asks_on:
        title = f"Kündigungstermin {what}"
        events.append(calendar.AllDay(f"deadline-{row.number}-{row.asks_on.isoformat()}", title, row.asks_on, net))
    if life.ends_on:
        title = f"Vertragsende {what}"
        events.append(calendar.AllDay(f"end-{row.number}", title, life.ends_on, net))
    elif life.term_ends_on:
        title = f"Laufzeit endet, verlängert sich: {what}"
        events.append(
            calendar.AllDay(f"term-{row.number}-{life.term_ends_on.isoformat()}", title, life.term_ends_on, net)
        )
    return events


def _revoke(session: Session, user_id: int, now: datetime) -> bool:
    revoked = session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(CalendarFeed.user_id)
    )
    return bool(revoked.scalars().all())


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
