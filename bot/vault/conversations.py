"""The table of conversations: a pseudonym, a wrapped key, one encrypted record, and when to forget it."""

from __future__ import annotations

import time

from sqlalchemy import BigInteger, Engine, Integer, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.log import get_logger
from bot.store.database import Base, forget_deleted
from bot.vault.vault import KEY_VERSION, Unreadable, Vault

log = get_logger(__name__)
_STATE = "state"
_EXPIRY_GRAIN = 600
"""Seconds to which the stored time is rounded down, so that it does not tell when somebody wrote."""


class ConversationRow(Base):
    """One conversation. Nothing in it says who, in which language, or about what."""

    __tablename__ = "conversation"

    pseudonym: Mapped[str] = mapped_column(String(64), primary_key=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    key_version: Mapped[int] = mapped_column(Integer)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Conversations:
    """Loads, keeps and forgets conversations. Calls block for about a millisecond."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault

    def load(self, pseudonym: str, now: float | None = None) -> bytes | None:
        """Return what was kept, or None where nothing is, it has expired, or it can't be opened."""
        with Session(self.engine) as session:
            row = session.get(ConversationRow, pseudonym)
            if row is None or row.expires_at <= (time.time() if now is None else now):
                return None
            try:
                key = self.vault.unwrap(pseudonym, row.wrapped_key, row.key_version)
                return self.vault.open(key, pseudonym, _STATE, row.record)
            except Unreadable:
                log.warning("conversation_unreadable")
                return None

    def keep(self, pseudonym: str, plain: bytes, lifetime: float, now: float | None = None) -> None:
        """Keep `plain` for `lifetime` seconds from now, up to ten minutes less (never for longer than promised)."""
        moment = time.time() if now is None else now
        grain = _EXPIRY_GRAIN if lifetime >= 2 * _EXPIRY_GRAIN else 1
        expires_at = int((moment + lifetime) // grain) * grain
        with Session(self.engine) as session, session.begin():
            row = session.get(ConversationRow, pseudonym)
            key = None
            if row is not None and row.expires_at > moment:
                try:
                    key = self.vault.unwrap(pseudonym, row.wrapped_key, row.key_version)
                except Unreadable:
                    key = None
            if row is None:
                row = ConversationRow(pseudonym=pseudonym)
                session.add(row)
            if key is None:
                key, row.wrapped_key = self.vault.new_key(pseudonym)
                row.key_version = KEY_VERSION
            row.record = self.vault.seal(key, pseudonym, _STATE, plain)
            row.expires_at = expires_at

    def erase(self, pseudonym: str) -> None:
        """Forget a conversation: its wrapped key and record are deleted, in the file and in its log."""
        with Session(self.engine) as session, session.begin():
            session.execute(delete(ConversationRow).where(ConversationRow.pseudonym == pseudonym))
        forget_deleted(self.engine)

    def purge(self, now: float | None = None) -> int:
        """Forget all expired conversations; return how many there were."""
        moment = int(time.time() if now is None else now)
        with Session(self.engine) as session, session.begin():
            expired = list(
                session.scalars(select(ConversationRow.pseudonym).where(ConversationRow.expires_at <= moment))
            )
            session.execute(delete(ConversationRow).where(ConversationRow.expires_at <= moment))
        if expired:
            forget_deleted(self.engine)
        return len(expired)
