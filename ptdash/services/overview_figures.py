"""Figures over time for the overview: minutes, tickets and recurring revenue, each in few queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from ptdash.config import BERLIN
from ptdash.domain.meters import Meter, MonthMeters
from ptdash.domain.minutes import Treatment
from ptdash.domain.money import line_cents
from ptdash.domain.periods import last_day, month_of, next_month, previous_month
from ptdash.domain.tickets import Status
from ptdash.models import Contract, Customer, Posting, Settlement, Ticket, TimeEntry
from ptdash.services import contracts, meters, prices
from ptdash.services.contracts import ContractOnDay, PackagePrices
from ptdash.services.facts import standing_entries
from ptdash.services.tickets.asking import OPEN, Moment

MONTHS = 6
REVENUE_MONTHS = 12
WEEKS = 12
LOW_SHOWN = 6


@dataclass(frozen=True)
class MonthMinutes:
    """All packages of a month: `included = covered + left`, `used = covered + overage`; what is left of a month
    that is over has expired. `overage_cents` is net, `packages_left` counts the packages with minutes left."""

    month: date
    included: int = 0
    covered: int = 0
    overage: int = 0
    overage_cents: int = 0
    packages: int = 0
    packages_left: int = 0

    @property
    def left(self) -> int:
        return self.included - self.covered


@dataclass(frozen=True)
class Low:
    """A package of which 80 % or more is used this month."""

    customer: str
    name: str
    package: str
    included: int
    used: int


@dataclass(frozen=True)
class Minutes:
    """The newest month is the running one. `goodwill_cents`: what its goodwill minutes would cost as separate ones
    (net), None without that price; `low`: its packages that run out, the furthest drawn first."""

    months: Sequence[MonthMinutes]
    goodwill_minutes: int
    goodwill_cents: int | None
    low: Sequence[Low]


@dataclass(frozen=True)
class WeekTickets:
    """A calendar week from this Monday: tickets that came in, and that were solved."""

    monday: date
    taken: int
    solved: int


@dataclass(frozen=True)
class Tickets:
    open: int
    weeks: Sequence[WeekTickets]


@dataclass(frozen=True)
class MonthRevenue:
    """What all contracts that run on a month's last day cost a whole month (net cents), and how that came from the
    month before: `net = net before + added - lost`, contract by contract."""

    month: date
    net_cents: int
    added_cents: int
    lost_cents: int


def minutes(session: Session, today: date) -> Minutes:
    """The packages' minutes of the last six months: posted ones as their newest settlements say, all others by the
    formula that will settle them."""
    shown = _months(today, MONTHS)
    running = shown[-1]
    found, posted = _settled(session, shown[0])
    support = _support(session, shown[0])
    drawn: dict[int, MonthMeters] = {}
    for month in shown:
        due = {
            customer for customer, first, end in support if first < next_month(month) and month < (end or date.max)
        }
        drawn = meters.of_months(session, due - posted.get(month, set()), month)
        for of_month in drawn.values():
            found[month] = _with(found.get(month, MonthMinutes(month)), of_month)
    goodwill, cents = _goodwill(session, running)
    return Minutes(
        [found.get(month, MonthMinutes(month)) for month in shown], goodwill, cents, _low(session, drawn)
    )


def tickets(session: Session, moment: Moment, mine: int | None = None) -> Tickets:
    """Tickets in and out by week for twelve weeks, and those open now; `mine`: of this assignee only. Merged ones
    count neither way: their matter goes on in another ticket."""
    own: ColumnElement[bool] = true() if mine is None else Ticket.assignee_id == mine
    this = moment.now.astimezone(BERLIN).date()
    first = this - timedelta(days=this.weekday()) - timedelta(weeks=WEEKS - 1)
    taken = _by_week(session, Ticket.created_at, first, and_(own, Ticket.status != Status.MERGED))
    solved = _by_week(session, Ticket.resolved_at, first, own)
    still_open = session.execute(select(func.count(Ticket.id)).where(OPEN, own)).scalar_one()
    mondays = [first + timedelta(weeks=place) for place in range(WEEKS)]
    return Tickets(still_open, [WeekTickets(day, taken.get(day, 0), solved.get(day, 0)) for day in mondays])


def revenue(session: Session, today: date) -> list[MonthRevenue]:
    """Recurring net revenue of twelve months up to the running one, which counts as of today: the sum that the
    page of contracts shows."""
    known = contracts.on_day(session, today)
    package_prices = contracts.package_prices(session)
    shown = _months(today, REVENUE_MONTHS + 1)
    rows = []
    before = _monthly(known, last_day(shown[0]), package_prices)
    for month in shown[1:]:
        after = _monthly(known, min(last_day(month), today), package_prices)
        grown = [after.get(number, 0) - before.get(number, 0) for number in after.keys() | before.keys()]
        added = sum(each for each in grown if each > 0)
        rows.append(MonthRevenue(month, sum(after.values()), added, added - sum(grown)))
        before = after
    return rows


def _months(today: date, count: int) -> list[date]:
    """So many months up to the running one, the oldest first."""
    found = [month_of(today)]
    while len(found) < count:
        found.insert(0, previous_month(found[0]))
    return found


def _settled(session: Session, first: date) -> tuple[dict[date, MonthMinutes], dict[date, set[int]]]:
    """The sums of the newest settlements by month, and which customers are posted."""
    newest = (
        select(Posting.customer_id, Posting.month, func.max(Posting.n).label("n"))
        .where(Posting.month >= first)
        .group_by(Posting.customer_id, Posting.month)
        .subquery()
    )
    posted: dict[date, set[int]] = {}
    for customer_id, month in session.execute(select(newest.c.customer_id, newest.c.month)):
        posted.setdefault(month, set()).add(customer_id)
    sums = [
        func.sum(column)
        for column in (
            Settlement.included_minutes,
            Settlement.covered_minutes,
            Settlement.overage_minutes,
            Settlement.overage_cents,
        )
    ]
    with_left = func.count().filter(Settlement.expired_minutes > 0)
    rows = session.execute(
        select(Settlement.month, *sums, func.count(), with_left)
        .join(
            newest,
            (newest.c.customer_id == Settlement.customer_id)
            & (newest.c.month == Settlement.month)
            & (newest.c.n == Settlement.n),
        )
        .group_by(Settlement.month)
    )
    return {month: MonthMinutes(month, *map(int, figures)) for month, *figures in rows}, posted


def _support(session: Session, first: date) -> Sequence[Any]:
    """Who has a support contract when, as far as it touches the months from `first`."""
    return session.execute(
        select(Contract.customer_id, Contract.starts_on, Contract.ends_before).where(
            Contract.kind == "support", func.coalesce(Contract.ends_before, date.max) > first
        )
    ).all()


def _with(so_far: MonthMinutes, of_month: MonthMeters) -> MonthMinutes:
    """A month with one more customer's packages."""
    rate = of_month.rates.overage
    for meter in of_month.contracts:
        so_far = replace(
            so_far,
            included=so_far.included + meter.included,
            covered=so_far.covered + meter.used - meter.overage,
            overage=so_far.overage + meter.overage,
            overage_cents=so_far.overage_cents + (line_cents(meter.overage, rate) if rate is not None else 0),
            packages=so_far.packages + 1,
            packages_left=so_far.packages_left + bool(meter.left),
        )
    return so_far


