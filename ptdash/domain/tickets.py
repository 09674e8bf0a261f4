"""The life of a ticket: its states, what may follow what, and what it is called."""

from collections import deque
from enum import StrEnum

from ptdash.domain.errors import Conflict


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    SCHEDULED = "scheduled"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_VENDOR = "waiting_vendor"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"


class Priority(StrEnum):
    """From the least to the most pressing."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Channel(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    PORTAL = "portal"


class Category(StrEnum):
    HARDWARE = "hardware"
    SOFTWARE = "software"


class Concern(StrEnum):
    """What a ticket is about, decided at triage."""

    QUESTION = "question"
    DEFECT = "defect"
    SWAP = "swap"
    UPKEEP = "upkeep"


class StepNotAllowed(Conflict):
    message = "A ticket that is %(from_status)s cannot become %(to_status)s."


END = frozenset({Status.RESOLVED, Status.MERGED})

# Which state may follow which. A resolved ticket opens again when its customer replies.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.OPEN}) | END,
    Status.OPEN: frozenset({Status.IN_PROGRESS}) | END,
    Status.IN_PROGRESS: frozenset({Status.SCHEDULED, Status.WAITING_CUSTOMER, Status.WAITING_VENDOR}) | END,
    Status.SCHEDULED: frozenset({Status.IN_PROGRESS}) | END,
    Status.WAITING_CUSTOMER: frozenset({Status.IN_PROGRESS}) | END,
    Status.WAITING_VENDOR: frozenset({Status.IN_PROGRESS}) | END,
    Status.RESOLVED: frozenset({Status.CLOSED, Status.OPEN, Status.MERGED}),
    Status.CLOSED: frozenset(),
    Status.MERGED: frozenset(),
}

OPEN_STATUSES = frozenset(TRANSITIONS) - {Status.RESOLVED, Status.CLOSED, Status.MERGED}


def steps(start: Status, target: Status) -> list[Status]:
    """The states a ticket takes on its way, the target last, each step allowed by TRANSITIONS; empty where it is
    there already. Only open states are passed through: nothing is resolved, or opened again, on the way.

    Raises StepNotAllowed where no way leads there.
    """
    if start is target:
        return []
    ways: deque[tuple[Status, ...]] = deque([(start,)])
    seen = {start}
    while ways:
        way = ways.popleft()
        if target in TRANSITIONS[way[-1]]:
            return [*way[1:], target]
        if way[-1] in OPEN_STATUSES and target is not Status.MERGED:
            further = [status for status in TRANSITIONS[way[-1]] & OPEN_STATUSES if status not in seen]
            seen.update(further)
            ways.extend((*way, status) for status in further)
    raise StepNotAllowed(from_status=start.value, to_status=target.value)


def reachable(start: Status) -> list[Status]:
    """The states a person can choose from here, in the order of a ticket's life; merging is a verb of its own."""
    return [status for status in Status if status not in (start, Status.MERGED) and _leads(start, status)]


def _leads(start: Status, target: Status) -> bool:
    try:
        return bool(steps(start, target))
    except StepNotAllowed:
        return False
