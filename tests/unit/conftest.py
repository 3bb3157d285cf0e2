"""What the unit tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.store.database import connect
from bot.store.migrate import migrate


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new SQLite database with all tables."""
    engine = connect(f"sqlite:///{tmp_path / 'helpline.db'}")
    migrate(engine)
    yield engine
    engine.dispose()
