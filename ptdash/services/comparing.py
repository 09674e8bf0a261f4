"""A month's result beside the month before and beside the preview it was closed with."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from ptdash.domain.comparison import Jump, jump
from ptdash.domain.periods import format_month, previous_month
from ptdash.models import AuditEvent, Customer, CustomerMonth, Invoice, Period


@dataclass(frozen=True)
class Compared:
    """A customer that stands out, with the net of both months in cents; `set_aside` explains a missing one."""

    customer: str
    name: str
    before_cents: int
    after_cents: int
    jump: Jump
    set_aside: bool

    @property
    def difference_cents(self) -> int:
        return self.after_cents - self.before_cents


def jumps(session: Session, month: date) -> list[Compared]:
    """Customers whose month stands out from the one before, the largest difference first.

    Empty where the month before has not been closed here: then everybody would be new.
    """
    before = previous_month(month)
    if session.get(Period, before) is None:
        return []
    of_before = func.coalesce(func.sum(Invoice.net_cents).filter(Invoice.period == before), 0)
    of_month = func.coalesce(func.sum(Invoice.net_cents).filter(Invoice.period == month), 0)
    rows = session.execute(
        select(
            Customer.number,
            Customer.name,
            of_before.cast(Integer).label("before"),
            of_month.cast(Integer).label("after"),
            func.bool_or(CustomerMonth.set_aside_reason.is_not(None)).label("set_aside"),
        )
        .join(Invoice, Invoice.customer_id == Customer.id)
        .outerjoin(CustomerMonth, (CustomerMonth.customer_id == Customer.id) & (CustomerMonth.month == month))
        .where(Invoice.period.in_((before, month)))
        .group_by(Customer.id)
        .order_by(Customer.sort_key)
    )
    found = [
        Compared(row.number, row.name, row.before, row.after, what, bool(row.set_aside))
        for row in rows
        if (what := jump(row.before, row.after))
    ]
    return sorted(found, key=lambda item: -abs(item.difference_cents))


def seen_net(session: Session, month: date) -> int | None:
    """The net sum of the preview (cents) that was on screen when the close was ordered.

    None where it was ordered from the command line, or tried again only.
    """
    seen = AuditEvent.after["seen_net_cents"].as_integer()
    found = session.execute(
        select(seen)
        .where(
            AuditEvent.action == "begin_close",
            AuditEvent.subject == "period",
            AuditEvent.subject_id == format_month(month),
        )
        .order_by(AuditEvent.id)
        .limit(1)
    ).scalar_one_or_none()
    return int(found) if found is not None else None
