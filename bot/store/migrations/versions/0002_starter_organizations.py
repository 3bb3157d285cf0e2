"""Which organisations a starter set held, so that a later one can take them out.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("starter_load") as table:
        table.add_column(sa.Column("organizations", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("starter_load") as table:
        table.drop_column("organizations")
