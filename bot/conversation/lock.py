"""Coming back on a shared phone: a word of her own opens the conversation, any other finds the unit converter.

Only keyed digests of the words are kept, inside the conversation's own record, and forgotten with it.
"""

from __future__ import annotations

import time

from bot.conversation.state import State
from bot.text.normalise import normalise
from bot.vault.vault import Vault

LOCK_SECONDS = 300
"""Idle for so long, and the conversation hides behind the converter."""

MOST_WRONG, WRONG_SECONDS = 5, 900
"""So many wrong words within so many seconds, and no word opens until they have passed."""

SHORTEST = 4


def word_of(text: str) -> str | None:
    """Return the word in the form that is compared, or None where `text` is no such word."""
    word = normalise(text)
    usable = len(word) >= SHORTEST and " " not in word and not any(map(str.isdigit, word))
    return word if usable else None


def digest(vault: Vault, pseudonym: str, word: str) -> str:
    """Return the keyed digest of a word: it differs between conversations."""
    return vault.word(pseudonym, word)


def is_due(state: State, now: float | None = None) -> bool:
    """Return whether the conversation has to hide: a word is set, and she was away."""
    moment = time.time() if now is None else now
    return state.return_word is not None and (state.locked or moment - state.last_seen >= LOCK_SECONDS)


def opens(state: State, vault: Vault, pseudonym: str, text: str, now: float | None = None) -> bool:
    """Return whether `text` is her word and may open. Any other single word counts as a guess; her own never does."""
    moment = int(time.time() if now is None else now)
    word = word_of(text)
    if word is None:
        return False
    state.wrong_words = [each for each in state.wrong_words if moment - each < WRONG_SECONDS]
    given = digest(vault, pseudonym, word)
    closed = len(state.wrong_words) >= MOST_WRONG
    if vault.same(given, state.return_word or ""):
        if not closed:
            state.wrong_words = []
        return not closed
    if not vault.same(given, state.duress_word or ""):
        state.wrong_words = [*state.wrong_words, moment][-MOST_WRONG:]
    return False
