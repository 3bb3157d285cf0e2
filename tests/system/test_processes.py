"""The running whole: start, stop, and what survives when parts of it die."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.text.catalogue import load_languages
from tests.support import ROOT, Helpline, running, until


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Helpline]:
    """A helpline that a test may kill."""
    with running(tmp_path) as helpline:
        yield helpline


def in_danger(answer: str) -> bool:
    return "112" in answer


def test_healthz_and_readyz(own: Helpline) -> None:
    assert httpx.get(own.url + "/healthz").json() == {"status": "alive"}
    ready = httpx.get(own.url + "/readyz").json()
    assert ready == {"ready": True, "engine": True, "database": True, "model": True, "catalogues": True}


def test_it_is_alive_and_safe_before_the_engine_is_ready(tmp_path: Path) -> None:
    with running(tmp_path, ready=False) as helpline:
        assert helpline.get("/readyz") == 503
        person = helpline.person("fr")
        assert in_danger(person.says("au secours il me frappe"))
        assert person.titles


def test_kill_the_engine_in_the_middle(own: Helpline) -> None:
    person = own.person("en")
    person.says("Polska")
    first = own.engine_pid
    own.kill_engine()
    assert in_danger(person.says("au secours il me frappe"))
    until(lambda: own.get("/readyz") == 200 and own.engine_pid not in (None, first), 60, "a new engine")
    answer = person.taps("My country") if "My country" in person.titles else person.says("Polska")
    assert answer
    assert "just starting" not in answer


def test_without_an_engine_every_turn_still_gets_an_answer(own: Helpline) -> None:
    person = own.person("en")
    person.says("Warszawa")
    pid = own.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it hangs, the worst way to be away
    try:
        started = time.monotonic()
        assert in_danger(person.says("au secours il me frappe"))
        assert time.monotonic() - started < 5
        assert person.titles[-2:] == ["Menu", "Exit"] or len(person.titles) >= 2
    finally:
        os.kill(pid, signal.SIGCONT)


def test_kill_everything_and_go_on(tmp_path: Path) -> None:
    with running(tmp_path) as helpline:
        person = helpline.person("en")
        person.says("hello")
        person.taps("Others may read it") if "Others may read it" in person.titles else None
        person.says("Polska")
        helpline.kill()
        engine_gone(helpline)
        helpline.start()
        answer = person.says("au secours il me frappe")
        assert "112" in answer  # the conversation goes on, in Poland
        with sqlite3.connect(helpline.data / "helpline.db") as database:
            assert database.execute("SELECT count(*) FROM conversation").fetchone() == (1,)


def engine_gone(helpline: Helpline) -> None:
    """The engine ends with its gateway, however that ended."""
    socket_path = helpline.data / "run" / "engine.sock"

    def refused() -> bool:
        if not socket_path.exists():
            return True
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(socket_path))
            except OSError:
                return True
        return False

    until(refused, 10, "the engine has ended with its gateway")


def test_what_was_erased_stays_erased_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as helpline:
        person = helpline.person("en")
        person.says("hello")
        person.says("stop")
        helpline.kill()
        helpline.start(ready=False)
        with sqlite3.connect(helpline.data / "helpline.db") as database:
            assert database.execute("SELECT count(*) FROM conversation").fetchone() == (0,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as helpline:
        engine = helpline.engine_pid
        assert helpline.stop(number) == 0
        assert not Path(f"/proc/{engine}").exists()
        assert "Stopped." in helpline.stdout.read_text()
        assert "Traceback" not in helpline.stderr.read_text()


def test_only_its_owner_can_read_what_it_writes(own: Helpline) -> None:
    person = own.person("en")
    person.says("hello")
    assert stat.S_IMODE((own.data / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((own.data / "run" / "engine.sock").stat().st_mode) == 0o600
    for path in [own.data, *own.data.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_it_says_where_things_are(own: Helpline) -> None:
    printed = own.stdout.read_text()
    for words in (f"127.0.0.1:{own.port}", str(own.data), "master.key", "HELPLINE_TELEGRAM_TOKEN", "Ctrl-C"):
        assert words in printed


def command(*arguments: str, folder: Path, stdin: bytes = b"", **settings: str) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
    environment |= {"HELPLINE_DATA_DIR": str(folder / "data"), "HELPLINE_MODEL_DIR": str(ROOT / "models"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=ROOT, env=environment, input=stdin, capture_output=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELPLINE_PORT", "eighty"),
        ("HELPLINE_TELEGRAM_TOKEN", "not-a-token"),
        ("HELPLINE_LOG_LEVEL", "loud"),
        ("HELPLINE_DATABASE_URL", "mysql://somebody:secret@host/db"),
        ("HELPLINE_TELEGRAM_BASE_URL", "ftp://x"),
        ("HELPLINE_EXPIRY_HOURS", "never"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    result = command("run", folder=tmp_path, **{name: value})
    assert result.returncode != 0
    words = result.stderr.decode()
    assert name in words
    assert "expected" in words
    assert value not in words
    assert "Traceback" not in words
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_said(tmp_path: Path, own: Helpline) -> None:
    result = command("run", folder=tmp_path / "other", HELPLINE_PORT=str(own.port))
    assert result.returncode != 0
    assert "HELPLINE_PORT" in result.stderr.decode()


def test_check_says_what_is_there_and_never_a_secret(tmp_path: Path) -> None:
    token = "123456:SECRET-secret_secret"
    result = command("check", folder=tmp_path, HELPLINE_TELEGRAM_TOKEN=token)
    words = result.stdout.decode()
    assert result.returncode == 0, words
    assert "token set" in words
    assert token not in words
    assert "Українська" in words
    result = command("check", folder=tmp_path, HELPLINE_MODEL_DIR=str(tmp_path))
    assert result.returncode == 1
    assert "make train" in result.stdout.decode()


def test_check_counts_unverified_rows(own: Helpline) -> None:
    result = command("check", folder=own.folder)
    assert "unverified" in result.stdout.decode()


def test_check_says_what_nobody_has_reviewed(own: Helpline) -> None:
    said = command("check", folder=own.folder).stdout.decode()
    assert "reviewed by no lawyer" in said
    assert "drafts that no native speaker has reviewed" in said
    drafts = sum(not each.reviewed for each in load_languages(ROOT / "locales").values())
    assert said.count("a draft that no native speaker has reviewed") == drafts, "each language is complete, and a draft"


def test_chat_in_the_terminal(tmp_path: Path) -> None:
    result = command("chat", "--language", "fr", folder=tmp_path, stdin=b"bonjour\nau secours il me frappe\n/exit\n")
    words = result.stdout.decode()
    assert result.returncode == 0, result.stderr.decode()
    assert "Mila" in words
    assert "112" in words


def test_nlu_parse_answers_every_line_in_order(tmp_path: Path) -> None:
    import json

    texts = ["au secours il me frappe", "x", "", "je suis en Italie", "😀", "a" * 50_000, "\ud800 lone", "{}", "/start"]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    result = command("nlu", "parse", folder=tmp_path, stdin=lines)
    assert result.returncode == 0, result.stderr.decode()
    rows = [json.loads(line) for line in result.stdout.decode("utf-8", "surrogatepass").splitlines()]
    assert [row["text"] for row in rows] == texts
    assert rows[0]["intent"] == "immediate_danger"
    assert rows[3]["place"] == "IT"
    assert all({"intent", "confidence", "language", "place"} <= row.keys() for row in rows)
    assert rows[8]["intent"] != "start"


def test_nlu_parse_names_a_bad_line(tmp_path: Path) -> None:
    result = command("nlu", "parse", folder=tmp_path, stdin=b'{"text": "hello"}\n{"txt": 1}\n')
    assert result.returncode != 0
    assert "line 2" in result.stderr.decode()
    assert len(result.stdout.splitlines()) == 1
