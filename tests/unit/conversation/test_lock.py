"""bot/conversation/lock.py"""

import pytest

from bot.conversation import lock
from bot.conversation.state import State
from bot.vault.vault import Vault

VAULT = Vault(bytes(range(32)))
ME, OTHER = "a" * 64, "b" * 64


def locked(word: str = "mimosa", duress: str | None = "lavender") -> State:
    state = State(locked=True)
    state.return_word = lock.digest(VAULT, ME, word)
    state.duress_word = lock.digest(VAULT, ME, duress) if duress else None
    return state


@pytest.mark.parametrize(("text", "word"), [("Mimosa!", "mimosa"), ("МІМОЗА", "мімоза"), ("ميموزا", "ميموزا")])
def test_a_word_is_compared_however_it_is_typed(text: str, word: str) -> None:
    assert lock.word_of(text) is not None
    assert lock.word_of(text) == lock.word_of(word)


@pytest.mark.parametrize("text", ["", "abc", "two words", "word5", "!!!!"])
def test_some_texts_are_no_words(text: str) -> None:
    assert lock.word_of(text) is None


def test_only_her_word_opens() -> None:
    state = locked()
    assert not lock.opens(state, VAULT, ME, "rose bush")
    assert not lock.opens(state, VAULT, ME, "roses")
    assert not lock.opens(state, VAULT, ME, "lavender")
    assert lock.opens(state, VAULT, ME, "Mimosa")


def test_the_digest_is_another_in_another_conversation() -> None:
    assert lock.digest(VAULT, ME, "mimosa") != lock.digest(VAULT, OTHER, "mimosa")
    assert lock.digest(VAULT, ME, "mimosa") != lock.digest(Vault(bytes(32)), ME, "mimosa")


def test_too_many_guesses_close_it_for_a_while() -> None:
    state = locked()
    for number in range(lock.MOST_WRONG):
        assert not lock.opens(state, VAULT, ME, f"guess{'abcdefgh'[number]}", now=1000 + number)
    assert not lock.opens(state, VAULT, ME, "mimosa", now=1010)
    assert lock.opens(state, VAULT, ME, "mimosa", now=1010 + lock.WRONG_SECONDS)


def test_her_own_word_never_counts_as_a_guess() -> None:
    state = locked()
    for number in range(lock.MOST_WRONG):
        lock.opens(state, VAULT, ME, f"guess{'abcdefgh'[number]}", now=1000)
    for minute in range(1, 15):
        assert not lock.opens(state, VAULT, ME, "mimosa", now=1000 + 60 * minute)
    assert lock.opens(state, VAULT, ME, "mimosa", now=1000 + lock.WRONG_SECONDS)


def test_the_duress_word_counts_as_no_guess() -> None:
    state = locked()
    for _ in range(2 * lock.MOST_WRONG):
        lock.opens(state, VAULT, ME, "lavender", now=1000)
    assert lock.opens(state, VAULT, ME, "mimosa", now=1001)


def test_it_hides_after_idle_time_only_where_a_word_is_set() -> None:
    state = State(last_seen=1000)
    assert not lock.is_due(state, now=9999)
    state.return_word = "digest"
    assert not lock.is_due(state, now=1000 + lock.LOCK_SECONDS - 1)
    assert lock.is_due(state, now=1000 + lock.LOCK_SECONDS)
