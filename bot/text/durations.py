"""Durations in words, in every language."""

from __future__ import annotations

from babel.units import format_unit


def duration(amount: float, unit: str, language: str) -> str:
    """Return so many of `unit` ("hour", "day", "month") in `language`: the longest form that CLDR has."""
    name = f"duration-{unit}"
    for length in ("long", "short", "narrow"):
        words = format_unit(amount, name, length, locale=language)
        if name not in words:
            return words
    return str(amount)
