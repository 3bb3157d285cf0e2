"""Alembic's entry: the engine comes from bot.store.database.migrate."""

from alembic import context

from bot.directory import models as directory_models  # noqa: F401
from bot.store.database import Base
from bot.vault import conversations as conversation_tables  # noqa: F401

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
