"""The database: SQLite by default, PostgreSQL where its URL is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, event, inspect, select, text
from sqlalchemy.orm import DeclarativeBase

HEAD = "0001"
"""The newest migration. A test holds it to migrations/versions."""

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table, as it makes it."""


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def connect(url: str) -> Engine:
    """Return an engine for `url`; parameters never reach a log."""
    if not url.startswith("sqlite"):
        return create_engine(url, hide_parameters=True, pool_pre_ping=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables up to HEAD. An empty database gets them at once: Alembic alone takes half a second to import."""
    from bot.store import tables

    with engine.begin() as connection:
        inspector = inspect(connection)
        if inspector.has_table(VERSION.name):
            if connection.execute(select(VERSION.c.version_num)).scalar() == HEAD:
                return
        elif not inspector.get_table_names():
            tables.metadata.create_all(connection)
            VERSION.create(connection)
            connection.execute(VERSION.insert().values(version_num=HEAD))
            return
    upgrade(engine)


def upgrade(engine: Engine) -> None:
    """Run the migrations that a database lacks."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def forget_deleted(engine: Engine) -> None:
    """Take deleted rows out of SQLite's write-ahead log too (`secure_delete` has overwritten them in the file)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
