"""Full-text search over services, in any script: SQLite's FTS5, PostgreSQL's text search.

Both are given the same words, cut and normalised here, so that both find the same. Scripts that write without spaces
are cut into single characters, and a search for several of them looks for them one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import DDL, Connection, Table, event, func, select, text

from bot.directory.models import ServiceWords
from bot.text.normalise import LONGEST, normalise

MOST_WORDS = 10
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters."""
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\s{_UNSPACED}]+")
_CHARACTER = re.compile(rf"[{_UNSPACED}]")

_TABLE: Table = ServiceWords.__table__  # type: ignore[assignment]

# FTS5 keeps no copy of the words ("external content"); the triggers keep its index in step with the table.
SQLITE = (
    "CREATE VIRTUAL TABLE service_fts USING fts5(words, content='service_words', content_rowid='n')",
    "CREATE TRIGGER service_words_added AFTER INSERT ON service_words BEGIN "
    "INSERT INTO service_fts(rowid, words) VALUES (new.n, new.words); END",
    "CREATE TRIGGER service_words_deleted AFTER DELETE ON service_words BEGIN "
    "INSERT INTO service_fts(service_fts, rowid, words) VALUES ('delete', old.n, old.words); END",
)
POSTGRESQL = ("CREATE INDEX ix_service_words_fts ON service_words USING gin (to_tsvector('simple', words))",)

for _statement in SQLITE:
    event.listen(_TABLE, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
for _statement in POSTGRESQL:
    event.listen(_TABLE, "after_create", DDL(_statement).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]


def words(*texts: str | None) -> str:
    """Return what of these texts is searched: normalised words, each once, separated by spaces."""
    found: dict[str, None] = {}
    for piece in _pieces(" ".join(filter(None, texts))):
        for word in _WORD.findall(normalise(piece)):
            found[" ".join(word) if _CHARACTER.match(word) else word] = None
    return " ".join(found)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text between words into pieces that are normalised whole."""
    while len(text) > LONGEST:
        cut = text.rfind(" ", 0, LONGEST) + 1 or LONGEST
        yield text[:cut]
        text = text[cut:]
    yield text


def find(connection: Connection, asked: str, most: int) -> Sequence[str] | None:
    """Return the ids of the services in which all the words begin with those asked for, in the order of the table.

    None where nothing that can be searched was asked.
    """
    terms = [list(word) if _CHARACTER.match(word) else [word] for word in _WORD.findall(normalise(asked))][:MOST_WORDS]
    if not terms:
        return None
    if connection.dialect.name == "sqlite":
        # A phrase in quotation marks; * after it: the last word may go on.
        match = " AND ".join('"' + " ".join(term) + '"' + ("" if len(term) > 1 else "*") for term in terms)
        query = text(
            "SELECT service_id FROM service_words WHERE n IN "
            "(SELECT rowid FROM service_fts WHERE service_fts MATCH :match) ORDER BY n LIMIT :most"
        )
        return list(connection.scalars(query, {"match": match, "most": most}))
    tsquery = " & ".join(
        "(" + " <-> ".join(f"'{word}'" for word in term) + ")" if len(term) > 1 else f"'{term[0]}':*" for term in terms
    )
    vector = func.to_tsvector(text("'simple'"), ServiceWords.words)
    statement = (
        select(ServiceWords.service_id)
        .where(vector.op("@@")(func.to_tsquery(text("'simple'"), tsquery)))
        .order_by(ServiceWords.n)
        .limit(most)
    )
    return list(connection.scalars(statement))
