"""What is remembered of a conversation between two turns. Never what was said."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

DELETABLE_SECONDS = 48 * 3600
"""How long Telegram lets a bot delete messages (Bot API, deleteMessages; read 2026-11-23)."""

ASSISTANT, QUEUE, OPERATOR = "assistant", "queue", "operator"
"""Who owns a conversation: who answers what she writes."""

MOST_MESSAGES = 1500
MOST_SEEN = 64


@dataclass
class State:
    """The router's memory of one conversation, kept encrypted."""

    language: str = "en"
    language_chosen: bool = False
    """She chose it herself; until then it is the device's, or what she writes in."""
    offered: list[str] = field(default_factory=list)
    """Languages that were offered already."""
    turn: int = 0
    greeted: bool = False
    shared_phone: bool = False
    last_intent: str | None = None
    last_texts: list[str] = field(default_factory=list)
    """Keyed digests of the last reply's texts, so that none is said twice in a row."""
    engine: dict[str, Any] = field(default_factory=dict)
    """The engine's memory (bot/engine/memory.py)."""
    seen: list[int] = field(default_factory=list)
    """Which deliveries were answered already."""
    messages: list[list[int]] = field(default_factory=list)
    """[message id, Unix time] of what is in the chat, both sides, for deleting."""
    expecting: str | None = None
    """What the next message is taken for, where it is not for the engine: "return_word", "duress_word", "advert",
    "trip_to", "trip_from", "message" (for staff), "reference"."""
    city: str | None = None
    """The city that she named, in English (nlu/places/cities.yml): near it, services are nearer."""
    trip_to: str | None = None
    """The country that she thinks of going to, until that question is answered."""
    return_word: str | None = None
    """Keyed digests (bot/conversation/lock.py)."""
    duress_word: str | None = None
    wrong_words: list[int] = field(default_factory=list)
    """Unix times of guesses."""
    locked: bool = False
    last_seen: int = 0
    """Unix time of the last turn; kept only where a word to return is set."""
    check_back: int | None = None
    """The turn at which to ask how she is, after she spoke of despair."""
    owner: str = ASSISTANT
    """Who answers: the assistant, also while she waits in the queue; or an operator alone. It outlasts restarts."""
    case: str | None = None
    """Her case, where staff have it or may have it again."""
    address: str | None = None
    """Where her channel reaches her, kept only while a case is open and the channel can write first."""
    tell: bool = True
    """Staff may write without waiting for her to look."""
    answer_here: bool = False
    """The answer to a message that she left is wanted in this chat."""
    safe_time: str | None = None
    """The part of the day in which she may be written to (bot/handoff/safe_times.py)."""
    reference: str | None = None
    """A reference that she gave and that is looked up when she has agreed; kept until then only."""
    safety: tuple[str, int] | None = None
    """The last safety intent, and the turn of it; None once it is over."""
    stand_in: bool = False
    """What is known of the conversation could not be read: this is for one answer, and is never kept over it."""
    undeletable: bool = False
    """Some messages have become too old for the channel to delete."""

    @property
    def country(self) -> str | None:
        country: str | None = self.engine.get("slots", {}).get("country")
        return country

    @property
    def walking(self) -> bool:
        """Whether a guided walk waits to be gone on with."""
        return bool(self.engine.get("slots", {}).get("walk"))

    def forget_all_but_words(self) -> None:
        """Forget the conversation, but not the words that hide it, nor what has to be deleted from the chat."""
        kept = ("language", "shared_phone", "seen", "messages", "return_word", "duress_word", "wrong_words", "turn")
        fresh = State(**{name: getattr(self, name) for name in kept}, locked=True)
        self.__dict__.update(fresh.__dict__)

    def set_slot(self, name: str, value: str) -> None:
        self.engine.setdefault("slots", {})[name] = value

    def saw(self, unique: int | None) -> bool:
        """Return whether this delivery was answered before, and remember it."""
        if unique is None:
            return False
        if unique in self.seen:
            return True
        self.seen = [*self.seen, unique][-MOST_SEEN:]
        return False

    def add_messages(self, ids: list[int], now: float | None = None) -> None:
        moment = int(time.time() if now is None else now)
        kept = [entry for entry in self.messages if moment - entry[1] < DELETABLE_SECONDS]
        self.undeletable = self.undeletable or len(kept) < len(self.messages)
        self.messages = [*kept, *([each, moment] for each in ids)][-MOST_MESSAGES:]

    def deletable(self, now: float | None = None) -> list[int]:
        moment = time.time() if now is None else now
        return sorted({entry[0] for entry in self.messages if moment - entry[1] < DELETABLE_SECONDS})

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, stored: bytes) -> State:
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in json.loads(stored).items() if name in known})
