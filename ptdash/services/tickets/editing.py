"""Editing a ticket's fields in a form, beside colleagues who do the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ptdash.domain.tickets import Status
from ptdash.models import Ticket
from ptdash.services.tickets.changing import StaleEdit, change, changes_since, lock, refuse_unassignable
from ptdash.services.tickets.creating import SubjectMissing, refuse_foreign
from ptdash.services.tickets.threads import TicketMerged


def edit(
    session: Session,
    ticket_id: int,
    values: Mapping[str, Any],
    *,
    actor_id: int | None,
    now: datetime,
    version: int,
) -> Ticket:
    """Set what a form holds; `version` is the one that it showed.

    Raises NotFound, TicketMerged, SubjectMissing, NotTheCustomers, AssigneeUnknown, StepNotAllowed, and StaleEdit
    where a field of the form was changed meanwhile to something else than the form holds: whoever edits decides.
    """
    ticket = lock(session, ticket_id)
    if ticket.status == Status.MERGED:
        raise TicketMerged()
    if version != ticket.version:
        _refuse_overlap(session, ticket, values, version)
    if not values.get("subject", ticket.subject).strip():
        raise SubjectMissing()
    refuse_foreign(session, ticket.customer_id, values.get("contact_id"), values.get("device_id"))
    assignee_id = values.get("assignee_id")
    if assignee_id is not None and assignee_id != ticket.assignee_id:
        refuse_unassignable(session, assignee_id)
    return change(session, ticket_id, values, actor_id=actor_id, now=now)


def _refuse_overlap(session: Session, ticket: Ticket, values: Mapping[str, Any], version: int) -> None:
    newer = changes_since(session, ticket, version)
    if any(entry.field in values and values[entry.field] != getattr(ticket, entry.field) for entry in newer):
        raise StaleEdit(newer, ticket.version)
