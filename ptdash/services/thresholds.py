"""80 and 100 % of a package's minutes: recorded once each, announced to managers, shown until acknowledged."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain.meters import Meter
from ptdash.domain.periods import previous_month
from ptdash.models import Contract, Customer, MinuteAlert, TimeEntry
from ptdash.services import audit, meters
from ptdash.services.bulk import among


@dataclass(frozen=True)
class Alert:
    """A package's month that nobody has acknowledged: the highest share reached."""

    contract_id: int
    contract: str
    package: str
    month: date
    level: int
    customer: str
    name: str
    used: int
    included: int


def note(session: Session, customer_ids: Collection[int], month: date, now: datetime) -> None:
    """Record what the customers' packages reach in a month; call it after every write of time.

    A share is recorded the first time it is reached; where both are passed at once only the higher. A use that
    falls below a recorded share marks it so, and reaching it again takes the mark away without a new announcement.
    """
    session.flush()
    found = meters.of_months(session, customer_ids, month)
    rows = session.execute(
        select(MinuteAlert)
        .where(MinuteAlert.month == month, among(MinuteAlert.customer_id, customer_ids))
        .execution_options(populate_existing=True)
    ).scalars()
    recorded = {(row.contract_id, row.level): row for row in rows}
    for customer_id, of_month in found.items():
        for meter in of_month.contracts:
            own = {level: row for (contract, level), row in recorded.items() if contract == meter.contract_id}
            _keep(session, meter, own, customer_id, month, now)
    session.flush()


def catch_up(session: Session, today: date, now: datetime) -> int:
    """Record what packages reached this month without a booking here: by an import, or a contract that changed.

    How many customers it looked at: those with work this month.
    """
    month = today.replace(day=1)
    worked = select(TimeEntry.customer_id).where(TimeEntry.service_month == month).distinct()
    customer_ids = session.execute(worked).scalars().all()
    if customer_ids:
        note(session, customer_ids, month, now)
    return len(customer_ids)


def waiting(session: Session, today: date) -> list[Alert]:
    """What managers have not acknowledged of this month and the last: used up first, then by name.

    With how far the package is drawn now, not when the share was reached.
    """
    months = (today.replace(day=1), previous_month(today))
    rows = session.execute(
        select(MinuteAlert, Contract.number, Customer.number, Customer.name)
        .join(Contract, Contract.id == MinuteAlert.contract_id)
        .join(Customer, Customer.id == MinuteAlert.customer_id)
        .where(
            MinuteAlert.month.in_(months),
            MinuteAlert.acknowledged_at.is_(None),
            MinuteAlert.fell_below_at.is_(None),
        )
        .order_by(MinuteAlert.level.desc(), MinuteAlert.month.desc(), Customer.sort_key)
    ).all()
    drawn: dict[tuple[int, date], Meter] = {}
    for month in {row[0].month for row in rows}:
        ids = [alert.customer_id for alert, *_ in rows if alert.month == month]
        for of_month in meters.of_months(session, ids, month).values():
            drawn |= {(meter.contract_id, month): meter for meter in of_month.contracts}
    alerts: dict[tuple[int, date], Alert] = {}
    for alert, contract, customer, name in rows:
        key = (alert.contract_id, alert.month)
        if key in drawn and key not in alerts:
            meter = drawn[key]
            level = meter.level or alert.level
            facts = (alert.contract_id, contract, meter.package, alert.month, level, customer, name)
            alerts[key] = Alert(*facts, meter.used, meter.included)
    return list(alerts.values())


def acknowledge(session: Session, contract_id: int, month: date, *, actor_id: int, now: datetime) -> int:
    """A manager has seen it: what is recorded of a contract's month is announced no more; how many there were."""
    levels = session.execute(
        update(MinuteAlert)
        .where(
            MinuteAlert.contract_id == contract_id,
            MinuteAlert.month == month,
            MinuteAlert.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=now, acknowledged_by_id=actor_id)
        .returning(MinuteAlert.level)
    ).scalars()
    seen = sorted(levels)
    if seen:
        after = {"month": month, "levels": seen}
        audit.record(session, "acknowledge", "minute_alert", contract_id, actor_id=actor_id, now=now, after=after)
    return len(seen)


def _keep(
    session: Session,
    meter: Meter,
    recorded: dict[int, MinuteAlert],
    customer_id: int,
    month: date,
    now: datetime,
) -> None:
    reached = meter.level or 0
    for level, row in recorded.items():
        if reached >= level:
            row.fell_below_at = None
        elif row.fell_below_at is None:
            row.fell_below_at = now
    # Whoever falls from 100 back to 80 % has been announced before.
    if reached and not any(level >= reached for level in recorded):
        values = {
            "contract_id": meter.contract_id,
            "month": month,
            "level": reached,
            "customer_id": customer_id,
            "used_minutes": meter.used,
            "included_minutes": meter.included,
            "crossed_at": now,
        }
        # Two bookings at once may both cross it: one of them records it.
        session.execute(insert(MinuteAlert).values(**values).on_conflict_do_nothing())
