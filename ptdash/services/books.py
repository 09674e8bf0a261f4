"""The books: which months are open, closing or closed, and what each run still has to do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from ptdash.domain.bills import (
    BeforeTheBooks,
    Blocker,
    EarlierMonthOpen,
    MissingCompanyData,
    MissingRate,
    MonthNotOver,
)
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.periods import format_month, next_month, previous_month
from ptdash.models import Books, Customer, CustomerBook, CustomerMonth, Period, Posting, Run
from ptdash.services import audit, history, prices, settings
from ptdash.services.bulk import among

REQUIRED_COMPANY_DATA = ("name", "street", "postal_code", "city", "country", "iban")

# Runs whose work is a customer's month; a Storno has none.
POSTING_RUNS = ("month", "customer")


class CustomerNotInClose(NotFound):
    message = "%(customer)s is not in the close of %(month)s."


class NotParked(Conflict):
    message = "%(customer)s is not parked in %(month)s. Reload the page to see what became of it."


class AlreadySettled(Conflict):
    message = "%(customer)s is already posted or set aside in %(month)s."


class ReasonMissing(Invalid):
    message = "Give a reason. It stays in the audit trail."


class PeriodState(StrEnum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True)
class Progress:
    """How far a month's close is, in customers."""

    total: int
    posted: int
    parked: int
    set_aside: int

    @property
    def decided(self) -> int:
        return self.posted + self.parked + self.set_aside

    @property
    def left(self) -> int:
        return self.total - self.decided


def begins_on(session: Session) -> date | None:
    """The first month that is closed, where the books begin; None before."""
    return session.execute(select(Books.begins_on)).scalar_one()


def state(session: Session, month: date) -> PeriodState:
    """Open until its run begins; closed when every customer's month is posted or set aside."""
    if session.get(Period, month) is None:
        return PeriodState.OPEN
    unsettled = select(CustomerMonth).where(
        CustomerMonth.month == month, CustomerMonth.set_aside_reason.is_(None), ~_posted()
    )
    open_left = session.execute(select(exists(unsettled.subquery().select()))).scalar_one()
    return PeriodState.CLOSING if open_left else PeriodState.CLOSED


def blockers(session: Session, month: date, today: date) -> list[Blocker]:
    """Why the month's run would be refused as a whole, in the order in which they are mended."""
    found: list[Blocker] = []
    begin = begins_on(session)
    if begin and month < begin:
        found.append(BeforeTheBooks(subject=format_month(begin)))
    if today < next_month(month):
        found.append(MonthNotOver(subject=format_month(month), from_on=next_month(month).isoformat()))
    earlier = previous_month(month)
    if begin and month > begin and state(session, earlier) is not PeriodState.CLOSED:
        found.append(EarlierMonthOpen(subject=format_month(earlier)))
    found += [MissingRate(subject=item) for item in prices.valid_on(session, month).missing]
    found += [MissingCompanyData(subject=field) for field in _missing_company_data(session)]
    return found


def begin(
    session: Session,
    month: date,
    business_day: date,
    *,
    actor_id: int | None,
    now: datetime,
    seen_net_cents: int | None = None,
) -> tuple[Run | None, list[Blocker]]:
    """The run that closes a month: the unfinished one where there is one, else a new one.

    A month whose run is finished but left parked customers gets a new run that tries them again. A closed
    month has nothing to run: (None, []). A refused one: (None, its blockers). `seen_net_cents` is the net sum
    of the preview that a person had on screen; it is kept to be compared with the result.
    """
    session.execute(select(Books.id).with_for_update())
    current = state(session, month)
    if current is PeriodState.CLOSED:
        return None, []
    if run := _unfinished_run(session, month):
        return run, []
    if found := blockers(session, month, business_day):
        return None, found
    if current is PeriodState.OPEN:
        session.execute(update(Books).where(Books.begins_on.is_(None)).values(begins_on=month))
        session.execute(insert(Period).values(month=month, begun_at=now))
    run = Run(month=month, business_day=business_day, ordered_by_id=actor_id, ordered_at=now, enqueued_at=now)
    session.add(run)
    session.flush()
    _take_customers(session, run)
    after = {"run": run.id, "business_day": business_day, "seen_net_cents": seen_net_cents}
    audit.record(session, "begin_close", "period", format_month(month), actor_id=actor_id, now=now, after=after)
    return run, []


