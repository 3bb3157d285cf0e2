"""Which services suit a person best. Exact, the same on every database, and explained step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from sys import intern
from typing import Any

from bot.directory.ages import HIDDEN, WARNED, Ages
from bot.directory.distance import distance_km
from bot.directory.hours import Opening
from bot.directory.read import as_date

CONSULAR = "consular"
"""The kind of service that a country keeps for its own people abroad."""

KINDS_FOR = {
    "child": ("child", "violence"),
    "user_is_child": ("child", "trafficking"),
    "self_harm": ("crisis",),
    "need_counselling": ("crisis", "violence", "trafficking"),
    "wages_withheld": ("labour", "trafficking", "migration"),
    "forced_labour": ("trafficking", "labour", "migration"),
    "image_abuse": ("victims_of_crime", "violence", "crisis"),
    "threatened": ("trafficking", "violence", "victims_of_crime"),
    "forced_marriage": ("violence", "trafficking"),
    "return_home": ("migration", "trafficking"),
    "need_shelter": ("trafficking", "violence", "migration"),
}
"""Which kinds of service suit a need or a topic, best first; otherwise ANY_KINDS."""

ANY_KINDS = ("trafficking", "victims_of_crime", "violence", "migration", "labour", "crisis", "other")
ADULT = 18
NEAR_KM, FAR_KM = 30.0, 150.0
"""An hour by bus, and a day's journey there and back."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for: an ISO 3166 country, a need and a topic (names of intents), the languages she reads."""

    country: str | None
    need: str | None = None
    topic: str | None = None
    languages: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    """Latitude and longitude of the city that she named."""

    @cached_property
    def child(self) -> bool:
        return self.need == "child" or self.topic == "user_is_child"


@lru_cache(maxsize=4096)
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


@lru_cache(maxsize=4096)
def _places(text: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(a), float(b)) for a, _, b in (each.partition(",") for each in text.split()))


_day = lru_cache(maxsize=4096)(as_date)


@dataclass(frozen=True, slots=True)
class Entry:
    """A service in one country, as it is ranked (the row of `service_entry`, read)."""

    service_id: str
    name: str
    country: str
    kind: str
    needs: frozenset[str]
    languages: frozenset[str]
    interpreters: bool
    minimum_age: float | None
    maximum_age: float | None
    gender: str | None
    places: tuple[tuple[float, float], ...]
    area: str | None
    hours: str
    open_on_holidays: bool
    assured_date: date | None
    checked: date | None
    full_until: date | None
    status: str
    doubtful: bool = False
    """Two people found its number wrong (flags.py)."""

    @classmethod
    def read(cls, row: Any) -> Entry:
        """Read a row of the table. What many rows say alike is kept once: there may be a hundred thousand."""
        return cls(
            row.service_id,
            row.name,
            intern(row.country),
            intern(row.kind),
            _set(row.needs),
            _set(row.languages),
            row.interpreters,
            row.minimum_age,
            row.maximum_age,
            row.gender,
            _places(row.places),
            row.area,
            intern(row.hours),
            row.open_on_holidays,
            _day(row.assured_date),
            _day(row.checked),
            _day(row.full_until),
            intern(row.status),
        )


@dataclass(frozen=True)
class Moment:
    """What ranking needs to know of now. `opening` answers for a service's hours, None where they are not known."""

    now: datetime
    ages: Ages
    opening: Callable[[Entry], Opening | None]

    @cached_property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True)
class Step:
    """One criterion's answer: the smaller, the better."""

    name: str
    value: Any


def kinds_for(wanted: Wanted) -> tuple[str, ...]:
    """Return the kinds of service that suit, best first. Child helplines are for children, and for those who ask."""
    return tuple(dict.fromkeys((*_natural(wanted), *ANY_KINDS)))


@lru_cache(maxsize=1024)
def _made_for(need: str, topic: str) -> tuple[str, ...]:
    return KINDS_FOR.get(need) or KINDS_FOR.get(topic) or ()


def _natural(wanted: Wanted) -> tuple[str, ...]:
    """Return the kinds that are made for what is wanted, best first."""
    return _made_for("user_is_child" if wanted.child else wanted.need or "", wanted.topic or "")


def unsuitable(entry: Entry, wanted: Wanted, kinds: Sequence[str], moment: Moment) -> str | None:
    """Return why a service is not for this person at all: kind, age, status or stale; None where it may be."""
    if entry.kind not in kinds:
        return "kind"
    if entry.status != "active":
        return "status"
    if wanted.child and entry.minimum_age is not None and entry.minimum_age >= ADULT:
        return "age"
    if not wanted.child and entry.kind != "child" and entry.maximum_age is not None and entry.maximum_age < ADULT:
        return "age"
    if moment.ages.state(entry.assured_date or entry.checked, moment.today) == HIDDEN:
        return "stale"
    return None


