"""The six promises (docs/privacy.md), each held by a test that would fail if it were broken.

Canaries go through both channels of a real helpline at the most verbose log level; then everything that it wrote is
searched for them: standard output and error, every file below the data folder, every column of every table.
"""

from __future__ import annotations

import base64
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.vault import vault as vault_module
from bot.vault.keys import load
from bot.vault.vault import Unreadable, Vault
from tests.botapi import TOKEN, BotApi
from tests.support import ROOT, Helpline, Person, running, until

CHAT = 987654321012
CANARIES = ["zanzibarcanary", "КанаркаЖовта", "طائر٧الكناري"]
SITUATION = "my boss has my passport and he shouts"


def encodings(canary: str) -> Iterator[bytes]:
    """Yield the shapes in which a text may have been written."""
    yield canary.encode()
    yield canary.lower().encode()
    yield canary.encode("utf-16-le")
    yield canary.encode("unicode_escape")
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + canary.encode()).rstrip(b"=")[2 + shift : -3]
        if len(encoded) > 6:  # three letters stand by chance in any file of megabytes
            yield encoded


def everything_written(helpline: Helpline) -> dict[str, bytes]:
    """Return all that a helpline has written, by file or table."""
    written = {str(file): file.read_bytes() for file in [helpline.stdout, helpline.stderr]}
    written |= {str(file): file.read_bytes() for file in helpline.data.rglob("*") if file.is_file()}
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"').fetchall()
            written[f"table {table}"] = repr(rows).encode()
    return written


def find(helpline: Helpline, canaries: list[str]) -> list[str]:
    return [
        f"{canary!r} in {place}"
        for place, content in everything_written(helpline).items()
        for canary in canaries
        if any(shape in content for shape in encodings(canary))
    ]


def hides(helpline: Helpline, canaries: list[str]) -> None:
    """Set words to return, paste an offer, walk, and write behind the cover: each with a canary."""
    token = Vault(load(helpline.data / "master.key")).token
    for canary in canaries:
        person = helpline.person()
        person.post(choice=token("!advert"))
        person.says(f"Girls wanted, send your passport and photos, tell nobody. {canary} " * 3)
        person.post(choice=token('/walk{"walk":"signs"}'))
        person.says(f"yes {canary}")
        person.post(choice=token("!trip"))
        person.says(canary)
        person.post(choice=token("!word"))
        person.says(canary)
        person.says(f"{canary}duress")
        person.post(choice=token("!lock"))
        person.says(f"5 kg {canary}")
        person.says(canary)
        person.says(f"12 {canary}")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Helpline, BotApi, Person]]:
    """A helpline to which canaries were written through every channel and in every way."""
    with (
        BotApi() as api,
        running(
            tmp_path_factory.mktemp("canaries"),
            HELPLINE_TELEGRAM_TOKEN=TOKEN,
            HELPLINE_TELEGRAM_BASE_URL=api.base_url,
            HELPLINE_LOG_LEVEL="debug",
        ) as helpline,
    ):
        person = helpline.person()
        for canary in CANARIES:
            person.says(f"{SITUATION} {canary}")
            person.says(canary)
            person.says(f"he is beating me now {canary}")
            person.says(f'/start{{"country": "{canary}"}}')
            person.says(f"\ud800{canary}")
            for text in (f"{SITUATION} {canary}", f"/{canary}", f"help me {canary} he is hitting me now"):
                api.write(CHAT, text)
            api.write(
                CHAT, caption=canary, photo=[{"file_id": canary, "file_unique_id": canary, "width": 1, "height": 1}]
            )
            api.write(CHAT, contact={"phone_number": canary, "first_name": canary})
            api.write(CHAT, location={"longitude": 1.0, "latitude": 2.0})
            api.write(CHAT, document={"file_id": canary, "file_unique_id": canary, "file_name": canary})
            api.push({"edited_message": {**next(iter(api.chats[CHAT].values())), "edit_date": 1, "text": canary}})
            api.push({"message": {"message_id": "broken", "text": canary}})
            api.push(
                {
                    "callback_query": {
                        "id": "1",
                        "from": {"id": CHAT, "is_bot": False, "first_name": canary},
                        "chat_instance": "1",
                        "data": canary,
                    }
                }
            )
        written = len(api.chats[CHAT])
        hides(helpline, CANARIES)
        until(lambda: not api.pending, 60, "all of Telegram's messages are answered")
        assert len(api.chats[CHAT]) > written
        person.says("I need a lawyer")
        yield helpline, api, person


