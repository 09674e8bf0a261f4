"""The catalogue of products, vendor updates, checks, approvals, windows with their tasks, reports."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("days", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.Column("left_out", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(days) > 0", name=op.f("ck_maintenance_windows_days")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_maintenance_windows_closes_after")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_maintenance_windows_first_of_month")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_maintenance_windows")),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), server_default="", nullable=False),
        sa.Column("section", sa.String(), server_default="", nullable=False),
        sa.Column("offered_by_us", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("key", sa.String(), sa.Computed("fold(btrim(name))", persisted=True), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_products_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
    )
    op.create_index("uq_products_key", "products", ["key"], unique=True)
    op.create_table(
        "test_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("cardinality(items) > 0", name=op.f("ck_test_plans_items")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_test_plans_created_by_id_users")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_test_plans_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_plans")),
        sa.UniqueConstraint("product_id", "version", name=op.f("uq_test_plans_product_id_version")),
    )
    op.create_table(
        "update_feeds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("severity", sa.String(), server_default="important", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(source) <> ''", name=op.f("ck_update_feeds_source")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_update_feeds_created_by_id_users")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_update_feeds_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_feeds")),
        sa.UniqueConstraint("source", name=op.f("uq_update_feeds_source")),
    )
    op.create_table(
        "updates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("kb_number", sa.String(), server_default="", nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("link", sa.String(), server_default="", nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("state", sa.String(), server_default="detected", nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("deferred_from", sa.String(), nullable=True),
        sa.Column("superseded_by_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(), server_default="manual", nullable=False),
        sa.Column("changes_n", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column(
            "key",
            sa.String(),
            sa.Computed(
                "fold(btrim(vendor)) || '|' || fold(coalesce(nullif(btrim(kb_number), ''), btrim(title))) || '|' || fold(btrim(version))",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state = 'deferred') = (deferred_from IS NOT NULL)", name=op.f("ck_updates_deferred_from")
        ),
        sa.CheckConstraint(
            "(state = 'deferred') = (deferred_until IS NOT NULL)", name=op.f("ck_updates_deferred")
        ),
        sa.CheckConstraint(
            "(state = 'superseded') = (superseded_by_id IS NOT NULL)", name=op.f("ck_updates_superseded")
        ),
        sa.CheckConstraint("btrim(title) <> '' AND btrim(version) <> ''", name=op.f("ck_updates_named")),
        sa.CheckConstraint(
            "deferred_from IN ('detected', 'in_test')", name=op.f("ck_updates_deferred_from_state")
        ),
        sa.CheckConstraint("origin IN ('manual', 'csv', 'feed')", name=op.f("ck_updates_origin")),
        sa.CheckConstraint(
            "severity IN ('critical', 'important', 'moderate', 'low')", name=op.f("ck_updates_severity")
        ),
        sa.CheckConstraint(
            "state IN ('detected', 'in_test', 'approved', 'rejected', 'deferred', 'superseded', 'withdrawn')",
            name=op.f("ck_updates_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('rejected', 'withdrawn') OR btrim(reason) <> ''", name=op.f("ck_updates_reason")
        ),
        sa.CheckConstraint("superseded_by_id <> id", name=op.f("ck_updates_superseded_by_other")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_updates_created_by_id_users")),
        sa.ForeignKeyConstraint(
            ["superseded_by_id"], ["updates.id"], name=op.f("fk_updates_superseded_by_id_updates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_updates")),
    )
    op.create_index(
        "ix_updates_open",
        "updates",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('detected', 'in_test', 'deferred')"),
    )
    op.create_index("uq_updates_key", "updates", ["key"], unique=True)
    op.create_table(
        "maintenance_reports",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("source", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_maintenance_reports_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_maintenance_reports_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(
            ["month"], ["maintenance_windows.month"], name=op.f("fk_maintenance_reports_month_maintenance_windows")
        ),
        sa.PrimaryKeyConstraint("customer_id", "month", name=op.f("pk_maintenance_reports")),
    )
    op.create_table(
        "update_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("tested_on", sa.String(), server_default="", nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("tester_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(), server_default="pending", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("(result = 'pending') = (finished_at IS NULL)", name=op.f("ck_update_checks_finished")),
        sa.CheckConstraint("result <> 'failed' OR btrim(note) <> ''", name=op.f("ck_update_checks_note")),
        sa.CheckConstraint(
            "result <> 'passed' OR btrim(tested_on) <> ''", name=op.f("ck_update_checks_tested_on")
        ),
        sa.CheckConstraint("result <> 'passed' OR btrim(version) <> ''", name=op.f("ck_update_checks_version")),
        sa.CheckConstraint("result IN ('pending', 'passed', 'failed')", name=op.f("ck_update_checks_result")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_update_checks_device_id_devices")),
        sa.ForeignKeyConstraint(["tester_id"], ["users.id"], name=op.f("fk_update_checks_tester_id_users")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_update_checks_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_checks")),
        sa.UniqueConstraint("update_id", "n", name=op.f("uq_update_checks_update_id_n")),
    )
    op.create_index(
        "uq_update_checks_pending",
        "update_checks",
        ["update_id"],
        unique=True,
        postgresql_where=sa.text("result = 'pending'"),
    )
    op.create_table(
        "update_products",
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_update_products_product_id_products")
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_update_products_update_id_updates")),
        sa.PrimaryKeyConstraint("update_id", "product_id", name=op.f("pk_update_products")),
    )
    op.create_index(op.f("ix_update_products_product_id"), "update_products", ["product_id"], unique=False)
    op.create_table(
        "update_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Integer(), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("ended_by IN ('withdrawn', 'superseded')", name=op.f("ck_update_approvals_ended_by")),
        sa.CheckConstraint(
            "ended_by IS DISTINCT FROM 'withdrawn' OR btrim(end_reason) <> ''",
            name=op.f("ck_update_approvals_end_reason"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_update_approvals_ended")),
        sa.CheckConstraint("ended_at >= approved_at", name=op.f("ck_update_approvals_ended_after")),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["users.id"], name=op.f("fk_update_approvals_approved_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["check_id"], ["update_checks.id"], name=op.f("fk_update_approvals_check_id_update_checks")
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["users.id"], name=op.f("fk_update_approvals_ended_by_id_users")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_update_approvals_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_approvals")),
    )
    op.create_index(op.f("ix_update_approvals_update_id"), "update_approvals", ["update_id"], unique=False)
    op.create_index(
        "uq_update_approvals_in_force",
        "update_approvals",
        ["update_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "update_check_files",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["update_checks.id"], name=op.f("fk_update_check_files_check_id_update_checks")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_update_check_files_file_id_stored_files")
        ),
        sa.PrimaryKeyConstraint("check_id", "file_id", name=op.f("pk_update_check_files")),
    )
    op.create_table(
        "update_check_results",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'passed', 'failed', 'not_applicable')", name=op.f("ck_update_check_results_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('failed', 'not_applicable') OR btrim(note) <> ''",
            name=op.f("ck_update_check_results_note"),
        ),
        sa.ForeignKeyConstraint(
            ["check_id"], ["update_checks.id"], name=op.f("fk_update_check_results_check_id_update_checks")
        ),
        sa.PrimaryKeyConstraint("check_id", "pos", name=op.f("pk_update_check_results")),
    )
    op.create_table(
        "rollout_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("window_month", sa.Date(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("moved_by_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), server_default="planned", nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("installed_by_id", sa.Integer(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by_id", sa.Integer(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by_id", sa.Integer(), nullable=True),
        sa.Column("emergency_reason", sa.String(), server_default="", nullable=False),
        sa.Column("emergency_by_id", sa.Integer(), nullable=True),
        sa.Column("follows_id", sa.Integer(), nullable=True),
        sa.Column("followed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(emergency_by_id IS NULL) = (emergency_reason = '') AND (emergency_reason = '' OR btrim(emergency_reason) <> '')",
            name=op.f("ck_rollout_tasks_emergency"),
        ),
        sa.CheckConstraint(
            "(status = 'verified') = (verified_at IS NOT NULL)", name=op.f("ck_rollout_tasks_verified")
        ),
        sa.CheckConstraint(
            "status IN ('planned', 'installed', 'reboot_pending', 'verified', 'failed', 'skipped', 'missed', 'not_applicable', 'rolled_back')",
            name=op.f("ck_rollout_tasks_status"),
        ),
        sa.CheckConstraint(
            "status IN ('planned', 'installed', 'reboot_pending', 'verified') OR btrim(reason) <> ''",
            name=op.f("ck_rollout_tasks_reason"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('installed', 'reboot_pending', 'verified') OR (installed_at IS NOT NULL AND installed_by_id IS NOT NULL)",
            name=op.f("ck_rollout_tasks_installed"),
        ),
        sa.CheckConstraint(
            "stopped_at IS NULL OR status IN ('skipped', 'not_applicable')", name=op.f("ck_rollout_tasks_stopped")
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by_id"], ["users.id"], name=op.f("fk_rollout_tasks_acknowledged_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["update_approvals.id"], name=op.f("fk_rollout_tasks_approval_id_update_approvals")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_rollout_tasks_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_rollout_tasks_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_rollout_tasks_device_id_devices")),
        sa.ForeignKeyConstraint(
            ["emergency_by_id"], ["users.id"], name=op.f("fk_rollout_tasks_emergency_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["follows_id"], ["rollout_tasks.id"], name=op.f("fk_rollout_tasks_follows_id_rollout_tasks")
        ),
        sa.ForeignKeyConstraint(
            ["installed_by_id"], ["users.id"], name=op.f("fk_rollout_tasks_installed_by_id_users")
        ),
        sa.ForeignKeyConstraint(["moved_by_id"], ["users.id"], name=op.f("fk_rollout_tasks_moved_by_id_users")),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["users.id"], name=op.f("fk_rollout_tasks_technician_id_users")
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_rollout_tasks_update_id_updates")),
        sa.ForeignKeyConstraint(
            ["verified_by_id"], ["users.id"], name=op.f("fk_rollout_tasks_verified_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["window_month"],
            ["maintenance_windows.month"],
            name=op.f("fk_rollout_tasks_window_month_maintenance_windows"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_tasks")),
        sa.UniqueConstraint("follows_id", name=op.f("uq_rollout_tasks_follows_id")),
    )
    op.create_index(op.f("ix_rollout_tasks_approval_id"), "rollout_tasks", ["approval_id"], unique=False)
    op.create_index("ix_rollout_tasks_day", "rollout_tasks", ["planned_on", "technician_id"], unique=False)
    op.create_index(op.f("ix_rollout_tasks_device_id"), "rollout_tasks", ["device_id"], unique=False)
    op.create_index(
        "ix_rollout_tasks_matrix", "rollout_tasks", ["update_id", "customer_id", "status"], unique=False
    )
    op.create_index("ix_rollout_tasks_window", "rollout_tasks", ["window_month", "customer_id"], unique=False)
    op.create_index(
        "uq_rollout_tasks_one",
        "rollout_tasks",
        ["update_id", "device_id"],
        unique=True,
        postgresql_where=sa.text("NOT followed AND stopped_at IS NULL"),
    )
    op.add_column("device_products", sa.Column("product_id", sa.Integer(), nullable=True))
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
