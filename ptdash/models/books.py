"""The books: periods, runs, postings, settlements, issued invoices and their numbers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ptdash.db import Base


class Books(Base):
    """One row. Locked shared by whoever writes a price, exclusively by a run that begins."""

    __tablename__ = "books"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    begins_on: Mapped[date | None]


class Period(Base):
    """A month whose close has begun; a month without a row is open."""

    __tablename__ = "periods"
    __table_args__ = (CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),)

    month: Mapped[date] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]


class Run(Base):
    """An order: to post a month, to bill one customer's month alone, or to cancel an invoice.

    It keeps its business day; resuming keeps the old one.
    """

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("kind IN ('month', 'customer', 'storno')", name="kind"),
        CheckConstraint("(kind = 'month') = (customer_id IS NULL)", name="customer"),
        CheckConstraint("(kind = 'storno') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("(released_at IS NULL) = (released_by_id IS NULL)", name="released"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(ForeignKey("periods.month"), index=True)
    business_day: Mapped[date]
    ordered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(server_default="month")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    reason: Mapped[str | None]
    ordered_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    enqueued_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class CustomerMonth(Base):
    """A customer's month in a begun period: open until posted or set aside; parked with a reason."""

    __tablename__ = "customer_months"
    __table_args__ = (
        Index("ix_customer_months_run", "run_id", "customer_id"),
        CheckConstraint("park_code IS NULL OR set_aside_reason IS NULL", name="parked_or_set_aside"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    month: Mapped[date] = mapped_column(ForeignKey("periods.month"), primary_key=True, index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    park_code: Mapped[str | None]
    park_params: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    set_aside_reason: Mapped[str | None]


class Invoice(Base):
    """Issued; the database refuses any change. Buyer and seller are copies of that day."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("customer_id", "period", "kind", "revision"),
        CheckConstraint("kind IN ('bill', 'storno')", name="kind"),
        CheckConstraint("(kind = 'storno') = (cancels_id IS NOT NULL)", name="cancels"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="gross"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("series_year = extract(year FROM issued_on)::int", name="series_year"),
        CheckConstraint(
            "number = 'RE-' || series_year || '-' || "
            "lpad(series_number::text, greatest(5, length(series_number::text)), '0')",
            name="number",
        ),
        UniqueConstraint("series_year", "series_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    series_year: Mapped[int]
    series_number: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    period: Mapped[date] = mapped_column(ForeignKey("periods.month"), index=True)
    kind: Mapped[str]
    revision: Mapped[int]
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    issued_on: Mapped[date]
    due_on: Mapped[date]
    seller: Mapped[dict[str, Any]] = mapped_column(JSONB)
    buyer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]

    lines: Mapped[list["InvoiceLine"]] = relationship(lazy="raise", order_by="InvoiceLine.pos")


class InvoiceLine(Base):
    __tablename__ = "invoice_lines"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('package_fee', 'overage', 'separate', 'maintenance_fee', 'device_fee', 'material', "
            "'adjustment', 'cancellation')",
            name="kind",
        ),
        CheckConstraint("vat_category IN ('S', 'AE')", name="vat_category"),
        CheckConstraint("vat_category = 'S' OR vat_rate = 0", name="reverse_charge_rate"),
        CheckConstraint("net_cents = round(quantity * unit_price * 100)", name="net"),
    )

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    service_month: Mapped[date]
    kind: Mapped[str]
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"))
    description: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    unit: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    net_cents: Mapped[int]
    vat_category: Mapped[str]
    vat_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    service_from: Mapped[date]
    service_until: Mapped[date]
    explanation: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Posting(Base):
    """The n-th time a customer's month was taken; what it took never changes.

    `owed_cents` is what the month owed by its facts (net), `separate_minutes` what of it was billed separately;
    VAT is that of the first bill, empty while the month never had a line.
    """

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("(vat_category IS NULL) = (vat_rate IS NULL)", name="vat"),
        Index("ix_postings_run", "run_id", "customer_id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    month: Mapped[date] = mapped_column(ForeignKey("periods.month"), primary_key=True, index=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    # Checked at the end of the transaction: the invoice with its number is written last.
    invoice_id: Mapped[int | None] = mapped_column(
        ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"), index=True
    )
    owed_cents: Mapped[int] = mapped_column(server_default="0")
    separate_minutes: Mapped[int] = mapped_column(server_default="0")
    vat_category: Mapped[str | None]
    vat_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))


class StaleCustomer(Base):
    """A customer whose contracts or devices began or ended otherwise than its postings knew, since this month."""

    __tablename__ = "stale_customers"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    since: Mapped[date]


class Settlement(Base):
    """One support contract's minutes of one month, as posted; the newest n counts."""

    __tablename__ = "settlements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "month", "n"], ["postings.customer_id", "postings.month", "postings.n"]
        ),
        CheckConstraint("used_minutes = covered_minutes + overage_minutes", name="used"),
        CheckConstraint("included_minutes = covered_minutes + expired_minutes", name="included"),
        CheckConstraint("covered_minutes = least(used_minutes, included_minutes)", name="covered"),
        CheckConstraint("used_minutes >= 0 AND included_minutes >= 0", name="not_negative"),
        CheckConstraint("overage_cents = round(overage_minutes * overage_rate * 100)", name="overage_cents"),
        CheckConstraint("base_cents = round(package_price * 100 * covered_days / month_days)", name="base_cents"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int]
    package: Mapped[str]
    package_price: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    overage_rate: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    covered_from: Mapped[date]
    covered_days: Mapped[int]
    month_days: Mapped[int]
    included_minutes: Mapped[int]
    used_minutes: Mapped[int]
    covered_minutes: Mapped[int]
    overage_minutes: Mapped[int]
    expired_minutes: Mapped[int]
    base_cents: Mapped[int]
    overage_cents: Mapped[int]


class NumberSeries(Base):
    """The last invoice number given in a calendar year; locked last, held briefly."""

    __tablename__ = "number_series"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
