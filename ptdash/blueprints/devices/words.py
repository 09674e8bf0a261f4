"""What devices and acceptances are called on screen."""

from typing import Any

from flask import current_app, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user

from ptdash.domain.acceptance import DeviceState, Gate, ItemState, Outcome, Section
from ptdash.domain.terms import ONE_DAY
from ptdash.services.acceptances.worklist import Stage
from ptdash.web.access import declared

TYPES = {
    "notebook": lazy_gettext("Notebook"),
    "desktop": lazy_gettext("Workstation"),
    "server": lazy_gettext("Server"),
    "printer": lazy_gettext("Printer"),
    "firewall": lazy_gettext("Firewall"),
    "nas": lazy_gettext("NAS"),
    "switch": lazy_gettext("Switch"),
    "access_point": lazy_gettext("Access point"),
    "smartphone": lazy_gettext("Smartphone"),
    "tablet": lazy_gettext("Tablet"),
    "handscanner": lazy_gettext("Hand scanner"),
    "ups": lazy_gettext("UPS"),
    "other": lazy_gettext("Other device"),
}
GENERAL = lazy_gettext("General, for all other types")
ICONS = {
    "notebook": "nb",
    "desktop": "pc",
    "server": "srv",
    "nas": "srv",
    "printer": "prn",
    "firewall": "wall",
}
STATES = {
    DeviceState.PROPOSED: (lazy_gettext("Acceptance missing"), "wait"),
    DeviceState.UNDER_INSPECTION: (lazy_gettext("Under inspection"), "work"),
    DeviceState.ELIGIBLE: (lazy_gettext("Eligible"), "plan"),
    DeviceState.IN_CONTRACT: (lazy_gettext("In contract"), "done"),
    DeviceState.RETIRED: (lazy_gettext("Retired"), "bad"),
}
STAGES = {
    Stage.REVOKED: lazy_gettext("Revoked and still in a contract"),
    Stage.WAITING: lazy_gettext("Waiting for acceptance"),
    Stage.INSPECTING: lazy_gettext("Under inspection"),
    Stage.REMEDIATION: lazy_gettext("Remediation"),
    Stage.READY: lazy_gettext("Accepted, not yet in the contract"),
}
SECTIONS = {
    Section.HARDWARE: lazy_gettext("Hardware"),
    Section.SYSTEM: lazy_gettext("System"),
    Section.SECURITY: lazy_gettext("Security"),
    Section.HANDOVER: lazy_gettext("Handover"),
}
ITEM_STATES = {
    ItemState.OPEN: lazy_gettext("still open"),
    ItemState.PASSED: lazy_gettext("passed"),
    ItemState.FAILED: lazy_gettext("not passed"),
    ItemState.NOT_APPLICABLE: lazy_gettext("not applicable"),
}
OUTCOMES = {
    Outcome.ACCEPTED: (lazy_gettext("Accepted"), "done", "ok"),
    Outcome.WITH_RESERVATIONS: (lazy_gettext("With reservations"), "wait", "warn"),
    Outcome.REFUSED: (lazy_gettext("Refused"), "bad", "danger"),
}
GATES = {
    Gate.OPEN: lazy_gettext("may enter a contract"),
    Gate.MISSING: lazy_gettext("not without an acceptance"),
    Gate.REFUSED: lazy_gettext("not after a refusal"),
    Gate.REVOKED: lazy_gettext("not since the acceptance was revoked"),
}
EVENTS = {
    "plan": lazy_gettext("Inspection planned"),
    "start": lazy_gettext("Inspection started"),
    "answer": lazy_gettext("%(item)s: %(state)s"),
    "reopen": lazy_gettext("%(item)s: open again"),
    "attach": lazy_gettext("Photo or file for %(item)s"),
    "detach": lazy_gettext("Photo or file of %(item)s removed"),
    "remedy": lazy_gettext("Remedied: %(item)s"),
    "sign": lazy_gettext("Signed: %(state)s"),
}


def type_name(name: str) -> str:
    """A type as people call it; an imported one by its own word."""
    return str(GENERAL if name == "general" else TYPES.get(name, name))


def icon_of(name: str) -> str:
    return ICONS.get(name, "box")


def event_text(action: str, item: str | None, state: str | None) -> str:
    words: dict[str, Any] = {str(name): label for name, label in ITEM_STATES.items()}
    words |= {str(name): label for name, (label, _, _) in OUTCOMES.items()}
    text = EVENTS.get(action)
    return str(text) % {"item": item or "", "state": words.get(state or "", "")} if text else action


def contract_url(number: str) -> str | None:
    """The page of a contract, for whom may open it."""
    if "contracts.show" not in current_app.view_functions:
        return None
    may_open = current_user.role in (declared(current_app, "contracts.show") or ())
    return url_for("contracts.show", number=number) if may_open else None


def ticket_url(number: str) -> str | None:
    """The page of a ticket, where there is one."""
    return url_for("tickets.show", number=number) if "tickets.show" in current_app.view_functions else None


def bought_from(device: Any) -> str:
    """`Fachmarkt, 03/2026`."""
    where = gettext("us") if device.purchased_from_us else device.purchased_from or gettext("another dealer")
    return f"{where}, {device.purchased_on:%m/%Y}" if device.purchased_on else where


WORDS: dict[str, Any] = {
    "type_name": type_name,
    "icon_of": icon_of,
    "device_states": STATES,
    "stages": STAGES,
    "sections": SECTIONS,
    "item_states": ITEM_STATES,
    "outcomes": OUTCOMES,
    "gates": GATES,
    "event_text": event_text,
    "contract_url": contract_url,
    "ticket_url": ticket_url,
    "one_day": ONE_DAY,
    "bought_from": bought_from,
}
