"""What is remembered of conversations, one change of one conversation at a time.

Two change it: the router, when she writes, and the desk, when staff do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from bot.conversation.effects import lifetime_hours
from bot.conversation.state import ASSISTANT, State
from bot.log import get_logger
from bot.vault.conversations import Conversations

log = get_logger(__name__)

HANDOVER_HOURS = 72.0
"""How long a conversation that staff have, or that waits for an answer in this chat, is kept without a message."""


class Memory:
    """Loads, keeps and forgets states, and holds the locks."""

    def __init__(self, conversations: Conversations, expiry_hours: float) -> None:
        self.conversations = conversations
        self.expiry_hours = expiry_hours
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}
        self._forgotten: set[str] = set()
        """Conversations that were forgotten while somebody was changing them."""

    @asynccontextmanager
    async def using(self, pseudonym: str) -> AsyncIterator[int]:
        """Register an interest in a conversation; yields how many there are. Its lock is `lock(pseudonym)`."""
        self._users[pseudonym] = self._users.get(pseudonym, 0) + 1
        try:
            yield self._users[pseudonym]
        finally:
            self._users[pseudonym] -= 1
            if not self._users[pseudonym]:
                del self._users[pseudonym]
                self._locks.pop(pseudonym, None)
                self._forgotten.discard(pseudonym)

    def lock(self, pseudonym: str) -> asyncio.Lock:
        """Return the lock of a conversation that is being used."""
        return self._locks.setdefault(pseudonym, asyncio.Lock())

    def was_forgotten(self, pseudonym: str) -> bool:
        return pseudonym in self._forgotten

    @asynccontextmanager
    async def change(self, pseudonym: str | None) -> AsyncIterator[State | None]:
        """Yield the state of a conversation to be changed by staff, kept afterwards; None where it is gone."""
        if pseudonym is None:
            yield None
            return
        async with self.using(pseudonym), self.lock(pseudonym):
            state = await asyncio.to_thread(self.load, pseudonym)
            yield state
            if state is not None and not self.was_forgotten(pseudonym):
                await asyncio.to_thread(self.keep, pseudonym, state)

    def load(self, pseudonym: str) -> State | None:
        """Return what is known of a conversation, or None. Raises SQLAlchemyError."""
        stored = self.conversations.load(pseudonym)
        return State.from_bytes(stored) if stored else None

    def load_or(self, pseudonym: str, language: str) -> State:
        """Return what is known, else a new state; a new one also where that can't be read: danger waits for no disk."""
        try:
            return self.load(pseudonym) or State(language=language)
        except SQLAlchemyError:
            log.exception("conversation_not_loaded")
            return State(language=language, stand_in=True)

    def keep(self, pseudonym: str, state: State) -> None:
        if state.stand_in:
            return
        hours = lifetime_hours(state, self.expiry_hours)
        if state.owner != ASSISTANT or (state.case and state.answer_here):
            hours = max(hours, HANDOVER_HOURS)
        self.conversations.keep(pseudonym, state.to_bytes(), 3600 * hours)

    async def keep_or_say(self, pseudonym: str, state: State) -> None:
        """Keep a state; where the database fails, only say so in the log: she has her answer all the same."""
        try:
            await asyncio.to_thread(self.keep, pseudonym, state)
        except SQLAlchemyError:
            log.exception("conversation_not_kept")

    async def forget(self, pseudonym: str) -> None:
        """Forget a conversation; whoever is changing it does not keep it again."""
        if pseudonym in self._users:
            self._forgotten.add(pseudonym)
        await asyncio.to_thread(self.conversations.erase, pseudonym)

    def touch(self, state: State) -> None:
        state.last_seen = int(time.time()) if state.return_word or state.shared_phone else 0
