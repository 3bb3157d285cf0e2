"""The tables of handed-over conversations. What is readable in them without keys: how many there are, and how long."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.database import Base


class CaseRow(Base):
    """A conversation that was handed over. `record` is a `bot.handoff.cases.Record` under a key of its own."""

    __tablename__ = "handoff_case"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    key_version: Mapped[int] = mapped_column(Integer)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(Integer)
    reference: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Keyed digest of the 16 digits with which she can come back."""
    deletes_at: Mapped[int | None] = mapped_column(BigInteger, index=True)


class CaseKeyRow(Base):
    """A case's private key, sealed to one operator."""

    __tablename__ = "handoff_key"

    case_id: Mapped[str] = mapped_column(ForeignKey("handoff_case.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    operator_id: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class LineRow(Base):
    """A line of a case, sealed to the case's key. `delivery` is empty where nothing has to reach her."""

    __tablename__ = "handoff_line"

    case_id: Mapped[str] = mapped_column(ForeignKey("handoff_case.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    generation: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    delivery: Mapped[str] = mapped_column(String(10))
    once: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of what makes it this line: the same is never written twice."""

    __table_args__ = (Index("uq_handoff_line_once", "case_id", "once", unique=True),)
