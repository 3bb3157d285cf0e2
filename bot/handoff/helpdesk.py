"""What a helpdesk of the NGO's own has to do, where conversations are handed over to one (bot/handoff/chatwoot.py)."""

from __future__ import annotations

from typing import Protocol


class HelpdeskUnreachable(Exception):
    """The helpdesk did not take it within a few tries."""


class Helpdesk(Protocol):
    """Another system in which staff answer. It keeps what it is given in its own way: nothing is sealed there."""

    async def open(self, case: str, alias: str, summary: str, after: int = 0) -> str:
        """Begin a conversation, or go on with it after message `after`; return its name there.

        Raises HelpdeskUnreachable.
        """

    async def relay(self, external: str, text: str, key: str = "") -> None:
        """Pass on what she wrote; the same `key` is the same message. Raises HelpdeskUnreachable."""

    async def close(self, external: str, note: str) -> None:
        """Say that she has left. Raises HelpdeskUnreachable."""
