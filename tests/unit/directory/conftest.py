"""Every test of the directory runs on SQLite and on PostgreSQL, and must give the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from bot.store.database import connect
from bot.store.migrate import migrate
from tests.postgresql import MISSING, empty_database, server


@pytest.fixture(scope="package")
def postgresql() -> Iterator[tuple[str, str] | None]:
    """The URL of a server, and the name of a database on it with all tables; None where there is no server."""
    with server() as url:
        if url is None:
            yield None
            return
        with empty_database(url) as made:
            engine = connect(made)
            migrate(engine)
            engine.dispose()
            yield url, str(make_url(made).database)


@pytest.fixture(scope="package")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables."""
    path = tmp_path_factory.mktemp("tables") / "helpline.db"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, sqlite: Path) -> Iterator[Engine]:
    """A new database with all tables."""
    if request.param == "sqlite":
        shutil.copy(sqlite, tmp_path / "helpline.db")
        engine = connect(f"sqlite:///{tmp_path / 'helpline.db'}")
        yield engine
        engine.dispose()
        return
    found = request.getfixturevalue("postgresql")
    if found is None:
        pytest.skip(MISSING)
    url, like = found
    with empty_database(url, like) as database:
        engine = connect(database)
        yield engine
        engine.dispose()
