"""Dispatch of invoices: an e-mail goes once a manager has released the result and the PDF is there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, func, select, true, update
from sqlalchemy.orm import Session

from ptdash.models import Customer, Invoice, InvoicePdf, OutboxMessage, Run
from ptdash.services import audit
from ptdash.services.bulk import among
from ptdash.services.outbox import State, Why


def let_go(session: Session, *, now: datetime, invoice_ids: Collection[int] | None = None) -> int:
    """Let the messages of invoices (or of some) that nothing holds any more wait for their delivery; how many.

    What is still held says what it waits for next: the release, the PDF, an address. A missing address is taken
    from the customer as it is today.
    """
    address = case((OutboxMessage.recipient != "", OutboxMessage.recipient), else_=func.btrim(Customer.email))
    has_pdf = select(InvoicePdf.invoice_id).where(InvoicePdf.invoice_id == Invoice.id).exists()
    waits_for = case(
        (Run.released_at.is_(None), Why.NOT_RELEASED.value),
        (~has_pdf, Why.NO_DOCUMENT.value),
        (address == "", Why.NO_ADDRESS.value),
        else_="",
    )
    held = (
        select(OutboxMessage.id, waits_for.label("why"), address.label("recipient"))
        .join(Invoice, Invoice.id == OutboxMessage.invoice_id)
        .join(Run, Run.id == Invoice.run_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(OutboxMessage.state == State.HELD, OutboxMessage.why != waits_for)
        .where(true() if invoice_ids is None else among(OutboxMessage.invoice_id, list(invoice_ids)))
        .order_by(OutboxMessage.id)
        .with_for_update(of=OutboxMessage, skip_locked=True)
        .cte("held")
    )
    changed = (
        update(OutboxMessage)
        .where(OutboxMessage.id == held.c.id)
        .values(
            why=held.c.why,
            recipient=case((held.c.why == "", held.c.recipient), else_=OutboxMessage.recipient),
            state=case((held.c.why == "", State.WAITING.value), else_=State.HELD.value),
        )
        .returning(OutboxMessage.id, OutboxMessage.state)
        .execution_options(synchronize_session=False)
    )
    free = sorted(row.id for row in session.execute(changed).all() if row.state == State.WAITING)
    if free:
        after = {"messages": len(free), "first": free[0], "last": free[-1]}
        audit.record(session, "let_go", "message", free[0], actor_id=None, now=now, after=after)
    return len(free)