def _goodwill(session: Session, month: date) -> tuple[int, int | None]:
    """Goodwill minutes of a month, and their price as separate ones."""
    found = standing_entries().where(
        TimeEntry.service_month == month,
        TimeEntry.treatment == Treatment.GOODWILL,
        TimeEntry.ended_at.is_not(None),
    )
    given = session.execute(found.with_only_columns(func.sum(TimeEntry.minutes))).scalar_one() or 0
    price = prices.valid_on(session, month).items.get("separate_minute")
    return given, line_cents(given, price.net) if price else None


def _low(session: Session, drawn: dict[int, MonthMeters]) -> list[Low]:
    """The packages that reached 80 %, the furthest drawn first."""
    found = [(customer, meter) for customer, month in drawn.items() for meter in month.contracts if meter.level]
    found.sort(key=_furthest)
    names = _names(session, {customer for customer, _ in found[:LOW_SHOWN]})
    return [
        Low(*names[customer], meter.package, meter.included, meter.used) for customer, meter in found[:LOW_SHOWN]
    ]


def _furthest(item: tuple[int, Meter]) -> tuple[int, float, str]:
    meter = item[1]
    return -meter.overage, -meter.used / max(meter.included, 1), meter.contract


def _names(session: Session, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = session.execute(select(Customer.id, Customer.number, Customer.name).where(Customer.id.in_(ids)))
    return {row.id: (row.number, row.name) for row in rows}


def _by_week(
    session: Session, at: InstrumentedAttribute[Any], first: date, which: ColumnElement[bool]
) -> dict[date, int]:
    """How many by the Monday of their week in Berlin."""
    monday = func.cast(func.date_trunc("week", func.timezone("Europe/Berlin", at)), Date).label("monday")
    since = datetime.combine(first, time(), BERLIN)
    rows = session.execute(select(monday, func.count()).where(at >= since, which).group_by(monday))
    return dict(rows.all())


def _monthly(known: Sequence[ContractOnDay], day: date, package_prices: PackagePrices) -> dict[str, int]:
    """What each contract that runs on a day costs a whole month."""
    running = (
        row.contract
        for row in known
        if row.contract.starts_on <= day and (row.contract.ends_before is None or day < row.contract.ends_before)
    )
    return {row.number: contracts.monthly_net_cents(row, day, package_prices) or 0 for row in running}
