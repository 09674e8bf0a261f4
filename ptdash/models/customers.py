"""Customers, and the row that postings and writers lock."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("vat_decision IN ('standard', 'reverse_charge')", name="vat_decision"),
        CheckConstraint("(vat_decision IS NULL) = (vat_reason IS NULL)", name="vat_reason"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
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


class CustomerBook(Base):
    """Locked, never updated: shared by whoever writes a billable fact, exclusively by a posting."""

    __tablename__ = "customer_books"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
