"""Acceptances: checklists by type of device, inspections by them, and the verdict that opens a contract's gate."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Acceptance(Base):
    """A device's verdict of a day; the gate for devices that were not bought from us. Of an inspection that was
    signed here, or imported. A revoked one lets nothing in from that day on."""

    __tablename__ = "acceptances"
    __table_args__ = (
        UniqueConstraint("device_id", "inspected_on"),
        CheckConstraint("outcome IN ('accepted', 'accepted_with_reservations', 'refused')", name="outcome"),
        CheckConstraint("(revoked_on IS NULL) = (revoke_reason IS NULL)", name="revoke_reason"),
        CheckConstraint("revoked_on >= inspected_on", name="revoked_after"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    inspected_on: Mapped[date]
    outcome: Mapped[str]
    inspector_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(server_default="")
    inspection_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id"), unique=True)
    revoked_on: Mapped[date | None]
    revoke_reason: Mapped[str | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ChecklistTemplate(Base):
    """One version of the checklist of a type of device; a change is a new version. Written once."""

    __tablename__ = "checklist_templates"
    __table_args__ = (UniqueConstraint("device_type", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_type: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ChecklistItem(Base):
    __tablename__ = "checklist_items"
    __table_args__ = (
        CheckConstraint("section IN ('hardware', 'system', 'security', 'handover')", name="section"),
        CheckConstraint("btrim(text) <> ''", name="text"),
    )

    template_id: Mapped[int] = mapped_column(ForeignKey("checklist_templates.id"), primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    section: Mapped[str]
    text: Mapped[str]
    hint: Mapped[str] = mapped_column(server_default="")


class Inspection(Base):
    """An acceptance in the making: it keeps the version of the checklist it began with. Planned until it is
    started, written once from its signature on. A re-inspection continues the refused one."""

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint("outcome IN ('accepted', 'accepted_with_reservations', 'refused')", name="outcome"),
        CheckConstraint(
            "(signed_at IS NULL) = (outcome IS NULL) AND (signed_at IS NULL) = (signed_by_id IS NULL)",
            name="signed",
        ),
        CheckConstraint("signed_at IS NULL OR started_at IS NOT NULL", name="started"),
        CheckConstraint("signed_at IS NULL OR btrim(signed_name) <> ''", name="signed_name"),
        Index("uq_inspections_unsigned", "device_id", unique=True, postgresql_where=text("signed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    template_id: Mapped[int | None] = mapped_column(ForeignKey("checklist_templates.id"))
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id"), unique=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    scheduled_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    signed_name: Mapped[str] = mapped_column(server_default="")
    outcome: Mapped[str | None]
    note: Mapped[str] = mapped_column(server_default="")


class InspectionResult(Base):
    """What was found for one item; a remedied fault waits for its re-inspection. `carried_from_id` is the
    inspection whose passed item was taken over, with its day and name."""

    __tablename__ = "inspection_results"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'passed', 'failed', 'not_applicable')", name="state"),
        CheckConstraint("state NOT IN ('failed', 'not_applicable') OR btrim(note) <> ''", name="note"),
        CheckConstraint("(remedied_at IS NULL) = (remedied_by_id IS NULL)", name="remedied"),
        CheckConstraint("remedied_at IS NULL OR state = 'failed'", name="remedied_fault"),
    )

    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="open")
    note: Mapped[str] = mapped_column(server_default="")
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    carried_from_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id"))
    remedied_at: Mapped[datetime | None]
    remedied_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    remedy: Mapped[str] = mapped_column(server_default="")


class InspectionFile(Base):
    """A photo or file of one item."""

    __tablename__ = "inspection_files"
    __table_args__ = (
        ForeignKeyConstraint(
            ["inspection_id", "pos"], ["inspection_results.inspection_id", "inspection_results.pos"]
        ),
    )

    inspection_id: Mapped[int] = mapped_column(primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)
