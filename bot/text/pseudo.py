"""A pseudo-locale: English in letters with accents, so that text which is no catalogue's is seen at once."""

from __future__ import annotations

import re

_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "åƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇĐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ",
)
_KEPT = re.compile(r"(\{\w+\}|https?://\S+)")


def accented(text: str) -> str:
    """Return `text` as the pseudo-locale says it; placeholders and addresses stay."""
    return "".join(part if _KEPT.fullmatch(part) else part.translate(_LETTERS) for part in _KEPT.split(text))
