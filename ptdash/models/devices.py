"""Devices, what runs on them, and their acceptance."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
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
    purchased_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    guarantee_until: Mapped[date | None]
    active_station: Mapped[bool] = mapped_column(server_default="false")


class DeviceProduct(Base):
    __tablename__ = "device_products"
    __table_args__ = (
        UniqueConstraint("device_id", "product"),
        CheckConstraint("source IN ('ours', 'foreign')", name="source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    product: Mapped[str]
    vendor: Mapped[str] = mapped_column(server_default="")
    version: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]


class Acceptance(Base):
    """A signed acceptance of a device; the gate for devices that were not bought from us."""

    __tablename__ = "acceptances"
    __table_args__ = (
        UniqueConstraint("device_id", "inspected_on"),
        CheckConstraint("outcome IN ('accepted', 'accepted_with_reservations', 'refused')", name="outcome"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    inspected_on: Mapped[date]
    outcome: Mapped[str]
    inspector_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(server_default="")
