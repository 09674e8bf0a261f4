"""A rollout task: which steps it can take, and what each of them asks for."""

from enum import StrEnum

from ptdash.domain.errors import Conflict, Invalid


class TaskStatus(StrEnum):
    PLANNED = "planned"
    INSTALLED = "installed"
    REBOOT_PENDING = "reboot_pending"
    VERIFIED = "verified"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"
    NOT_APPLICABLE = "not_applicable"
    ROLLED_BACK = "rolled_back"


P, I, R, V = TaskStatus.PLANNED, TaskStatus.INSTALLED, TaskStatus.REBOOT_PENDING, TaskStatus.VERIFIED  # noqa: E741
FAILED, SKIPPED, MISSED = TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.MISSED
NOT_APPLICABLE, ROLLED_BACK = TaskStatus.NOT_APPLICABLE, TaskStatus.ROLLED_BACK

# Back to planned: tried again on another day of the same window.
TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    P: frozenset({I, FAILED, SKIPPED, MISSED, NOT_APPLICABLE}),
    I: frozenset({R, V, FAILED, ROLLED_BACK}),
    R: frozenset({V, FAILED, ROLLED_BACK}),
    V: frozenset({ROLLED_BACK}),
    FAILED: frozenset({P}),
    SKIPPED: frozenset({P}),
    MISSED: frozenset({P}),
    NOT_APPLICABLE: frozenset({P}),
    ROLLED_BACK: frozenset(),
}
# The update is on the device.
ON_DEVICE = frozenset({I, R, V})
# What was not done and is tried again in a later window.
TRIED_AGAIN = frozenset({FAILED, SKIPPED, MISSED})
NEEDS_REASON = frozenset({FAILED, SKIPPED, MISSED, NOT_APPLICABLE, ROLLED_BACK})
# Work at the customer's device: only while the window is open. What is left undone may be said at any time.
WORK = frozenset({I, FAILED})


class Why(StrEnum):
    """What the house itself gives as the reason where no person did."""

    NOT_COVERED = "not_covered"
    WINDOW_OVER = "window_over"


class StepNotPossible(Conflict):
    message = "%(device)s: from “%(old)s” to “%(new)s” is not possible."


class ReasonMissing(Invalid):
    message = "Say in a few words why. The customer reads it in the maintenance report."


def check_step(old: TaskStatus, new: TaskStatus, reason: str, device: str) -> None:
    """Whether a task may take a step. Raises StepNotPossible, ReasonMissing."""
    if new not in TRANSITIONS[old]:
        raise StepNotPossible(device=device, old=old.value, new=new.value)
    if new in NEEDS_REASON and not reason.strip():
        raise ReasonMissing()


def to_be_done(status: TaskStatus, approval_ended_by: str | None, instruction: str) -> str | None:
    """What is to be done with an update that is on a device and was withdrawn: "" where nobody said what, None
    where it was not withdrawn or is not on the device."""
    return instruction if approval_ended_by == "withdrawn" and status in ON_DEVICE else None
