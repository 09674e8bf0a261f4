"""From what a clock in Berlin shows to instants, and from what a person enters to a span of work."""

from datetime import UTC, date, datetime, time, timedelta

from ptdash.domain.errors import Invalid
from ptdash.domain.periods import BERLIN, berlin_day

# Clocks differ a little; nobody books work that lies further ahead.
AHEAD = timedelta(minutes=5)
A_DAY = timedelta(hours=24)


class WallTimeTwice(Invalid):
    """`offsets` are those of the first and of the second time that the clock shows it."""

    message = "%(time)s exists twice: the clocks are put back that night. Say which one is meant."

    def __init__(self, wall: datetime, offsets: tuple[timedelta, timedelta]) -> None:
        self.offsets = offsets
        super().__init__(time=f"{wall:%H:%M}")


class WallTimeNever(Invalid):
    """`offsets` are those before and after the clocks are put forward."""

    message = "%(time)s does not exist: the clocks are put forward that night. Correct the time."

    def __init__(self, wall: datetime, offsets: tuple[timedelta, timedelta]) -> None:
        self.offsets = offsets
        super().__init__(time=f"{wall:%H:%M}")


class WorkTimeMissing(Invalid):
    message = "Enter the minutes as a whole number, for example 30, or when it began and ended."


class StartMissing(Invalid):
    message = "Say when it began, for example 09:30: without it, minutes end now."


class EndGivenTwice(Invalid):
    message = "Give either the end or the minutes, not both."


class EndBeforeStart(Invalid):
    message = "The end must be after the start. For work past midnight give start and minutes."


class WorkInFuture(Invalid):
    message = "This time has not come yet. Book what is done."


class LongerThanADay(Invalid):
    message = "This is longer than 24 hours. Confirm that it is meant."


def berlin_instant(wall: datetime, *, second: bool | None = None) -> datetime:
    """The instant a clock in Berlin shows this, as UTC.

    `second` says which one is meant where the clock shows it twice. Raises WallTimeTwice, WallTimeNever.
    """
    local = wall.replace(tzinfo=BERLIN)
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert before is not None and after is not None  # the zone knows its offset for every moment
    if before < after:
        raise WallTimeNever(wall, (before, after))
    if before > after and second is None:
        raise WallTimeTwice(wall, (before, after))
    return (wall - (after if second else before)).replace(tzinfo=UTC)


def work_span(
    day: date,
    start: time | None,
    end: time | None,
    minutes: int | None,
    *,
    now: datetime,
    second: bool | None = None,
) -> tuple[datetime, datetime]:
    """Start and end of work as instants: start and end, start and minutes, or minutes alone, which end now.

    Raises WorkTimeMissing, StartMissing, EndGivenTwice, WallTimeTwice, WallTimeNever; what the span itself must
    hold is `check_span`'s.
    """
    if end is not None and minutes is not None:
        raise EndGivenTwice()
    if start is None:
        if not minutes:
            raise StartMissing() if end is not None else WorkTimeMissing()
        if day != berlin_day(now):
            raise StartMissing()
        return now - timedelta(minutes=minutes), now
    started_at = berlin_instant(datetime.combine(day, start), second=second)
    if minutes:
        return started_at, started_at + timedelta(minutes=minutes)
    if end is None:
        raise WorkTimeMissing()
    return started_at, berlin_instant(datetime.combine(day, end), second=second)


def check_span(started_at: datetime, ended_at: datetime, *, now: datetime, long_confirmed: bool = False) -> None:
    """Raises EndBeforeStart, WorkInFuture, and LongerThanADay until a person has confirmed it."""
    if ended_at <= started_at:
        raise EndBeforeStart()
    if ended_at > now + AHEAD:
        raise WorkInFuture()
    if ended_at - started_at > A_DAY and not long_confirmed:
        raise LongerThanADay()
