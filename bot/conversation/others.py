"""Languages that are understood a little and cannot be written: recognised, told of, and answered in another one."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale

from bot.text.catalogue import ROOT

FILE = ROOT / "locales" / "others.yml"
LEAST_WORDS = 2
"""Common words of a language that a text must have, where its letters do not tell."""
SHARED = ("Devanagari",)
"""Scripts of languages that are not listed, too."""
LEAST_SHARE = 0.25
"""Of all the words of the text."""


@dataclass(frozen=True)
class Other:
    """A language. `notice` says in it that the answers come in `{language}`; `second`: what many speakers read."""

    code: str
    notice: str
    second: tuple[str, ...]
    script: str | None
    letters: frozenset[str]
    """That no other language of its script has."""
    words: frozenset[str]

    def told(self, language: str) -> str:
        """Return the notice that the answers come in `language`."""
        try:
            name = Locale.parse(self.code).languages.get(language)
        except ValueError:
            name = None
        return self.notice.replace("{language}", name or Locale.parse(language).languages[language])


@lru_cache(maxsize=1)
def others(file: Path = FILE) -> tuple[Other, ...]:
    """Return the languages of `locales/others.yml`."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(file.read_bytes())
    return tuple(
        Other(
            code, row["notice"], tuple(row["second"]), row.get("script"), frozenset(row.get("letters") or ""),
            frozenset(unicodedata.normalize("NFC", str(word)) for word in row.get("words") or ()),
        )
        for code, row in loaded.items()
    )  # fmt: skip


def recognise(text: str) -> Other | None:
    """Return the language of `text` where it is surely one of these."""
    words = [word.strip(".,;:?!…()\"'") for word in unicodedata.normalize("NFC", text).casefold().split()]
    script = _script(text)
    found = [(_hits(other, text, words), other) for other in others() if other.script == script]
    hits, best = max(found, key=lambda each: each[0], default=(0, None))
    if script is None:
        return best if hits >= LEAST_WORDS and hits >= LEAST_SHARE * len(words) else None
    # The first one of a script is the likeliest where nothing tells; Devanagari has others that are not here.
    return best if hits or script not in SHARED else None


def _hits(other: Other, text: str, words: list[str]) -> int:
    return len(other.words & set(words)) + len(other.letters & set(text))


def _script(text: str) -> str | None:
    """Return the script of the letters, where it is one that only these languages have."""
    known = {other.script for other in others() if other.script}
    letters = [letter for letter in text if letter.isalpha()]
    for script in known:
        mine = sum(unicodedata.name(letter, "").startswith(script.upper()) for letter in letters)
        if mine * 2 > len(letters):
            return script
    return None
