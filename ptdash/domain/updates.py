"""The life of a vendor's update: its states, our own check, its approval, and which version closes which."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ptdash.domain.acceptance import NOTE_REQUIRED, Answer, ItemState, NoteMissing
from ptdash.domain.errors import Conflict, Forbidden, Invalid
from ptdash.domain.searching import fold


class State(StrEnum):
    DETECTED = "detected"
    IN_TEST = "in_test"
    APPROVED = "approved"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class Severity(StrEnum):
    """From the most to the least pressing."""

    CRITICAL = "critical"
    IMPORTANT = "important"
    MODERATE = "moderate"
    LOW = "low"


class Result(StrEnum):
    """What came of a check."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class StepRefused(Conflict):
    message = "This update is %(from_state)s. It cannot become %(to_state)s."


class ReasonMissing(Invalid):
    message = "Say why: the reason stays with the update."


class DayNotAhead(Invalid):
    message = "Choose a day after today."


class NotChecked(Conflict):
    message = "Without a passed check of version %(version)s this update cannot be approved."


class OwnTestApproved(Forbidden):
    message = "You have tested this update yourself. Somebody else approves it."


class ChecksOpen(Conflict):
    message = "%(open)s points of the test plan are still open. Answer them before the check is finished."


class FailedPoints(Invalid):
    message = "A point of the test plan failed: the check is not passed."


class PlaceMissing(Invalid):
    message = "Say on which device or system the update was tested."


class FailureNoteMissing(Invalid):
    message = "Say what went wrong: whoever looks at this update next needs it."


# What may follow what. What was deferred comes back where it was; the last three are the end of an update.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.DETECTED: frozenset({State.IN_TEST, State.REJECTED, State.DEFERRED, State.SUPERSEDED}),
    State.IN_TEST: frozenset({State.APPROVED, State.REJECTED, State.DEFERRED, State.SUPERSEDED}),
    State.DEFERRED: frozenset({State.DETECTED, State.IN_TEST, State.REJECTED, State.SUPERSEDED}),
    State.APPROVED: frozenset({State.SUPERSEDED, State.WITHDRAWN}),
    State.REJECTED: frozenset(),
    State.SUPERSEDED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

# Nothing is decided yet: what it is called and whom it is for can still be corrected.
UNDECIDED = frozenset({State.DETECTED, State.IN_TEST, State.DEFERRED})
ENDED = frozenset(state for state, further in TRANSITIONS.items() if not further)

VERSION = re.compile(r"v?(?P<numbers>\d+(?:[.\-_]\d+)*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Checked:
    """A finished check, as the approval looks at it."""

    version: str
    result: Result
    tester_id: int


@dataclass(frozen=True)
class Named:
    """What tells an update from others, and one version from the next."""

    vendor: str
    title: str
    version: str
    kb_number: str = ""
    released_on: date | None = None


def check_step(start: State, target: State) -> None:
    """Raises StepRefused."""
    if target not in TRANSITIONS[start]:
        raise StepRefused(from_state=start.value, to_state=target.value)


def state_on(state: State, deferred_from: State | None, deferred_until: date | None, today: date) -> State:
    """The state on a day: what was deferred until a day is back where it was from that day on, by itself."""
    if state is State.DEFERRED and deferred_from and deferred_until and deferred_until <= today:
        return deferred_from
    return state


def check_reason(reason: str) -> str:
    """The reason, without the room around it. Raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing()
    return reason.strip()


def check_deferral(until: date | None, today: date) -> date:
    """Raises DayNotAhead."""
    if until is None or until <= today:
        raise DayNotAhead()
    return until


def check_finish(answers: Collection[Answer], result: Result, *, tested_on: str, note: str) -> None:
    """What a check needs to be finished. Passed: every point answered, none of them failed, and where it was
    tested. Failed: a note on what went wrong, with a failed point or without.

    Raises PlaceMissing, ChecksOpen, FailedPoints, NoteMissing, FailureNoteMissing.
    """
    if any(answer.state in NOTE_REQUIRED and not answer.note.strip() for answer in answers):
        raise NoteMissing()
    if result is Result.FAILED:
        if not note.strip():
            raise FailureNoteMissing()
        return
    if not tested_on.strip():
        raise PlaceMissing()
    still_open = sum(answer.state is ItemState.OPEN for answer in answers)
    if still_open or not answers:
        raise ChecksOpen(open=still_open)
    if any(answer.state is ItemState.FAILED for answer in answers):
        raise FailedPoints()


def check_approval(version: str, newest: Checked | None, *, approver_id: int, four_eyes: bool) -> None:
    """An approval rests on the newest finished check: it passed, of just this version, and with four eyes
    somebody else did it. Raises NotChecked, OwnTestApproved."""
    if newest is None or newest.result is not Result.PASSED or newest.version != version:
        raise NotChecked(version=version)
    if four_eyes and newest.tester_id == approver_id:
        raise OwnTestApproved()


def key(update: Named) -> str:
    """Two updates are the same where vendor, KB number (else title) and version are; the database's column
    `updates.key` says the same."""
    name = update.kb_number.strip(" ") or update.title.strip(" ")
    return "|".join(map(fold, (update.vendor.strip(" "), name, update.version.strip(" "))))


def version_parts(version: str) -> tuple[tuple[int, ...], str] | None:
    """`v12.3.2-4165 ESR` -> ((12, 3, 2, 4165), "esr"); zeros at the end do not count. None without a number."""
    found = VERSION.fullmatch(version.strip())
    if found is None:
        return None
    numbers = [int(part) for part in re.split(r"[.\-_]", found["numbers"])]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), " ".join(fold(found["rest"]).split())


def is_newer(one: str, other: str) -> bool | None:
    """Whether a version is newer than another; None where they are the same or cannot be compared, as `24H2`
    and `25H2 Preview`: only versions that differ in their numbers alone can."""
    mine, others = version_parts(one), version_parts(other)
    if mine is None or others is None or mine[1] != others[1] or mine[0] == others[0]:
        return None
    return mine[0] > others[0]


def closes(new: Named, old: Named) -> bool:
    """Whether an update is a newer version of another: the same vendor and title, and a newer version; where the
    versions cannot be compared, a later day of release."""
    if (fold(new.vendor.strip()), fold(new.title.strip())) != (fold(old.vendor.strip()), fold(old.title.strip())):
        return False
    newer = is_newer(new.version, old.version)
    if newer is None and fold(new.version.strip()) != fold(old.version.strip()):
        return bool(new.released_on and old.released_on and new.released_on > old.released_on)
    return bool(newer)
