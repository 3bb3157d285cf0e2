"""Where cities are: those with 15,000 people or more, the larger ones under their names in other scripts too.

Data: GeoNames (geonames.org), CC BY 4.0, made small by `make gazetteer`. Nothing is asked from the network.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.directory.distance import distance_km
from bot.text.normalise import normalise

FILE = Path(__file__).parent / "gazetteer.tsv.gz"


@dataclass(frozen=True)
class Place:
    """A city. `country` is its ISO 3166 code; degrees north and east."""

    name: str
    country: str
    latitude: float
    longitude: float


def find(name: str, country: str) -> Place | None:
    """Return the largest city of this name in a country (ISO 3166); None where there is none."""
    key = normalise(name)
    for each in (key, f"{key} city", key.removesuffix(" city")):
        number = _by_name().get(f"{country} {each}")
        if number is not None:
            return _place(_lines()[number])
    return None


def nearest(latitude: float, longitude: float) -> Place:
    """Return the city that is nearest to a point."""
    here = (latitude, longitude)
    return min(map(_place, _lines()), key=lambda place: distance_km(here, (place.latitude, place.longitude)))


def _place(line: str) -> Place:
    country, latitude, longitude, name, _ = line.split("\t")
    return Place(name, country, float(latitude), float(longitude))


@lru_cache(maxsize=1)
def _lines() -> tuple[str, ...]:
    return tuple(gzip.decompress(FILE.read_bytes()).decode().splitlines())


@lru_cache(maxsize=1)
def _by_name() -> dict[str, int]:
    """Return the number of the line by country and normalised name; the largest city comes first in the file."""
    found: dict[str, int] = {}
    for number, line in enumerate(_lines()):
        for name in line[line.rindex("\t") + 1 :].split("|"):
            found.setdefault(f"{line[:2]} {name}", number)
    return found
