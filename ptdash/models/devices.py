"""Devices, what runs on them, and which contract waits for them."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, FetchedValue, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Device(Base):
    __tablename__ = "devices"
    __table_args__ = (
        Index(
            "uq_devices_serial",
            "manufacturer",
            "serial_number",
            unique=True,
            postgresql_where="serial_number <> ''",
        ),
        Index("ix_devices_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inventory_number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    type: Mapped[str]
    name: Mapped[str]
    manufacturer: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str] = mapped_column(server_default="")
    serial_number: Mapped[str] = mapped_column(server_default="")
    purchased_from_us: Mapped[bool]
    purchased_from: Mapped[str] = mapped_column(server_default="")
    purchased_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    guarantee_until: Mapped[date | None]
    active_station: Mapped[bool] = mapped_column(server_default="false")
    retired_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(server_default="")
    search: Mapped[str] = mapped_column(
        Computed(
            "fold(inventory_number || ' ' || name || ' ' || manufacturer || ' ' || model || ' ' || serial_number)",
            persisted=True,
        )
    )


class DeviceProduct(Base):
    __tablename__ = "device_products"
    __table_args__ = (
        UniqueConstraint("device_id", "product"),
        CheckConstraint("source IN ('ours', 'foreign')", name="source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    product: Mapped[str]
    # Set by the database: the catalogue's product of this name.
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True, server_default=FetchedValue())
    vendor: Mapped[str] = mapped_column(server_default="")
    version: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]


class DeviceProposal(Base):
    """A device that shall enter a contract as soon as it may: its fee rests until then."""

    __tablename__ = "device_proposals"
    __table_args__ = (CheckConstraint("monthly_fee >= 0", name="monthly_fee"),)

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    monthly_fee: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    proposed_at: Mapped[datetime]
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
