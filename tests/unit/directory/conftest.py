"""Every test of the directory runs on SQLite and on PostgreSQL, and must give the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.store.database import connect
from bot.store.migrate import migrate
from tests.postgresql import MISSING, empty_database, server


@pytest.fixture(scope="package")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    with server(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A new database with all tables."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'helpline.db'}")
        migrate(engine)
        yield engine
        engine.dispose()
        return
    url = request.getfixturevalue("postgresql")
    if url is None:
        pytest.skip(MISSING)
    with empty_database(url) as database:
        engine = connect(database)
        migrate(engine)
        yield engine
        engine.dispose()
