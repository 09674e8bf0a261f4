"""The matrix of updates and customers: what a cell says, and under which heading an update is found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import count

from ptdash.domain.searching import fold
from ptdash.domain.updates import Result, State


class Kind(StrEnum):
    """What a cell says, the most pressing first where several are true: failed, new, then how far it is."""

    FAILED = "failed"
    NEW = "new"
    DONE = "done"
    PARTLY = "partly"
    PLANNED = "planned"
    WAITING = "waiting"
    CLOSED = "closed"
    NONE = "none"


class Tab(StrEnum):
    ALL = "all"
    TO_APPROVE = "to_approve"
    TO_TEST = "to_test"
    ROLLING_OUT = "rolling_out"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Tally:
    """One customer's tasks of an update that are not followed and not stopped. `todo`: still to be installed,
    `failed`: failed or rolled back; skipped and not applicable ones ask for nothing."""

    todo: int = 0
    done: int = 0
    failed: int = 0
    next_day: date | None = None

    @property
    def total(self) -> int:
        return self.todo + self.done + self.failed


@dataclass(frozen=True)
class Cell:
    """`n` devices of `of`; `day` where all that is to be done is planned for one."""

    kind: Kind
    n: int = 0
    of: int = 0
    day: date | None = None


NOTHING = Cell(Kind.NONE)


def cell(state: State, tasks: Tally, affected: int, without_task: int) -> Cell:
    """What a cell says of an update in a state. `affected`: devices in contracts that run it; `without_task`:
    those of them that may get it and have no task yet."""
    if state is State.APPROVED:
        return _of_approved(tasks, without_task)
    if state in (State.REJECTED, State.SUPERSEDED, State.WITHDRAWN):
        if tasks.done:
            return Cell(Kind.DONE, tasks.done, tasks.done)
        return Cell(Kind.CLOSED, affected) if affected else NOTHING
    return Cell(Kind.WAITING, affected) if affected else NOTHING


def _of_approved(tasks: Tally, without_task: int) -> Cell:
    if tasks.failed:
        return Cell(Kind.FAILED, tasks.failed, tasks.total)
    if without_task:
        return Cell(Kind.NEW, without_task, tasks.total + without_task)
    if not tasks.total:
        return NOTHING
    if not tasks.todo:
        return Cell(Kind.DONE, tasks.done, tasks.total)
    if tasks.done:
        return Cell(Kind.PARTLY, tasks.done, tasks.total, tasks.next_day)
    return Cell(Kind.PLANNED, tasks.todo, tasks.total, tasks.next_day)


def tab_of(state: State, newest: Result | None, testing: bool, tasks: Tally) -> Tab:
    """The one heading besides "all" under which an update is found. `newest`: the result of the newest finished
    check of its present version; `testing`: another check is under way. What is deferred is to be tested or to be
    approved later: it waits under "all"."""
    if state is State.DEFERRED:
        return Tab.ALL
    if state is State.DETECTED or (state is State.IN_TEST and (testing or newest is not Result.PASSED)):
        return Tab.TO_TEST
    if state is State.IN_TEST:
        return Tab.TO_APPROVE
    if state is not State.APPROVED:
        return Tab.DONE
    if tasks.failed:
        return Tab.FAILED
    return Tab.ROLLING_OUT if tasks.todo or not tasks.total else Tab.DONE


# Words that say what a customer does rather than who it is; they come first in many names.
COMMON = """
    apotheke architekturbüro autohaus bäckerei blumen buchhandlung dachdeckerei der die das druckerei elektro
    fahrschule gasthof gaststätte hausverwaltung hotel immobilien ingenieurbüro kanzlei metallbau metzgerei notar
    optik physiotherapie praxis rechtsanwälte reisebüro restaurant spedition steuerberater steuerberatung
    tierarztpraxis tischlerei weingut zahnärzte zahnarztpraxis inh und am im zum zur prof
"""
COMMON_FOLDED = frozenset(fold(COMMON).split())


def short_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Three letters for each customer (number, name), no two the same: MÜL, BRA. They are made of the first word
    of a name that says who it is; where those are taken, with the next letters, at last with a figure."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for number, name in names:
        short = next(short for short in _ways(name) if short not in taken)
        taken.add(short)
        found[number] = short
    return found


def _ways(name: str) -> Iterable[str]:
    words = ["".join(filter(str.isalnum, word)) for word in name.split()]
    words = [word for word in words if word] or ["X"]
    telling = [word for word in words if fold(word) not in COMMON_FOLDED and len(word) > 2] or words
    first = telling[0].upper()
    yield first[:3]
    for sign in first[3:]:
        yield first[:2] + sign
    for word in telling[1:]:
        yield first[:2] + word[0].upper()
    for n in count(1):
        yield f"{first[: max(0, 3 - len(str(n)))]}{n}"
