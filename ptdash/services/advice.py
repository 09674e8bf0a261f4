"""Which package would have been the cheapest for what a customer used in its last posted months."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.advice import MONTHS, Advice, UsedMonth, advise
from ptdash.domain.minutes import Treatment
from ptdash.models import Customer, Posting, TimeEntry
from ptdash.services import prices
from ptdash.services.bulk import among
from ptdash.services.facts import standing_entries


@dataclass(frozen=True)
class CustomerAdvice:
    """The months that were looked at (oldest first) with the minutes that draw on a package, and what they say."""

    months: tuple[tuple[date, int], ...]
    advice: Advice

    @property
    def minutes(self) -> int:
        return sum(minutes for _, minutes in self.months)


def of_customer(session: Session, number: str) -> CustomerAdvice | None:
    """The advice for one customer; None before its first posted month."""
    customer_id = session.execute(select(Customer.id).where(Customer.number == number)).scalar_one()
    return of_customers(session, [customer_id]).get(customer_id)


def of_customers(session: Session, customer_ids: Collection[int]) -> dict[int, CustomerAdvice]:
    """The advice for customers (by id) with a posted month, over the newest six of each.

    Counted are the minutes treated as `package`, on days without a package too, as they were posted. A number of
    queries that does not grow with the customers.
    """
    posted = _posted(session, customer_ids)
    if not posted:
        return {}
    minutes = _minutes(session, customer_ids)
    looked_at = {month for months in posted.values() for month in months}
    rates = {month: prices.valid_on(session, month).rates for month in looked_at}
    result = {}
    for customer_id, months in posted.items():
        used = [(month, minutes.get((customer_id, month), 0)) for month in months]
        advice = advise([UsedMonth(taken, rates[month]) for month, taken in used])
        result[customer_id] = CustomerAdvice(tuple(used), advice)
    return result


def _posted(session: Session, customer_ids: Collection[int]) -> dict[int, list[date]]:
    """The newest posted months of each customer, oldest first."""
    place = func.row_number().over(partition_by=Posting.customer_id, order_by=Posting.month.desc())
    newest = (
        select(Posting.customer_id, Posting.month, place.label("place"))
        .where(among(Posting.customer_id, customer_ids), Posting.n == 1)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.customer_id, newest.c.month).where(newest.c.place <= MONTHS).order_by(newest.c.month)
    )
    posted: dict[int, list[date]] = {}
    for customer_id, month in rows:
        posted.setdefault(customer_id, []).append(month)
    return posted


def _minutes(session: Session, customer_ids: Collection[int]) -> dict[tuple[int, date], int]:
    """Package minutes by customer and month that a posting has taken."""
    newest = (
        select(Posting.customer_id, Posting.month, func.max(Posting.n).label("n"))
        .where(among(Posting.customer_id, customer_ids))
        .group_by(Posting.customer_id, Posting.month)
        .subquery()
    )
    rows = session.execute(
        standing_entries()
        .join(
            newest,
            (newest.c.customer_id == TimeEntry.customer_id) & (newest.c.month == TimeEntry.service_month),
        )
        .where(TimeEntry.treatment == Treatment.PACKAGE, TimeEntry.posting_n <= newest.c.n)
        .with_only_columns(TimeEntry.customer_id, TimeEntry.service_month, func.sum(TimeEntry.minutes))
        .group_by(TimeEntry.customer_id, TimeEntry.service_month)
    )
    return {(customer_id, month): int(minutes or 0) for customer_id, month, minutes in rows}
