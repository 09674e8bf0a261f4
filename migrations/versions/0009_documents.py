"""E-invoices with their PDFs, attempts of delivery, archives."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordered_by_id", sa.Integer(), nullable=True),
        sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name=op.f("ck_exports_finished")
        ),
        sa.CheckConstraint("format IN ('zugferd', 'xrechnung', 'json', 'datev')", name=op.f("ck_exports_format")),
        sa.CheckConstraint("state IN ('waiting', 'working', 'done', 'failed')", name=op.f("ck_exports_state")),
        sa.CheckConstraint("until >= since", name=op.f("ck_exports_months")),
        sa.ForeignKeyConstraint(["ordered_by_id"], ["users.id"], name=op.f("fk_exports_ordered_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index(
        "ix_exports_unfinished",
        "exports",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'working')"),
    )
    op.create_table(
        "export_parts",
        sa.Column("export_id", sa.Integer(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name=op.f("fk_export_parts_export_id_exports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "pos", name=op.f("pk_export_parts")),
    )
    op.create_table(
        "document_failures",
        sa.Column("invoice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_document_failures_invoice_id_invoices")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_document_failures")),
    )
    op.create_table(
        "invoice_xmls",
        sa.Column("invoice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("rules_sha256", sa.String(), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("profile IN ('zugferd', 'xrechnung')", name=op.f("ck_invoice_xmls_profile")),
        sa.CheckConstraint("sha256 = encode(sha256(content), 'hex')", name=op.f("ck_invoice_xmls_sha256")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_xmls_invoice_id_invoices")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_xmls")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("reply", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "outcome IN ('sent', 'not_sent', 'refused', 'unclear')", name=op.f("ck_delivery_attempts_outcome")
        ),
        sa.CheckConstraint(
            "outcome IS DISTINCT FROM 'sent' OR data_at IS NOT NULL",
            name=op.f("ck_delivery_attempts_sent_by_data"),
        ),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_delivery_attempts_ended")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["outbox_messages.id"],
            name=op.f("fk_delivery_attempts_message_id_outbox_messages"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
        sa.UniqueConstraint("message_id", "n", name=op.f("uq_delivery_attempts_message_id_n")),
    )
    op.create_index(
        "uq_delivery_attempts_data",
        "delivery_attempts",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text("data_at IS NOT NULL"),
    )
    op.create_table(
        "invoice_pdfs",
        sa.Column("invoice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("source", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(content), 'hex')", name=op.f("ck_invoice_pdfs_sha256")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice_xmls.invoice_id"], name=op.f("fk_invoice_pdfs_invoice_id_invoice_xmls")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_pdfs")),
    )
    op.add_column("customers", sa.Column("invoice_format", sa.String(), server_default="zugferd", nullable=False))
    op.add_column("customers", sa.Column("routing_id", sa.String(), server_default="", nullable=False))
    op.add_column("customers", sa.Column("wants_xml", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("outbox_messages", sa.Column("invoice_id", sa.Integer(), nullable=True))
    op.add_column("outbox_messages", sa.Column("resends_id", sa.Integer(), nullable=True))
    op.add_column("outbox_messages", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox_messages", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox_messages", sa.Column("bounce", sa.String(), server_default="", nullable=False))
    op.create_index(
        "ix_outbox_messages_held",
        "outbox_messages",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index(
        "uq_outbox_messages_invoice",
        "outbox_messages",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("resends_id IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_outbox_messages_invoice_id_invoices"), "outbox_messages", "invoices", ["invoice_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_outbox_messages_resends_id_outbox_messages"),
        "outbox_messages",
        "outbox_messages",
        ["resends_id"],
        ["id"],
    )
    op.alter_column("stored_files", "created_by_id", existing_type=sa.INTEGER(), nullable=True)
    op.create_check_constraint(
        op.f("ck_customers_invoice_format"), "customers", "invoice_format IN ('zugferd', 'xrechnung')"
    )
    op.create_check_constraint(
        op.f("ck_customers_routing_id"), "customers", "invoice_format = 'zugferd' OR routing_id <> ''"
    )
    op.create_check_constraint(
        op.f("ck_outbox_messages_bounce"), "outbox_messages", "(bounced_at IS NULL) = (bounce = '')"
    )
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
