"""What staff call a case: a word of the radio alphabet and a number, the same in every language."""

from __future__ import annotations

import secrets
from collections.abc import Collection

WORDS = ("Alfa", "Bravo", "Delta", "Echo", "Foxtrot", "Golf", "Kilo", "Sierra", "Tango", "Uniform", "Zulu")
"""Those of the ICAO alphabet that are no first names, no places and no drinks."""


def new_alias(taken: Collection[str]) -> str:
    """Return an alias that no case has."""
    size = 90
    while True:
        alias = f"{secrets.choice(WORDS)} {10 + secrets.randbelow(size)}"
        if alias not in taken:
            return alias
        size += 10
