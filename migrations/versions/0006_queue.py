"""Indexes of the ticket queue: each order and filter reads its page from one, however many tickets there are."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
