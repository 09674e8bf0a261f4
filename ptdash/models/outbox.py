"""Messages to people: written in the transaction that causes them, delivered from here."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class OutboxMessage(Base):
    """`once` names what the message is about, so that it is written once. `held` waits for a person or an address,
    `waiting` for its delivery; `unclear` may have arrived and is sent again by a person only: as a message of its
    own that names it in `resends_id`. The message about an invoice carries that invoice's documents.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        CheckConstraint(
            "state IN ('held', 'waiting', 'sending', 'sent', 'unclear', 'refused', 'cancelled')", name="state"
        ),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint("(bounced_at IS NULL) = (bounce = '')", name="bounce"),
        Index("ix_outbox_messages_due", "id", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_outbox_messages_held", "id", postgresql_where=text("state = 'held'")),
        Index(
            "uq_outbox_messages_invoice", "invoice_id", unique=True, postgresql_where=text("resends_id IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    once: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    resends_id: Mapped[int | None] = mapped_column(ForeignKey("outbox_messages.id"))
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    message_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="waiting")
    why: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    next_try_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    bounce: Mapped[str] = mapped_column(server_default="")


class OutboxFile(Base):
    __tablename__ = "outbox_files"

    message_id: Mapped[int] = mapped_column(ForeignKey("outbox_messages.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)


class DeliveryAttempt(Base):
    """One try to deliver a message. `data_at` is written, and committed, before DATA is said: at most one attempt
    a message ever gets that far. `reply` is what the server said last; `ended_at` empty: under way, or it died."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        UniqueConstraint("message_id", "n"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("outcome IN ('sent', 'not_sent', 'refused', 'unclear')", name="outcome"),
        CheckConstraint("outcome IS DISTINCT FROM 'sent' OR data_at IS NOT NULL", name="sent_by_data"),
        Index(
            "uq_delivery_attempts_data", "message_id", unique=True, postgresql_where=text("data_at IS NOT NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("outbox_messages.id"))
    n: Mapped[int]
    started_at: Mapped[datetime]
    data_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    reply: Mapped[str] = mapped_column(server_default="")
