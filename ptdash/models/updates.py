"""Vendor updates: the catalogue, our own checks, approvals, and where an update is installed."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, Computed, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Product(Base):
    """What vendors update. Every product that a device runs is in the catalogue: the database adds it."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name"),
        Index("uq_products_key", "key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    vendor: Mapped[str] = mapped_column(server_default="")
    section: Mapped[str] = mapped_column(server_default="")
    offered_by_us: Mapped[bool] = mapped_column(server_default="false")
    key: Mapped[str] = mapped_column(Computed("fold(btrim(name))", persisted=True))


class TestPlan(Base):
    """One version of what is checked before a product's update is approved: a list of sentences. Written once."""

    __tablename__ = "test_plans"
    __table_args__ = (
        UniqueConstraint("product_id", "version"),
        CheckConstraint("cardinality(items) > 0", name="items"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    version: Mapped[int]
    items: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Update(Base):
    """A vendor's update. `changes_n` counts its changes, so that a stale edit is noticed."""

    __tablename__ = "updates"
    __table_args__ = (
        CheckConstraint("severity IN ('critical', 'important', 'moderate', 'low')", name="severity"),
        CheckConstraint(
            "state IN ('detected', 'in_test', 'approved', 'rejected', 'deferred', 'superseded', 'withdrawn')",
            name="state",
        ),
        CheckConstraint("(state = 'deferred') = (deferred_until IS NOT NULL)", name="deferred"),
        CheckConstraint("(state = 'deferred') = (deferred_from IS NOT NULL)", name="deferred_from"),
        CheckConstraint("deferred_from IN ('detected', 'in_test')", name="deferred_from_state"),
        CheckConstraint("(state = 'superseded') = (superseded_by_id IS NOT NULL)", name="superseded"),
        CheckConstraint("superseded_by_id <> id", name="superseded_by_other"),
        CheckConstraint("state NOT IN ('rejected', 'withdrawn') OR btrim(reason) <> ''", name="reason"),
        CheckConstraint("origin IN ('manual', 'csv', 'feed')", name="origin"),
        CheckConstraint("btrim(title) <> '' AND btrim(version) <> ''", name="named"),
        Index("uq_updates_key", "key", unique=True),
        Index("ix_updates_open", "id", postgresql_where=text("state IN ('detected', 'in_test', 'deferred')")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    title: Mapped[str]
    version: Mapped[str]
    kb_number: Mapped[str] = mapped_column(server_default="")
    severity: Mapped[str]
    released_on: Mapped[date]
    link: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="detected")
    reason: Mapped[str] = mapped_column(server_default="")
    deferred_until: Mapped[date | None]
    deferred_from: Mapped[str | None]
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("updates.id"))
    origin: Mapped[str] = mapped_column(server_default="manual")
    changes_n: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(
        Computed(
            "fold(btrim(vendor)) || '|' || fold(coalesce(nullif(btrim(kb_number), ''), btrim(title))) || '|' "
            "|| fold(btrim(version))",
            persisted=True,
        )
    )


class UpdateProduct(Base):
    """Which products an update is for."""

    __tablename__ = "update_products"

    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True, index=True)


class UpdateCheck(Base):
    """Our own check of an update: what version, on what, by whom. It keeps the sentences of its plan; once it is
    finished it is written. A failed one leaves the update in test; another one can follow."""

    __tablename__ = "update_checks"
    __table_args__ = (
        UniqueConstraint("update_id", "n"),
        CheckConstraint("result IN ('pending', 'passed', 'failed')", name="result"),
        CheckConstraint("(result = 'pending') = (finished_at IS NULL)", name="finished"),
        CheckConstraint("result <> 'passed' OR btrim(version) <> ''", name="version"),
        CheckConstraint("result <> 'passed' OR btrim(tested_on) <> ''", name="tested_on"),
        CheckConstraint("result <> 'failed' OR btrim(note) <> ''", name="note"),
        Index("uq_update_checks_pending", "update_id", unique=True, postgresql_where=text("result = 'pending'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"))
    n: Mapped[int]
    version: Mapped[str]
    tested_on: Mapped[str] = mapped_column(server_default="")
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    tester_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(server_default="pending")
    note: Mapped[str] = mapped_column(server_default="")


class UpdateCheckResult(Base):
    __tablename__ = "update_check_results"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'passed', 'failed', 'not_applicable')", name="state"),
        CheckConstraint("state NOT IN ('failed', 'not_applicable') OR btrim(note) <> ''", name="note"),
    )

    check_id: Mapped[int] = mapped_column(ForeignKey("update_checks.id"), primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    note: Mapped[str] = mapped_column(server_default="")


class UpdateCheckFile(Base):
    """A screenshot or log that proves a check."""

    __tablename__ = "update_check_files"

    check_id: Mapped[int] = mapped_column(ForeignKey("update_checks.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)


class UpdateApproval(Base):
    """That an update may be installed, from `approved_at` until `ended_at`: withdrawn with a reason or superseded.

    It rests on a passed check; with `four_eyes` the approver is not its tester. The database holds both.
    `end_instruction`: what is to be done where it is installed already, by whoever withdrew it.
    """

    __tablename__ = "update_approvals"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        CheckConstraint("ended_by IN ('withdrawn', 'superseded')", name="ended_by"),
        CheckConstraint("ended_by IS DISTINCT FROM 'withdrawn' OR btrim(end_reason) <> ''", name="end_reason"),
        CheckConstraint("ended_at >= approved_at", name="ended_after"),
        CheckConstraint(
            "end_instruction = '' OR ended_by IS NOT DISTINCT FROM 'withdrawn'", name="end_instruction"
        ),
        Index("uq_update_approvals_in_force", "update_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"), index=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("update_checks.id"))
    approved_at: Mapped[datetime]
    approved_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    four_eyes: Mapped[bool]
    note: Mapped[str] = mapped_column(server_default="")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    end_reason: Mapped[str] = mapped_column(server_default="")
    end_instruction: Mapped[str] = mapped_column(server_default="")


class MaintenanceWindow(Base):
    """A month's window once work is planned in it: it keeps its days, whatever setting or holiday changes.

    `opens_at` and `closes_at` are Berlin wall time; `left_out` names the holidays as [[day, reason], …].
    """

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),
        CheckConstraint("cardinality(days) > 0", name="days"),
        CheckConstraint("closes_at > opens_at", name="closes_after"),
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    days: Mapped[list[date]] = mapped_column(ARRAY(Date))
    opens_at: Mapped[time]
    closes_at: Mapped[time]
    left_out: Mapped[list[Any]] = mapped_column(JSONB)
    stored_at: Mapped[datetime]


class RolloutTask(Base):
    """An approved update to be installed on one device: planned on a day of a window.

    What was missed, skipped or failed is `followed` by a task in a later window; of an update and a device one
    task is not followed. `stopped_at`: the approval ended, or the device left its contract, before it was done.
    `acknowledged_at`: the technician has read the contract's procedure for active stations.
    """

    __tablename__ = "rollout_tasks"
    __table_args__ = (
        CheckConstraint(
            "status IN ('planned', 'installed', 'reboot_pending', 'verified', 'failed', 'skipped', 'missed', "
            "'not_applicable', 'rolled_back')",
            name="status",
        ),
        CheckConstraint(
            "status IN ('planned', 'installed', 'reboot_pending', 'verified') OR btrim(reason) <> ''",
            name="reason",
        ),
        CheckConstraint(
            "status NOT IN ('installed', 'reboot_pending', 'verified') OR (installed_at IS NOT NULL "
            "AND installed_by_id IS NOT NULL)",
            name="installed",
        ),
        CheckConstraint("(status = 'verified') = (verified_at IS NOT NULL)", name="verified"),
        CheckConstraint(
            "(emergency_by_id IS NULL) = (emergency_reason = '') AND (emergency_reason = '' "
            "OR btrim(emergency_reason) <> '')",
            name="emergency",
        ),
        CheckConstraint("stopped_at IS NULL OR status IN ('skipped', 'not_applicable')", name="stopped"),
        Index(
            "uq_rollout_tasks_one",
            "update_id",
            "device_id",
            unique=True,
            postgresql_where=text("NOT followed AND stopped_at IS NULL"),
        ),
        Index("ix_rollout_tasks_day", "planned_on", "technician_id"),
        Index("ix_rollout_tasks_window", "window_month", "customer_id"),
        Index("ix_rollout_tasks_matrix", "update_id", "customer_id", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"))
    approval_id: Mapped[int] = mapped_column(ForeignKey("update_approvals.id"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    window_month: Mapped[date] = mapped_column(ForeignKey("maintenance_windows.month"))
    planned_on: Mapped[date]
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    moved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(server_default="planned")
    reason: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    installed_at: Mapped[datetime | None]
    installed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    verified_at: Mapped[datetime | None]
    verified_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    emergency_reason: Mapped[str] = mapped_column(server_default="")
    emergency_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("rollout_tasks.id"), unique=True)
    followed: Mapped[bool] = mapped_column(server_default="false")
    stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class UpdateFeed(Base):
    """A vendor's feed (RSS, Atom or JSON) that is read for new updates; `source` is a URL or a file's path."""

    __tablename__ = "update_feeds"
    __table_args__ = (CheckConstraint("btrim(source) <> ''", name="source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(unique=True)
    vendor: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    severity: Mapped[str] = mapped_column(server_default="important")
    active: Mapped[bool] = mapped_column(server_default="true")
    fetched_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class MaintenanceReport(Base):
    """What a customer was told of a window, once: all that the report says, and its PDF. Written once."""

    __tablename__ = "maintenance_reports"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    month: Mapped[date] = mapped_column(ForeignKey("maintenance_windows.month"), primary_key=True)
    source: Mapped[dict[str, Any]] = mapped_column(JSONB)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    created_at: Mapped[datetime]
