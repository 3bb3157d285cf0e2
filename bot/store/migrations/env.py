"""Alembic's entry: the engine comes from bot.store.migrate.upgrade."""

from alembic import context

from bot.store.tables import metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
