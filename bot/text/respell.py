"""Gives back the usual spelling to what was typed on a bare Latin keyboard.

"ho giu ho chieu" → "họ giữ hộ chiếu", "mene byut" → "мене б'ють", "sa3duni" → "ساعدوني". The sentence embedding knows
words in their own letters only (measured in docs/understanding.md). Nobody is shown the result: it only helps to
understand, and every unknown word stays as it was typed.

Learnt from the training examples: a word is known by its *key*, what is left of it on a bare keyboard; where several
words have one key, the neighbours and the typed letters decide (Viterbi over pairs of words).
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.text.catalogue import ROOT

FILE_NAME = "spelling.json"
LONGEST = 300
_WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*")
_BEAM = 8
_START = "^"

_TABLES: dict[str, Any] = yaml.safe_load((ROOT / "nlu" / "spelling.yml").read_bytes())
_VIETNAMESE_SHORT: dict[str, str] = _TABLES["vi"]["short"]
_UKRAINIAN: dict[str, str] = _TABLES["uk"]["letters"]
_UKRAINIAN_LATIN: list[list[str]] = _TABLES["uk"]["latin"]
_ARABIC: dict[str, str] = _TABLES["ar"]["letters"]
_ARABIC_LATIN: list[list[str]] = _TABLES["ar"]["latin"]


def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _ukrainian_key(word: str) -> str:
    word = re.sub(r"['’ʼ`]", "", word.casefold())
    if any(char in _UKRAINIAN for char in word):
        key = "".join(_UKRAINIAN.get(char, char) for char in word)
    else:
        key = word
        for latin, sound in _UKRAINIAN_LATIN:
            key = key.replace(latin, sound)
    key = re.sub(r"i+(?=[aeiou])", "", key)
    return re.sub(r"(.)\1+", r"\1", key)


def _arabic_key(word: str) -> str:
    word = word.casefold()
    if any("\u0600" <= char <= "\u06ff" for char in word):
        key = "".join(_ARABIC.get(char, "") for char in word)
    else:
        key = word
        for latin, sound in _ARABIC_LATIN:
            key = key.replace(latin, sound)
        key = re.sub(r"(?<=a)h$", "", key)
        key = "".join(char for char in key if char in "btjhxdzrs$3Gfqklmn")
    return re.sub(r"(.)\1+", r"\1", key)


_TYPED = {code: str.maketrans(table["typed"]) for code, table in _TABLES.items() if "typed" in table}


def typed_bare(text: str, language: str) -> str:
    """Return `text` as most people type it on a bare Latin keyboard."""
    text = _bare(text)
    return text.translate(_TYPED[language]) if language in _TYPED else text


KEYS: dict[str, Callable[[str], str]] = {
    "vi": _bare,
    "uk": _ukrainian_key,
    "ru": _ukrainian_key,  # its letters are in the same table
    "ar": _arabic_key,
}
"""How a word looks on a bare keyboard, by language."""

_SOUNDS = {**_UKRAINIAN, **_ARABIC, "ا": "a", "أ": "a", "إ": "i", "آ": "a", "و": "w", "ي": "y", "ى": "a", "ة": "a"}


@lru_cache(maxsize=20_000)
def _likeness(typed: str, word: str) -> float:
    """Return how alike the letters are, 0 to 1: vowels too, which an Arabic key does not hold."""
    sounds = "".join(_SOUNDS.get(char, char) for char in _bare(word)).lower()
    return SequenceMatcher(None, typed.lower(), sounds, autojunk=False).ratio()


class Respeller:
    """Knows the usual spelling of words of the languages in KEYS."""

    def __init__(self, words: dict[str, dict[str, int]], pairs: dict[str, dict[str, int]]) -> None:
        self.words = words
        self.pairs = pairs
        self.forms: dict[str, dict[str, list[str]]] = {}
        for language, counts in words.items():
            forms: dict[str, list[str]] = defaultdict(list)
            for word in counts:
                forms[KEYS[language](word)].append(word)
            self.forms[language] = dict(forms)

    @classmethod
    def learn(cls, examples: Mapping[str, Sequence[str]]) -> Respeller:
        """Learn from texts by language; what was typed in bare Latin letters there is left out."""
        words: dict[str, dict[str, int]] = {}
        pairs: dict[str, dict[str, int]] = {}
        for language in KEYS:
            count: Counter[str] = Counter()
            both: Counter[str] = Counter()
            for text in examples.get(language, []):
                if text.isascii():
                    continue
                found = [word for word in _WORD.findall(_clean(text)) if language == "vi" or not word.isascii()]
                count.update(found)
                both.update(f"{first} {second}" for first, second in zip([_START, *found], found, strict=False))
            words[language], pairs[language] = dict(count), {pair: n for pair, n in both.items() if n > 1}
        return cls(words, pairs)

    def save(self, folder: Path) -> None:
        content = json.dumps({"words": self.words, "pairs": self.pairs}, ensure_ascii=False, sort_keys=True)
        (folder / FILE_NAME).write_text(content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Respeller:
        """Load what `save` wrote. Raises FileNotFoundError."""
        data = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return cls(data["words"], data["pairs"])

    def respell(self, text: str, language: str | None) -> str:
        """Return `text`, written in `language`, in its usual spelling; as it is where it needs none."""
        if language not in KEYS or not text.isascii():
            return text
        text = _clean(text)
        found = _WORD.findall(text)
        chosen = iter(self._choose([word.casefold() for word in found], language))
        return _WORD.sub(lambda match: next(chosen), text)

    def _choose(self, typed: list[str], language: str) -> list[str]:
        beam: list[tuple[float, str, tuple[str, ...]]] = [(0.0, _START, ())]
        words, pairs = self.words[language], self.pairs[language]
        for each in typed:
            candidates = self._candidates(each, language)
            best: dict[str, tuple[float, str, tuple[str, ...]]] = {}
            for score, last, path in beam:
                for word in candidates:
                    seen = words.get(word, 0) + 10 * pairs.get(f"{last} {word}", 0)
                    total = score + math.log(seen + 0.01) + (0 if language == "vi" else 6 * _likeness(each, word))
                    if word not in best or best[word][0] < total:
                        best[word] = (total, word, (*path, word))
            beam = sorted(best.values(), key=lambda item: (-item[0], item[1]))[:_BEAM]
        return list(beam[0][2])

    def _candidates(self, typed: str, language: str) -> list[str]:
        if language == "vi" and typed in _VIETNAMESE_SHORT:
            return [_VIETNAMESE_SHORT[typed]]
        return self.forms[language].get(KEYS[language](typed)) or [typed]


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text[:LONGEST]).casefold()