def try_again(
    session: Session, month: date, number: str, business_day: date, *, actor_id: int | None, now: datetime
) -> Run:
    """A run for one parked customer's month alone, with a business day of its own; the others stay parked.

    A cancelled month is released by a person's order, like every revision; any other with the month's result.
    Asked twice, the run under way is answered. Raises CustomerNotInClose, NotParked.
    """
    session.execute(select(Books.id).with_for_update())
    mine = _customer_month(session, month, number)
    if mine.park_code is None:
        current = session.get_one(Run, mine.run_id)
        if current.kind == "customer" and current.finished_at is None:
            return current
        raise NotParked(customer=number, month=format_month(month))
    is_revision = select(exists().where(Posting.customer_id == mine.customer_id, Posting.month == month))
    is_released = actor_id is not None and session.execute(is_revision).scalar_one()
    run = Run(
        month=month,
        business_day=business_day,
        kind="customer",
        customer_id=mine.customer_id,
        ordered_by_id=actor_id,
        ordered_at=now,
        enqueued_at=now,
        released_at=now if is_released else None,
        released_by_id=actor_id if is_released else None,
    )
    session.add(run)
    session.flush()
    mine.run_id, mine.park_code, mine.park_params = run.id, None, None
    after = {"run": run.id, "business_day": business_day, "customer": number}
    audit.record(session, "try_again", "period", format_month(month), actor_id=actor_id, now=now, after=after)
    return run


def set_aside(
    session: Session, month: date, number: str, reason: str, *, actor_id: int | None, now: datetime
) -> None:
    """Leave a customer's month that is not posted, or whose invoice is cancelled, out of the close, with a reason;
    the last one closes the month.

    A posting of this customer under way is waited for. Raises CustomerNotInClose, AlreadySettled, ReasonMissing.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonMissing()
    lock = select(CustomerBook.customer_id).join(Customer).where(Customer.number == number)
    session.execute(lock.with_for_update(of=CustomerBook))
    mine = _customer_month(session, month, number)
    refuse_settled(session, mine, number)
    before = {"parked": mine.park_code}
    mine.park_code, mine.park_params, mine.set_aside_reason = None, None, reason
    session.flush()
    after = {"customer": number, "reason": reason}
    audit.record(
        session,
        "set_aside",
        "period",
        format_month(month),
        actor_id=actor_id,
        now=now,
        before=before,
        after=after,
    )
    finish(session, mine.run_id, now=now)


def refuse_settled(session: Session, mine: CustomerMonth, number: str) -> None:
    """Raise AlreadySettled where a month is set aside, or posted and its invoice stands."""
    past = history.load(session, [mine.customer_id], mine.month)[mine.customer_id]
    if mine.set_aside_reason is not None or past.is_held(mine.month):
        raise AlreadySettled(customer=number, month=format_month(mine.month))


def pending(session: Session, run_id: int, of: Collection[int] | None = None) -> Sequence[int]:
    """The customers (of those named, where some are) that a run has still to post, by id."""
    waiting = _pending(named=of is not None)
    return session.execute(waiting, {"run_id": run_id, "ids": of}).scalars().all()


@cache
def _pending(*, named: bool) -> Select[int]:
    waiting = select(CustomerMonth.customer_id).where(
        CustomerMonth.run_id == bindparam("run_id", type_=Integer), _undecided()
    )
    if named:
        waiting = waiting.where(among(CustomerMonth.customer_id, "ids"))
    return waiting.order_by(CustomerMonth.customer_id)


def is_under_way(session: Session, month: date, number: str) -> bool:
    """Whether an order for this customer's month is at work: it will be posted or parked in a moment."""
    order = (
        select(CustomerMonth.run_id)
        .join(Customer, Customer.id == CustomerMonth.customer_id)
        .join(Run, Run.id == CustomerMonth.run_id)
        .where(CustomerMonth.month == month, Customer.number == number, Run.finished_at.is_(None), _undecided())
    )
    return session.execute(order).first() is not None


