"""Tickets, the time worked on them, and the material they used."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base

STATUSES = (
    "'new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor', "
    "'resolved', 'closed', 'merged'"
)
MINUTES_ELAPSED = "ceil(extract(epoch FROM ended_at - started_at) / 60)::int"
MONTH_OF_START = "date_trunc('month', started_at AT TIME ZONE 'Europe/Berlin')::date"


class Ticket(Base):
    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("channel IN ('phone', 'email', 'portal')", name="channel"),
        CheckConstraint("category IN ('hardware', 'software')", name="category"),
        CheckConstraint("concern IN ('question', 'defect', 'swap', 'upkeep')", name="concern"),
        CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint(f"status IN ({STATUSES})", name="status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
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
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class TimeEntry(Base):
    """Work on a ticket. Its minutes and its month are computed by the database from its instants;
    `posting_n` is stamped by a trigger: the posting of that customer's month that will take it."""

    __tablename__ = "time_entries"
    __table_args__ = (
        CheckConstraint(
            "treatment IN ('package', 'maintenance', 'warranty', 'separate', 'goodwill')", name="treatment"
        ),
        CheckConstraint("treatment <> 'goodwill' OR btrim(note) <> ''", name="goodwill_reason"),
        CheckConstraint("ended_at > started_at", name="ends_after_start"),
        Index("ix_time_entries_customer_month", "customer_id", "service_month"),
        Index(
            "ix_time_entries_reversals",
            "customer_id",
            "service_month",
            postgresql_include=["reverses_id"],
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
        Index("ix_time_entries_late", "customer_id", postgresql_where=text("posting_n > 1")),
        Index(
            "uq_time_entries_running_timer",
            "technician_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    minutes: Mapped[int | None] = mapped_column(Computed(MINUTES_ELAPSED, persisted=True))
    treatment: Mapped[str | None]
    note: Mapped[str] = mapped_column(server_default="")
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("time_entries.id"), unique=True)
    service_month: Mapped[date] = mapped_column(Computed(MONTH_OF_START, persisted=True))
    posting_n: Mapped[int] = mapped_column(server_default="0")


class Material(Base):
    __tablename__ = "materials"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("net >= 0 OR btrim(reason) <> ''", name="credit_reason"),
        Index("ix_materials_customer_month", "customer_id", "service_month"),
        Index("ix_materials_late", "customer_id", postgresql_where=text("posting_n > 1")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    day: Mapped[date]
    description: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    net: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    reason: Mapped[str] = mapped_column(server_default="")
    service_month: Mapped[date] = mapped_column(
        Computed("date_trunc('month', day::timestamp)::date", persisted=True)
    )
    posting_n: Mapped[int] = mapped_column(server_default="0")