def suits(entry: Entry, wanted: Wanted, kinds: Sequence[str]) -> int:
    """Return 0 (the kind that suits best, or a suitable kind that covers the need), 1 (any kind that covers it),
    2 (a suitable kind that does not list it) or 3.

    So a shelter that calls itself "other" comes before a crisis line, and the line for trafficked people is never
    pushed out by many services that are for everybody.
    """
    covers = wanted.need in entry.needs or wanted.topic in entry.needs
    natural = entry.kind in _natural(wanted)
    if entry.kind == kinds[0] or (natural and covers):
        return 0
    return 1 if covers else 2 if natural else 3


def _first(entry: Entry, wanted: Wanted, kinds: Sequence[str], moment: Moment) -> tuple[Any, ...]:
    """The criteria that cost nothing: suits, kind, need, language, full, near."""
    return (
        suits(entry, wanted, kinds),
        kinds.index(entry.kind),
        wanted.need not in entry.needs,
        _language(entry, wanted),
        entry.full_until is not None and entry.full_until >= moment.today,
        _near(entry, wanted),
    )


def _second(entry: Entry, wanted: Wanted, moment: Moment) -> tuple[Any, ...]:
    state = moment.opening(entry)
    return (
        0 if state and state.open else 1 if state is None else 2,
        entry.doubtful or moment.ages.state(entry.assured_date or entry.checked, moment.today) == WARNED,
        entry.assured_date is None,
        round(_distance(entry, wanted), 1),
        entry.service_id,
    )


_NAMES = ("suits", "kind", "need", "language", "full", "near", "open", "stale", "unverified", "distance", "id")


def _language(entry: Entry, wanted: Wanted) -> int:
    """0: speaks hers, 1: calls in an interpreter, 2: says nothing of languages, 3: only others."""
    if entry.languages & set(wanted.languages):
        return 0
    if entry.interpreters:
        return 1
    return 3 if entry.languages else 2


def _distance(entry: Entry, wanted: Wanted) -> float:
    if wanted.place is None or not entry.places:
        return 0.0
    return min(distance_km(wanted.place, place) for place in entry.places)


def _near(entry: Entry, wanted: Wanted) -> int:
    """0: near, or anywhere by phone; 1: a journey; 2: too far for today."""
    kilometres = _distance(entry, wanted)
    return 0 if kilometres <= NEAR_KM else 1 if kilometres <= FAR_KM else 2


def steps(entry: Entry, wanted: Wanted, moment: Moment) -> list[Step]:
    """Return every criterion with its answer, in the order in which they count."""
    kinds = kinds_for(wanted)
    values = (*_first(entry, wanted, kinds, moment), *_second(entry, wanted, moment))
    return [Step(name, value) for name, value in zip(_NAMES, values, strict=True)]


class Index:
    """The entries of a country, by kind and need: the best of thousands are found without looking at each."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.all = list(entries)
        self._kinds: dict[str, list[Entry]] = {}
        self._covering: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.all:
            self._kinds.setdefault(entry.kind, []).append(entry)
            for need in entry.needs:
                self._covering.setdefault((entry.kind, need), []).append(entry)

    def of(self, kind: str) -> list[Entry]:
        return self._kinds.get(kind, [])

    def best(self, wanted: Wanted, moment: Moment, most: int) -> list[Entry]:
        """Return what `best` would return for all entries."""
        found: list[Entry] = []
        for some in self._classes(wanted):
            found += best(some, wanted, moment, most - len(found))
            if len(found) >= most:
                break
        return found

    def _classes(self, wanted: Wanted) -> Iterator[list[Entry]]:
        """Yield the entries so that all of a list come before all of the next, by the first criteria alone."""
        kinds, natural = kinds_for(wanted), _natural(wanted)
        needs = [need for need in dict.fromkeys((wanted.need, wanted.topic)) if need]

        def covering(kind: str) -> list[Entry]:
            lists = [self._covering.get((kind, need), []) for need in needs]
            if len([each for each in lists if each]) < 2:
                return next(filter(None, lists), [])
            return [*lists[0], *(entry for entry in lists[1] if needs[0] not in entry.needs)]

        def rest(kind: str) -> list[Entry]:
            return [entry for entry in self.of(kind) if entry.needs.isdisjoint(needs)]

        first, others = kinds[0], kinds[1:]
        yield self._covering.get((first, wanted.need or ""), [])
        yield [entry for entry in self.of(first) if wanted.need not in entry.needs]
        for kind in others:
            if kind in natural:
                yield covering(kind)
        for kind in others:
            if kind not in natural:
                yield covering(kind)
        for kind in others:
            if kind in natural:
                yield rest(kind)
        for kind in others:
            if kind not in natural:
                yield rest(kind)


def best(entries: Iterable[Entry], wanted: Wanted, moment: Moment, most: int) -> list[Entry]:
    """Return the `most` best of these, best first.

    What is dear to know (open now) is asked only of those that the cheap criteria leave level.
    """
    kinds = kinds_for(wanted)
    classes: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        if unsuitable(entry, wanted, kinds, moment) is None:
            classes.setdefault(_first(entry, wanted, kinds, moment), []).append(entry)
    found: list[Entry] = []
    for key in sorted(classes):
        found += sorted(classes[key], key=lambda entry: _second(entry, wanted, moment))[: most - len(found)]
        if len(found) >= most:
            break
    return found
