"""Minutes of work, and how they draw on a package's included minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)


class Treatment(StrEnum):
    """How a time entry is billed."""

    PACKAGE = "package"
    MAINTENANCE = "maintenance"
    WARRANTY = "warranty"
    SEPARATE = "separate"
    GOODWILL = "goodwill"


@dataclass(frozen=True)
class Draw:
    """What one entry took: free minutes, charged minutes, and what was left of the package after it."""

    entry_id: int
    free: int
    charged: int
    left: int
    charged_so_far: int


def billable_minutes(started_at: datetime, ended_at: datetime) -> int:
    """Begun minutes of elapsed time, rounded up once an entry.

    Both instants must carry an offset, else a night with a clock change would be an hour off.
    """
    if started_at.utcoffset() is None or ended_at.utcoffset() is None:
        raise ValueError("instants need an offset")
    # Two times of one zone would be subtracted by the clock on the wall; UTC counts what really passed.
    elapsed = ended_at.astimezone(UTC) - started_at.astimezone(UTC)
    return -(-elapsed // MINUTE)


def draw_minutes(entries: Iterable[tuple[datetime, int, int]], included: int) -> list[Draw]:
    """Entries (start, id, minutes) draw the included minutes in order of start, then id.

    The one that crosses the limit is split: part free, part charged.
    """
    left, over, draws = included, 0, []
    for _start, entry_id, minutes in sorted(entries):
        free = min(left, minutes)
        left -= free
        over += minutes - free
        draws.append(Draw(entry_id, free, minutes - free, left, over))
    return draws


def included_minutes(package_minutes: int, covered_days: int, month_days: int) -> int:
    """A package's free minutes for the covered days of a month, rounded up to the whole minute."""
    return -(-package_minutes * covered_days // month_days)
