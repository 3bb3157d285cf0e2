"""Countries and cities in what people write, in any supported language, inflected or misspelt.

Country names come from CLDR through Babel; `nlu/places/<lang>.yml` adds inflected and colloquial forms and the
larger cities' names, and says which names are ordinary words too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale

from bot.text.catalogue import ROOT, load_languages
from bot.text.normalise import normalise

LONGEST_NAME = 5
"""Words of the longest name that is looked up."""

HOST_LANGUAGES = ("pl", "de", "it", "es", "pt", "ru", "tr")
"""Names in these are known as well: host countries write them on every sign and form."""

_EVERY_LANGUAGE = "*"
_NO_COUNTRIES = frozenset({"ZZ", "EU", "EZ", "UN", "QO"})


@dataclass
class Places:
    """Names of places, normalised, where they lie, and in which languages they are called so."""

    names: dict[str, str] = field(default_factory=dict)
    spoken: dict[str, set[str]] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    """Names that are ordinary words, too, in some language: they count alone, or after a word of `before`."""
    cities: dict[str, str] = field(default_factory=dict)
    """The English names of the cities among `names`."""
    before: dict[str, set[str]] = field(default_factory=dict)
    """The words that stand before a place ("in", "ở"), by language: Romanian "la" is another word in Vietnamese."""

    @staticmethod
    @lru_cache(maxsize=1)
    def load(root: Path = ROOT) -> Places:
        """Read every language's names; earlier languages of `languages.toml` win where two disagree."""
        languages = (*load_languages(root / "locales"), *HOST_LANGUAGES)
        places = Places()
        folder = root / "nlu" / "places"
        cities = _read(folder / "cities.yml")
        country_of = {city: country for country, names in cities.items() for city in names}
        for city, country in country_of.items():
            places.add(country, [city], _EVERY_LANGUAGE, city)
        for language in languages:
            data = _read(folder / f"{language}.yml")
            for country, names in (data.get("countries") or {}).items():
                places.add(country, names, language)
            for city, names in (data.get("cities") or {}).items():
                if city not in country_of:
                    raise ValueError(f"nlu/places/{language}.yml: {city} is not in nlu/places/cities.yml")
                places.add(country_of[city], names, language, city)
            places.ambiguous.update(normalise(str(name)) for name in data.get("ambiguous") or ())
            places.before[language] = {normalise(str(word)) for word in data.get("before") or ()}
        places.before[_EVERY_LANGUAGE] = set().union(*places.before.values())
        for language in languages:
            for code, name in Locale.parse(language).territories.items():
                if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES:
                    places.add(code, [name], language)
        for language in languages:
            for name in _read(folder / f"{language}.yml").get("never") or ():
                places.names.pop(normalise(name), None)
        return places

    def add(self, country: str, names: Iterable[str], language: str, city: str | None = None) -> None:
        for name in names:
            key = normalise(str(name))
            if key and len(key.split()) <= LONGEST_NAME and self.names.setdefault(key, country) == country:
                self.spoken.setdefault(key, set()).add(language)
                if city:
                    self.cities.setdefault(key, city)

    def find(self, text: str) -> str | None:
        """Return the ISO 3166 code of the country that `text` names, itself or by a city; None if it names none."""
        return self.place(text)[0]

    def place(self, text: str) -> tuple[str | None, str | None]:
        """Return the country that `text` names, itself or by a city, and that city's English name.

        Where several are named, the last one directly after a preposition wins, else the first named:
        "I am from Vietnam, now in Poland" is about Poland.
        """
        words = normalise(text).split()
        found: list[tuple[bool, str, str | None]] = []
        position = 0
        while position < len(words):
            for size in range(min(LONGEST_NAME, len(words) - position), 0, -1):
                name = " ".join(words[position : position + size])
                country = self.names.get(name)
                if country is None:
                    continue
                after_preposition = position > 0 and self._goes_before(words[position - 1], name)
                alone = size == len(words)
                if name in self.ambiguous and not (alone or after_preposition):
                    continue
                found.append((after_preposition, country, self.cities.get(name)))
                position += size - 1
                break
            position += 1
        if not found:
            return None, None
        preferred = [each for each in found if each[0]]
        _, country, city = preferred[-1] if preferred else found[0]
        if city is None:  # "in Italy, in Milan": the city stands beside its country
            city = next((named for _, code, named in found if named and code == country), None)
        return country, city

    def _goes_before(self, word: str, name: str) -> bool:
        return any(word in self.before[language] for language in self.spoken[name])


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    # Everything in these files is a word, also NO (Norway).
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    data: dict[str, Any] = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
    return data
