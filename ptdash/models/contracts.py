"""Contracts with what changes over their life: packages, fees, devices, notices."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ptdash.db import Base


class Contract(Base):
    """`ends_before` is set by the transaction that fixed the end, so that overlaps can be excluded."""

    __tablename__ = "contracts"
    __table_args__ = (
        CheckConstraint("kind IN ('support', 'maintenance')", name="kind"),
        CheckConstraint("package IN ('S', 'M', 'L')", name="package"),
        CheckConstraint("(kind = 'support') = (package IS NOT NULL)", name="package_of_support"),
        CheckConstraint("(kind = 'maintenance') = (monthly_fee IS NOT NULL)", name="fee_of_maintenance"),
        CheckConstraint("term_months >= 1 AND notice_months >= 1 AND renewal_months >= 1", name="months"),
        CheckConstraint("monthly_fee >= 0", name="monthly_fee"),
        CheckConstraint("ends_before > starts_on", name="ends_after_start"),
        ExcludeConstraint(
            ("customer_id", "="),
            ("life", "&&"),
            where=text("kind = 'support'"),
            name="ex_contracts_one_support_package",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str]
    package: Mapped[str | None]
    monthly_fee: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    starts_on: Mapped[date]
    term_months: Mapped[int]
    notice_months: Mapped[int]
    renewal_months: Mapped[int | None]
    ends_before: Mapped[date | None]
    active_station_procedure: Mapped[str] = mapped_column(server_default="")
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), unique=True)
    life: Mapped[Range[date]] = mapped_column(
        DATERANGE, Computed("daterange(starts_on, ends_before)", persisted=True)
    )

    package_changes: Mapped[list["PackageChange"]] = relationship(
        lazy="raise", order_by="PackageChange.effective_on"
    )
    fee_changes: Mapped[list["FeeChange"]] = relationship(lazy="raise", order_by="FeeChange.effective_on")
    notices: Mapped[list["ContractNotice"]] = relationship(lazy="raise", order_by="ContractNotice.received_on")
    devices: Mapped[list["ContractDevice"]] = relationship(lazy="raise", order_by="ContractDevice.included_from")


class PackageChange(Base):
    __tablename__ = "package_changes"
    __table_args__ = (CheckConstraint("package IN ('S', 'M', 'L')", name="package"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    effective_on: Mapped[date] = mapped_column(primary_key=True)
    package: Mapped[str]


class FeeChange(Base):
    """A maintenance contract's monthly fee from the first of a month on."""

    __tablename__ = "fee_changes"
    __table_args__ = (
        CheckConstraint("extract(day FROM effective_on) = 1", name="first_of_month"),
        CheckConstraint("monthly_fee >= 0", name="monthly_fee"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    effective_on: Mapped[date] = mapped_column(primary_key=True)
    monthly_fee: Mapped[Decimal] = mapped_column(Numeric(12, 2))


class ContractDevice(Base):
    """A device in a maintenance contract. `included_until` is what a person set (inclusive);
    `ends_before` is what holds: that day, or the contract's end where it comes first."""

    __tablename__ = "contract_devices"
    __table_args__ = (
        UniqueConstraint("contract_id", "device_id", "included_from"),
        CheckConstraint("ends_before > included_from", name="ends_after_start"),
        CheckConstraint("included_until >= included_from", name="until_after_from"),
        CheckConstraint("monthly_fee >= 0", name="monthly_fee"),
        ExcludeConstraint(("device_id", "="), ("life", "&&"), name="ex_contract_devices_one_contract"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    included_from: Mapped[date]
    included_until: Mapped[date | None]
    ends_before: Mapped[date | None]
    monthly_fee: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    life: Mapped[Range[date]] = mapped_column(
        DATERANGE, Computed("daterange(included_from, ends_before)", persisted=True)
    )


class ContractNotice(Base):
    __tablename__ = "contract_notices"
    __table_args__ = (
        UniqueConstraint("contract_id", "received_on"),
        CheckConstraint("kind IN ('ordinary', 'extraordinary')", name="kind"),
        CheckConstraint("(kind = 'extraordinary') = (ends_on IS NOT NULL)", name="ends_on"),
        CheckConstraint("ends_on >= received_on", name="ends_after_receipt"),
        CheckConstraint("withdrawn_on >= received_on", name="withdrawn_after_receipt"),
        CheckConstraint("given_by IN ('customer', 'company')", name="given_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    received_on: Mapped[date]
    kind: Mapped[str]
    ends_on: Mapped[date | None]
    channel: Mapped[str] = mapped_column(server_default="")
    withdrawn_on: Mapped[date | None]
    given_by: Mapped[str] = mapped_column(server_default="customer")
    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    recorded_at: Mapped[datetime | None]


class NoticeFile(Base):
    """The proof of a notice's receipt."""

    __tablename__ = "notice_files"

    notice_id: Mapped[int] = mapped_column(ForeignKey("contract_notices.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)


class SoftwareAgreement(Base):
    """What was individually agreed on for software that was neither bought from nor offered by us."""

    __tablename__ = "software_agreements"
    __table_args__ = (
        UniqueConstraint("contract_id", "product"),
        CheckConstraint("btrim(product) <> ''", name="product"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    product: Mapped[str]
    agreement: Mapped[str] = mapped_column(server_default="")


class ContractDecision(Base):
    """What a manager decided about a contract whose term ends: renewed and changed ones have a successor."""

    __tablename__ = "contract_decisions"
    __table_args__ = (CheckConstraint("decision IN ('renew', 'change', 'let_end')", name="decision"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    term_ends_on: Mapped[date] = mapped_column(primary_key=True)
    decision: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ContractReminder(Base):
    """That managers were reminded so many days before a deadline: once each."""

    __tablename__ = "contract_reminders"
    __table_args__ = (CheckConstraint("days IN (3, 14, 30, 60)", name="days"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    deadline: Mapped[date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    reminded_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
