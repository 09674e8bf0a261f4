"""The rollout in words: states, reasons, refusals."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask_babel import gettext, lazy_gettext

from ptdash.blueprints.devices.words import contract_url, ticket_url
from ptdash.blueprints.updates.cells import said
from ptdash.domain.errors import DomainError
from ptdash.domain.rollout import TaskStatus, Why
from ptdash.services.rollout.acknowledging import version
from ptdash.services.rollout.reading import Line
from ptdash.web import formats
from ptdash.web.formats import day, instant, language, month

# Word, and the shape of its mark.
STATES = {
    TaskStatus.PLANNED: (lazy_gettext("Planned"), "plan"),
    TaskStatus.INSTALLED: (lazy_gettext("Installed"), "work"),
    TaskStatus.REBOOT_PENDING: (lazy_gettext("Reboot pending"), "wait"),
    TaskStatus.VERIFIED: (lazy_gettext("Verified"), "done"),
    TaskStatus.FAILED: (lazy_gettext("Installation failed"), "bad"),
    TaskStatus.SKIPPED: (lazy_gettext("Skipped"), "plan"),
    TaskStatus.MISSED: (lazy_gettext("Missed"), "wait"),
    TaskStatus.NOT_APPLICABLE: (lazy_gettext("Not applicable"), "plan"),
    TaskStatus.ROLLED_BACK: (lazy_gettext("Rolled back"), "bad"),
}
# What a deviation is called on its button, and its colour.
CHOICES = {
    TaskStatus.PLANNED: (lazy_gettext("Try again in this window"), "ok"),
    TaskStatus.REBOOT_PENDING: (lazy_gettext("Reboot pending"), "warn"),
    TaskStatus.FAILED: (lazy_gettext("Installation failed"), "bad"),
    TaskStatus.SKIPPED: (lazy_gettext("Skipped"), "warn"),
    TaskStatus.MISSED: (lazy_gettext("Missed"), "warn"),
    TaskStatus.NOT_APPLICABLE: (lazy_gettext("Not applicable"), "na"),
    TaskStatus.ROLLED_BACK: (lazy_gettext("Rolled back"), "bad"),
    TaskStatus.INSTALLED: (lazy_gettext("Installed, as an emergency"), "bad"),
}
REASONS = {
    Why.WINDOW_OVER: lazy_gettext("left open when the window closed"),
    Why.NOT_COVERED: lazy_gettext("the device is not covered by the contract any more"),
}


def state_word(status: TaskStatus | str) -> str:
    return str(STATES[TaskStatus(status)][0])


def reason_word(reason: str) -> str:
    """A reason as a person gave it, or the house's own in the language of the page."""
    return str(REASONS[Why(reason)]) if reason in set(Why) else reason


def line_state(line: Line) -> tuple[str, str]:
    """Word and shape of a line; what was stopped says so."""
    if line.stopped:
        return gettext("Stopped"), "bad"
    return _in_words(line.status, language())


@lru_cache
def _in_words(status: TaskStatus, _spoken: str) -> tuple[str, str]:
    """Remembered: a day says them thousands of times, and each look-up costs more than the word."""
    word, shape = STATES[status]
    return str(word), shape


def sentence(error: DomainError) -> str:
    """A refusal in the language of the page, its days and states as people write them."""
    return formats.sentence(error, _word)


def _word(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return month(value) if name == "month" else day(value)
    if isinstance(value, (tuple, list)):
        return ", ".join(str(_word(name, one)) for one in value)
    if name in ("old", "new"):
        return state_word(str(value))
    return reason_word(value) if name == "why" and isinstance(value, str) else value


WORDS: dict[str, Any] = {
    "states": STATES,
    "choices_of": CHOICES,
    "state_word": state_word,
    "reason_word": reason_word,
    "line_state": line_state,
    "said": said,
    "procedure_version": version,
    "contract_url": contract_url,
    "ticket_url": ticket_url,
    "S": TaskStatus,
}
