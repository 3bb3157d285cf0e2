"""bot/store: tables come from migrations only."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from bot.directory import models  # noqa: F401
from bot.store import database
from bot.store.database import HEAD, Base, migrate
from bot.vault import conversations  # noqa: F401

MIGRATIONS = Path(database.__file__).parent / "migrations"


def test_the_head_that_the_code_expects_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_migrations_make_exactly_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        for table in ("organization", "service", "service_at_location", "location", "phone", "schedule", "language"):
            assert inspect(connection).has_table(table)
        assert inspect(connection).has_table("service_area")


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO organization (id, name) VALUES ('a', 'A')"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM organization")).scalar() == 1


def test_an_error_shows_no_parameters(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO organization (id, name) VALUES ('canary', 'A')"))
    with engine.connect() as connection, pytest.raises(Exception, match="UNIQUE") as error:
        connection.execute(text("INSERT INTO organization (id, name) VALUES (:id, 'B')"), {"id": "canary"})
    assert "canary" not in str(error.value)
