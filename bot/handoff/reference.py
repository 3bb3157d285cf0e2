"""The case reference: 16 digits with which she can go on later, from any channel.

Only a keyed digest is stored. What is answered to a number never tells whether a case has it.
"""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections import deque

from bot.vault.vault import Vault

DIGITS = 16
MOST_OF_ONE, OF_ONE_SECONDS = 5, 900
MOST_OF_ALL, OF_ALL_SECONDS = 60, 60
"""Numbers that are looked up: of one conversation, of everybody. 10^16 numbers, 60 a minute: 300 million years."""

_SHAPE = re.compile(r"\D*(?:\d[\s.\-\u2010-\u2015]*){16}\D*")


def new_reference() -> str:
    """Return 16 random digits."""
    return "".join(secrets.choice("0123456789") for _ in range(DIGITS))


def shown(reference: str) -> str:
    """Return the digits in groups of four."""
    return " ".join(reference[start : start + 4] for start in range(0, DIGITS, 4))


def read(text: str) -> str | None:
    """Return the reference in a message of 16 digits, in any script's digits, and few words; None for anything else."""
    if len(text) > 120 or not _SHAPE.fullmatch(text):
        return None
    return "".join(str(unicodedata.digit(char)) for char in text if char.isdecimal())


def digest(vault: Vault, reference: str) -> str:
    return vault.digest("case reference", reference)


class Turnstile:
    """Lets few numbers through, in memory: after the limit a number is answered as any other and not looked up."""

    def __init__(self) -> None:
        self._all: deque[float] = deque(maxlen=MOST_OF_ALL)
        self._one: dict[str, deque[float]] = {}

    def passes(self, pseudonym: str, now: float | None = None) -> bool:
        """Return whether this conversation may have a number looked up now, and count it."""
        moment = time.monotonic() if now is None else now
        if len(self._one) > 10_000:
            self._one = {each: times for each, times in self._one.items() if moment - times[-1] < OF_ONE_SECONDS}
        mine = self._one.setdefault(pseudonym, deque(maxlen=MOST_OF_ONE))
        if _full(mine, MOST_OF_ONE, OF_ONE_SECONDS, moment) or _full(self._all, MOST_OF_ALL, OF_ALL_SECONDS, moment):
            return False
        mine.append(moment)
        self._all.append(moment)
        return True


def _full(times: deque[float], most: int, seconds: float, moment: float) -> bool:
    return len(times) == most and moment - times[0] < seconds
