"""Time worked on tickets, the material they used, and how far a package's minutes are drawn."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base

MINUTES_ELAPSED = "ceil(extract(epoch FROM ended_at - started_at) / 60)::int"
MONTH_OF_START = "date_trunc('month', started_at AT TIME ZONE 'Europe/Berlin')::date"


class TimeEntry(Base):
    """Work on a ticket. Its minutes and its month are computed by the database from its instants;
    `posting_n` is stamped by a trigger: the posting of that customer's month that will take it.

    Without an end it is a running timer; `confirmed_at` is when its owner last said that it still runs."""

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
    confirmed_at: Mapped[datetime | None]
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


class MinuteAlert(Base):
    """A package's month reached 80 or 100 % of its included minutes: recorded once each.

    `fell_below_at` is set while a correction has brought the use below it again.
    """

    __tablename__ = "minute_alerts"
    __table_args__ = (
        CheckConstraint("level IN (80, 100)", name="level"),
        CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by_id IS NULL)", name="acknowledged"),
        Index("ix_minute_alerts_customer", "month", "customer_id"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    used_minutes: Mapped[int]
    included_minutes: Mapped[int]
    crossed_at: Mapped[datetime]
    fell_below_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