def test_no_text_and_no_identity_is_written_anywhere(used: tuple[Helpline, BotApi, Person]) -> None:
    """Promise 1, at debug level, while the conversation is open."""
    helpline, _, person = used
    identity = [str(CHAT), f"CanaryName{CHAT}", f"canary_{CHAT}", person.conversation]
    assert find(helpline, [*CANARIES, "passport", "shouts", *identity]) == []


def test_the_search_would_find_what_is_there(used: tuple[Helpline, BotApi, Person]) -> None:
    """The search above can fail: the same search finds what is meant to be written."""
    helpline, _, _ = used
    assert find(helpline, ["telegram_connected"])
    assert find(helpline, ["Numero Verde Antitratta"])


def test_tokens_and_keys_are_written_nowhere(used: tuple[Helpline, BotApi, Person]) -> None:
    helpline, _, _ = used
    master = load(helpline.data / "master.key")
    places = {
        place
        for place, content in everything_written(helpline).items()
        if TOKEN.encode() in content
        or TOKEN.split(":")[1].encode() in content
        or master in content
        or master.hex().encode() in content
    }
    assert places == {str(helpline.data / "master.key")}
    assert (helpline.data / "master.key").stat().st_mode & 0o777 == 0o600
    assert master.hex() not in repr(Vault(master))


def test_what_is_stored_is_the_least_that_the_next_turn_needs(used: tuple[Helpline, BotApi, Person]) -> None:
    """Promise 2: even opened with the master key, the record holds names of intents and slots, not words."""
    helpline, _, person = used
    vault = Vault(load(helpline.data / "master.key"))
    pseudonym = vault.pseudonym("web", person.conversation)
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        wrapped, version, record = database.execute(
            "SELECT wrapped_key, key_version, record FROM conversation WHERE pseudonym = ?", [pseudonym]
        ).fetchone()
    opened = vault.open(vault.unwrap(pseudonym, wrapped, version), pseudonym, "state", record).decode()
    assert "need_legal" in opened
    assert not any(canary in opened for canary in [*CANARIES, "shouts", "boss", "lawyer"])


def test_the_disk_without_the_master_key_shows_nothing(used: tuple[Helpline, BotApi, Person]) -> None:
    """Promise 4: no intent, slot or language of a conversation is readable, and another key opens nothing."""
    helpline, _, person = used
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        rows = database.execute("SELECT pseudonym, wrapped_key, record FROM conversation").fetchall()
    assert len(rows) >= 2
    for pseudonym, wrapped, record in rows:
        assert b"need_legal" not in record
        assert len(record) - 28 in {1024 * 2**power for power in range(12)}
        with pytest.raises(Unreadable):
            Vault(b"another master key of 32 bytes !").unwrap(pseudonym, wrapped, 1)
    assert Vault(b"another master key of 32 bytes !").pseudonym("web", person.conversation) not in {
        row[0] for row in rows
    }


def test_a_record_opens_in_its_own_row_only(used: tuple[Helpline, BotApi, Person]) -> None:
    helpline, _, _ = used
    vault = Vault(load(helpline.data / "master.key"))
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        (one, wrapped, record), (other, _, _), *_ = database.execute(
            "SELECT pseudonym, wrapped_key, record FROM conversation"
        ).fetchall()
    key = vault.unwrap(one, wrapped, vault_module.KEY_VERSION)
    with pytest.raises(Unreadable):
        vault.unwrap(other, wrapped, vault_module.KEY_VERSION)
    with pytest.raises(Unreadable):
        vault.open(key, other, "state", record)
    with pytest.raises(Unreadable):
        vault.open(key, one, "another purpose", record)


