"""Brings a database's tables up to date: at once where there are none, by Alembic's migrations otherwise."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Engine, MetaData, String, Table, inspect, select

from bot.store.tables import metadata

HEAD = "0005"
"""The newest migration. A test holds it to migrations/versions."""

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table, as it makes it."""


def migrate(engine: Engine) -> None:
    """Bring the tables up to HEAD. An empty database gets them at once: Alembic alone takes half a second to import."""
    with engine.begin() as connection:
        inspector = inspect(connection)
        if inspector.has_table(VERSION.name):
            if connection.execute(select(VERSION.c.version_num)).scalar() == HEAD:
                return
        elif not inspector.get_table_names():
            metadata.create_all(connection)
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
