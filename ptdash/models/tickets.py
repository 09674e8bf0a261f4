"""Tickets: what a customer asked for, what was said about it, and the hours it waited."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Sequence, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base

STATUSES = (
    "'new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor', "
    "'resolved', 'closed', 'merged'"
)
IS_OPEN = "status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor')"

IS_DONE = "status IN ('resolved', 'closed', 'merged')"
# The most pressing first.
RANK = "(CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END)"

# Numbers of tickets are unique, not gapless: those that an import brought are skipped.
ticket_numbers = Sequence("ticket_numbers", start=1001, metadata=Base.metadata)


class Ticket(Base):
    """`due_at` is the instant that counts now: the response deadline until the first reply, then the resolution
    deadline; empty while the clock rests (waiting for the customer, resolved, closed, merged). `deadline_known`
    is false where it has still to be computed. `version` grows with every change of a field."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("channel IN ('phone', 'email', 'portal')", name="channel"),
        CheckConstraint("category IN ('hardware', 'software')", name="category"),
        CheckConstraint("concern IN ('question', 'defect', 'swap', 'upkeep')", name="concern"),
        CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint(f"status IN ({STATUSES})", name="status"),
        CheckConstraint("merged_into_id IS NULL OR status = 'merged'", name="merged_into"),
        CheckConstraint("merged_into_id <> id", name="not_into_itself"),
        Index("ix_tickets_queue", "due_key", "id", postgresql_where=text(IS_OPEN)),
        # What they include is asked beside their order: so the index alone counts what a tab or a filter has.
        *(
            Index(
                f"ix_tickets_open_{name}",
                *map(text, columns),
                postgresql_include=included,
                postgresql_where=text(IS_OPEN),
            )
            for name, columns, included in (
                ("assignee", ("assignee_id", "due_key", "id"), ["customer_id", "status", "priority"]),
                ("customer", ("customer_id", "due_key", "id"), ["assignee_id", "status", "priority"]),
                ("status", ("status", "due_key", "id"), ["assignee_id", "customer_id", "priority"]),
                ("priority", (RANK, "due_key", "id"), ["assignee_id", "customer_id", "status", "priority"]),
                ("created", ("created_at", "id"), []),
                ("updated", ("updated_at", "id"), []),
            )
        ),
        # IS NULL tells the planner nothing about the order of an index that begins with the column.
        Index(
            "ix_tickets_open_nobodys",
            "due_key",
            "id",
            postgresql_include=["customer_id", "status", "priority"],
            postgresql_where=text(f"assignee_id IS NULL AND {IS_OPEN}"),
        ),
        Index("ix_tickets_done", "status", "created_at", "id", postgresql_where=text(IS_DONE)),
        Index("ix_tickets_customer", "customer_id", "created_at", "id"),
        Index(
            "ix_tickets_open_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
            postgresql_where=text(IS_OPEN),
        ),
        Index("ix_tickets_deadline_unknown", "id", postgresql_where=text("NOT deadline_known")),
        Index("ix_tickets_created", "created_at", "id"),
        Index("ix_tickets_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
        Index("ix_tickets_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    channel: Mapped[str]
    category: Mapped[str]
    concern: Mapped[str | None]
    product: Mapped[str] = mapped_column(server_default="")
    subject: Mapped[str]
    body: Mapped[str] = mapped_column(server_default="")
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    status: Mapped[str]
    priority: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    scheduled_at: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    response_due_at: Mapped[datetime | None]
    resolution_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    deadline_known: Mapped[bool] = mapped_column(server_default="false")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    version: Mapped[int] = mapped_column(server_default="1")
    # What the queue is ordered by: without a deadline, last.
    due_key: Mapped[datetime] = mapped_column(
        Computed("coalesce(due_at, '9999-12-31 00:00:00+00'::timestamptz)", persisted=True)
    )
    search: Mapped[str] = mapped_column(
        Computed("fold(number || ' ' || subject || ' ' || product)", persisted=True)
    )


class SearchWord(Base):
    """A word of a ticket's or a customer's search text, learnt by triggers: what is typed wrongly is compared with
    these. It stays when the last text with it goes, and may stand here twice (of two who wrote it at once)."""

    __tablename__ = "search_words"
    __table_args__ = (
        Index("ix_search_words_word", "word", postgresql_using="hash"),
        Index("ix_search_words_alike", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


class TicketPause(Base):
    """A time in which a ticket waited for its customer: its deadlines move on by the business hours in it."""

    __tablename__ = "ticket_pauses"
    __table_args__ = (
        CheckConstraint("ended_at >= started_at", name="ends_after_start"),
        Index("uq_ticket_pauses_running", "ticket_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class TicketMessage(Base):
    """One entry of a ticket's thread: what the customer said (`inbound`), our reply, or a note among us."""

    __tablename__ = "ticket_messages"
    __table_args__ = (
        CheckConstraint("kind IN ('inbound', 'reply', 'note')", name="kind"),
        CheckConstraint("channel IN ('phone', 'email', 'portal')", name="channel"),
        CheckConstraint("kind = 'inbound' OR author_id IS NOT NULL", name="author"),
        Index("ix_ticket_messages_thread", "ticket_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str]
    channel: Mapped[str | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    sender: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str]
    at: Mapped[datetime]


class TicketAttachment(Base):
    """A file that hangs on a ticket, and on the message it came with."""

    __tablename__ = "ticket_attachments"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_messages.id"), index=True)


class BulkChange(Base):
    """A change of many tickets at once: what each was before and its version after, so that it can be undone."""

    __tablename__ = "bulk_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    field: Mapped[str]
    value: Mapped[str | None]
    tickets: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    undone_at: Mapped[datetime | None]
