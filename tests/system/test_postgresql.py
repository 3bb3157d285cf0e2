"""The helpline on a real PostgreSQL, started by the test where one is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.staffroom import Console, employ
from tests.support import ROOT, free_port, running


def program(name: str) -> str | None:
    found = shutil.which(name)
    return found or next((str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own; yields its URL."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL on this machine (initdb, pg_ctl)")
    folder = tmp_path_factory.mktemp("postgresql")
    data, port = folder / "data", free_port()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no runuser")
        user = (
            "postgres"
            if subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0
            else "nobody"
        )
        as_user = ["runuser", "-u", user, "--"]
        for parent in (folder, *folder.parents):
            if str(parent).startswith("/tmp/"):
                parent.chmod(0o755)
        shutil.chown(folder, user)
    log = folder / "log"
    for command in (
        [initdb, "-D", str(data), "-U", "helpline", "-A", "trust", "-E", "UTF8", "--locale=C"],
        [
            pg_ctl,
            "-D",
            str(data),
            "-l",
            str(log),
            "-w",
            "-o",
            f"-p {port} -k {folder} -c listen_addresses=127.0.0.1",
            "start",
        ],
    ):
        done = subprocess.run([*as_user, *command], capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode != 0:
            pytest.skip(f"PostgreSQL does not start here: {done.stderr.strip().splitlines()[-1:]}")
    yield f"postgresql+psycopg://helpline@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*as_user, pg_ctl, "-D", str(data), "-m", "immediate", "stop"], capture_output=True, cwd=folder, check=False
    )


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
