"""The acceptance of devices: what a checklist's answers allow, and what a re-inspection takes over."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ptdash.domain.errors import Conflict, Invalid

# A passed item is taken over by a re-inspection for so long after the day it was answered.
CARRIED_FOR = timedelta(days=90)


class Section(StrEnum):
    """The parts of a checklist, in the order they are worked off."""

    HARDWARE = "hardware"
    SYSTEM = "system"
    SECURITY = "security"
    HANDOVER = "handover"


class ItemState(StrEnum):
    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    WITH_RESERVATIONS = "accepted_with_reservations"
    REFUSED = "refused"


class DeviceState(StrEnum):
    PROPOSED = "proposed"
    UNDER_INSPECTION = "under_inspection"
    ELIGIBLE = "eligible"
    IN_CONTRACT = "in_contract"
    RETIRED = "retired"


class Gate(StrEnum):
    """Whether a device may enter a contract on a day, and if not, why."""

    OPEN = "open"
    MISSING = "missing"
    REFUSED = "refused"
    REVOKED = "revoked"


NOTE_REQUIRED = frozenset({ItemState.FAILED, ItemState.NOT_APPLICABLE})
OPENS_GATE = frozenset({Outcome.ACCEPTED, Outcome.WITH_RESERVATIONS})


class NoteMissing(Invalid):
    message = "Say in a note what is wrong, or why this point does not apply."


class ItemsOpen(Conflict):
    message = "%(open)s points are still open. Answer them before you sign."


class OutcomeExcluded(Invalid):
    message = "A failed point excludes this outcome. Accept with reservations, or refuse."


@dataclass(frozen=True)
class Answer:
    """One item's state, the day it was found (of a carried one: the day it was found first)."""

    pos: int
    state: ItemState
    note: str = ""
    answered_on: date | None = None


@dataclass(frozen=True)
class Verdict:
    """What a device was accepted or refused with on a day, and since when that is revoked."""

    inspected_on: date
    outcome: str
    revoked_on: date | None = None


@dataclass(frozen=True)
class DeviceFacts:
    """What decides a device's state on a day."""

    bought_from_us: bool
    retired: bool
    in_contract: bool
    inspecting: bool
    gate_open: bool


def check_answer(state: ItemState, note: str) -> None:
    """Failed and not applicable need a note. Raises NoteMissing."""
    if state in NOTE_REQUIRED and not note.strip():
        raise NoteMissing()


def outcomes(answers: Iterable[Answer]) -> list[Outcome]:
    """What an inspection can be signed as: nothing while an item is open; a failed one excludes `accepted`."""
    states = {answer.state for answer in answers}
    if ItemState.OPEN in states:
        return []
    return [outcome for outcome in Outcome if outcome is not Outcome.ACCEPTED or ItemState.FAILED not in states]


def check_signature(answers: Collection[Answer], outcome: Outcome) -> None:
    """Raises ItemsOpen, OutcomeExcluded."""
    still_open = sum(answer.state is ItemState.OPEN for answer in answers)
    if still_open:
        raise ItemsOpen(open=still_open)
    if outcome not in outcomes(answers):
        raise OutcomeExcluded()


def carried(answers: Iterable[Answer], today: date) -> list[Answer]:
    """The answers that a re-inspection takes over: what passed or did not apply, for at most 90 days after the day
    it was found; everything else is asked again."""
    return [
        answer
        for answer in answers
        if answer.state in (ItemState.PASSED, ItemState.NOT_APPLICABLE)
        and answer.answered_on is not None
        and today - answer.answered_on <= CARRIED_FOR
    ]


def gate(bought_from_us: bool, verdicts: Iterable[Verdict], day: date) -> tuple[Gate, Verdict | None]:
    """Whether a device may enter a contract on a day, and the verdict that says so: the newest one up to that day.

    A device bought from us needs none. A revoked verdict lets nothing in from the day it was revoked on. The
    database's function `may_enter_contract` says the same.
    """
    if bought_from_us:
        return Gate.OPEN, None
    until_then = (verdict for verdict in verdicts if verdict.inspected_on <= day)
    newest = max(until_then, key=lambda verdict: verdict.inspected_on, default=None)
    if newest is None:
        return Gate.MISSING, None
    if newest.outcome not in OPENS_GATE:
        return Gate.REFUSED, newest
    if newest.revoked_on is not None and newest.revoked_on <= day:
        return Gate.REVOKED, newest
    return Gate.OPEN, newest


def device_state(facts: DeviceFacts) -> DeviceState:
    """The first that fits: retired, in a contract, under inspection, eligible (bought from us, or with a valid
    acceptance), else proposed."""
    if facts.retired:
        return DeviceState.RETIRED
    if facts.in_contract:
        return DeviceState.IN_CONTRACT
    if facts.inspecting:
        return DeviceState.UNDER_INSPECTION
    if facts.bought_from_us or facts.gate_open:
        return DeviceState.ELIGIBLE
    return DeviceState.PROPOSED
