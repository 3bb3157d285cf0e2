"""When she can be written to: a part of the day, where she is."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

HOURS = {"any": (0, 24), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 23), "night": (23, 6)}
"""Parts of the day she may choose, from and until which hour."""


_MOST_PEOPLE = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}
"""Where the database's first zone of a country is not the one of most of its people."""


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Return a time zone for each country: the first one in the IANA database."""
    zones = dict(_MOST_PEOPLE)
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    for row in table.splitlines():
        if row and not row.startswith("#"):
            country, _, zone = row.split("\t")[:3]
            zones.setdefault(country, zone)
    return zones


def is_safe(part: str | None, country: str | None, now: datetime | None = None) -> bool:
    """Return whether it is that part of the day in `country` (in UTC where that is not known)."""
    if part is None or part not in HOURS:
        return True
    first, last = HOURS[part]
    moment = now or datetime.now(timezone.utc)
    hour = moment.astimezone(ZoneInfo(_zones().get(country or "", "UTC"))).hour
    return first <= hour < last if first < last else hour >= first or hour < last
