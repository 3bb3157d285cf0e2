"""bot/vault/conversations.py: kept, expired, erased."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bot.vault.conversations import Conversations
from bot.vault.vault import Vault

DAY = 24 * 3600
NOW = 1_800_000_000.0


@pytest.fixture
def conversations(engine: Engine) -> Conversations:
    return Conversations(engine, Vault(bytes(32)))


def test_what_was_kept_comes_back(conversations: Conversations) -> None:
    assert conversations.load("a") is None
    conversations.keep("a", b"one", DAY)
    conversations.keep("a", b"two", DAY)
    assert conversations.load("a") == b"two"
    assert conversations.load("b") is None


def test_it_expires_and_the_purge_takes_it_away(conversations: Conversations, engine: Engine) -> None:
    conversations.keep("a", b"one", DAY, now=NOW)
    conversations.keep("b", b"two", 3600, now=NOW)
    assert conversations.load("b", now=NOW + 2999) == b"two"
    assert conversations.load("b", now=NOW + 3600) is None  # within the hour, never after it
    assert conversations.purge(now=NOW + 3600) == 1
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM conversation")).scalar() == 1
    assert conversations.load("a", now=NOW + 3600) == b"one"


def test_each_message_puts_the_expiry_off(conversations: Conversations) -> None:
    conversations.keep("a", b"one", 3600, now=NOW)
    conversations.keep("a", b"two", 3600, now=NOW + 3000)
    assert conversations.load("a", now=NOW + 6000) == b"two"


def test_erasing_leaves_nothing_in_any_file(conversations: Conversations, tmp_path: Path) -> None:
    conversations.keep("a" * 64, b"one", DAY)
    with conversations.engine.connect() as connection:
        key, record = connection.execute(text("SELECT wrapped_key, record FROM conversation")).one()
    conversations.erase("a" * 64)
    assert conversations.load("a" * 64) is None
    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        content = file.read_bytes()
        assert bytes(key) not in content
        assert bytes(record) not in content
        assert b"a" * 64 not in content


def test_a_key_is_new_after_expiry_and_after_erasing(conversations: Conversations, engine: Engine) -> None:
    def key() -> bytes:
        with engine.connect() as connection:
            return bytes(connection.execute(text("SELECT wrapped_key FROM conversation")).scalar_one())

    conversations.keep("a", b"1", 3600, now=NOW)
    first = key()
    conversations.keep("a", b"2", 3600, now=NOW + 60)
    assert key() == first
    conversations.keep("a", b"3", 3600, now=NOW + DAY)
    second = key()
    assert second != first
    conversations.erase("a")
    conversations.keep("a", b"4", 3600, now=NOW + DAY)
    assert key() not in (first, second)


def test_a_record_of_another_master_key_is_as_if_it_were_not_there(
    conversations: Conversations, engine: Engine
) -> None:
    conversations.keep("a", b"1", DAY)
    other = Conversations(engine, Vault(b"another master key of 32 bytes !"))
    assert other.load("a") is None
    other.keep("a", b"2", DAY)
    assert other.load("a") == b"2"
