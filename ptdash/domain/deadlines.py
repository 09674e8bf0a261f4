"""When a ticket has to be answered and solved: targets by priority, counted in business hours."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ptdash.domain.errors import Invalid
from ptdash.domain.tickets import OPEN_STATUSES, Priority, Status

SEARCHED = timedelta(days=800)
Pause = tuple[datetime, datetime | None]


class NoBusinessHours(Invalid):
    message = "There are no business hours to count in."


@dataclass(frozen=True)
class BusinessHours:
    """Which weekdays (Monday is 0) and from when until when somebody works; `closed` are the public holidays."""

    weekdays: Collection[int]
    opens: time
    closes: time
    zone: ZoneInfo
    closed: Collection[date] = ()

    def day(self, day: date) -> tuple[datetime, datetime] | None:
        """The instants between which somebody works on a day; None where nobody does."""
        if day.weekday() not in self.weekdays or day in self.closed or self.opens >= self.closes:
            return None
        opens, closes = (datetime.combine(day, at, self.zone) for at in (self.opens, self.closes))
        return opens.astimezone(UTC), closes.astimezone(UTC)


@dataclass(frozen=True)
class Target:
    """Business minutes until the first reply, and until the solution."""

    response: int
    resolution: int


@dataclass(frozen=True)
class Clock:
    """What a ticket's deadlines depend on. `pauses` are the times it waited for its customer."""

    priority: Priority
    status: Status
    created_at: datetime
    responded_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True)
class Deadline:
    """`due_at` is the one that counts now: the reply's until the first reply, then the solution's; None while the
    ticket waits for its customer and once it is resolved. Both others are None while it waits, too."""

    response_due_at: datetime | None
    resolution_due_at: datetime | None
    due_at: datetime | None


def deadline(clock: Clock, targets: Mapping[Priority, Target], hours: BusinessHours) -> Deadline:
    """So many minutes of business hours after the ticket came in, not counting those in which it waited for its
    customer. Raises NoBusinessHours."""
    target = targets[clock.priority]
    if clock.status is Status.WAITING_CUSTOMER:
        return Deadline(None, None, None)
    pauses = [(start, end) for start, end in clock.pauses if end is not None]
    response, resolution = (
        due(clock.created_at, minutes, pauses, hours) for minutes in (target.response, target.resolution)
    )
    governing = response if clock.responded_at is None else resolution
    return Deadline(response, resolution, governing if clock.status in OPEN_STATUSES else None)


def due(
    start: datetime, minutes: int, pauses: Iterable[tuple[datetime, datetime]], hours: BusinessHours
) -> datetime:
    """The instant (UTC) at which so many business minutes after `start` are over, pauses not counted.

    It lies inside business hours, at the latest on a closing time. Raises NoBusinessHours.
    """
    left = timedelta(minutes=minutes)
    resting = sorted(pauses)
    day = start.astimezone(hours.zone).date()
    for offset in range(SEARCHED.days):
        span = hours.day(day + timedelta(days=offset))
        for begin, end in _working(span, start, resting):
            if left <= end - begin:
                return begin + left
            left -= end - begin
    raise NoBusinessHours()


def _working(
    span: tuple[datetime, datetime] | None, start: datetime, resting: Iterable[tuple[datetime, datetime]]
) -> Iterable[tuple[datetime, datetime]]:
    """The parts of a day's hours after `start` in which the clock runs."""
    if span is None or span[1] <= start:
        return
    begin, end = max(span[0], start.astimezone(UTC)), span[1]
    for pause_start, pause_end in resting:
        if pause_end <= begin or pause_start >= end:
            continue
        if pause_start > begin:
            yield begin, pause_start.astimezone(UTC)
        begin = max(begin, min(pause_end.astimezone(UTC), end))
    if begin < end:
        yield begin, end
