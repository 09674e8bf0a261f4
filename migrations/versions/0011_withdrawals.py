"""What is to be done where a withdrawn update is installed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("update_approvals", sa.Column("end_instruction", sa.String(), server_default="", nullable=False))
    op.create_check_constraint(
        op.f("ck_update_approvals_end_instruction"),
        "update_approvals",
        "end_instruction = '' OR ended_by IS NOT DISTINCT FROM 'withdrawn'",
    )


def downgrade() -> None:
    raise RuntimeError("The books are never rolled back; restore a backup instead.")