def stored(helpline: Helpline) -> set[str]:
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        return {pseudonym for (pseudonym,) in database.execute("SELECT pseudonym FROM conversation")}


def raw_bytes(helpline: Helpline) -> bytes:
    return b"".join(file.read_bytes() for file in helpline.data.glob("helpline.db*"))


@pytest.mark.parametrize("way", ["erase", "exit"])
def test_erasing_leaves_no_key_on_the_disk(helpline: Helpline, way: str) -> None:
    """Promises 3 and 6: one tap; the wrapped key is gone from tables, free pages and the write-ahead log."""
    person = helpline.person()
    person.says("hello")
    vault = Vault(load(helpline.data / "master.key"))
    pseudonym = vault.pseudonym("web", person.conversation)
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        (wrapped, record) = database.execute(
            "SELECT wrapped_key, record FROM conversation WHERE pseudonym = ?", [pseudonym]
        ).fetchone()
    assert wrapped in raw_bytes(helpline)
    if way == "erase":
        person.says("What is kept about me? Is this anonymous?")
        person.post(choice=vault.token("!erase"))
    else:
        person.taps("Exit")
    assert person.answer["ended"]
    assert pseudonym not in stored(helpline)
    assert wrapped not in raw_bytes(helpline)
    assert record not in raw_bytes(helpline)


def test_idle_conversations_are_forgotten_by_a_purge_that_runs(tmp_path: Path) -> None:
    """Promise 3: with the expiry long past, starting the helpline forgets them without anybody writing."""
    with running(tmp_path, ready=False) as helpline:
        helpline.person().says("he is hitting me now")
        assert len(stored(helpline)) == 1
        helpline.kill()
        with sqlite3.connect(helpline.data / "helpline.db") as database:
            database.execute("UPDATE conversation SET expires_at = ?", [int(time.time()) - 1])
        database.close()
        helpline.start(ready=False)
        until(lambda: not stored(helpline), 10, "the purge has run")


CONNECTS = {
    "bot/channels/telegram.py",
    "bot/cli.py",
    "bot/directory/mail.py",
    "bot/engine/__main__.py",
    "bot/engine/client.py",
    "bot/engine/seal.py",
    "bot/engine/server.py",
    "bot/handoff/chatwoot.py",
}
"""What can open a connection: Telegram, Chatwoot and mail where they are set, and the engine's socket on this machine."""
NETWORK = re.compile(
    r"^\s*(?:import|from) (?:httpx|smtplib|socket|ssl|urllib\.request|http\.client|requests|aiohttp|aiogram|telegram"
    r"|ftplib|imaplib|poplib|telnetlib|websockets)\b|open_connection|create_connection|open_unix_connection",
    re.MULTILINE,
)


def test_nothing_connects_to_anywhere_but_what_is_set() -> None:
    """Promise 5: a module that can open a connection is named here, and in docs/privacy.md."""
    files = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in (ROOT / "bot").rglob("*.py")}
    assert {name for name, text in files.items() if NETWORK.search(text)} == CONNECTS


def test_another_master_key_opens_nothing_and_starts_anew(tmp_path: Path) -> None:
    """Promise 4, for a stolen disk put under another key: the conversation is simply not there."""
    with running(tmp_path) as helpline:
        person = helpline.person()
        person.says("I need a lawyer in Italy")
        helpline.stop()
        shutil.copy(helpline.data / "master.key", tmp_path / "kept.key")
        (helpline.data / "master.key").unlink()
        helpline.start()
        assert "Italy" not in person.says("I need a lawyer")
