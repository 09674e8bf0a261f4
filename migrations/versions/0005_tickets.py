"""The ticket queue: deadlines, threads, files, alerts, and how tickets are searched."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )
    op.create_table(
        "bulk_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("tickets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=("fk_bulk_changes_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=("pk_bulk_changes")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("role", sa.String(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=("ck_contacts_name")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=("fk_contacts_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=("pk_contacts")),
    )
    op.create_index(("ix_contacts_customer_id"), "contacts", ["customer_id"], unique=False)
    op.create_table(
        "customer_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=("fk_customer_notes_author_id_users")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=("fk_customer_notes_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=("pk_customer_notes")),
    )
    op.create_index(("ix_customer_notes_customer_id"), "customer_notes", ["customer_id"], unique=False)
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(content), 'hex')", name=("ck_stored_files_sha256")),
        sa.CheckConstraint("size = octet_length(content)", name=("ck_stored_files_size")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=("fk_stored_files_created_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=("pk_stored_files")),
    )
    op.create_table(
        "minute_alerts",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("used_minutes", sa.Integer(), nullable=False),
        sa.Column("included_minutes", sa.Integer(), nullable=False),
        sa.Column("crossed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fell_below_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by_id IS NULL)", name=("ck_minute_alerts_acknowledged")
        ),
        sa.CheckConstraint("extract(day FROM month) = 1", name=("ck_minute_alerts_first_of_month")),
        sa.CheckConstraint("level IN (80, 100)", name=("ck_minute_alerts_level")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by_id"], ["users.id"], name=("fk_minute_alerts_acknowledged_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=("fk_minute_alerts_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=("fk_minute_alerts_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("contract_id", "month", "level", name=("pk_minute_alerts")),
    )
    op.create_index("ix_minute_alerts_customer", "minute_alerts", ["month", "customer_id"], unique=False)
    op.create_table(
        "ticket_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("sender", sa.String(), server_default="", nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('phone', 'email', 'portal')", name=("ck_ticket_messages_channel")),
        sa.CheckConstraint("kind = 'inbound' OR author_id IS NOT NULL", name=("ck_ticket_messages_author")),
        sa.CheckConstraint("kind IN ('inbound', 'reply', 'note')", name=("ck_ticket_messages_kind")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=("fk_ticket_messages_author_id_users")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=("fk_ticket_messages_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=("pk_ticket_messages")),
    )
    op.create_index("ix_ticket_messages_thread", "ticket_messages", ["ticket_id", "at"], unique=False)
    op.create_table(
        "ticket_pauses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ended_at >= started_at", name=("ck_ticket_pauses_ends_after_start")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=("fk_ticket_pauses_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=("pk_ticket_pauses")),
    )
    op.create_index(("ix_ticket_pauses_ticket_id"), "ticket_pauses", ["ticket_id"], unique=False)
    op.create_index(
        "uq_ticket_pauses_running",
        "ticket_pauses",
        ["ticket_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "ticket_attachments",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=("fk_ticket_attachments_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_messages.id"], name=("fk_ticket_attachments_message_id_ticket_messages")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=("fk_ticket_attachments_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("ticket_id", "file_id", name=("pk_ticket_attachments")),
    )
    op.create_index(("ix_ticket_attachments_message_id"), "ticket_attachments", ["message_id"], unique=False)
    op.add_column(
        "customers",
        sa.Column(
            "search",
            sa.String(),
            sa.Computed("fold(number || ' ' || name || ' ' || city)", persisted=True),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_customers_search",
        "customers",
        ["search"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.add_column("tickets", sa.Column("contact_id", sa.Integer(), nullable=True))
    op.add_column(
        "tickets",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.execute("UPDATE tickets SET updated_at = created_at")
    op.add_column("tickets", sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("response_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("resolution_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("deadline_known", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("tickets", sa.Column("merged_into_id", sa.Integer(), nullable=True))
    op.add_column("tickets", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "tickets",
        sa.Column(
            "search",
            sa.String(),
            sa.Computed("fold(number || ' ' || subject || ' ' || product)", persisted=True),
            nullable=False,
        ),
    )
    op.create_index("ix_tickets_created", "tickets", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_tickets_deadline_unknown",
        "tickets",
        ["id"],
        unique=False,
        postgresql_where=sa.text("NOT deadline_known"),
    )
    op.create_index(
        "ix_tickets_merged",
        "tickets",
        ["merged_into_id"],
        unique=False,
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tickets_open_assignee",
        "tickets",
        ["assignee_id", sa.literal_column("coalesce(due_at, 'infinity')"), "id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor')"
        ),
    )
    op.create_index(
        "ix_tickets_queue",
        "tickets",
        [sa.literal_column("coalesce(due_at, 'infinity')"), "id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor')"
        ),
    )
    op.create_index(
        "ix_tickets_search",
        "tickets",
        ["search"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_foreign_key(("fk_tickets_contact_id_contacts"), "tickets", "contacts", ["contact_id"], ["id"])
    op.create_foreign_key(("fk_tickets_merged_into_id_tickets"), "tickets", "tickets", ["merged_into_id"], ["id"])
    op.add_column("time_entries", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    last = "SELECT setval('ticket_numbers', max(number::bigint)) FROM tickets WHERE number ~ '^[0-9]{1,15}$'"
    op.get_bind().exec_driver_sql("CREATE SEQUENCE ticket_numbers START 1001")
    op.get_bind().exec_driver_sql(f"{last} HAVING max(number::bigint) >= 1001")


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
