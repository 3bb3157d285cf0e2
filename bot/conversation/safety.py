"""The safety screen: reviewed phrase patterns, looked at before anything else and without the engine.

Patterns live in `nlu/lexicon/<lang>.yml`; docs/understanding.md explains how they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from bot.text.catalogue import ROOT
from bot.text.normalise import normalise

INTENTS = ("immediate_danger", "self_harm", "not_safe_to_talk", "quick_exit")
"""In the order in which they win where several match."""

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


class _Patterns:
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
        if words in self.plain:
            return True
        padded = f" {words} "
        candidates = list(self.by_any)
        for word in words.split():
            candidates += self.by_word.get(word, ())
            candidates += self.by_stem.get(word[:3], ())
        for pattern in candidates:
            expression = _compiled(pattern)
            if expression.fullmatch(padded) if self.whole else expression.search(padded):
                return True
        return False


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(compile_pattern(pattern))


@dataclass(frozen=True)
class _Rules:
    exact: _Patterns
    phrases: _Patterns
    unless: _Patterns


class SafetyScreen:
    """Says which safety intent a text has, by its words alone; None where it sees none."""

    def __init__(self, folder: Path = ROOT / "nlu" / "lexicon") -> None:
        self.rules: list[tuple[str, str, _Rules]] = []
        # Everything in these files is a word, also "no" and "on".
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        for file in sorted(folder.glob("*.yml")):
            data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
            for intent in INTENTS:
                lists = data.get(intent) or {}
                rules = _Rules(
                    exact=_Patterns(lists.get("exact") or [], whole=True),
                    phrases=_Patterns(lists.get("phrases") or []),
                    unless=_Patterns(lists.get("unless") or []),
                )
                self.rules.append((data["language"], intent, rules))
        self.rules.sort(key=lambda rule: INTENTS.index(rule[1]))

    def look(self, text: str) -> str | None:
        """Return the safety intent of `text`, or None."""
        match = self.match(text)
        return match[0] if match else None

    def match(self, text: str) -> tuple[str, str] | None:
        """Return the safety intent of `text` and the language of the pattern that matched, or None."""
        words = normalise(text)
        if not words:
            return None
        for language, intent, rules in self.rules:
            if rules.exact.match(words):
                return intent, language
            if rules.phrases.match(words) and not rules.unless.match(words):
                return intent, language
        return None


def check(folder: Path = ROOT / "nlu" / "lexicon") -> None:
    """Compile every pattern. Raises PatternError, naming the file; a test calls this, so that no start has to."""
    for file in sorted(folder.glob("*.yml")):
        data = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506
        for intent in INTENTS:
            for pattern in [each for patterns in (data.get(intent) or {}).values() for each in patterns]:
                try:
                    _compiled(pattern)
                except (PatternError, re.error) as error:
                    raise PatternError(f"{file}: {error}") from None
