"""Countries and cities in what people write, in any supported language, inflected or misspelt.

Country names come from CLDR through Babel; `nlu/places/<lang>.yml` adds inflected and colloquial forms and the
larger cities' names, and says which names are ordinary words too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml
from babel import Locale

from bot.text.catalogue import ROOT, load_languages
from bot.text.normalise import normalise

LONGEST_NAME = 5
"""Words of the longest name that is looked up."""

NAME_LANGUAGES = ("pl", "de", "it", "es", "pt", "ru", "tr")
"""CLDR names in these are known as well: host countries write them on every sign and form."""


@dataclass
class Places:
    """Names of places, normalised, and where they lie."""

    names: dict[str, str] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)

    @staticmethod
    @lru_cache(maxsize=1)
    def load(root: Path = ROOT) -> Places:
        """Read every language's names; earlier languages of `languages.toml` win where two disagree."""
        languages = load_languages(root / "locales")
        places = Places()
        # Everything in these files is a word, also NO (Norway).
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        folder = root / "nlu" / "places"
        cities = yaml.load((folder / "cities.yml").read_bytes(), Loader=loader)  # noqa: S506
        country_of = {city: country for country, names in cities.items() for city in names}
        for city, country in country_of.items():
            places.add(country, [city])
        for language in languages:
            file = folder / f"{language}.yml"
            if not file.exists():
                continue
            data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
            for country, names in (data.get("countries") or {}).items():
                places.add(country, names)
            for city, names in (data.get("cities") or {}).items():
                places.add(country_of[city], names)
            places.ambiguous.update(normalise(str(name)) for name in data.get("ambiguous") or ())
            places.before.update(normalise(str(word)) for word in data.get("before") or ())
        for language in (*languages, *NAME_LANGUAGES):
            for code, name in Locale.parse(language).territories.items():
                if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "EZ", "UN", "QO"):
                    places.add(code, [name])
        return places

    def add(self, country: str, names: Iterable[str]) -> None:
        for name in names:
            key = normalise(str(name))
            if key and len(key.split()) <= LONGEST_NAME:
                self.names.setdefault(key, country)

    def find(self, text: str) -> str | None:
        """Return the ISO 3166 code of the country that `text` names, itself or by a city; None if it names none.

        Where several are named, the last one directly after a preposition wins, else the first named:
        "I am from Vietnam, now in Poland" is about Poland.
        """
        words = normalise(text).split()
        found: list[tuple[bool, str]] = []
        position = 0
        while position < len(words):
            for size in range(min(LONGEST_NAME, len(words) - position), 0, -1):
                name = " ".join(words[position : position + size])
                country = self.names.get(name)
                if country is None:
                    continue
                after_preposition = position > 0 and words[position - 1] in self.before
                alone = size == len(words)
                if name in self.ambiguous and not (alone or after_preposition):
                    continue
                found.append((after_preposition, country))
                position += size - 1
                break
            position += 1
        if not found:
            return None
        preferred = [country for after_preposition, country in found if after_preposition]
        return preferred[-1] if preferred else found[0][1]
