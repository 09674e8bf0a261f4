"""The tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


class Xid8(sa.types.UserDefinedType):  # type: ignore[type-arg]
    """PostgreSQL's 64-bit transaction id."""

    def get_col_spec(self, **_kw: Any) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "books",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=("ck_books_one_row")),
        sa.PrimaryKeyConstraint("id", name=("pk_books")),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), server_default="", nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("street", sa.String(), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(), server_default="", nullable=False),
        sa.Column("city", sa.String(), server_default="", nullable=False),
        sa.Column("country", sa.String(), server_default="DE", nullable=False),
        sa.Column("vat_id", sa.String(), server_default="", nullable=False),
        sa.Column("is_consumer", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("vat_decision", sa.String(), nullable=True),
        sa.Column("vat_reason", sa.String(), nullable=True),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=("ck_customers_country")),
        sa.CheckConstraint("vat_decision IN ('standard', 'reverse_charge')", name=("ck_customers_vat_decision")),
        sa.CheckConstraint("(vat_decision IS NULL) = (vat_reason IS NULL)", name=("ck_customers_vat_reason")),
        sa.PrimaryKeyConstraint("id", name=("pk_customers")),
        sa.UniqueConstraint("number", name=("uq_customers_number")),
    )
    op.create_index(("ix_customers_sort_key"), "customers", ["sort_key"], unique=False)
    op.create_table(
        "number_series",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=("pk_number_series")),
    )
    op.create_table(
        "periods",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=("ck_periods_first_of_month")),
        sa.PrimaryKeyConstraint("month", name=("pk_periods")),
    )
    op.create_table(
        "prices",
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("net", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("included_minutes", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(included_minutes IS NOT NULL) = (item LIKE 'package\\__')", name=("ck_prices_included_minutes")
        ),
        sa.CheckConstraint(
            "item IN ('package_S', 'package_M', 'package_L', 'overage_minute', 'separate_minute', 'vat_standard')",
            name=("ck_prices_item"),
        ),
        sa.CheckConstraint("extract(day FROM valid_from) = 1", name=("ck_prices_first_of_month")),
        sa.CheckConstraint("included_minutes >= 0", name=("ck_prices_included_minutes_positive")),
        sa.CheckConstraint("net >= 0", name=("ck_prices_net")),
        sa.PrimaryKeyConstraint("item", "valid_from", name=("pk_prices")),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=("pk_settings")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("language", sa.String(), server_default="de", nullable=False),
        sa.Column("theme", sa.String(), server_default="system", nullable=False),
        sa.Column("shortcuts", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("language IN ('de', 'en')", name=("ck_users_language")),
        sa.CheckConstraint("role IN ('dispatcher', 'technician', 'manager', 'admin')", name=("ck_users_role")),
        sa.CheckConstraint("theme IN ('system', 'light', 'dark')", name=("ck_users_theme")),
        sa.PrimaryKeyConstraint("id", name=("pk_users")),
    )
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xact", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=("fk_audit_events_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=("pk_audit_events")),
    )
    op.create_index("ix_audit_events_subject", "audit_events", ["subject", "subject_id"], unique=False)
    op.create_index(("ix_audit_events_xact"), "audit_events", ["xact"], unique=False)
    op.create_table(
        "contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("package", sa.String(), nullable=True),
        sa.Column("monthly_fee", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("notice_months", sa.Integer(), nullable=False),
        sa.Column("renewal_months", sa.Integer(), nullable=True),
        sa.Column("ends_before", sa.Date(), nullable=True),
        sa.Column(
            "life",
            postgresql.DATERANGE(),
            sa.Computed("daterange(starts_on, ends_before)", persisted=True),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("customer_id"), "="),
            (sa.column("life"), "&&"),
            where=sa.text("kind = 'support'"),
            using="gist",
            name="ex_contracts_one_support_package",
        ),
        sa.CheckConstraint(
            "(kind = 'maintenance') = (monthly_fee IS NOT NULL)", name=("ck_contracts_fee_of_maintenance")
        ),
        sa.CheckConstraint("(kind = 'support') = (package IS NOT NULL)", name=("ck_contracts_package_of_support")),
        sa.CheckConstraint("kind IN ('support', 'maintenance')", name=("ck_contracts_kind")),
        sa.CheckConstraint("package IN ('S', 'M', 'L')", name=("ck_contracts_package")),
        sa.CheckConstraint("ends_before > starts_on", name=("ck_contracts_ends_after_start")),
        sa.CheckConstraint("monthly_fee >= 0", name=("ck_contracts_monthly_fee")),
        sa.CheckConstraint(
            "term_months >= 1 AND notice_months >= 1 AND renewal_months >= 1", name=("ck_contracts_months")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_contracts_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=("pk_contracts")),
        sa.UniqueConstraint("number", name=("uq_contracts_number")),
    )
    op.create_index(("ix_contracts_customer_id"), "contracts", ["customer_id"], unique=False)
    op.create_table(
        "customer_books",
        sa.Column("customer_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=("fk_customer_books_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", name=("pk_customer_books")),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inventory_number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("manufacturer", sa.String(), server_default="", nullable=False),
        sa.Column("model", sa.String(), server_default="", nullable=False),
        sa.Column("serial_number", sa.String(), server_default="", nullable=False),
        sa.Column("purchased_from_us", sa.Boolean(), nullable=False),
        sa.Column("purchased_on", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("guarantee_until", sa.Date(), nullable=True),
        sa.Column("active_station", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_devices_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=("pk_devices")),
        sa.UniqueConstraint("inventory_number", name=("uq_devices_inventory_number")),
    )
    op.create_index(("ix_devices_customer_id"), "devices", ["customer_id"], unique=False)
    op.create_index(
        "uq_devices_serial",
        "devices",
        ["manufacturer", "serial_number"],
        unique=True,
        postgresql_where="serial_number <> ''",
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("ordered_by_id", sa.Integer(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["month"], ["periods.month"], name=("fk_runs_month_periods")),
        sa.ForeignKeyConstraint(["ordered_by_id"], ["users.id"], name=("fk_runs_ordered_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=("pk_runs")),
    )
    op.create_index(("ix_runs_month"), "runs", ["month"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=("fk_user_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=("pk_user_sessions")),
    )
    op.create_index(("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("inspector_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'accepted_with_reservations', 'refused')", name=("ck_acceptances_outcome")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_acceptances_device_id_devices")),
        sa.ForeignKeyConstraint(["inspector_id"], ["users.id"], name=("fk_acceptances_inspector_id_users")),
        sa.PrimaryKeyConstraint("id", name=("pk_acceptances")),
        sa.UniqueConstraint("device_id", "inspected_on", name=("uq_acceptances_device_id_inspected_on")),
    )
    op.create_table(
        "audit_seals",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["audit_events.id"], name=("fk_audit_seals_event_id_audit_events")),
        sa.PrimaryKeyConstraint("seq", name=("pk_audit_seals")),
        sa.UniqueConstraint("event_id", name=("uq_audit_seals_event_id")),
    )
    op.create_table(
        "contract_devices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("included_from", sa.Date(), nullable=False),
        sa.Column("included_until", sa.Date(), nullable=True),
        sa.Column("ends_before", sa.Date(), nullable=True),
        sa.Column("monthly_fee", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column(
            "life",
            postgresql.DATERANGE(),
            sa.Computed("daterange(included_from, ends_before)", persisted=True),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("device_id"), "="),
            (sa.column("life"), "&&"),
            using="gist",
            name="ex_contract_devices_one_contract",
        ),
        sa.CheckConstraint("ends_before > included_from", name=("ck_contract_devices_ends_after_start")),
        sa.CheckConstraint("included_until >= included_from", name=("ck_contract_devices_until_after_from")),
        sa.CheckConstraint("monthly_fee >= 0", name=("ck_contract_devices_monthly_fee")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_contract_devices_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_contract_devices_device_id_devices")),
        sa.PrimaryKeyConstraint("id", name=("pk_contract_devices")),
        sa.UniqueConstraint(
            "contract_id",
            "device_id",
            "included_from",
            name=("uq_contract_devices_contract_id_device_id_included_from"),
        ),
    )
    op.create_table(
        "contract_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("channel", sa.String(), server_default="", nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'extraordinary') = (ends_on IS NOT NULL)", name=("ck_contract_notices_ends_on")
        ),
        sa.CheckConstraint("kind IN ('ordinary', 'extraordinary')", name=("ck_contract_notices_kind")),
        sa.CheckConstraint("ends_on >= received_on", name=("ck_contract_notices_ends_after_receipt")),
        sa.CheckConstraint("withdrawn_on >= received_on", name=("ck_contract_notices_withdrawn_after_receipt")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_contract_notices_contract_id_contracts")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_contract_notices")),
        sa.UniqueConstraint("contract_id", "received_on", name=("uq_contract_notices_contract_id_received_on")),
    )
    op.create_table(
        "customer_months",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("park_code", sa.String(), nullable=True),
        sa.Column("park_params", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("set_aside_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "park_code IS NULL OR set_aside_reason IS NULL", name=("ck_customer_months_parked_or_set_aside")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=("fk_customer_months_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["month"], ["periods.month"], name=("fk_customer_months_month_periods")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_customer_months_run_id_runs")),
        sa.PrimaryKeyConstraint("customer_id", "month", name=("pk_customer_months")),
    )
    op.create_index(("ix_customer_months_month"), "customer_months", ["month"], unique=False)
    op.create_index(("ix_customer_months_run_id"), "customer_months", ["run_id"], unique=False)
    op.create_table(
        "device_products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.String(), server_default="", nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("source IN ('ours', 'foreign')", name=("ck_device_products_source")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_device_products_device_id_devices")),
        sa.PrimaryKeyConstraint("id", name=("pk_device_products")),
        sa.UniqueConstraint("device_id", "product", name=("uq_device_products_device_id_product")),
    )
    op.create_table(
        "fee_changes",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("monthly_fee", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.CheckConstraint("extract(day FROM effective_on) = 1", name=("ck_fee_changes_first_of_month")),
        sa.CheckConstraint("monthly_fee >= 0", name=("ck_fee_changes_monthly_fee")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=("fk_fee_changes_contract_id_contracts")),
        sa.PrimaryKeyConstraint("contract_id", "effective_on", name=("pk_fee_changes")),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("series_year", sa.Integer(), nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cancels_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("seller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("buyer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("net_cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("gross_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'storno') = (cancels_id IS NOT NULL)", name=("ck_invoices_cancels")),
        sa.CheckConstraint("kind IN ('bill', 'storno')", name=("ck_invoices_kind")),
        sa.CheckConstraint(
            "number = 'RE-' || series_year || '-' || lpad(series_number::text, greatest(5, length(series_number::text)), '0')",
            name=("ck_invoices_number"),
        ),
        sa.CheckConstraint("gross_cents = net_cents + vat_cents", name=("ck_invoices_gross")),
        sa.CheckConstraint("revision >= 1", name=("ck_invoices_revision")),
        sa.CheckConstraint("series_year = extract(year FROM issued_on)::int", name=("ck_invoices_series_year")),
        sa.ForeignKeyConstraint(["cancels_id"], ["invoices.id"], name=("fk_invoices_cancels_id_invoices")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_invoices_customer_id_customers")),
        sa.ForeignKeyConstraint(["period"], ["periods.month"], name=("fk_invoices_period_periods")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_invoices_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=("pk_invoices")),
        sa.UniqueConstraint("cancels_id", name=("uq_invoices_cancels_id")),
        sa.UniqueConstraint(
            "customer_id", "period", "kind", "revision", name=("uq_invoices_customer_id_period_kind_revision")
        ),
        sa.UniqueConstraint("number", name=("uq_invoices_number")),
        sa.UniqueConstraint("series_year", "series_number", name=("uq_invoices_series_year_series_number")),
    )
    op.create_index(("ix_invoices_customer_id"), "invoices", ["customer_id"], unique=False)
    op.create_index(("ix_invoices_period"), "invoices", ["period"], unique=False)
    op.create_index(("ix_invoices_run_id"), "invoices", ["run_id"], unique=False)
    op.create_table(
        "package_changes",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.CheckConstraint("package IN ('S', 'M', 'L')", name=("ck_package_changes_package")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_package_changes_contract_id_contracts")
        ),
        sa.PrimaryKeyConstraint("contract_id", "effective_on", name=("pk_package_changes")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("concern", sa.String(), nullable=True),
        sa.Column("product", sa.String(), server_default="", nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), server_default="", nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("category IN ('hardware', 'software')", name=("ck_tickets_category")),
        sa.CheckConstraint("channel IN ('phone', 'email', 'portal')", name=("ck_tickets_channel")),
        sa.CheckConstraint("concern IN ('question', 'defect', 'swap', 'upkeep')", name=("ck_tickets_concern")),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name=("ck_tickets_priority")),
        sa.CheckConstraint(
            "status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor', 'resolved', 'closed', 'merged')",
            name=("ck_tickets_status"),
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=("fk_tickets_assignee_id_users")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_tickets_customer_id_customers")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_tickets_device_id_devices")),
        sa.PrimaryKeyConstraint("id", name=("pk_tickets")),
        sa.UniqueConstraint("number", name=("uq_tickets_number")),
    )
    op.create_index(("ix_tickets_customer_id"), "tickets", ["customer_id"], unique=False)
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("service_month", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("net_cents", sa.Integer(), nullable=False),
        sa.Column("vat_category", sa.String(), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("service_from", sa.Date(), nullable=False),
        sa.Column("service_until", sa.Date(), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('package_fee', 'overage', 'separate', 'maintenance_fee', 'device_fee', 'material', 'adjustment', 'cancellation')",
            name=("ck_invoice_lines_kind"),
        ),
        sa.CheckConstraint("vat_category = 'S' OR vat_rate = 0", name=("ck_invoice_lines_reverse_charge_rate")),
        sa.CheckConstraint("vat_category IN ('S', 'AE')", name=("ck_invoice_lines_vat_category")),
        sa.CheckConstraint("net_cents = round(quantity * unit_price * 100)", name=("ck_invoice_lines_net")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_invoice_lines_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=("fk_invoice_lines_invoice_id_invoices")),
        sa.PrimaryKeyConstraint("invoice_id", "pos", name=("pk_invoice_lines")),
    )
    op.create_table(
        "materials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("net", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column(
            "service_month",
            sa.Date(),
            sa.Computed("date_trunc('month', day::timestamp)::date", persisted=True),
            nullable=False,
        ),
        sa.Column("posting_n", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("quantity > 0", name=("ck_materials_quantity")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_materials_customer_id_customers")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=("fk_materials_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=("pk_materials")),
        sa.UniqueConstraint("external_id", name=("uq_materials_external_id")),
    )
    op.create_index("ix_materials_customer_month", "materials", ["customer_id", "service_month"], unique=False)
    op.create_index(("ix_materials_ticket_id"), "materials", ["ticket_id"], unique=False)
    op.create_table(
        "postings",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_postings_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoices.id"],
            name=("fk_postings_invoice_id_invoices"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["month"], ["periods.month"], name=("fk_postings_month_periods")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_postings_run_id_runs")),
        sa.PrimaryKeyConstraint("customer_id", "month", "n", name=("pk_postings")),
        sa.UniqueConstraint("invoice_id", name=("uq_postings_invoice_id")),
    )
    op.create_index(("ix_postings_month"), "postings", ["month"], unique=False)
    op.create_index(("ix_postings_run_id"), "postings", ["run_id"], unique=False)
    op.create_table(
        "time_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "minutes",
            sa.Integer(),
            sa.Computed("ceil(extract(epoch FROM ended_at - started_at) / 60)::int", persisted=True),
            nullable=True,
        ),
        sa.Column("treatment", sa.String(), nullable=True),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column(
            "service_month",
            sa.Date(),
            sa.Computed("date_trunc('month', started_at AT TIME ZONE 'Europe/Berlin')::date", persisted=True),
            nullable=False,
        ),
        sa.Column("posting_n", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "treatment <> 'goodwill' OR btrim(note) <> ''", name=("ck_time_entries_goodwill_reason")
        ),
        sa.CheckConstraint(
            "treatment IN ('package', 'maintenance', 'warranty', 'separate', 'goodwill')",
            name=("ck_time_entries_treatment"),
        ),
        sa.CheckConstraint("ended_at > started_at", name=("ck_time_entries_ends_after_start")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_time_entries_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["time_entries.id"], name=("fk_time_entries_reverses_id_time_entries")
        ),
        sa.ForeignKeyConstraint(["technician_id"], ["users.id"], name=("fk_time_entries_technician_id_users")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=("fk_time_entries_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=("pk_time_entries")),
        sa.UniqueConstraint("external_id", name=("uq_time_entries_external_id")),
        sa.UniqueConstraint("reverses_id", name=("uq_time_entries_reverses_id")),
    )
    op.create_index(
        "ix_time_entries_customer_month", "time_entries", ["customer_id", "service_month"], unique=False
    )
    op.create_index(("ix_time_entries_ticket_id"), "time_entries", ["ticket_id"], unique=False)
    op.create_index(
        "uq_time_entries_running_timer",
        "time_entries",
        ["technician_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "settlements",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("package_price", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("overage_rate", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("covered_from", sa.Date(), nullable=False),
        sa.Column("covered_days", sa.Integer(), nullable=False),
        sa.Column("month_days", sa.Integer(), nullable=False),
        sa.Column("included_minutes", sa.Integer(), nullable=False),
        sa.Column("used_minutes", sa.Integer(), nullable=False),
        sa.Column("covered_minutes", sa.Integer(), nullable=False),
        sa.Column("overage_minutes", sa.Integer(), nullable=False),
        sa.Column("expired_minutes", sa.Integer(), nullable=False),
        sa.Column("base_cents", sa.Integer(), nullable=False),
        sa.Column("overage_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "base_cents = round(package_price * 100 * covered_days / month_days)",
            name=("ck_settlements_base_cents"),
        ),
        sa.CheckConstraint(
            "covered_minutes = least(used_minutes, included_minutes)", name=("ck_settlements_covered")
        ),
        sa.CheckConstraint(
            "included_minutes = covered_minutes + expired_minutes", name=("ck_settlements_included")
        ),
        sa.CheckConstraint(
            "overage_cents = round(overage_minutes * overage_rate * 100)", name=("ck_settlements_overage_cents")
        ),
        sa.CheckConstraint("used_minutes = covered_minutes + overage_minutes", name=("ck_settlements_used")),
        sa.CheckConstraint("used_minutes >= 0 AND included_minutes >= 0", name=("ck_settlements_not_negative")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=("fk_settlements_contract_id_contracts")),
        sa.ForeignKeyConstraint(
            ["customer_id", "month", "n"],
            ["postings.customer_id", "postings.month", "postings.n"],
            name=("fk_settlements_customer_id_postings"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "month", "n", name=("pk_settlements")),
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
