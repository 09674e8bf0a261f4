"""What people call the states and kinds of a ticket."""

from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from ptdash.blueprints.tickets import bp
from ptdash.domain.minutes import Treatment
from ptdash.domain.tickets import OPEN_STATUSES, Category, Channel, Concern, Priority, Status

STATUSES: dict[Status, LazyString] = {
    Status.NEW: lazy_gettext("New"),
    Status.OPEN: lazy_gettext("Open"),
    Status.IN_PROGRESS: lazy_gettext("In progress"),
    Status.SCHEDULED: lazy_gettext("Scheduled"),
    Status.WAITING_CUSTOMER: lazy_gettext("Waiting for customer"),
    Status.WAITING_VENDOR: lazy_gettext("Waiting for vendor"),
    Status.RESOLVED: lazy_gettext("Resolved"),
    Status.CLOSED: lazy_gettext("Closed"),
    Status.MERGED: lazy_gettext("Merged"),
}
# The shape beside the word.
SHAPES = {
    Status.NEW: "new",
    Status.OPEN: "new",
    Status.IN_PROGRESS: "work",
    Status.SCHEDULED: "plan",
    Status.WAITING_CUSTOMER: "wait",
    Status.WAITING_VENDOR: "wait",
    Status.RESOLVED: "done",
    Status.CLOSED: "done",
    Status.MERGED: "done",
}
PRIORITIES: dict[Priority, LazyString] = {
    Priority.LOW: lazy_gettext("Low"),
    Priority.NORMAL: lazy_gettext("Normal"),
    Priority.HIGH: lazy_gettext("High"),
    Priority.URGENT: lazy_gettext("Urgent"),
}
CHANNELS: dict[Channel, LazyString] = {
    Channel.PHONE: lazy_gettext("Telephone"),
    Channel.EMAIL: lazy_gettext("E-mail"),
    Channel.PORTAL: lazy_gettext("Portal"),
}
CATEGORIES: dict[Category, LazyString] = {
    Category.SOFTWARE: lazy_gettext("Software"),
    Category.HARDWARE: lazy_gettext("Hardware"),
}
CONCERNS: dict[Concern, LazyString] = {
    Concern.QUESTION: lazy_gettext("Question"),
    Concern.DEFECT: lazy_gettext("Defect"),
    Concern.SWAP: lazy_gettext("Swap"),
    Concern.UPKEEP: lazy_gettext("Upkeep"),
}
TREATMENTS: dict[Treatment, LazyString] = {
    Treatment.PACKAGE: lazy_gettext("Package"),
    Treatment.MAINTENANCE: lazy_gettext("Maintenance"),
    Treatment.WARRANTY: lazy_gettext("Warranty"),
    Treatment.SEPARATE: lazy_gettext("Separate"),
    Treatment.GOODWILL: lazy_gettext("Goodwill"),
}
FIELDS: dict[str, LazyString] = {
    "subject": lazy_gettext("Subject"),
    "status": lazy_gettext("Status"),
    "priority": lazy_gettext("Priority"),
    "assignee_id": lazy_gettext("Assignee"),
    "scheduled_at": lazy_gettext("Scheduled for"),
    "customer_id": lazy_gettext("Customer"),
    "contact_id": lazy_gettext("Contact"),
    "device_id": lazy_gettext("Device"),
    "category": lazy_gettext("Category"),
    "product": lazy_gettext("Product"),
    "concern": lazy_gettext("Concern"),
    "channel": lazy_gettext("Channel"),
    "merged_into_id": lazy_gettext("Merged into"),
    "reason": lazy_gettext("Reason"),
    "sender": lazy_gettext("Caller"),
    "file": lazy_gettext("File"),
    "from": lazy_gettext("Ticket"),
    "minutes_moved": lazy_gettext("Minutes moved along"),
    "minutes_kept": lazy_gettext("Minutes that stay"),
    "materials_moved": lazy_gettext("Material moved along"),
    "materials_kept": lazy_gettext("Material that stays"),
}
ACTIONS: dict[str, LazyString] = {
    "create": lazy_gettext("Ticket taken"),
    "change": lazy_gettext("Changed"),
    "undo": lazy_gettext("Taken back"),
    "reply": lazy_gettext("Reply recorded"),
    "note": lazy_gettext("Internal note written"),
    "inbound": lazy_gettext("Message of the customer recorded"),
    "attach": lazy_gettext("File attached"),
    "merge": lazy_gettext("Took in another ticket"),
    "move": lazy_gettext("Moved to another customer"),
}
VALUES: dict[str, dict[Any, LazyString]] = {
    "status": {**STATUSES},
    "priority": {**PRIORITIES},
    "channel": {**CHANNELS},
    "category": {**CATEGORIES},
    "concern": {**CONCERNS},
}


def word_for(field: str, value: Any) -> str:
    """A field's value as people say it; nothing is a dash."""
    if value is None or value == "":
        return gettext("nobody") if field == "assignee_id" else "–"
    return str(VALUES.get(field, {}).get(value, value))


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "ticket_words": {
            "status": STATUSES,
            "shape": SHAPES,
            "priority": PRIORITIES,
            "channel": CHANNELS,
            "category": CATEGORIES,
            "concern": CONCERNS,
            "treatment": TREATMENTS,
            "open": OPEN_STATUSES,
            "field": FIELDS,
            "action": ACTIONS,
        },
        "ticket_word": word_for,
    }
