"""Where help is missing: how many services a country has for each need, and how sure we are of them.

Counted in the database, a row for each country and set of needs: 100,000 services take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from sqlalchemy import Connection, case, func, select, text

from bot.directory.ages import DUE, FRESH, HIDDEN, WARNED, Ages
from bot.directory.models import ServiceEntry
from bot.directory.ranking import CONSULAR
from bot.directory.upkeep import counts, in_state
from bot.directory.vocabulary import taxonomies

GAP, WEAK, GOOD = "gap", "weak", "good"
_HIDDEN, _WARNED, _SURE, _ASSURED = 0, 1, 2, 4

COUNCIL_OF_EUROPE = (
    "AL", "AD", "AM", "AT", "AZ", "BE", "BA", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "GE", "DE",
    "GR", "HU", "IS", "IE", "IT", "LV", "LI", "LT", "LU", "MT", "MD", "MC", "ME", "NL", "MK", "NO", "PL",
    "PT", "RO", "SM", "RS", "SK", "SI", "ES", "SE", "CH", "TR", "UA", "GB",
)  # fmt: skip
"""Its 46 members. Source: coe.int/en/web/portal/members-states, read 2026-11."""
EUROPEAN_UNION = (
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT",
    "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
)  # fmt: skip
REGIONS = ("council_of_europe", "european_union", "elsewhere")


@dataclass
class Cell:
    """Services for one need in one country that people are sent to."""

    count: int = 0
    sure: int = 0
    """Somebody has confirmed them (not only read a page), and not too long ago."""

    @property
    def state(self) -> str:
        return GAP if not self.count else GOOD if self.sure else WEAK


@dataclass
class Line:
    """A country. `stale`: shown with a warning or hidden."""

    country: str
    cells: dict[str, Cell] = field(default_factory=dict)
    services: int = 0
    unverified: int = 0
    stale: int = 0

    @property
    def gaps(self) -> int:
        return sum(cell.state == GAP for cell in self.cells.values())


@dataclass
class Coverage:
    """The whole matrix, countries with most gaps first, and the directory's totals."""

    needs: tuple[str, ...]
    lines: list[Line]
    totals: dict[str, int]


@lru_cache(maxsize=1)
def needs() -> tuple[str, ...]:
    return tuple(taxonomies()["need"]["terms"])


def in_region(country: str, region: str) -> bool:
    if region == "council_of_europe":
        return country in COUNCIL_OF_EUROPE
    if region == "european_union":
        return country in EUROPEAN_UNION
    if region == "elsewhere":
        return country not in COUNCIL_OF_EUROPE
    return True


def coverage(connection: Connection, ages: Ages, today: date, language: str = "", region: str = "") -> Coverage:
    """Return who is helped where. `language`: only services that speak it; a region's countries are all in it.

    What helps its own people abroad only is not counted: it helps nobody who is in that country.
    """
    state = case((in_state(HIDDEN, ages, today), _HIDDEN), (in_state(WARNED, ages, today), _WARNED), else_=_SURE)
    grade = state + case((ServiceEntry.assured_date.is_not(None), _ASSURED), else_=0)
    query = (
        select(ServiceEntry.country, ServiceEntry.needs, grade.label("grade"), func.count().label("services"))
        .where(ServiceEntry.kind != CONSULAR)
        .group_by(ServiceEntry.country, ServiceEntry.needs, text("grade"))
    )
    if language:
        spoken = " " + func.coalesce(ServiceEntry.languages, "") + " "
        query = query.where(spoken.contains(f" {language} ", autoescape=True))
    named = {"council_of_europe": COUNCIL_OF_EUROPE, "european_union": EUROPEAN_UNION}.get(region, ())
    lines = {country: _line(country) for country in named}
    for country, asked, graded, services in connection.execute(query):
        if not in_region(country, region):
            continue
        line = lines.get(country) or lines.setdefault(country, _line(country))
        assured, old = divmod(graded, _ASSURED)
        line.services += services
        if not assured:
            line.unverified += services
        if old != _SURE:
            line.stale += services
        if old == _HIDDEN:
            continue
        for need in asked.split():
            cell = line.cells.get(need)
            if cell is not None:
                cell.count += services
                if old == _SURE and assured:
                    cell.sure += services
    ordered = sorted(lines.values(), key=lambda line: (-line.gaps, line.services, line.country))
    states = counts(connection, ages, today)
    totals = {
        "services": sum(states.values()),
        "unverified": int(
            connection.scalar(
                select(func.count(ServiceEntry.service_id.distinct())).where(ServiceEntry.assured_date.is_(None))
            )
            or 0
        ),
        **{state: states[state] for state in (FRESH, DUE, WARNED, HIDDEN)},
        "gaps": sum(line.gaps for line in ordered),
    }
    return Coverage(needs(), ordered, totals)


def _line(country: str) -> Line:
    return Line(country, {need: Cell() for need in needs()})


def languages(connection: Connection) -> list[str]:
    """Return the languages that some service speaks."""
    rows = connection.scalars(select(ServiceEntry.languages).distinct())
    return sorted({code for row in rows for code in row.split()})


def as_rows(found: Coverage) -> Iterator[list[str]]:
    """Yield the matrix as rows of text, with a heading: for CSV and for the terminal."""
    yield ["country", "services", "unverified", "stale", "gaps", *found.needs]
    for line in found.lines:
        numbers = (line.services, line.unverified, line.stale, line.gaps)
        cells = (line.cells[need].count for need in found.needs)
        yield [line.country or "*", *(str(each) for each in (*numbers, *cells))]


def in_words(found: Coverage) -> Iterator[str]:
    """Yield the totals and the matrix as lines for a terminal: services that people are sent to (and the sure ones)."""
    for name, count in found.totals.items():
        yield f"{name:12} {count:>8}"
    yield ""
    short = [need.removeprefix("need_")[:9] for need in found.needs]
    yield f"{'country':8}" + "".join(f"{name:>10}" for name in short) + f"{'old':>8}{'unsure':>8}"
    for line in found.lines:
        cells = (line.cells[need] for need in found.needs)
        shown = "".join(f"{f'{cell.count} ({cell.sure})' if cell.count else '-':>10}" for cell in cells)
        yield f"{line.country or '*':8}{shown}{line.stale:>8}{line.unverified:>8}"
