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
from bot.text.patterns import PatternError, Patterns, compiled

INTENTS = ("immediate_danger", "self_harm", "not_safe_to_talk", "quick_exit")
"""In the order in which they win where several match."""


@dataclass(frozen=True)
class _Rules:
    exact: Patterns
    phrases: Patterns
    unless: Patterns


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
                    exact=Patterns(lists.get("exact") or [], whole=True),
                    phrases=Patterns(lists.get("phrases") or []),
                    unless=Patterns(lists.get("unless") or []),
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
        sentences = [each for each in map(normalise, _SENTENCE.split(text)) if each]
        for language, intent, rules in self.rules:
            if rules.exact.match(words):
                return intent, language
            if any(_alarms(rules, each) for each in sentences) or (len(sentences) > 1 and _alarms(rules, words)):
                return intent, language
        return None


_SENTENCE = re.compile(r"[.!?;:\n\u061f\u061b\u2026]+")
NEAR = 6
"""Words around a match in which an `unless` silences it: what she says elsewhere does not make it harmless."""


def _alarms(rules: _Rules, words: str) -> bool:
    split = words.split()
    for first, last in rules.phrases.spans(words):
        if not rules.unless.match(" ".join(split[max(0, first - NEAR) : last + NEAR])):
            return True
    return False


def check(folder: Path = ROOT / "nlu" / "lexicon") -> None:
    """Compile every pattern. Raises PatternError, naming the file; a test calls this, so that no start has to."""
    for file in sorted(folder.glob("*.yml")):
        data = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506
        for intent in INTENTS:
            for pattern in [each for patterns in (data.get(intent) or {}).values() for each in patterns]:
                try:
                    compiled(pattern)
                except (PatternError, re.error) as error:
                    raise PatternError(f"{file}: {error}") from None
