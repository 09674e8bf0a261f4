"""Files of signed inspections stay; an acceptance that was signed here keeps its inspection's outcome."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%")
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
