"""What search reads, made from the standard's tables: a row a service and country, and its words."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from babel import Locale
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from bot.directory.bulk import bulk_insert
from bot.directory.fulltext import words
from bot.directory.hours import Hours
from bot.directory.models import DirectoryVersion, ServiceEntry, ServiceWords
from bot.directory.read import YES, Referral, as_date, referral
from bot.directory.records import CHUNK, Bundle, load

ENTRIES: Table = ServiceEntry.__table__  # type: ignore[assignment]
WORDS: Table = ServiceWords.__table__  # type: ignore[assignment]
GENDERS = ("women", "men")
IN_USE = ("active", "temporarily closed")


def entry_rows(service: Referral) -> Iterator[dict[str, Any]]:
    """Yield the rows of `service_entry` for a service: one for each country; none where it is over."""
    if service.status not in IN_USE:
        return
    shared = {
        "service_id": service.id,
        "organization_id": service.organization_id,
        "name": service.name,
        "kind": service.kind,
        "needs": " ".join(service.needs),
        "languages": " ".join(service.languages),
        "interpreters": service.facts.get("interpreters") == YES,
        "minimum_age": service.minimum_age,
        "maximum_age": service.maximum_age,
        "gender": gender if (gender := service.facts.get("gender")) in GENDERS else None,
        "places": " ".join(f"{latitude},{longitude}" for latitude, longitude in service.places),
        "area": service.area,
        "hours": _hours(service.schedules),
        "open_on_holidays": service.facts.get("open_on_holidays") == YES,
        "assured_date": service.assured_date.isoformat() if service.assured_date else None,
        "checked": service.checked.isoformat() if service.checked else None,
        "full_until": full.isoformat() if (full := as_date(service.facts.get("full_until"))) else None,
        "status": service.status,
        "changed_at": int(time.time()),
    }
    for country in service.countries:
        yield shared | {"country": country}


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], dict[str, str]]:
    locale = Locale.parse("en")
    return dict(locale.territories), dict(locale.languages)


@lru_cache(maxsize=1024)
def _hours(schedules: tuple[Hours, ...]) -> str:
    """Return schedules as JSON. Most services keep the hours of many others."""
    if not schedules:
        return ""
    rows = [{name: value for name, value in asdict(each).items() if value is not None} for each in schedules]
    return json.dumps(rows, sort_keys=True)


def word_row(service: Referral) -> dict[str, Any]:
    """Return the row of `service_words` for a service."""
    territories, languages = _names()
    return {
        "service_id": service.id,
        "words": words(
            service.name,
            service.organization,
            service.description,
            service.area,
            service.city,
            service.kind.replace("_", " "),
            *(need.replace("_", " ") for need in service.needs),
            *(group.replace("_", " ") for group in service.groups),
            *(territories.get(country) for country in service.countries),
            *(languages.get(code) for code in service.languages),
            *(phone.number for phone in service.phones),
            *("".join(filter(str.isdigit, phone.number)) for phone in service.phones),
            *service.translations.values(),
        ),
    }


def index(connection: Connection, services: Iterable[Referral]) -> None:
    """Write the search rows of services that have none yet."""
    entries: list[dict[str, Any]] = []
    searched: list[dict[str, Any]] = []
    for service in services:
        rows = list(entry_rows(service))
        if rows:
            entries += rows
            searched.append(word_row(service))
    if entries:
        bulk_insert(connection, ENTRIES, entries)
        bulk_insert(connection, WORDS, searched)


def reindex(connection: Connection, keys: Sequence[str]) -> None:
    """Make the search rows of these services anew."""
    for start in range(0, len(keys), CHUNK):
        some = list(keys[start : start + CHUNK])
        connection.execute(delete(ServiceEntry).where(ServiceEntry.service_id.in_(some)))
        connection.execute(delete(ServiceWords).where(ServiceWords.service_id.in_(some)))
        bundle = load(connection, services=some, people=True)
        index(connection, in_bundle(bundle))


def in_bundle(bundle: Bundle) -> Iterator[Referral]:
    """Yield all services of a bundle that the public may see, and of them only what it may see."""
    shown = bundle.public()
    for key in shown["service"]:
        yield referral(shown, key)


def changed(connection: Connection) -> None:
    """Count a change of the directory, so that what was read into memory is read again."""
    done = connection.execute(update(DirectoryVersion).values(version=DirectoryVersion.version + 1))
    if not done.rowcount:
        connection.execute(insert(DirectoryVersion).values(id=1, version=1))


def version(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(DirectoryVersion.version))) or 0)
