"""Public holidays, on which many services are closed (the library `holidays`)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache


def is_holiday(country: str, day: date) -> bool:
    """Return whether `day` is a public holiday in all of a country; False where its holidays are not known."""
    return day in _holidays(country, day.year)


@lru_cache(maxsize=256)
def _holidays(country: str, year: int) -> frozenset[date]:
    from holidays import country_holidays

    try:
        return frozenset(country_holidays(country, years=year))
    except (NotImplementedError, KeyError, ValueError):
        return frozenset()
