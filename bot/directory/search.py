"""The right three services for this person, and what to dial in danger."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone

from sqlalchemy import Connection, Engine, func, select

from bot.directory import fulltext
from bot.directory.ages import WARNED, Ages
from bot.directory.entries import version
from bot.directory.flags import doubtful
from bot.directory.hours import Hours, Opening, opening
from bot.directory.models import EmergencyNumber, Organization, Service, ServiceEntry
from bot.directory.ranking import (
    ANY_KINDS,
    CONSULAR,
    KINDS_FOR,
    Entry,
    Index,
    Moment,
    Step,
    Wanted,
    best,
    kinds_for,
    steps,
    unsuitable,
)
from bot.directory.read import Referral, referrals

BEST = 3
EVERYWHERE = "*"
"""Asked for instead of a country: what helps in many countries."""
MOST_KEPT = 150_000
"""Entries kept in memory, at 0.5 kB each; the countries that were not asked for longest go first."""
MOST_SHOWN = 2_000
"""Services kept in memory as people are told them."""
MOST_FOUND = 1000
"""Services that a search for words looks at."""


@dataclass(frozen=True)
class Emergency:
    """What to dial in one country: the number to call, and how to reach help without speaking, where that exists."""

    numbers: tuple[str, ...]
    sms: str | None = None
    sms_registered: bool = False
    silent_number: str | None = None
    silent_code: str | None = None


@dataclass(frozen=True)
class Explained:
    """A service and why it stands where it stands; `unsuitable` names why it is not for this person at all."""

    entry: Entry
    steps: list[Step]
    unsuitable: str | None


@dataclass
class _Read:
    """What was read of one version of the directory."""

    version: int
    doubtful: frozenset[str]
    countries: OrderedDict[str, Index] = field(default_factory=OrderedDict)
    shown: OrderedDict[str, Referral] = field(default_factory=OrderedDict)


class Directory:
    """Reads the directory. Calls block for a few milliseconds."""

    def __init__(self, engine: Engine, ages: Ages | None = None) -> None:
        self.engine = engine
        self.ages = ages or Ages()
        self._memory = _Read(-1, frozenset())
        self._lock = threading.Lock()
        self._openings: dict[tuple[str, str, bool], Opening | None] = {}
        self._minute = -1

    def services(self, wanted: Wanted, now: datetime | None = None) -> list[Referral]:
        """Return the best services for `wanted` in its country, at most BEST; with no country: those for everywhere."""
        moment = self._moment(now)
        with self.engine.connect() as connection:
            chosen = self._entries(connection, wanted.country or "").best(wanted, moment, BEST)
            found = self._referrals(connection, [entry.service_id for entry in chosen])
        return [self._aged(each, moment) for each in found]

    def why(self, wanted: Wanted, now: datetime | None = None) -> list[Explained]:
        """Return all services of the country with the reasons for their places, best first, the unsuitable last."""
        moment = self._moment(now)
        with self.engine.connect() as connection:
            entries = self._entries(connection, wanted.country or "").all
        kinds = kinds_for(wanted)
        reasons = {entry.service_id: unsuitable(entry, wanted, kinds, moment) for entry in entries}
        suitable = best(entries, wanted, moment, len(entries))
        rest = sorted((entry for entry in entries if reasons[entry.service_id]), key=lambda entry: entry.service_id)
        return [
            Explained(
                entry, [] if reasons[entry.service_id] else steps(entry, wanted, moment), reasons[entry.service_id]
            )
            for entry in [*suitable, *rest]
        ]

    def find(
        self, country: str = "", need: str = "", words: str = "", languages: Sequence[str] = (), most: int = 20
    ) -> tuple[list[Referral], int]:
        """Return the services that fit, best first (the need, then languages), at most `most`; and how many there are.

        `country`: ISO 3166, EVERYWHERE or "" for any. Every one of `words` must begin a word of the entry.
        """
        code = "" if country == EVERYWHERE else country
        with self.engine.connect() as connection:
            ids = fulltext.find(connection, words, MOST_FOUND)
            if ids is not None:
                entries = self._of(connection, ids)
                if country:
                    entries = [entry for entry in entries if entry.country == code]
            elif country:
                entries = self._entries(connection, code).all
            else:
                query = select(ServiceEntry).order_by(ServiceEntry.n).limit(MOST_FOUND)
                entries = [Entry.read(row) for row in connection.execute(query)]
            kinds = (*KINDS_FOR.get(need, ()), *ANY_KINDS)
            fitting = [
                entry for entry in entries if not need or need in entry.needs or entry.kind in KINDS_FOR.get(need, ())
            ]
            fitting.sort(
                key=lambda entry: (
                    need not in entry.needs,
                    not entry.languages & set(languages),
                    entry.kind == CONSULAR,
                    kinds.index(entry.kind) if entry.kind in kinds else len(kinds),
                    entry.name,
                    entry.service_id,
                )
            )
            keys = list(dict.fromkeys(entry.service_id for entry in fitting))
            found = self._referrals(connection, keys[:most])
        moment = self._moment(None)
        return [self._aged(each, moment) for each in found], len(keys)

    def get(self, service_id: str) -> Referral | None:
        """Return one service in use, or None."""
        with self.engine.connect() as connection:
            found = self._referrals(connection, [service_id])
        return self._aged(found[0], self._moment(None)) if found and found[0].status == "active" else None

    def emergency(self, country: str | None) -> Emergency | None:
        """Return what to dial in `country`; None where that is not known."""
        if country is None:
            return None
        query = select(EmergencyNumber.__table__).where(EmergencyNumber.country == country).order_by(EmergencyNumber.id)
        with self.engine.connect() as connection:
            rows = list(connection.execute(query))
        numbers = tuple(
            dict.fromkeys(
                row.number for row in rows if row.how == "call" and {"any", "police"} & set(row.reaches.split(","))
            )
        )
        if not numbers:
            return None
        sms = next((row for row in rows if row.how == "sms"), None)
        silent = next((row for row in rows if row.how == "silent_call"), None)
        return Emergency(
            numbers=numbers[:2],
            sms=sms.number if sms else None,
            sms_registered=bool(sms and sms.registration),
            silent_number=silent.number if silent else None,
            silent_code=silent.code if silent else None,
        )

    def countries(self) -> list[str]:
        """Return the countries with an emergency number or a service, sorted by code."""
        with self.engine.connect() as connection:
            codes = set(connection.scalars(select(EmergencyNumber.country).distinct()))
            helped = select(ServiceEntry.country).where(ServiceEntry.kind != CONSULAR).distinct()
            codes |= {code for code in connection.scalars(helped) if code}
        return sorted(codes)

    def consular(self, country: str) -> Referral | None:
        """Return the line of `country` for its own people abroad; None where none is known."""
        moment = self._moment(None)
        with self.engine.connect() as connection:
            entries = self._entries(connection, country).of(CONSULAR)
            chosen = best(entries, replace(Wanted(country)), moment, 1) or entries[:1]
            found = self._referrals(connection, [entry.service_id for entry in chosen])
        return self._aged(found[0], moment) if found else None

    def health(self, today: date | None = None) -> dict[str, int]:
        """Return counts for `helpline check`: organisations, services, those never verified, those not read lately."""
        today = today or datetime.now(timezone.utc).date()
        oldest = date.fromordinal(today.toordinal() - self.ages.review_days).isoformat()
        confirmed = func.coalesce(ServiceEntry.assured_date, ServiceEntry.checked, "")
        services = select(func.count(ServiceEntry.service_id.distinct()))
        with self.engine.connect() as connection:

            def count(query: object) -> int:
                return int(connection.scalar(query) or 0)  # type: ignore[call-overload]

            return {
                "countries": len(self.countries()),
                "organizations": count(
                    select(func.count()).select_from(Organization).where(Organization.archived_at.is_(None))
                ),
                "services": count(services),
                "unverified": count(services.where(ServiceEntry.assured_date.is_(None))),
                "stale": count(services.where(confirmed <= oldest)),
                "archived": count(select(func.count()).select_from(Service).where(Service.archived_at.is_not(None))),
            }

    # inside

    def _moment(self, now: datetime | None) -> Moment:
        now = now or datetime.now(timezone.utc)
        minute = int(now.timestamp() // 60)
        if minute != self._minute:
            self._openings, self._minute = {}, minute

        def state(entry: Entry) -> Opening | None:
            if not entry.hours:
                return None
            key = (entry.hours, entry.country, entry.open_on_holidays)
            if key not in self._openings:
                rows = [Hours(**row) for row in json.loads(entry.hours)]
                self._openings[key] = opening(
                    rows, now, country=entry.country or None, closed_on_holidays=not entry.open_on_holidays
                )
            return self._openings[key]

        return Moment(now, self.ages, state)

    def _aged(self, service: Referral, moment: Moment) -> Referral:
        warned = service.id in self._memory.doubtful or self.ages.state(service.confirmed, moment.today) == WARNED
        return replace(service, stale=True) if warned else service

    def _read(self, connection: Connection) -> _Read:
        """Return what was read since the last change of the directory; nothing yet, right after one."""
        current, read = version(connection), self._memory
        if read.version != current:
            read = self._memory = _Read(current, doubtful(connection))
        return read

    def _entries(self, connection: Connection, country: str) -> Index:
        """Return the entries of a country, from memory while the directory has not changed."""
        read = self._read(connection)
        known = read.countries.get(country)
        if known is None:
            query = select(ServiceEntry.__table__).where(ServiceEntry.country == country)
            entries = (Entry.read(row) for row in connection.execute(query.order_by(ServiceEntry.service_id)))
            known = Index(
                replace(entry, doubtful=True) if entry.service_id in read.doubtful else entry for entry in entries
            )
        with self._lock:
            read.countries[country] = known
            read.countries.move_to_end(country)
            while len(read.countries) > 1 and sum(len(each.all) for each in read.countries.values()) > MOST_KEPT:
                read.countries.popitem(last=False)
        return known

    def _referrals(self, connection: Connection, keys: Sequence[str]) -> list[Referral]:
        """Return services in the order of their ids, from memory where they were shown since the last change."""
        shown = self._read(connection).shown
        found = {key: shown[key] for key in keys if key in shown}
        missing = [key for key in keys if key not in found]
        if missing:
            found |= {each.id: each for each in referrals(connection, missing)}
        with self._lock:
            for key in keys:
                if key in found:
                    shown[key] = found[key]
                    shown.move_to_end(key)
            while len(shown) > MOST_SHOWN:
                shown.popitem(last=False)
        return [found[key] for key in keys if key in found]

    def _of(self, connection: Connection, ids: Sequence[str]) -> list[Entry]:
        table = ServiceEntry.__table__
        found: list[Entry] = []
        for start in range(0, len(ids), 500):
            query = select(table).where(table.c.service_id.in_(ids[start : start + 500]))
            found += [Entry.read(row) for row in connection.execute(query)]
        return found
