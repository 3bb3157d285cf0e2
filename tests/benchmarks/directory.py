"""The directory at 100,000 services, on SQLite and on PostgreSQL: `python -m tests.benchmarks.directory [services]`.

Importing a data set (compare, write, search rows, history), and searching: the three best for a person (country, need,
language, city, open now), and words in the console. The services are made up; countries are as unequal as in life.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from bot.directory import vocabulary
from bot.directory.changes import Author
from bot.directory.exchange import imports
from bot.directory.hsds import made_id
from bot.directory.records import Bundle
from bot.directory.search import Directory, Wanted
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.vault.vault import Vault
from tests.postgresql import server

SERVICES = 100_000
SEARCHES = 2_000
COUNTRIES = [
    "DE",
    "IT",
    "FR",
    "GB",
    "ES",
    "PL",
    "RO",
    "UA",
    "NL",
    "BE",
    "AT",
    "SE",
    "GR",
    "PT",
    "HU",
    "CZ",
    "BG",
    "MD",
    "CH",
    "IE",
    "NG",
    "VN",
    "PH",
    "TH",
    "IN",
    "MA",
    "BR",
    "CO",
    "US",
    "CA",
]
LANGUAGES = ["en", "fr", "ro", "uk", "ar", "vi", "es", "de", "it", "ru", "am", "so", "ti", "ur", "bn", "zh"]
KINDS = ["trafficking", "violence", "victims_of_crime", "migration", "labour", "crisis", "child"]
NEEDS = [need for need in vocabulary.taxonomies()["need"]["terms"] if need.startswith("need_")]
PLACES = ((41.9, 12.5), (45.46, 9.19), (40.85, 14.27), (45.07, 7.69))
HOURS = [("MO,TU,WE,TH,FR", f"{opens:02}:00", f"{opens + 8:02}:00") for opens in range(7, 11)]


def made_up(services: int) -> Bundle:
    """Return a directory of so many services; the largest country has about a quarter of them."""
    chance = random.Random(20261126)
    weights = [1 / place for place in range(1, len(COUNTRIES) + 1)]
    bundle = Bundle()
    for entity, row in vocabulary.rows():
        bundle.add(entity, row)
    for number in range(services):
        country = chance.choices(COUNTRIES, weights)[0]
        organization = made_id("bench", country, str(number // 4))
        if organization not in bundle["organization"]:
            bundle.add(
                "organization", {"id": organization, "name": f"Organisation {number}", "description": "Helps people"}
            )
        key = made_id("bench", str(number))
        bundle.add(
            "service",
            {
                "id": key,
                "organization_id": organization,
                "name": f"Service {number} {chance.choice(KINDS)}",
                "description": "Advice, shelter and a way home for people who were exploited",
                "status": "active",
                "assured_date": f"2026-{chance.randint(8, 11):02}-{chance.randint(1, 26):02}",
            },
        )
        bundle.add("attribute", vocabulary.attribute("service", key, "kind", chance.choice(KINDS)))
        bundle.add("attribute", vocabulary.attribute("service", key, "need", chance.choice(NEEDS)))
        bundle.add("attribute", vocabulary.attribute("service", key, "fact", "timezone", "Europe/Rome"))
        link = {"service_id": key}
        days, opens, closes = chance.choice(HOURS)
        bundle.add("phone", link | {"id": made_id("bench", key, "p"), "number": f"+39 06 {number:08}", "type": "voice"})
        bundle.add(
            "schedule",
            link
            | {
                "id": made_id("bench", key, "s"),
                "freq": "WEEKLY",
                "byday": days,
                "opens_at": opens,
                "closes_at": closes,
            },
        )
        for code in chance.sample(LANGUAGES, 2):
            bundle.add("language", link | {"id": made_id("bench", key, code), "code": code})
        area = {"id": made_id("bench", key, "a"), "extent": country, "extent_type": "country"}
        bundle.add("service_area", link | area)
    return bundle


@dataclass(frozen=True)
class Figures:
    """Seconds of importing, and of importing the same again; milliseconds of a search: median and 95th percentile."""

    database: str
    rows: int
    imported: float
    again: float
    best: tuple[float, float]
    words: tuple[float, float]


def measure(engine: Engine, bundle: Bundle, searches: int = SEARCHES) -> Figures:
    migrate(engine)
    vault = Vault(bytes(32))

    def bring_in() -> float:
        started = time.perf_counter()
        with engine.begin() as connection:
            plan = imports.plan(connection, "bench", bundle, progress=shown)
            imports.apply(connection, vault, plan, bundle, Author("import:bench"), progress=shown)
        return time.perf_counter() - started

    imported, again = bring_in(), bring_in()
    directory = Directory(engine)
    chance = random.Random(7)
    weights = [1 / place for place in range(1, len(COUNTRIES) + 1)]

    def search() -> None:
        wanted = Wanted(
            chance.choices(COUNTRIES, weights)[0],
            chance.choice(NEEDS),
            None,
            (chance.choice(LANGUAGES),),
            chance.choice((None, *PLACES)),
        )
        assert len(directory.services(wanted)) == 3

    def words() -> None:
        asked = f"service {chance.randrange(len(bundle['service']))}"
        assert directory.find(words=asked)[1]

    return Figures(
        engine.dialect.name, len(bundle), imported, again, spread(search, searches), spread(words, searches // 10)
    )


def spread(what: Callable[[], None], times: int) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        what()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def shown(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what:8} {done:>9} / {total}", end="" if done < total else "\n", file=sys.stderr)


@contextmanager
def databases() -> Iterator[list[str]]:
    """Yield the URLs of an empty SQLite file and, where this machine has one, of an empty PostgreSQL database."""
    with tempfile.TemporaryDirectory() as folder, server(durable=True) as url:
        yield [f"sqlite:///{folder}/bench.db", *([url] if url else [])]


def table(figures: list[Figures]) -> str:
    lines = [
        "| database | rows | import, s | the same again, s | three best, ms (95 %) | words, ms (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.database} | {each.rows:,} | {each.imported:.1f} | {each.again:.1f} | {each.best[0]:.1f} ({each.best[1]:.1f}) "
        f"| {each.words[0]:.1f} ({each.words[1]:.1f}) |"
        for each in figures
    ]
    return "\n".join(lines)


def main(services: int = SERVICES) -> str:
    bundle = made_up(services)
    gc.freeze()  # as `helpline directory import` does
    figures = []
    with databases() as urls:
        for url in urls:
            engine = connect(url)
            try:
                figures.append(measure(engine, bundle))
            finally:
                engine.dispose()
    return table(figures)


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if len(sys.argv) > 1 else SERVICES))
