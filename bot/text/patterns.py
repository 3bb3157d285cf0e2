"""The pattern language of the lexicon and the adverts: reviewed phrases, searched in normalised text.

docs/understanding.md explains how patterns are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.text.normalise import normalise

_PARTS = re.compile(r"(\((?:[^()]*)\)\??|\.\.|\S+)")
_GAP = r"(?:\w+ ){0,3}"
_normal = cache(normalise)
"""Patterns share most of their words."""


class PatternError(ValueError):
    """A pattern is not written as docs/understanding.md says."""


def compile_pattern(pattern: str) -> str:
    """Return the regular expression for one pattern, to be searched in normalised text with a space at each end."""
    pieces = []
    for part in _PARTS.findall(pattern):
        if part == "..":
            pieces.append(_GAP)
        elif part.startswith("("):
            optional = part.endswith("?")
            alternatives = [_words(each) for each in part.rstrip("?")[1:-1].split("|")]
            group = "|".join(alternative for alternative in alternatives if alternative)
            if group:
                pieces.append(f"(?:{group}){'?' if optional or '' in alternatives else ''}")
        else:
            pieces.append(_words(part))
    expression = "".join(pieces)
    if not expression.replace(_GAP, ""):
        raise PatternError(f"{pattern!r} holds no word")
    return " " + expression


def _words(text: str) -> str:
    words = []
    for word in text.split():
        if word == "..":
            words.append(_GAP)
            continue
        if word == "#":
            words.append(r"\d+ ")
            continue
        stem = _normal(word.rstrip("*"))
        if word.endswith("*"):
            if len(stem) < 3:
                raise PatternError(f"{word!r}: at least three letters before a star")
            words.append(rf"{re.escape(stem)}\w* ")
        else:
            words.extend(f"{re.escape(each)} " for each in stem.split())
    return "".join(words)


def anchors(pattern: str) -> set[str]:
    """Return words of which a message that matches holds at least one; a stem ends with a star. Empty: any message."""
    for part in _PARTS.findall(pattern):
        if part == ".." or part.endswith("?"):
            continue
        alternatives = part[1:-1].split("|") if part.startswith("(") else [part]
        firsts = set()
        for alternative in alternatives:
            first = next((word for word in alternative.split() if word != ".."), "")
            stem = _normal(first.rstrip("*")).split()
            if not stem:
                break
            firsts.add(stem[0] + ("*" if first.endswith("*") and len(stem) == 1 else ""))
        else:
            return firsts
    return set()


class Patterns:
    """Many patterns of which few are ever compiled: only those that share an anchor with some message."""

    def __init__(self, patterns: list[str], whole: bool = False) -> None:
        self.whole = whole
        self.plain: set[str] = set()
        self.by_word: dict[str, list[str]] = {}
        self.by_stem: dict[str, list[str]] = {}
        self.by_any: list[str] = []
        for pattern in patterns:
            if whole and not re.search(r"[(*]|\.\.", pattern):
                self.plain.add(normalise(pattern))
                continue
            found = anchors(pattern)
            for anchor in found:
                if anchor.endswith("*"):
                    self.by_stem.setdefault(anchor[:3], []).append(pattern)
                else:
                    self.by_word.setdefault(anchor, []).append(pattern)
            if not found:
                self.by_any.append(pattern)

    def match(self, words: str) -> bool:
        """Return whether a pattern matches the normalised text `words`."""
        return words in self.plain or next(self.spans(words), None) is not None

    def spans(self, words: str) -> Iterator[tuple[int, int]]:
        """Yield where patterns match in the normalised text `words`, as (first word, one past the last word)."""
        padded = f" {words} "
        candidates = dict.fromkeys(self.by_any)
        for word in words.split():
            candidates |= dict.fromkeys(self.by_word.get(word, ()))
            candidates |= dict.fromkeys(self.by_stem.get(word[:3], ()))
        for pattern in candidates:
            expression = compiled(pattern)
            found = expression.fullmatch(padded) if self.whole else expression.search(padded)
            if found:
                first = padded.count(" ", 0, found.start())
                yield first, first + len(found[0].split())


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled regular expression of a pattern. Raises PatternError or re.error."""
    return re.compile(compile_pattern(pattern))
