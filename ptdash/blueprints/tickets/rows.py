"""Rows of the queue as they are read: short names, deadlines in words, the minutes left."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ptdash.blueprints.tickets.words import PRIORITIES, SHAPES, STATUSES
from ptdash.domain.meters import Meter
from ptdash.domain.tickets import Status
from ptdash.services.tickets.asking import CRITICAL, Moment
from ptdash.web.formats import clock, initials, number, short_day
from ptdash.web.locale import gettext

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shown:
    """A row with its words; `due` and `left` are pairs of a kind (a class) and what stands there."""

    id: int
    number: str
    version: int
    subject: str
    customer: str
    priority: str
    priority_word: str
    status_word: str
    shape: str
    assignee: str
    short_name: str
    initials: str
    due: tuple[str, str]
    left: tuple[str, str, int] | None
    selected: bool


def shown(
    rows: Iterable[Any], meters: Mapping[int, Meter], moment: Moment, chosen: Collection[str]
) -> list[Shown]:
    words: dict[str, str] = {kind.value: str(word) for kind, word in (*PRIORITIES.items(), *STATUSES.items())}
    return [_one(row, meters.get(row.customer_id), moment, words, row.number in chosen) for row in rows]


def due_words(due_at: datetime | None, status: str, moment: Moment, *, known: bool = True) -> tuple[str, str]:
    """A deadline as a kind (danger, warn, "") and words: how long ago, how long still, or when."""
    if due_at is None:
        if status == Status.WAITING_CUSTOMER:
            return "rests", gettext("on hold")
        return "rests", "–" if known else gettext("being computed")
    left = due_at - moment.now
    if left < timedelta(0):
        return "danger", gettext("%(time)s over", time=_span(-left))
    if left < CRITICAL:
        return "warn", gettext("%(time)s left", time=_span(left))
    if due_at < moment.tomorrow:
        return "", gettext("today %(time)s", time=clock(due_at))
    return "", f"{short_day(due_at.astimezone(moment.tomorrow.tzinfo).date())} {clock(due_at)}"


def _one(row: Any, meter: Meter | None, moment: Moment, words: Mapping[str, str], selected: bool) -> Shown:
    name = row.assignee or ""
    first, _, last = name.partition(" ")
    return Shown(
        id=row.id,
        number=row.number,
        version=row.version,
        subject=row.subject,
        customer=row.customer,
        priority=row.priority,
        priority_word=words[row.priority],
        status_word=words[row.status],
        shape=SHAPES[row.status],
        assignee=name,
        short_name=f"{first} {last.split()[-1][0]}." if last.split() else first,
        initials=initials(name) if name else "",
        due=due_words(row.due_at, row.status, moment, known=row.deadline_known),
        left=_left(meter) if meter else None,
        selected=selected,
    )


def _left(meter: Meter) -> tuple[str, str, int]:
    """Kind, minutes left (below zero: overage) and the share that is used, in percent."""
    kind = "over" if meter.overage else "low" if meter.level else ""
    share = min(100, round(100 * meter.used / meter.included)) if meter.included else 100
    return kind, number(meter.left - meter.overage), share


def _span(time: timedelta) -> str:
    if time < HOUR:
        return str(gettext("%(minutes)s min", minutes=int(time.total_seconds()) // 60))
    if time < DAY:
        hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
        return str(gettext("%(hours)s h %(minutes)s", hours=hours, minutes=f"{minutes:02}"))
    return str(gettext("%(days)s d", days=time.days))
