"""The safety screen: reviewed phrase patterns, looked at before anything else and without the engine.

Patterns live in `nlu/lexicon/<lang>.yml`; docs/understanding.md explains how they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.text.catalogue import ROOT
from bot.text.normalise import normalise

INTENTS = ("immediate_danger", "self_harm", "not_safe_to_talk", "quick_exit")
"""In the order in which they win where several match."""

_PARTS = re.compile(r"(\((?:[^()]*)\)\??|\.\.|\S+)")
_GAP = r"(?:\w+ ){0,3}"


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
        stem = normalise(word.rstrip("*"))
        if word.endswith("*"):
            if len(stem) < 3:
                raise PatternError(f"{word!r}: at least three letters before a star")
            words.append(rf"{re.escape(stem)}\w* ")
        else:
            words.extend(f"{re.escape(each)} " for each in stem.split())
    return "".join(words)


@dataclass(frozen=True)
class _Rules:
    exact: frozenset[str]
    phrases: re.Pattern[str] | None
    unless: re.Pattern[str] | None


def _any_of(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(compile_pattern(str(pattern)) for pattern in patterns)) if patterns else None


class SafetyScreen:
    """Says which safety intent a text has, by its words alone; None where it sees none."""

    def __init__(self, folder: Path = ROOT / "nlu" / "lexicon") -> None:
        self.rules: list[tuple[str, str, _Rules]] = []
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for file in sorted(folder.glob("*.yml")):
            data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
            try:
                for intent in INTENTS:
                    self.rules.append((data["language"], intent, _read(data.get(intent) or {})))
            except (PatternError, re.error) as error:
                raise PatternError(f"{file}: {error}") from None
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
        padded = f" {words} "
        for language, intent, rules in self.rules:
            if words in rules.exact:
                return intent, language
            if rules.phrases and rules.phrases.search(padded) and not (rules.unless and rules.unless.search(padded)):
                return intent, language
        return None


def _read(data: dict[str, list[str]]) -> _Rules:
    return _Rules(
        exact=frozenset(normalise(str(each)) for each in data.get("exact") or ()),
        phrases=_any_of(data.get("phrases") or []),
        unless=_any_of(data.get("unless") or []),
    )
