"""Where a page leads after something was done to a ticket."""

from flask import url_for
from flask_login import current_user

from ptdash.models import Role


def ticket_or_queue(number: str, assignee_id: int | None) -> str:
    """The ticket; a technician whose ticket it is not any more goes on in the queue."""
    if current_user.role == Role.TECHNICIAN and assignee_id not in (None, current_user.id):
        return url_for("tickets.queue")
    return url_for("tickets.show", number=number)
