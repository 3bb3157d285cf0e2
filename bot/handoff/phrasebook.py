"""The phrasebook: reviewed sentences that exist in every language, with answers to tap.

It is how an operator and a person who share no language understand one another.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.handoff.words import PHRASE
from bot.text.catalogue import Catalogue
from bot.text.normalise import normalise

_GROUP = "group_"


@dataclass(frozen=True)
class Phrase:
    """`text` and `answers` in the operator's language, `shown` as the person gets it."""

    name: str
    group: str
    text: str
    shown: str
    answers: tuple[str, ...]


class Phrasebook:
    """All phrases, in the order of the file."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        names = [each.removeprefix(PHRASE) for each in catalogue.responses if each.startswith(PHRASE)]
        self.groups = [each.removeprefix(_GROUP) for each in names if each.startswith(_GROUP)]
        self.names = [each for each in names if not each.startswith(_GROUP)]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def titles(self, language: str) -> list[tuple[str, str]]:
        """Return (group, title) in `language`."""
        return [(each, self.catalogue.text(f"{PHRASE}{_GROUP}{each}", language)) for each in self.groups]

    def group(self, name: str) -> str:
        return next((each for each in self.groups if name.startswith(each + "_")), "")

    def get(self, name: str, language: str, hers: str) -> Phrase:
        said = self.catalogue.say(PHRASE + name, language, notice=False)
        shown = self.catalogue.say(PHRASE + name, hers, notice=False).text
        return Phrase(name, self.group(name), said.text, shown, tuple(button.title for button in said.buttons))

    def find(self, language: str, hers: str, query: str = "", group: str = "") -> list[Phrase]:
        """Return the phrases of `group` in which every word of `query` begins a word, in the operator's language."""
        wanted = normalise(query).split()
        title = dict(self.titles(language))
        found = []
        for name in self.names:
            if group and self.group(name) != group:
                continue
            phrase = self.get(name, language, hers)
            words = normalise(" ".join((phrase.text, title.get(phrase.group, ""), *phrase.answers))).split()
            if all(any(word.startswith(each) for word in words) for each in wanted):
                found.append(phrase)
        return found
