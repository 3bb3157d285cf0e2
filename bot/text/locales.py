"""How complete, how reviewed and how sound the translations are: `helpline locales status` and `… check`.

A text is a draft until a native speaker has reviewed it; then its PO entry has the flag `reviewed` (Poedit and Weblate
keep flags they do not know). When the English text changes, the entry is a new one, and a draft again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel.messages import pofile

from bot.text.catalogue import ROOT, SOURCE_LANGUAGE, Language, load_languages
from bot.text.extract import LONGEST_BUTTON

REVIEWED = "reviewed"
CLASSES = ("safety", "help", "phrasebook", "staff")
"""Classes of texts, from those on which most depends: danger, cards and phones; help; phrases; pages for staff."""
ERROR, WARNING = "error", "warning"

_SAFETY = ("safety", "cards", "phones", "opening", "interface", "return")
_KEPT = re.compile(r"\{\w+\}|(?<![\w/])/[a-z]+|https?://[\w./?=&%-]*\w|\b[\w-]+\.(?:org|com|eu|int)\b")
_NUMBER = re.compile(r"\d+")
LONG_NUMBER = 3
"""Digits from which on a number may be a telephone number: those come from the directory."""
COMPARED = 30
"""Characters from which on the length of a translation tells something."""
SHORTEST, LONGEST = 0.35, 2.2
SHORTEST_CHINESE = 0.12


@dataclass(frozen=True)
class Message:
    """One text of a catalogue. `kind` is one of CLASSES, `at` the responses that say it."""

    source: str
    text: str
    kind: str
    at: tuple[str, ...]
    button: bool
    reviewed: bool


@dataclass(frozen=True)
class Finding:
    """What is wrong with a translation: an error, or a warning to look at."""

    level: str
    what: str
    message: Message
    detail: str = ""


@dataclass
class Status:
    """Counts of a language's texts by class."""

    language: Language
    offered: bool
    total: Counter[str] = field(default_factory=Counter)
    translated: Counter[str] = field(default_factory=Counter)
    reviewed: Counter[str] = field(default_factory=Counter)


def languages(root: Path = ROOT) -> list[str]:
    """Return the languages that have a catalogue, offered or not yet."""
    return sorted(folder.parent.parent.name for folder in root.glob("locales/*/LC_MESSAGES/messages.po"))


def messages(language: str, root: Path = ROOT) -> tuple[Message, ...]:
    """Return the texts of a language's catalogue, in its order."""
    file = root / "locales" / language / "LC_MESSAGES" / "messages.po"
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(file: Path, changed: int) -> tuple[Message, ...]:
    with file.open("rb") as opened:
        catalogue = pofile.read_po(opened)
    return tuple(_message(each) for each in catalogue if each.id)


def _message(each: Any) -> Message:
    files = {Path(name).stem: Path(name).parent.name for name, _ in each.locations}
    kinds = {
        "phrasebook"
        if name == "phrasebook"
        else "safety"
        if name in _SAFETY
        else "help"
        if folder == "domain"
        else "staff"
        for name, folder in files.items()
    }
    return Message(
        str(each.id),
        str(each.string or ""),
        next((kind for kind in CLASSES if kind in kinds), "staff"),
        tuple(comment.partition(":")[0] for comment in each.auto_comments),
        any("a button" in comment for comment in each.auto_comments),
        REVIEWED in each.flags and bool(each.string),
    )


def _kind(file: str, folder: str) -> str:
    if file == "phrasebook":
        return "phrasebook"
    if folder != "domain":
        return "staff"
    return "safety" if file in _SAFETY else "help"


def status(root: Path = ROOT) -> list[Status]:
    """Return how far each language is; those that are offered first, in the order of the menu."""
    offered = load_languages(root / "locales")
    codes = [code for code in offered if code != SOURCE_LANGUAGE]
    found = []
    for code in [*codes, *(code for code in languages(root) if code not in offered)]:
        state = Status(offered.get(code) or Language(code, code, False), code in offered)
        for message in messages(code, root):
            state.total[message.kind] += 1
            state.translated[message.kind] += bool(message.text)
            state.reviewed[message.kind] += message.reviewed
        found.append(state)
    return found


def check(language: str, root: Path = ROOT) -> Iterator[Finding]:
    """Yield what is wrong with a language's texts, compared with their source.

    What is missing is an error once the language is offered; until then it is work to be done.
    """
    avoided = _avoided(language, root)
    offered = language in load_languages(root / "locales")
    for message in messages(language, root):
        if not message.text:
            yield Finding(ERROR if offered else WARNING, "not translated", message)
            continue
        source, text = message.source, message.text
        missing = Counter(_KEPT.findall(source)) - Counter(_KEPT.findall(text))
        added = Counter(_KEPT.findall(text)) - Counter(_KEPT.findall(source))
        if missing or added:
            yield Finding(ERROR, "placeholders, commands or links", message, " ".join([*missing, *added]))
        new = Counter(_NUMBER.findall(text)) - Counter(_NUMBER.findall(source))
        if any(len(number) >= LONG_NUMBER for number in new):
            yield Finding(ERROR, "a number that the source has not", message, " ".join(new))
        elif new or Counter(_NUMBER.findall(source)) - Counter(_NUMBER.findall(text)):
            yield Finding(WARNING, "other numbers than the source", message)
        if message.button and len(text) > LONGEST_BUTTON:
            yield Finding(ERROR, f"a button of more than {LONGEST_BUTTON} characters", message, str(len(text)))
        if "!" in text and "!" not in source:
            yield Finding(ERROR, "an exclamation mark", message)
        if text != text.strip():
            yield Finding(ERROR, "spaces around it", message)
        if text.count("\n") != source.count("\n"):
            yield Finding(WARNING, "other line breaks than the source", message)
        ratio = len(text) / len(source)
        shortest = SHORTEST_CHINESE if language.startswith("zh") else SHORTEST
        if len(source) >= COMPARED and not shortest <= ratio <= LONGEST:
            yield Finding(WARNING, "much shorter or longer than the source", message, f"{ratio:.1f} times")
        for word in avoided:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
                yield Finding(WARNING, "a word that the glossary avoids", message, word)


def glossary(language: str, root: Path = ROOT) -> dict[str, Any]:
    """Return a language's glossary: address, gender, terms; empty where it has none."""
    file = root / "locales" / "glossary" / f"{language}.yml"
    loaded: dict[str, Any] = yaml.safe_load(file.read_bytes()) if file.exists() else {}
    return loaded


def _avoided(language: str, root: Path) -> list[str]:
    terms = glossary(language, root).get("terms") or {}
    return sorted({str(word) for term in terms.values() for word in term.get("avoid") or ()})
