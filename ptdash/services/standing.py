"""Which time entries count, and what a posting has taken: conditions that many queries share."""

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import aliased

from ptdash.models import Material, Posting, TimeEntry


def standing() -> ColumnElement[bool]:
    """A time entry is neither a reversal nor reversed (both leave the draw)."""
    reversal = aliased(TimeEntry)
    reversed_ = select(reversal.id).where(reversal.reverses_id == TimeEntry.id).exists()
    return and_(TimeEntry.reverses_id.is_(None), ~reversed_)


def taken(row: type[TimeEntry] | type[Material] | TimeEntry | Material) -> ColumnElement[bool]:
    """A posting has taken it, so that it stays as it is: a row at hand, or each of its table."""
    posting = select(Posting.n).where(
        Posting.customer_id == row.customer_id,
        Posting.month == row.service_month,
        Posting.n >= row.posting_n,
    )
    return posting.exists()
