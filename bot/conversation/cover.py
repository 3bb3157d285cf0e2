"""The cover: a unit converter that works, for whoever picks up the phone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from babel.core import UnknownLocaleError
from babel.units import format_unit, get_unit_name

from bot.text.normalise import normalise

_NUMBER = re.compile(r"\s*([-+−]?\d{1,9}(?:[.,٫]\d{1,6})?)\s*(°?[^\d\s].{0,40})\s*", re.DOTALL)
_ASIDE = frozenset(
    ("to", "in", "into", "en", "à", "a", "v", "у", "в", "на", "do", "إلى", "الى", "qua", "sang", "ra", "la", "=", "->")
)
"""Words between two units that mean nothing else."""

FORMAT = "#,##0.##"


@dataclass(frozen=True)
class Unit:
    """A unit: CLDR's name for it, how much of the dimension's base it is (`factor`, then `offset`), and its twin."""

    name: str
    dimension: str
    factor: float
    twin: str
    symbols: tuple[str, ...]
    offset: float = 0.0


UNITS = {
    unit.name: unit
    for unit in (
        Unit("mass-kilogram", "mass", 1.0, "mass-pound", ("kg",)),
        Unit("mass-gram", "mass", 0.001, "mass-ounce", ("gr",)),
        Unit("mass-pound", "mass", 0.45359237, "mass-kilogram", ("lb", "lbs")),
        Unit("mass-ounce", "mass", 0.028349523125, "mass-gram", ("oz",)),
        Unit("length-kilometer", "length", 1000.0, "length-mile", ("km",)),
        Unit("length-meter", "length", 1.0, "length-foot", ("mt",)),
        Unit("length-centimeter", "length", 0.01, "length-inch", ("cm",)),
        Unit("length-mile", "length", 1609.344, "length-kilometer", ("mi",)),
        Unit("length-foot", "length", 0.3048, "length-meter", ("ft",)),
        Unit("length-inch", "length", 0.0254, "length-centimeter", ("inch",)),
        Unit("volume-liter", "volume", 1.0, "volume-gallon", ("lt",)),
        Unit("volume-gallon", "volume", 3.785411784, "volume-liter", ("gal",)),
        Unit("temperature-celsius", "temperature", 1.0, "temperature-fahrenheit", ("°c",)),
        Unit("temperature-fahrenheit", "temperature", 5 / 9, "temperature-celsius", ("°f",), offset=-32.0),
    )
}
"""The international yard and pound agreement (1959); the US liquid gallon."""

TABLES = {"mass": "mass-kilogram", "length": "length-kilometer", "temperature": "temperature-celsius"}
"""What the converter's buttons show, by dimension: a few amounts of this unit."""

AMOUNTS = (1, 5, 10, 20, 50, 100)


def convert(amount: float, source: Unit, target: Unit) -> float:
    """Return `amount` of `source` in `target`."""
    return (amount + source.offset) * source.factor / target.factor - target.offset


@lru_cache(maxsize=1)
def _names(languages: Sequence[str]) -> dict[str, str]:
    """Return the units by the names and signs that people write, in all `languages`."""
    names: dict[str, str] = {}
    for unit in UNITS.values():
        for symbol in unit.symbols:
            names[symbol] = unit.name
        for language in languages:
            try:
                written = [get_unit_name(unit.name, length, language) for length in ("long", "short")]
                written += [
                    re.sub(r"[\d\s\u200e\u200f]+", " ", format_unit(count, unit.name, length, locale=language))
                    for length in ("long", "short")
                    for count in (1, 2, 5, 100)
                ]
            except UnknownLocaleError:
                continue
            for each in written:
                name = _key(each or "")
                if len(name) > 1:  # "m" and "f" say who somebody is, too
                    names.setdefault(name, unit.name)
    return names


def _key(text: str) -> str:
    return ("°" if "°" in text else "") + normalise(text)


@dataclass(frozen=True)
class Conversion:
    """An amount in one unit and what it is in another."""

    amount: float
    source: Unit
    target: Unit

    def text(self, language: str) -> str:
        """Return the equation in `language`."""
        result = convert(self.amount, self.source, self.target)
        return f"{_amount(self.amount, self.source, language)} = {_amount(result, self.target, language)}"


def _amount(amount: float, unit: Unit, language: str) -> str:
    return format_unit(round(amount, 2) or 0, unit.name, "short", format=FORMAT, locale=language)


def read(text: str, languages: Sequence[str]) -> Conversion | None:
    """Return the conversion that `text` asks for ("5 kg", "100 km in miles", "20 °C"), or None."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    names = _names(tuple(languages))
    words = [word for word in re.split(r"\s+", match[2].strip().rstrip(".?!").casefold()) if word]
    for size in range(min(3, len(words)), 0, -1):
        source = names.get(_key(" ".join(words[:size])))
        if source is None:
            continue
        rest = [word for word in words[size:] if word not in _ASIDE]
        target = names.get(_key(" ".join(rest))) if rest else UNITS[source].twin
        if target is None or UNITS[target].dimension != UNITS[source].dimension:
            return None
        return Conversion(float(re.sub("[,٫]", ".", match[1]).replace("−", "-")), UNITS[source], UNITS[target])
    return None


def choices(language: str) -> list[tuple[str, str]]:
    """Return (sign, name) of each unit, for a menu: `read` takes the sign, "5 kg"."""
    return [(unit.symbols[0], get_unit_name(unit.name, locale=language) or unit.symbols[0]) for unit in UNITS.values()]


def table(dimension: str, language: str) -> str:
    """Return a few amounts of a dimension's usual unit and what they are in its twin, a line each."""
    source = UNITS[TABLES[dimension]]
    return "\n".join(Conversion(float(amount), source, UNITS[source.twin]).text(language) for amount in AMOUNTS)


def example(language: str) -> str:
    """Return an amount as people write it in `language`."""
    return _amount(5.0, UNITS["length-kilometer"], language)


def title(dimension: str, language: str) -> str:
    """Return a short name of a dimension's two units, for a button."""
    source = UNITS[TABLES[dimension]]
    first, second = (
        re.sub(r"[\d\s\u200e\u200f]+", "", format_unit(1, unit.name, "short", locale=language))
        for unit in (source, UNITS[source.twin])
    )
    return f"{first} – {second}"
