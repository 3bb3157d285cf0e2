"""Which language somebody writes in, and which one they ask for by name.

The guesser is a naive Bayes over character n-grams, trained on the training examples themselves (`make train`):
on short, misspelt and romanised distress messages that beats general detectors (docs/understanding.md).
It only proposes: her own choice always wins.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from bot.text.catalogue import Language
from bot.text.normalise import normalise
from bot.text.respell import typed_bare

FILE_NAME = "language.json"
LONGEST = 300
_SIZES = (1, 2, 3, 4)
_SMOOTHING = 0.3


def ngrams(text: str) -> list[str]:
    """Return the n-grams of `text`, within words, with its diacritics."""
    text = unicodedata.normalize("NFC", text[:LONGEST]).casefold()
    words = "".join(
        char if char.isalpha() or unicodedata.category(char) in ("Mn", "Nd") else " " for char in text
    ).split()
    return [
        padded[start : start + size]
        for padded in (f" {word} " for word in words)
        for size in _SIZES
        for start in range(len(padded) - size + 1)
        if padded[start : start + size] != " "
    ]


class LanguageGuesser:
    """Guesses among the languages it was trained on."""

    def __init__(self, weights: dict[str, dict[str, float]], unseen: dict[str, float]) -> None:
        self.weights = weights
        self.unseen = unseen
        self.known = frozenset(gram for grams in weights.values() for gram in grams)

    @classmethod
    def train(cls, examples: Mapping[str, Iterable[str]]) -> LanguageGuesser:
        """Train on texts by language, and on the same texts as they are typed on a bare Latin keyboard."""
        counts = {
            language: Counter(
                gram for text in texts for form in {text, typed_bare(text, language)} for gram in ngrams(form)
            )
            for language, texts in examples.items()
        }
        vocabulary = len({gram for counter in counts.values() for gram in counter})
        weights, unseen = {}, {}
        for language, counter in counts.items():
            total = sum(counter.values()) + _SMOOTHING * vocabulary
            weights[language] = {
                gram: round(math.log((count + _SMOOTHING) / total), 3) for gram, count in counter.items() if count > 1
            }
            unseen[language] = round(math.log(_SMOOTHING / total), 3)
        return cls(weights, unseen)

    def save(self, folder: Path) -> None:
        content = json.dumps({"weights": self.weights, "unseen": self.unseen}, ensure_ascii=False, sort_keys=True)
        (folder / FILE_NAME).write_text(content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LanguageGuesser:
        """Load what `save` wrote. Raises FileNotFoundError."""
        data = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return cls(data["weights"], data["unseen"])

    def guess(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest language of `text` and how sure that is, from 0 to 1; (None, 0.0) for no letters."""
        grams = ngrams(text) if any(char.isalpha() for char in text[:LONGEST]) else []
        known = sum(gram in self.known for gram in grams)
        if not grams or not known:
            return None, 0.0
        scores = {
            language: sum(weights.get(gram, self.unseen[language]) for gram in grams)
            for language, weights in self.weights.items()
        }
        # n-grams of one letter sequence overlap, so their evidence is counted at a part of its weight
        best = max(scores.values())
        shares = {language: math.exp((score - best) * 0.25) for language, score in scores.items()}
        language = max(shares, key=lambda each: shares[each])
        return language, shares[language] / sum(shares.values()) * known / len(grams)


_WORLD = """
am ar az be bg bn bs ca cs da de el en es et fa fi fil fr ha he hi hr hu hy id ig it ja ka kk km ko ku ky lo lt lv mk
mn ms my ne nl no pa pl ps pt ro ru rw sk sl so sq sr sv sw ta te th ti tr uk ur uz vi yo zh
"""
WORLD = frozenset(_WORLD.split())
"""Languages whose own names are known, so that asking for one that is missing is understood."""

_ARABIC_ARTICLE = re.compile(r"^[بلفوك]?ال")
_STEM = 4


def _bare(name: str) -> str:
    return _ARABIC_ARTICLE.sub("", normalise(name)).removeprefix("tieng ")


@lru_cache(maxsize=1)
def _language_names(codes: tuple[str, ...]) -> dict[str, str]:
    names: dict[str, str] = {}
    for code in codes:
        for named, name in Locale.parse(code).languages.items():
            if named in WORLD and len(_bare(name)) > 2:
                names.setdefault(_bare(name), named)
    for named in sorted(WORLD):
        try:
            own = Locale.parse(named).display_name
        except (ValueError, UnknownLocaleError):
            continue
        if own:
            names.setdefault(_bare(own), named)
    return names


def named_language(text: str, languages: dict[str, Language]) -> tuple[str | None, bool]:
    """Return the language that `text` names, and whether it is supported; (None, False) where it names none.

    Endings differ ("română", "romaneste"; "українською"), so a supported language also matches by its first letters.
    """
    names = _language_names(tuple(languages))
    words = [_bare(word) for word in normalise(text).split()]
    for word in words:
        if names.get(word) in languages:
            return names[word], True
    for word in words:
        for name, code in names.items():
            if code in languages and len(word) > _STEM - (word > "\u0250") and name[:_STEM] == word[:_STEM]:
                return code, True
    exact = next((names[word] for word in words if word in names), None)
    inflected = (code for word in words for name, code in names.items() if len(word) > _STEM and name[:5] == word[:5])
    return exact or next(inflected, None), False
