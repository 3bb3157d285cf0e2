"""One normal form for what people type, so that patterns and names match however they were typed.

The same function normalises both sides (the message, and the pattern or name), so no table has to list
accents, capitals or typing habits. docs/understanding.md says what it does in words.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
"""Characters of a message that are looked at. What follows is ignored: a bound on the work a message can cause."""

_LETTERS = str.maketrans(
    {
        # Latin letters that do not decompose
        "đ": "d", "ð": "d", "ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h",
        # Ukrainian: keyboards without these letters, and the Russian layout
        "ґ": "г", "є": "е", "ё": "е",
        # Arabic: one spelling for carriers of hamza, final letters and their Persian and Urdu twins
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "گ": "ك",
        "ـ": "", "ء": "",
        # apostrophes vanish: can't → cant, м'яч → мяч
        "'": "", "’": "", "‘": "", "ʼ": "", "`": "", "´": "", "ʹ": "", "＇": "",
    }
)  # fmt: skip
_VOWELS = frozenset(
    chr(code)
    for first, last in ((0x0900, 0x109F), (0x1780, 0x17FF))
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)) in ("Mn", "Mc") and unicodedata.name(chr(code), "").find("NUKTA") < 0
)
"""The marks of Indian, Thai, Tibetan, Burmese and Khmer scripts: vowels, without which words are others."""

_ASCII = {letter: other for letter, other in _LETTERS.items() if letter < 128}
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_NOT_WORD = re.compile(rf"(?:[^\w{''.join(_VOWELS)}]|_)+")


def normalise(text: str) -> str:
    """Return `text` as lower-case words of bare letters and digits with single spaces between. Any string is valid."""
    text = text[:LONGEST]
    if text.isascii():  # the same as below, sooner
        return _NOT_WORD.sub(" ", _REPEATED.sub(r"\1", text.translate(_ASCII).lower())).strip()
    text = text.translate(_LETTERS)
    text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    letters = []
    for char in text:
        category = unicodedata.category(char)
        if category == "Nd":
            letters.append(str(unicodedata.digit(char)))
        elif category not in ("Mn", "Cf", "Cs") or char in _VOWELS:
            letters.append(char)
        elif char in "\u200b\u200e\u200f":
            letters.append(" ")
    return _NOT_WORD.sub(" ", _REPEATED.sub(r"\1", "".join(letters))).strip()
