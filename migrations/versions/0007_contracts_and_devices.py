"""Notices with their proof, decisions, reminders, checklists and inspections, the outbox, calendar feeds."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=("fk_calendar_feeds_user_id_users")),
        sa.PrimaryKeyConstraint("token_hash", name=("pk_calendar_feeds")),
    )
    op.create_index(("ix_calendar_feeds_user_id"), "calendar_feeds", ["user_id"], unique=False)
    op.create_table(
        "checklist_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_type", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=("fk_checklist_templates_created_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_checklist_templates")),
        sa.UniqueConstraint("device_type", "version", name=("uq_checklist_templates_device_type_version")),
    )
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("once", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=("ck_outbox_messages_sent")),
        sa.CheckConstraint(
            "state IN ('held', 'waiting', 'sending', 'sent', 'unclear', 'refused', 'cancelled')",
            name=("ck_outbox_messages_state"),
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=("fk_outbox_messages_created_by_id_users")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=("fk_outbox_messages_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_outbox_messages")),
        sa.UniqueConstraint("message_id", name=("uq_outbox_messages_message_id")),
        sa.UniqueConstraint("once", name=("uq_outbox_messages_once")),
    )
    op.create_index(("ix_outbox_messages_customer_id"), "outbox_messages", ["customer_id"], unique=False)
    op.create_index(
        "ix_outbox_messages_due",
        "outbox_messages",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_table(
        "checklist_items",
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("btrim(text) <> ''", name=("ck_checklist_items_text")),
        sa.CheckConstraint(
            "section IN ('hardware', 'system', 'security', 'handover')", name=("ck_checklist_items_section")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["checklist_templates.id"],
            name=("fk_checklist_items_template_id_checklist_templates"),
        ),
        sa.PrimaryKeyConstraint("template_id", "pos", name=("pk_checklist_items")),
    )
    op.create_table(
        "contract_decisions",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("term_ends_on", sa.Date(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("decision IN ('renew', 'change', 'let_end')", name=("ck_contract_decisions_decision")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_contract_decisions_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=("fk_contract_decisions_decided_by_id_users")
        ),
        sa.PrimaryKeyConstraint("contract_id", "term_ends_on", name=("pk_contract_decisions")),
    )
    op.create_table(
        "contract_reminders",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("days IN (3, 14, 30, 60)", name=("ck_contract_reminders_days")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_contract_reminders_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["done_by_id"], ["users.id"], name=("fk_contract_reminders_done_by_id_users")),
        sa.PrimaryKeyConstraint("contract_id", "deadline", "days", name=("pk_contract_reminders")),
    )
    op.create_table(
        "device_proposals",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("monthly_fee", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("monthly_fee >= 0", name=("ck_device_proposals_monthly_fee")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_device_proposals_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_device_proposals_device_id_devices")),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["users.id"], name=("fk_device_proposals_proposed_by_id_users")
        ),
        sa.PrimaryKeyConstraint("device_id", name=("pk_device_proposals")),
    )
    op.create_index(("ix_device_proposals_contract_id"), "device_proposals", ["contract_id"], unique=False)
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("continues_id", sa.Integer(), nullable=True),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by_id", sa.Integer(), nullable=True),
        sa.Column("signed_name", sa.String(), server_default="", nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'accepted_with_reservations', 'refused')", name=("ck_inspections_outcome")
        ),
        sa.CheckConstraint("signed_at IS NULL OR btrim(signed_name) <> ''", name=("ck_inspections_signed_name")),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (outcome IS NULL) AND (signed_at IS NULL) = (signed_by_id IS NULL)",
            name=("ck_inspections_signed"),
        ),
        sa.CheckConstraint("signed_at IS NULL OR started_at IS NOT NULL", name=("ck_inspections_started")),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=("fk_inspections_assignee_id_users")),
        sa.ForeignKeyConstraint(
            ["continues_id"], ["inspections.id"], name=("fk_inspections_continues_id_inspections")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=("fk_inspections_device_id_devices")),
        sa.ForeignKeyConstraint(["signed_by_id"], ["users.id"], name=("fk_inspections_signed_by_id_users")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["checklist_templates.id"], name=("fk_inspections_template_id_checklist_templates")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_inspections")),
        sa.UniqueConstraint("continues_id", name=("uq_inspections_continues_id")),
    )
    op.create_index(("ix_inspections_device_id"), "inspections", ["device_id"], unique=False)
    op.create_index(
        "uq_inspections_unsigned",
        "inspections",
        ["device_id"],
        unique=True,
        postgresql_where=sa.text("signed_at IS NULL"),
    )
    op.create_table(
        "outbox_files",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=("fk_outbox_files_file_id_stored_files")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_messages.id"], name=("fk_outbox_files_message_id_outbox_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", "file_id", name=("pk_outbox_files")),
    )
    op.create_table(
        "software_agreements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("agreement", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("btrim(product) <> ''", name=("ck_software_agreements_product")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_software_agreements_contract_id_contracts")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_software_agreements")),
        sa.UniqueConstraint("contract_id", "product", name=("uq_software_agreements_contract_id_product")),
    )
    op.create_table(
        "inspection_results",
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("carried_from_id", sa.Integer(), nullable=True),
        sa.Column("remedied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remedied_by_id", sa.Integer(), nullable=True),
        sa.Column("remedy", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "remedied_at IS NULL OR state = 'failed'", name=("ck_inspection_results_remedied_fault")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'passed', 'failed', 'not_applicable')", name=("ck_inspection_results_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('failed', 'not_applicable') OR btrim(note) <> ''", name=("ck_inspection_results_note")
        ),
        sa.CheckConstraint(
            "(remedied_at IS NULL) = (remedied_by_id IS NULL)", name=("ck_inspection_results_remedied")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["users.id"], name=("fk_inspection_results_answered_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["carried_from_id"], ["inspections.id"], name=("fk_inspection_results_carried_from_id_inspections")
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=("fk_inspection_results_inspection_id_inspections")
        ),
        sa.ForeignKeyConstraint(
            ["remedied_by_id"], ["users.id"], name=("fk_inspection_results_remedied_by_id_users")
        ),
        sa.PrimaryKeyConstraint("inspection_id", "pos", name=("pk_inspection_results")),
    )
    op.create_table(
        "notice_files",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=("fk_notice_files_file_id_stored_files")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["contract_notices.id"], name=("fk_notice_files_notice_id_contract_notices")
        ),
        sa.PrimaryKeyConstraint("notice_id", "file_id", name=("pk_notice_files")),
    )
    op.create_table(
        "inspection_files",
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=("fk_inspection_files_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id", "pos"],
            ["inspection_results.inspection_id", "inspection_results.pos"],
            name=("fk_inspection_files_inspection_id_inspection_results"),
        ),
        sa.PrimaryKeyConstraint("inspection_id", "pos", "file_id", name=("pk_inspection_files")),
    )
    op.add_column("acceptances", sa.Column("inspection_id", sa.Integer(), nullable=True))
    op.add_column("acceptances", sa.Column("revoked_on", sa.Date(), nullable=True))
    op.add_column("acceptances", sa.Column("revoke_reason", sa.String(), nullable=True))
    op.add_column("acceptances", sa.Column("revoked_by_id", sa.Integer(), nullable=True))
    op.create_unique_constraint(("uq_acceptances_inspection_id"), "acceptances", ["inspection_id"])
    op.create_foreign_key(
        ("fk_acceptances_inspection_id_inspections"), "acceptances", "inspections", ["inspection_id"], ["id"]
    )
    op.create_foreign_key(
        ("fk_acceptances_revoked_by_id_users"), "acceptances", "users", ["revoked_by_id"], ["id"]
    )
    op.add_column(
        "contract_notices", sa.Column("given_by", sa.String(), server_default="customer", nullable=False)
    )
    op.add_column("contract_notices", sa.Column("taken_by_id", sa.Integer(), nullable=True))
    op.add_column("contract_notices", sa.Column("reason", sa.String(), server_default="", nullable=False))
    op.add_column("contract_notices", sa.Column("note", sa.String(), server_default="", nullable=False))
    op.add_column("contract_notices", sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        ("fk_contract_notices_taken_by_id_users"), "contract_notices", "users", ["taken_by_id"], ["id"]
    )
    op.add_column(
        "contracts", sa.Column("active_station_procedure", sa.String(), server_default="", nullable=False)
    )
    op.add_column("contracts", sa.Column("follows_id", sa.Integer(), nullable=True))
    op.create_unique_constraint(("uq_contracts_follows_id"), "contracts", ["follows_id"])
    op.create_foreign_key(("fk_contracts_follows_id_contracts"), "contracts", "contracts", ["follows_id"], ["id"])
    op.add_column("devices", sa.Column("purchased_from", sa.String(), server_default="", nullable=False))
    op.add_column("devices", sa.Column("retired_on", sa.Date(), nullable=True))
    op.add_column("devices", sa.Column("note", sa.String(), server_default="", nullable=False))
    op.add_column(
        "devices",
        sa.Column(
            "search",
            sa.String(),
            sa.Computed(
                "fold(inventory_number || ' ' || name || ' ' || manufacturer || ' ' || model || ' ' || serial_number)",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_devices_search",
        "devices",
        ["search"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
