"""How easy the texts are to read, by language: `make readability`. The table goes to `docs/translating.md`.

LIX (Björnsson 1968) is words per sentence plus the percentage of words of more than six letters: below 30 is very
easy, 30 to 40 easy, 40 to 50 newspaper, above 50 hard. It holds for alphabets with words of like length as English;
Arabic writes no short vowels and Vietnamese parts its words into syllables, so for these two only the sentences are
compared.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from statistics import mean

from bot.text.catalogue import ROOT, Catalogue

PAGE = ROOT / "docs" / "translating.md"
BEGIN, END = "<!-- make readability: begin -->", "<!-- make readability: end -->"
NOT_TO_THE_PERSON = ("utter_pro_", "utter_door_professional", "utter_card_text_")
"""Texts for professionals and officers."""

WITHOUT_LIX = ("ar", "vi")
LONG_WORD = 6
_SENTENCE = re.compile(r"[.?!:;؟؛…\n]+")
_WORD = re.compile(r"[^\W\d_][\w'’ʼ-]*")


@dataclass(frozen=True)
class Readability:
    """Figures of one language's texts."""

    texts: int
    words: int
    sentence_mean: float
    sentence_longest: int
    lix: float


def sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence (or clause that a colon or semicolon ends); placeholders count as one word."""
    plain = re.sub(r"\{\w+\}", "x", text)
    return [words for each in _SENTENCE.split(plain) if (words := _WORD.findall(each))]


def measure(catalogue: Catalogue, language: str) -> Readability:
    """Return the figures of all texts for people in `language`."""
    texts = [
        catalogue.translate(variation["text"], language)[0]
        for name, variations in catalogue.responses.items()
        if not name.startswith(NOT_TO_THE_PERSON)
        for variation in variations
        if len(variation.get("text", "")) > 40
    ]
    found = [sentence for text in texts for sentence in sentences(text)]
    words = [word for sentence in found for word in sentence]
    long_words = sum(len(word) > LONG_WORD for word in words)
    return Readability(
        texts=len(texts),
        words=len(words),
        sentence_mean=mean(map(len, found)),
        sentence_longest=max(map(len, found)),
        lix=mean(map(len, found)) + 100 * long_words / len(words),
    )


def table(catalogue: Catalogue) -> str:
    """Return the figures of all languages as a Markdown table."""
    lines = ["| language | texts | words | words a sentence | longest sentence | LIX |", "|---|---|---|---|---|---|"]
    for code in catalogue.languages:
        row = measure(catalogue, code)
        lix = "–" if code in WITHOUT_LIX else f"{row.lix:.0f}"
        lines.append(
            f"| {code} | {row.texts} | {row.words} | {row.sentence_mean:.1f} | {row.sentence_longest} | {lix} |"
        )
    return "\n".join(lines)


def main() -> None:
    shown = table(Catalogue())
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}", encoding="utf-8")
    sys.stdout.write(shown + "\n")


if __name__ == "__main__":
    main()
