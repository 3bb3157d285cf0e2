"""Durations in words, in every language."""

from __future__ import annotations

import time

from babel.units import format_unit


def duration(amount: float, unit: str, language: str) -> str:
    """Return so many of `unit` ("hour", "day", "month") in `language`: the longest form that CLDR has."""
    name = f"duration-{unit}"
    for length in ("long", "short", "narrow"):
        words = format_unit(amount, name, length, locale=language)
        if name not in words:
            return words
    return str(amount)


def time_left(until: int, language: str) -> str:
    """Return how long it is until a Unix time: in days, hours or minutes, whichever counts to two at least."""
    seconds = max(0, until - time.time())
    for unit, size in (("day", 86400), ("hour", 3600)):
        if seconds >= 1.5 * size:
            return duration(round(seconds / size), unit, language)
    return duration(max(1, round(seconds / 60)), "minute", language)
