"""Staff, their audit log, and conversations handed over to them.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)
    op.create_table(
        "handoff_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("deletes_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_case")),
        sa.UniqueConstraint("reference", name=op.f("uq_handoff_case_reference")),
    )
    op.create_index(op.f("ix_handoff_case_deletes_at"), "handoff_case", ["deletes_at"], unique=False)
    op.create_table(
        "staff_operator",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("login_digest", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("key_record", sa.LargeBinary(), nullable=True),
        sa.Column("code_record", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_operator")),
        sa.UniqueConstraint("login_digest", name=op.f("uq_staff_operator_login_digest")),
    )
    op.create_table(
        "staff_recovery_generation",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_staff_recovery_generation")),
    )
    op.create_table(
        "handoff_key",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["handoff_case.id"], name=op.f("fk_handoff_key_case_id_handoff_case"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "generation", "operator_id", name=op.f("pk_handoff_key")),
    )
    op.create_index(op.f("ix_handoff_key_operator_id"), "handoff_key", ["operator_id"], unique=False)
    op.create_table(
        "handoff_line",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("delivery", sa.String(length=10), nullable=False),
        sa.Column("once", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["handoff_case.id"], name=op.f("fk_handoff_line_case_id_handoff_case"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_handoff_line")),
    )
    op.create_index("uq_handoff_line_once", "handoff_line", ["case_id", "once"], unique=True)
    op.create_table(
        "staff_escrow",
        sa.Column("operator_id", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation"],
            ["staff_recovery_generation.n"],
            name=op.f("fk_staff_escrow_generation_staff_recovery_generation"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["staff_operator.id"],
            name=op.f("fk_staff_escrow_operator_id_staff_operator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_staff_escrow")),
    )
    op.create_table(
        "staff_recovery_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("operator_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["staff_operator.id"],
            name=op.f("fk_staff_recovery_code_operator_id_staff_operator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_recovery_code")),
    )
    op.create_index(op.f("ix_staff_recovery_code_operator_id"), "staff_recovery_code", ["operator_id"], unique=False)
    op.create_table(
        "staff_recovery_share",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=16), nullable=False),
        sa.Column("partner", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation"],
            ["staff_recovery_generation.n"],
            name=op.f("fk_staff_recovery_share_generation_staff_recovery_generation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("generation", "holder", "partner", name=op.f("pk_staff_recovery_share")),
    )


def downgrade() -> None:
    op.drop_table("staff_recovery_share")
    op.drop_index(op.f("ix_staff_recovery_code_operator_id"), table_name="staff_recovery_code")
    op.drop_table("staff_recovery_code")
    op.drop_table("staff_escrow")
    op.drop_index("uq_handoff_line_once", table_name="handoff_line")
    op.drop_table("handoff_line")
    op.drop_index(op.f("ix_handoff_key_operator_id"), table_name="handoff_key")
    op.drop_table("handoff_key")
    op.drop_table("staff_recovery_generation")
    op.drop_table("staff_operator")
    op.drop_index(op.f("ix_handoff_case_deletes_at"), table_name="handoff_case")
    op.drop_table("handoff_case")
    op.drop_index(op.f("ix_audit_subject"), table_name="audit")
    op.drop_table("audit")
