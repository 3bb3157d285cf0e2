"""Whether somebody of the staff is there, how long one usually waits, and when they are there again."""

from __future__ import annotations

import re
import statistics
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from bot.directory.hours import DAYS, Hours, opening

RECENT = 30
"""Waits of which the usual one is the median."""

_PART = re.compile(r"([A-Z]{2}(?:-[A-Z]{2})?(?:,[A-Z]{2}(?:-[A-Z]{2})?)*)\s+(\d{2}:\d{2})-(\d{2}:\d{2})")


def read_hours(text: str, zone: str) -> list[Hours]:
    """Return schedules for "MO-FR 09:00-17:00; SA 10:00-14:00" in a time zone. Raises ValueError."""
    ZoneInfo(zone)
    schedules = []
    for part in filter(None, (each.strip() for each in text.upper().split(";"))):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(part)
        days: list[str] = []
        for span in match[1].split(","):
            first, _, last = span.partition("-")
            start, end = DAYS.index(first), DAYS.index(last or first)
            days += [DAYS[number % 7] for number in range(start, end + 1 if end >= start else end + 8)]
        row = {"freq": "WEEKLY", "byday": ",".join(days), "opens_at": match[2], "closes_at": match[3]}
        schedules.append(Hours.read(row, zone))
    return schedules


@dataclass(frozen=True)
class Availability:
    """`here`: somebody is on duty. `minutes`: the usual wait, where one is known. `opens`: when staff are back."""

    here: bool
    minutes: int | None = None
    opens: datetime | None = None


class Waits:
    """The last waits until somebody came, in memory."""

    def __init__(self) -> None:
        self._seconds: deque[int] = deque(maxlen=RECENT)

    def note(self, seconds: int) -> None:
        self._seconds.append(seconds)

    @property
    def minutes(self) -> int | None:
        """Return the usual wait in full minutes, at least one; None until somebody has waited."""
        return max(1, round(statistics.median(self._seconds) / 60)) if self._seconds else None


def next_opening(schedules: list[Hours], now: datetime | None = None) -> datetime | None:
    """Return when the staff's hours begin next, or None where they are not known or it is now."""
    hours = opening(schedules, now or datetime.now(timezone.utc))
    return hours.opens if hours and not hours.open else None
