"""A real PostgreSQL server for the time of some tests, where this machine has one."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from tests.support import free_port

MISSING = "no PostgreSQL that starts on this machine (initdb, pg_ctl; as root also runuser)"


def _program(name: str) -> str | None:
    found = shutil.which(name)
    return found or next((str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)


@contextmanager
def server(durable: bool = False) -> Iterator[str | None]:
    """Start a server; yield its URL, or None where there is no PostgreSQL that starts.

    Its folder is not one of pytest's: every pytest that starts closes those to other users, and the server is one.

    `durable`: it waits for the disk, as a real one does.
    """
    initdb, pg_ctl, runuser = _program("initdb"), _program("pg_ctl"), shutil.which("runuser")
    root = os.geteuid() == 0  # PostgreSQL refuses to run as root
    if initdb is None or pg_ctl is None or (root and runuser is None):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    data, port, as_user = folder / "data", free_port(), []
    if root:
        known = subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0
        user = "postgres" if known else "nobody"
        as_user = [str(runuser), "-u", user, "--"]
        shutil.chown(folder, user)
    stop = [*as_user, pg_ctl, "-D", str(data), "-m", "immediate", "stop"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1" + ("" if durable else " -c fsync=off")
    for command in (
        [initdb, "-D", str(data), "-U", "helpline", "-A", "trust", "-E", "UTF8", "--locale=C"],
        [pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start"],
    ):
        if subprocess.run([*as_user, *command], capture_output=True, cwd=folder, check=False).returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            yield None
            return
    try:
        yield f"postgresql+psycopg://helpline@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(stop, capture_output=True, cwd=folder, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def empty_database(url: str, like: str = "template1") -> Iterator[str]:
    """Make a database of its own on a server, like the database named `like`; yield its URL."""
    name = f"test_{secrets.token_hex(6)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
