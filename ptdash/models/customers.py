"""Customers, and the row that postings and writers lock."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("vat_decision IN ('standard', 'reverse_charge')", name="vat_decision"),
        CheckConstraint("(vat_decision IS NULL) = (vat_reason IS NULL)", name="vat_reason"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("invoice_format IN ('zugferd', 'xrechnung')", name="invoice_format"),
        CheckConstraint("invoice_format = 'zugferd' OR routing_id <> ''", name="routing_id"),
        Index("ix_customers_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(index=True)
    contact: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    street: Mapped[str] = mapped_column(server_default="")
    postal_code: Mapped[str] = mapped_column(server_default="")
    city: Mapped[str] = mapped_column(server_default="")
    country: Mapped[str] = mapped_column(server_default="DE")
    vat_id: Mapped[str] = mapped_column(server_default="")
    is_consumer: Mapped[bool] = mapped_column(server_default="false")
    vat_decision: Mapped[str | None]
    vat_reason: Mapped[str | None]
    invoice_format: Mapped[str] = mapped_column(server_default="zugferd")
    routing_id: Mapped[str] = mapped_column(server_default="")
    wants_xml: Mapped[bool] = mapped_column(server_default="false")
    search: Mapped[str] = mapped_column(Computed("fold(number || ' ' || name || ' ' || city)", persisted=True))


class CustomerBook(Base):
    """Locked, never updated: shared by whoever writes a billable fact, exclusively by a posting."""

    __tablename__ = "customer_books"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


class Contact(Base):
    """A person at a customer. Left contacts stay for the tickets they opened."""

    __tablename__ = "contacts"
    __table_args__ = (CheckConstraint("btrim(name) <> ''", name="name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    role: Mapped[str] = mapped_column(server_default="")
    active: Mapped[bool] = mapped_column(server_default="true")


class CustomerNote(Base):
    """What colleagues should know about a customer."""

    __tablename__ = "customer_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str]
    at: Mapped[datetime]
