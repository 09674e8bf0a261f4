"""Maintenance reports: after the window one a customer, written once, sent once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.documents import report as document
from ptdash.domain.errors import NotFound
from ptdash.domain.periods import BERLIN
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.windows import Window
from ptdash.models import Customer, MaintenanceReport, MaintenanceWindow, RolloutTask, StoredFile
from ptdash.services import audit, files, outbox, settings, windows
from ptdash.services.outbox import Kind
from ptdash.services.rollout.report_facts import gather, told

PDF = "application/pdf"
REPORT_LOCK = 7_367_016
BEGINS_AT = time(8)
WEEKEND = 5


@dataclass(frozen=True)
class Shown:
    """A report as it was written, and what became of its message."""

    customer: Customer
    report: MaintenanceReport
    message: outbox.Listed | None


def due_from(session: Session, window: Window) -> datetime:
    """Eight in the morning of the working day after the window: until then what was installed can be verified."""
    holidays = windows.public_holidays(settings.get(session, "company.federal_state"))
    day = window.days[-1] + timedelta(days=1)
    while day.weekday() >= WEEKEND or day in holidays:
        day += timedelta(days=1)
    return datetime.combine(day, BEGINS_AT, BERLIN)


def due(session: Session, now: datetime, limit: int) -> list[tuple[int, date]]:
    """Customers (and the month) whose window is over and who were not told of it yet. A window that still has
    planned tasks waits for the sweep."""
    months = [
        row.month
        for row in session.execute(select(MaintenanceWindow).order_by(MaintenanceWindow.month)).scalars()
        if now >= due_from(session, windows.stored(row))
    ]
    written = (
        select(MaintenanceReport.customer_id)
        .where(MaintenanceReport.customer_id == RolloutTask.customer_id)
        .where(MaintenanceReport.month == RolloutTask.window_month)
        .correlate(RolloutTask)
        .exists()
    )
    planned = func.bool_or((RolloutTask.status == TaskStatus.PLANNED) & RolloutTask.stopped_at.is_(None))
    rows = session.execute(
        select(RolloutTask.customer_id, RolloutTask.window_month)
        .where(RolloutTask.window_month.in_(months), ~written, told())
        .group_by(RolloutTask.customer_id, RolloutTask.window_month)
        .having(~planned)
        .order_by(RolloutTask.window_month, RolloutTask.customer_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def write(session: Session, customer_id: int, month: date, *, now: datetime) -> bool:
    """Write a customer's report of a window, with its PDF and its message; False where it was written already."""
    session.execute(select(func.pg_advisory_xact_lock(REPORT_LOCK)))
    if session.get(MaintenanceReport, (customer_id, month), populate_existing=True):
        return False
    customer = session.get_one(Customer, customer_id)
    source = gather(session, customer, month)
    letter = document.letter(source, settings.company(session), at=now)
    file = StoredFile(
        name=letter.name,
        media_type=PDF,
        size=len(letter.content),
        sha256=sha256(letter.content).hexdigest(),
        content=letter.content,
        created_at=now,
    )
    session.add(file)
    session.flush()
    session.add(
        MaintenanceReport(customer_id=customer_id, month=month, source=source, file_id=file.id, created_at=now)
    )
    session.flush()
    outbox.write(
        session,
        once=_once(customer_id, month),
        kind=Kind.REPORT,
        recipient=customer.email,
        subject=letter.subject,
        body=letter.body,
        now=now,
        customer_id=customer_id,
        files=[file],
    )
    after = {"month": month, "tasks": source["tasks"], "open": source["open"]}
    audit.record(session, "report", "customer", customer.number, actor_id=None, now=now, after=after)
    return True


def months(session: Session) -> Sequence[Any]:
    """The windows of which customers were told, the newest first, with how many."""
    found = (
        select(MaintenanceReport.month, func.count().label("number"))
        .group_by(MaintenanceReport.month)
        .order_by(MaintenanceReport.month.desc())
    )
    return session.execute(found).all()


def of_month(session: Session, month: date) -> Sequence[Any]:
    """The reports of a window, by customer."""
    found = (
        select(MaintenanceReport, Customer)
        .join(Customer, Customer.id == MaintenanceReport.customer_id)
        .where(MaintenanceReport.month == month)
        .order_by(Customer.sort_key, Customer.id)
    )
    return session.execute(found).all()


def show(session: Session, number: str, month: date) -> Shown:
    """A customer's report of a window. Raises NotFound."""
    row = session.execute(
        select(Customer, MaintenanceReport)
        .join(MaintenanceReport, MaintenanceReport.customer_id == Customer.id)
        .where(Customer.number == number, MaintenanceReport.month == month)
    ).one_or_none()
    if row is None:
        raise NotFound(what=f"{number}, {month:%Y-%m}")
    customer, report = row
    messages = outbox.of_subject(session, _once(customer.id, month))
    return Shown(customer, report, messages[0] if messages else None)


def pdf(session: Session, number: str, month: date) -> StoredFile:
    """The PDF as it was sent. Raises NotFound."""
    return files.load(session, show(session, number, month).report.file_id)


def _once(customer_id: int, month: date) -> str:
    return f"maintenance-report:{customer_id}:{month:%Y-%m}"
