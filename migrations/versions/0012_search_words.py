"""The words that a search compares with, and indexes that alone count what the queue's tabs and filters have."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
