"""When a service is open, in its own time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.directory.models import Schedule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Opening:
    """State at one moment. `until` and `opens` are local times of the service; None where there is none."""

    always: bool = False
    open: bool = False
    until: datetime | None = None
    opens: datetime | None = None


def opening(schedules: Sequence[Schedule], now: datetime) -> Opening | None:
    """Return whether a service is open at `now` (aware) and when that changes; None where its hours are not known."""
    if not schedules:
        return None
    if any(len(s.byday.split(",")) == 7 and s.opens_at == "00:00" and s.closes_at == "24:00" for s in schedules):
        return Opening(always=True, open=True)
    starts: list[datetime] = []
    for schedule in schedules:
        local = now.astimezone(ZoneInfo(schedule.timezone))
        for offset in range(-1, 8):
            day = local.date() + timedelta(days=offset)
            if DAYS[day.weekday()] not in schedule.byday.split(","):
                continue
            start, end = (_at(day, clock, local) for clock in (schedule.opens_at, schedule.closes_at))
            if end <= start:  # past midnight
                end += timedelta(days=1)
            if start <= local < end:
                return Opening(open=True, until=end)
            if start > local:
                starts.append(start)
    return Opening(opens=min(starts) if starts else None)


def _at(day: object, clock: str, local: datetime) -> datetime:
    hours, minutes = (int(part) for part in clock.split(":"))
    midnight = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=local.tzinfo)
    return midnight + timedelta(hours=hours, minutes=minutes)
