"""How far customers' packages are drawn in a month: three queries, however many customers."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, Select, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from ptdash.domain.meters import Meter, MonthMeters, MonthRates, month_meters
from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import last_day, next_month
from ptdash.domain.settlement import DayMinutes, MonthFacts, PackagePrice, SupportFacts
from ptdash.models import Contract, PackageChange, TimeEntry
from ptdash.services import prices
from ptdash.services.bulk import among
from ptdash.services.facts import standing_entries


def meters(
    session: Session,
    customer_ids: Collection[int],
    month: date,
    *,
    on: date | None = None,
    now: datetime | None = None,
) -> dict[int, Meter]:
    """The customers' meters of a month; whoever has no package in it is missing.

    Of two contracts in one month the one that runs on the day `on`, else the later. With `now`, running timers
    count up to it.
    """
    found = of_months(session, customer_ids, month, now=now)
    chosen = {customer_id: row.nearest(on or last_day(month)) for customer_id, row in found.items()}
    return {customer_id: meter for customer_id, meter in chosen.items() if meter}


def of_months(
    session: Session, customer_ids: Collection[int], month: date, *, now: datetime | None = None
) -> dict[int, MonthMeters]:
    """Everything that is needed to say what a booking of that month costs, for every one of the customers."""
    if not customer_ids:
        return {}
    support = _support(session, customer_ids, month)
    minutes = _minutes(session, customer_ids, month, now)
    rates = _rates(session, month)
    return {
        customer_id: month_meters(
            MonthFacts(month, tuple(support.get(customer_id, ())), minutes=tuple(minutes.get(customer_id, ()))),
            rates,
        )
        for customer_id in set(customer_ids)
    }


def _support(session: Session, customer_ids: Collection[int], month: date) -> dict[int, list[SupportFacts]]:
    """Their support contracts of the month, each with its changes of package."""
    values = {"customers": list(customer_ids), "month": month, "next_month": next_month(month)}
    contracts: dict[int, tuple[int, SupportFacts]] = {}
    for (
        customer_id,
        contract_id,
        number,
        starts_on,
        ends_before,
        package,
        effective_on,
        changed,
    ) in session.execute(_contracts(), values):
        assert package is not None  # the table's check: a support contract has a package
        _, facts = contracts.get(contract_id) or (
            customer_id,
            SupportFacts(contract_id, number, starts_on, ends_before, package),
        )
        if effective_on is not None:
            facts = replace(facts, changes=(*facts.changes, (effective_on, changed)))
        contracts[contract_id] = (customer_id, facts)
    by_customer: dict[int, list[SupportFacts]] = defaultdict(list)
    for customer_id, facts in contracts.values():
        by_customer[customer_id].append(facts)
    return by_customer


@cache
def _contracts() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Contract.customer_id,
            Contract.id,
            Contract.number,
            Contract.starts_on,
            Contract.ends_before,
            Contract.package,
            PackageChange.effective_on,
            PackageChange.package,
        )
        .outerjoin(PackageChange, PackageChange.contract_id == Contract.id)
        .where(
            among(Contract.customer_id, "customers"),
            Contract.kind == "support",
            Contract.starts_on < bindparam("next_month"),
            or_(Contract.ends_before.is_(None), Contract.ends_before > bindparam("month")),
        )
        .order_by(Contract.id, PackageChange.effective_on)
    )


def _minutes(
    session: Session, customer_ids: Collection[int], month: date, now: datetime | None
) -> dict[int, list[DayMinutes]]:
    """Their standing minutes by day and treatment; entries without a treatment are billed to nobody yet."""
    values = {"customers": list(customer_ids), "month": month} | ({"at": now} if now else {})
    found: dict[int, list[DayMinutes]] = defaultdict(list)
    for customer_id, on, treatment, total in session.execute(_by_day(running=now is not None), values):
        found[customer_id].append(DayMinutes(on, Treatment(treatment), int(total)))
    return found


@cache
def _by_day(*, running: bool) -> Select[*tuple[Any, ...]]:
    day = func.cast(func.timezone("Europe/Berlin", TimeEntry.started_at), Date).label("day")
    minutes: ColumnElement[Any] = TimeEntry.minutes.expression
    finished = TimeEntry.ended_at.is_not(None)
    entries = standing_entries().where(
        among(TimeEntry.customer_id, "customers"),
        TimeEntry.service_month == bindparam("month"),
        TimeEntry.treatment.is_not(None),
    )
    if running:
        elapsed = func.extract("epoch", bindparam("at", type_=DateTime(timezone=True)) - TimeEntry.started_at)
        minutes = case((finished, TimeEntry.minutes), else_=func.greatest(0, func.ceil(elapsed / 60)))
    else:
        entries = entries.where(finished)
    drawn = entries.with_only_columns(TimeEntry.customer_id, day, TimeEntry.treatment, func.sum(minutes))
    return drawn.group_by(TimeEntry.customer_id, "day", TimeEntry.treatment)


def _rates(session: Session, month: date) -> MonthRates:
    items = prices.valid_on(session, month).items
    packages = {name: items[f"package_{name}"] for name in prices.PACKAGES if f"package_{name}" in items}
    overage, separate = items.get("overage_minute"), items.get("separate_minute")
    return MonthRates(
        packages={name: PackagePrice(row.net, row.included_minutes or 0) for name, row in packages.items()},
        overage=overage.net if overage else None,
        separate=separate.net if separate else None,
    )
