"""bot/store: migrations and models make the same tables."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from bot.store import database
from bot.store.database import connect
from bot.store.migrate import HEAD, VERSION, migrate, upgrade
from bot.store.tables import metadata

MIGRATIONS = Path(database.__file__).parent / "migrations"


def differences(connection: Connection) -> list[object]:
    """What the tables lack or have too much, but for the full-text index, which SQLAlchemy does not know."""
    options = {"include_name": lambda name, *_: not str(name).startswith("service_fts")}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_the_head_that_the_code_expects_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_migrations_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    migrated = connect(f"sqlite:///{tmp_path / 'migrated.db'}")
    upgrade(migrated)
    with migrated.connect() as connection:
        assert differences(connection) == []
        for table in ("organization", "service", "service_at_location", "location", "phone", "schedule", "language"):
            assert inspect(connection).has_table(table)
        assert inspect(connection).has_table("service_area")
    migrated.dispose()


def test_a_new_database_is_the_same_as_a_migrated_one(engine: Engine, tmp_path: Path) -> None:
    """What an empty database gets at once is what the migrations would have made, the version included."""
    migrated = connect(f"sqlite:///{tmp_path / 'migrated.db'}")
    upgrade(migrated)
    described = text("SELECT type, tbl_name, name FROM sqlite_master ORDER BY 1, 2, 3")
    with engine.connect() as new, migrated.connect() as old:
        assert new.execute(described).all() == old.execute(described).all()
        assert new.execute(VERSION.select()).all() == old.execute(VERSION.select()).all() == [(HEAD,)]
        assert differences(new) == []
    migrated.dispose()


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
