"""What updates, checks and approvals are called on screen."""

from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from ptdash.blueprints.devices.words import icon_of
from ptdash.domain.acceptance import ItemState
from ptdash.domain.errors import DomainError
from ptdash.domain.matrix import Tab
from ptdash.domain.periods import berlin_day
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.updates import Result, Severity, State, StepRefused
from ptdash.services.updates import entering
from ptdash.services.updates.approving import SuccessorEnded
from ptdash.web.formats import day, sentence

# The word, the shape beside it, and the colour of its tag.
STATES = {
    State.DETECTED: (lazy_gettext("Not tested"), "new", ""),
    State.IN_TEST: (lazy_gettext("In test"), "work", "info"),
    State.APPROVED: (lazy_gettext("Approved"), "done", "ok"),
    State.REJECTED: (lazy_gettext("Rejected"), "bad", "danger"),
    State.DEFERRED: (lazy_gettext("Deferred"), "wait", "warn"),
    State.SUPERSEDED: (lazy_gettext("Superseded"), "plan", ""),
    State.WITHDRAWN: (lazy_gettext("Withdrawn"), "bad", "danger"),
}
SEVERITIES = {
    Severity.CRITICAL: lazy_gettext("Critical"),
    Severity.IMPORTANT: lazy_gettext("Important"),
    Severity.MODERATE: lazy_gettext("Moderate"),
    Severity.LOW: lazy_gettext("Low severity"),
}
RESULTS = {
    Result.PENDING: (lazy_gettext("In test"), "work"),
    Result.PASSED: (lazy_gettext("Test passed"), "done"),
    Result.FAILED: (lazy_gettext("Test failed"), "bad"),
}
TABS = {
    Tab.ALL: lazy_gettext("All updates"),
    Tab.TO_APPROVE: lazy_gettext("Approval open"),
    Tab.TO_TEST: lazy_gettext("To be tested"),
    Tab.ROLLING_OUT: lazy_gettext("In distribution"),
    Tab.FAILED: lazy_gettext("Errors"),
    Tab.DONE: lazy_gettext("Completed"),
}
POINTS = {
    ItemState.OPEN: (lazy_gettext("still open"), "plan"),
    ItemState.PASSED: (lazy_gettext("passed"), "done"),
    ItemState.FAILED: (lazy_gettext("not passed"), "bad"),
    ItemState.NOT_APPLICABLE: (lazy_gettext("not applicable"), "wait"),
}
TASKS = {
    TaskStatus.PLANNED: (lazy_gettext("Planned"), "plan"),
    TaskStatus.INSTALLED: (lazy_gettext("Installed"), "done"),
    TaskStatus.REBOOT_PENDING: (lazy_gettext("Reboot pending"), "wait"),
    TaskStatus.VERIFIED: (lazy_gettext("Verified"), "done"),
    TaskStatus.FAILED: (lazy_gettext("Installation failed"), "bad"),
    TaskStatus.SKIPPED: (lazy_gettext("Skipped"), "wait"),
    TaskStatus.MISSED: (lazy_gettext("Missed"), "wait"),
    TaskStatus.NOT_APPLICABLE: (lazy_gettext("Not applicable"), "plan"),
    TaskStatus.ROLLED_BACK: (lazy_gettext("Rolled back"), "bad"),
}
ORIGINS = {
    "manual": lazy_gettext("entered by hand"),
    "csv": lazy_gettext("from a CSV file"),
    "feed": lazy_gettext("from the vendor's feed"),
}
FIELDS = {
    "vendor": lazy_gettext("Vendor"),
    "title": lazy_gettext("Title"),
    "version": lazy_gettext("Version"),
    "kb_number": lazy_gettext("KB number"),
    "link": lazy_gettext("Link"),
    "description": lazy_gettext("What the update changes"),
    "source": lazy_gettext("Source"),
    "instruction": lazy_gettext("The instruction"),
}
DECISIONS = {
    "approve": lazy_gettext("Approve the update"),
    "reject": lazy_gettext("Reject the update"),
    "defer": lazy_gettext("Defer the update"),
    "withdraw": lazy_gettext("Withdraw the approval"),
    "supersede": lazy_gettext("Supersede the update"),
}
EVENTS = {
    "enter": lazy_gettext("Recorded, version %(version)s"),
    "change": lazy_gettext("Corrected"),
    "start check": lazy_gettext("Check of version %(version)s started"),
    "finish check": lazy_gettext("Check finished: %(result)s"),
    "call off": lazy_gettext("Check called off"),
    "approve": lazy_gettext("Approved"),
    "reject": lazy_gettext("Rejected: %(reason)s"),
    "defer": lazy_gettext("Deferred until %(until)s"),
    "take up": lazy_gettext("Taken up again"),
    "supersede": lazy_gettext("Superseded by version %(by_version)s"),
    "withdraw": lazy_gettext("Withdrawn: %(reason)s"),
    "plan": lazy_gettext("%(tasks)s tasks planned"),
    "stop_rollout": lazy_gettext("%(tasks)s open tasks stopped"),
}


def told(error: DomainError) -> str:
    """A refusal in the language of the page, its states and fields in people's words."""
    params = error.params
    if isinstance(error, StepRefused):
        words = {name: str(STATES[State(value)][0]) for name, value in params.items()}
        return str(gettext(error.message, **words))
    if isinstance(error, SuccessorEnded):
        return str(gettext(error.message, **params | {"state": str(STATES[State(params["state"])][0])}))
    if isinstance(error, entering.FieldTooLong):
        name = params["field"]
        return str(gettext(error.message, **params | {"field": str(FIELDS.get(name, name))}))
    return sentence(error)


def event_text(action: str, after: dict[str, Any]) -> str:
    """What happened, as a person would say it."""
    text = EVENTS.get(action)
    if text is None:
        return action
    values = dict.fromkeys(("version", "result", "reason", "until", "by_version", "tasks"), "") | after
    if after.get("result"):
        values["result"] = str(RESULTS[Result(after["result"])][0])
    if after.get("until"):
        values["until"] = day(date.fromisoformat(after["until"]))
    return str(text) % values


WORDS: dict[str, Any] = {
    "update_states": STATES,
    "severities": SEVERITIES,
    "results": RESULTS,
    "tab_names": TABS,
    "point_states": POINTS,
    "task_states": TASKS,
    "origins": ORIGINS,
    "decision_names": DECISIONS,
    "event_text": event_text,
    "berlin_day": berlin_day,
    "icon_of": icon_of,
}
