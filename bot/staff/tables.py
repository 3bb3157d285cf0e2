"""The tables of staff: random ids, keyed digests, and records that only the vault opens.

A copy of the database alone tells how many accounts there are, and when who (by random id) did what.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import BigInteger, Engine, ForeignKey, Integer, LargeBinary, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.store.database import Base

_ADVISORY_LOCK = 0x68656C70
"""PostgreSQL's name for the lock; any number that nothing else here uses."""


class OperatorRow(Base):
    """One account."""

    __tablename__ = "staff_operator"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    login_digest: Mapped[str] = mapped_column(String(64), unique=True)
    epoch: Mapped[int] = mapped_column(Integer, default=0)
    version: Mapped[int] = mapped_column(Integer, default=0)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    """Login, name, role and so on, and the public key: in here nobody can put their own in its place."""
    key_record: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The private key, encrypted under a key from the password, with its salt and cost; None until enrolled."""
    code_record: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The enrolment code's digest and expiry; after a recovery also the private key, encrypted under a key from it."""


class RecoveryCodeRow(Base):
    """A recovery code that is not used yet."""

    __tablename__ = "staff_recovery_code"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[str] = mapped_column(
        String(16), ForeignKey("staff_operator.id", ondelete="CASCADE"), index=True
    )


class GenerationRow(Base):
    """A recovery key: its public half, and which administrators (with which public keys) hold shares of the private."""

    __tablename__ = "staff_recovery_generation"

    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    record: Mapped[bytes] = mapped_column(LargeBinary)


class ShareRow(Base):
    """`holder`'s half of the recovery key for the pair of `holder` and `partner`, sealed to `holder`."""

    __tablename__ = "staff_recovery_share"

    generation: Mapped[int] = mapped_column(
        Integer, ForeignKey("staff_recovery_generation.n", ondelete="CASCADE"), primary_key=True
    )
    holder: Mapped[str] = mapped_column(String(16), primary_key=True)
    partner: Mapped[str] = mapped_column(String(16), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class EscrowRow(Base):
    """An operator's private key, sealed to a recovery key."""

    __tablename__ = "staff_escrow"

    operator_id: Mapped[str] = mapped_column(
        String(16), ForeignKey("staff_operator.id", ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int] = mapped_column(Integer, ForeignKey("staff_recovery_generation.n"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AuditRow(Base):
    """One link of the audit log's chain."""

    __tablename__ = "audit"

    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


def hold(session: Session) -> None:
    """Take the one lock under which accounts and the audit log are written, until the transaction ends.

    Other threads and processes wait for it. Taken twice in a transaction it is the same lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    else:  # SQLite has one writer, and even an update of nothing makes this transaction it
        session.execute(
            update(AuditRow).where(AuditRow.n < 0).values(at=0).execution_options(synchronize_session=False)
        )


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Open a transaction in which what was read stays true until it is written."""
    with Session(engine) as session, session.begin():
        hold(session)
        yield session
