"""The database: SQLite by default, PostgreSQL where its URL is given."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement


class Folded(FunctionElement[str]):
    """A text in small letters of any script, in SQL: what people search is found however it was written."""

    inherit_cache = True


@compiles(Folded)
def _folded(element: Any, compiler: Any, **more: Any) -> str:
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(Folded, "postgresql")
def _folded_by_icu(element: Any, compiler: Any, **more: Any) -> str:
    # What lower() knows depends on how the database was made; in the locale "C" that is ASCII only.
    return f'lower(({compiler.process(element.clauses, **more)}) COLLATE "und-x-icu")'


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
        # SQLite's own knows ASCII only: "Карітас" would not be found by its small letters, as PostgreSQL finds it.
        connection.create_function("lower", 1, _lower, deterministic=True)

    return engine


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def forget_deleted(engine: Engine) -> None:
    """Take deleted rows out of SQLite's write-ahead log too (`secure_delete` has overwritten them in the file)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
