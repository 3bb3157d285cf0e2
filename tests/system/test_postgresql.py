"""The helpline on a real PostgreSQL, started by the test where one is on the machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.postgresql import MISSING, server
from tests.staffroom import Console, employ
from tests.support import ROOT, running


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own; yields its URL."""
    with server() as url:
        if url is None:
            pytest.skip(MISSING)
        yield url


def test_a_conversation_is_kept_and_erased(postgresql: str, tmp_path: Path) -> None:
    with running(tmp_path, HELPLINE_DATABASE_URL=postgresql) as helpline:
        person = helpline.person("en")
        person.says("I am in Italy")
        assert "800 290 290" in person.says("I need a safe place to sleep")
        database = create_engine(postgresql)
        with database.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM conversation")).scalar() == 1
        person.says("stop")
        with database.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM conversation")).scalar() == 0
        database.dispose()
        helpline.kill()
        helpline.start()  # migrations and starter data find what is there
        assert "800 290 290" in helpline.person("fr").says("je suis en Italie")


def test_a_conversation_is_handed_over_and_survives_a_death(postgresql: str, tmp_path: Path) -> None:
    with running(tmp_path, HELPLINE_DATABASE_URL=postgresql) as helpline:
        employee = employ(helpline, "ana")
        console = Console(helpline, employee).logs_in().on_duty()
        person = helpline.person()
        person.says("I want to talk to a real person")
        person.taps("Yes, ask for a person")
        case = console.http.get("/console/queue").text.partition('data-case="')[2].partition('"')[0]
        assert console.post(f"/console/case/{case}/take").status_code == 303
        assert person.says("CANARY in PostgreSQL") == ""
        helpline.kill()
        helpline.start()
        console = Console(helpline, employee).logs_in()
        page = console.http.get(f"/console/case/{case}").text
        assert page.count("CANARY in PostgreSQL") == 1
        database = create_engine(postgresql)
        with database.connect() as connection:
            tables = [name for (name,) in connection.execute(text("SELECT tablename FROM pg_tables"))]
            for table in tables:
                if not table.startswith(("pg_", "sql_")):
                    assert "CANARY" not in repr(connection.execute(text(f'SELECT * FROM "{table}"')).all()), table
        database.dispose()
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", "audit", "verify"],
            env=helpline.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
