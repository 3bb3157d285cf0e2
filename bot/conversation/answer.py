"""An answer in the making: what is said, and what happens with the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation.turn import Message


@dataclass
class Answer:
    """What one turn comes to, before the router dresses it as a reply."""

    messages: list[Message]
    understood: str | None = None
    finish: str | None = None
    """"exit", "erase", or "erase_chat": then staff keep her case."""
    cover: bool = False
    """The converter: nothing may be added that tells what this is."""
    asks: bool = False
    """A guided walk's question is among the messages."""
    hide: bool = False
    """What she sent is to be taken out of sight."""
    asks_human: bool = False
    """She has agreed to talk to staff."""
    silent: bool = False
    """Nothing is to be said: an operator has it."""
    clear: bool = False
    """So is all that stands in the chat."""