def finish(session: Session, run_id: int, *, now: datetime) -> bool:
    """Mark a run as finished where nothing is left to do; whether it is. Its own transaction, after the last
    posting: of two that end at once, the later one sees both."""
    run = session.execute(select(Run).where(Run.id == run_id).with_for_update()).scalar_one()
    if run.finished_at is None and not pending(session, run_id):
        run.finished_at = now
        session.flush()
        done = progress(session, run.month)
        after = {"run": run.id, "posted": done.posted, "parked": done.parked}
        audit.record(session, "finish_run", "period", format_month(run.month), actor_id=None, now=now, after=after)
    return run.finished_at is not None


def stalled_runs(session: Session, now: datetime, patience: timedelta) -> Sequence[Run]:
    """Unfinished runs whose jobs were last enqueued longer ago than `patience`; claims them for the caller."""
    claimed = (
        update(Run)
        .where(Run.finished_at.is_(None), Run.enqueued_at < now - patience)
        .values(enqueued_at=now)
        .returning(Run)
    )
    return session.execute(claimed).scalars().all()


def progress(session: Session, month: date) -> Progress:
    """Counts of the month's customers by what became of them; one whose cancelled month is parked or set aside
    counts there."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(
                _posted(), CustomerMonth.park_code.is_(None), CustomerMonth.set_aside_reason.is_(None)
            ),
            func.count().filter(CustomerMonth.park_code.is_not(None)),
            func.count().filter(CustomerMonth.set_aside_reason.is_not(None)),
        ).where(CustomerMonth.month == month)
    ).one()
    return Progress(*row)


def worked_off(session: Session, run_id: int) -> tuple[int, int]:
    """How many customers of a run are decided, and how many are left."""
    counts = select(func.count().filter(~_undecided()), func.count().filter(_undecided()))
    decided, left = session.execute(counts.where(CustomerMonth.run_id == run_id)).one()
    return decided, left


def latest_run(session: Session, month: date) -> Run | None:
    """The newest run that posts customers of this month: of all that were left, or of one."""
    of_month = select(Run).where(Run.month == month, Run.kind.in_(POSTING_RUNS))
    return session.execute(of_month.order_by(Run.id.desc()).limit(1)).scalar_one_or_none()


def _unfinished_run(session: Session, month: date) -> Run | None:
    """At most one of kind 'month': `begin` starts another only when it is finished."""
    unfinished = select(Run).where(Run.month == month, Run.kind == "month", Run.finished_at.is_(None))
    return session.execute(unfinished).scalar_one_or_none()


def _customer_month(session: Session, month: date, number: str) -> CustomerMonth:
    """The customer's month in a begun period, locked; raises CustomerNotInClose."""
    found = session.execute(
        select(CustomerMonth)
        .join(Customer, Customer.id == CustomerMonth.customer_id)
        .where(CustomerMonth.month == month, Customer.number == number)
        .with_for_update(of=CustomerMonth)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise CustomerNotInClose(customer=number, month=format_month(month))
    return found


def _take_customers(session: Session, run: Run) -> None:
    """Who is new and who was parked belongs to the run; whom another run is just trying alone stays with it."""
    new = select(Customer.id, literal(run.month), literal(run.id)).where(
        ~exists().where(CustomerMonth.customer_id == Customer.id, CustomerMonth.month == run.month)
    )
    session.execute(insert(CustomerMonth).from_select(["customer_id", "month", "run_id"], new))
    session.execute(
        update(CustomerMonth)
        .where(CustomerMonth.month == run.month, CustomerMonth.park_code.is_not(None), ~_posted())
        .values(run_id=run.id, park_code=None, park_params=None)
        .execution_options(synchronize_session=False)
    )


def _undecided() -> ColumnElement[bool]:
    """Not parked, not set aside, and not posted by the run it belongs to (a cancelled month is posted again)."""
    posted = exists().where(
        Posting.customer_id == CustomerMonth.customer_id,
        Posting.month == CustomerMonth.month,
        Posting.run_id == CustomerMonth.run_id,
    )
    return CustomerMonth.park_code.is_(None) & CustomerMonth.set_aside_reason.is_(None) & ~posted


def _posted() -> ColumnElement[bool]:
    return exists().where(Posting.customer_id == CustomerMonth.customer_id, Posting.month == CustomerMonth.month)


def _missing_company_data(session: Session) -> list[str]:
    company = settings.company(session)
    missing = [field for field in REQUIRED_COMPANY_DATA if not company[field]]
    if not company["vat_id"] and not company["tax_number"]:
        missing.append("vat_id")
    return missing
