"""Files that wait in the console to be imported.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("uploaded_by", sa.String(length=32), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_upload")),
    )
    op.create_index(op.f("ix_directory_upload_uploaded_at"), "directory_upload", ["uploaded_at"], unique=False)


def downgrade() -> None:
    op.drop_table("directory_upload")
