"""When a service is open, in its own time zone: HSDS schedules, which are recurrence rules (RFC 5545) with hours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
AHEAD_DAYS = 8
"""How far the next opening is looked for in a weekly rule, and further in a rarer one."""
RARE_AHEAD_DAYS = 62

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True)
class Opening:
    """State at one moment. `until` and `opens` are local times of the service; None where there is none."""

    always: bool = False
    open: bool = False
    until: datetime | None = None
    opens: datetime | None = None


MAINLAND = {"ES": "Europe/Madrid", "PT": "Europe/Lisbon", "UA": "Europe/Kyiv"}
"""Zones in which nearly all of a country lives, where CLDR names several that differ."""


@lru_cache(maxsize=300)
def zone_of(country: str | None) -> str | None:
    """Return the time zone of a country (IANA); None where it has several that differ."""
    zones = get_global("territory_zones").get(country or "", [])
    if country in MAINLAND:
        return MAINLAND[country]
    moments = [datetime(2026, month, 1, tzinfo=timezone.utc) for month in (1, 7)]
    offsets = {tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments) for zone in zones}
    return str(zones[0]) if len(offsets) == 1 else None


@dataclass(frozen=True)
class Hours:
    """One rule: on which days, from when to when. Dates are ISO 8601, times HH:MM, perhaps with an offset from UTC."""

    freq: str = "WEEKLY"
    byday: str = ""
    opens_at: str = ""
    closes_at: str = ""
    timezone: str = "UTC"
    """An IANA name, or an offset in hours such as "1" (HSDS 3.0)."""
    interval: int = 1
    bymonthday: str = ""
    byweekno: str = ""
    byyearday: str = ""
    wkst: str = "MO"
    dtstart: str = ""
    until: str = ""
    count: int = 0
    valid_from: str = ""
    valid_to: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any], zone: str | None = None) -> Hours:
        """Read a row of HSDS `schedule`; `zone` (IANA) goes before the row's own offset."""
        values: dict[str, Any] = {}
        for each in fields(cls):
            value = row.get(each.name)
            if value is not None and each.name != "timezone":
                values[each.name] = int(value) if each.name in ("interval", "count") else str(value)
        offset = row.get("timezone")
        return cls(**values, timezone=zone or ("UTC" if offset is None else f"{float(offset):g}"))

    @property
    def every_day(self) -> bool:
        return set(self.byday.split(",")) == set(DAYS) and self._simple

    @property
    def around_the_clock(self) -> bool:
        times = (self.opens_at[:5], self.closes_at[:5])
        return self.every_day and times in (("00:00", "24:00"), ("00:00", "23:59"), ("00:00", "00:00"))

    @property
    def _simple(self) -> bool:
        """Whether it is the same every week."""
        rare = (self.bymonthday, self.byweekno, self.byyearday, self.until, self.count, self.valid_from, self.valid_to)
        return self.freq == "WEEKLY" and self.interval == 1 and not any(rare) and not re.search(r"\d", self.byday)


def problems(hours: Hours) -> list[str]:
    """Return what cannot be read: opens_at, closes_at, timezone, byday or rule. Such a rule counts as not known."""
    found = [name for name in ("opens_at", "closes_at") if _clock(getattr(hours, name)) is None]
    if _zone(hours.timezone) is None:
        found.append("timezone")
    days = [day for day in hours.byday.upper().split(",") if day]
    if not all(_WEEKDAY.fullmatch(day.strip()) for day in days) or (not days and hours._simple):
        found.append("byday")
    if not found and not hours._simple and _rule(hours) is None:
        found.append("rule")
    return found


def opening(
    schedules: Sequence[Hours], now: datetime, country: str | None = None, closed_on_holidays: bool = False
) -> Opening | None:
    """Return whether a service is open at `now` (aware) and when that changes; None where its hours are not known.

    `closed_on_holidays`: the public holidays of `country` are days off, but for who is there around the clock.
    """
    readable = [hours for hours in schedules if not _problems(hours)]
    if not readable:
        return None
    if any(hours.around_the_clock for hours in readable):
        return Opening(always=True, open=True)
    starts: list[datetime] = []
    for hours in readable:
        zone = _zone(hours.timezone) or timezone.utc
        local = now.astimezone(zone)
        for day in _days(hours, local.date()):
            if closed_on_holidays and country and _holiday(country, day):
                continue
            start, end = _span(hours, day, zone)
            if start <= local < end:
                return Opening(open=True, until=end)
            if start > local:
                starts.append(start)
                break
    return Opening(opens=min(starts) if starts else None)


@lru_cache(maxsize=4096)
def _problems(hours: Hours) -> tuple[str, ...]:
    return tuple(problems(hours))


def _days(hours: Hours, today: date) -> Iterator[date]:
    """Yield the days from yesterday on (for hours past midnight) on which the rule holds, in order."""
    first = today - timedelta(days=1)
    if hours._simple:
        wanted = hours.byday.upper()
        for offset in range(AHEAD_DAYS + 1):
            day = first + timedelta(days=offset)
            if DAYS[day.weekday()] in wanted:
                yield day
        return
    rule = _rule(hours)
    last = first + timedelta(days=RARE_AHEAD_DAYS)
    begins, ends = _date(hours.valid_from), _date(hours.valid_to)
    if rule is None:
        return
    for moment in rule.between(datetime.combine(first, time()), datetime.combine(last, time()), inc=True):
        if (begins is None or moment.date() >= begins) and (ends is None or moment.date() <= ends):
            yield moment.date()


@lru_cache(maxsize=4096)
def _rule(hours: Hours) -> Any:
    """Return the dateutil rule of what is not the same every week; None where it cannot be read."""
    from dateutil import rrule

    def numbers(text: str) -> list[int] | None:
        return [int(each) for each in text.split(",") if each.strip()] or None

    if hours.interval < 1 or hours.count < 0:
        return None
    try:
        weekdays = []
        for day in filter(None, (each.strip().upper() for each in hours.byday.split(","))):
            match = _WEEKDAY.fullmatch(day)
            if match is None:
                return None
            weekday = getattr(rrule, match[2])
            weekdays.append(weekday(int(match[1])) if match[1] else weekday)
        start = _date(hours.dtstart) or _date(hours.valid_from) or date(2020, 1, 6)  # a Monday
        until = _date(hours.until)
        frequency = {"WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY}[hours.freq]
        if hours.byyearday or hours.byweekno:
            frequency = rrule.YEARLY
        return rrule.rrule(
            frequency,
            dtstart=datetime.combine(start, time()),
            interval=hours.interval,
            wkst=getattr(rrule, hours.wkst),
            count=hours.count or None,
            until=datetime.combine(until, time()) if until and not hours.count else None,
            byweekday=weekdays or None,
            bymonthday=numbers(hours.bymonthday),
            byweekno=numbers(hours.byweekno),
            byyearday=numbers(hours.byyearday),
            cache=True,
        )
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError):
        return None


def _span(hours: Hours, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when it opens and closes on a day, local times; past midnight it is the next day's."""
    start, end = (_at(day, clock, zone) for clock in (hours.opens_at, hours.closes_at))
    if end <= start:
        end = _at(day + timedelta(days=1), hours.closes_at, zone)
    return start, end


def _at(day: date, text: str, zone: tzinfo) -> datetime:
    clock = _clock(text) or (0, 0, None)
    hour, minute, offset = clock
    day += timedelta(days=hour // 24)
    moment = datetime.combine(day, time(hour % 24, minute), tzinfo=offset or zone)
    return moment.astimezone(zone) if offset else moment


@lru_cache(maxsize=4096)
def _clock(text: str) -> tuple[int, int, timezone | None] | None:
    """Return hour, minute and offset of a time; 24:00 is the end of the day."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    if match[3] is None:
        return hour, minute, None
    if match[3] == "Z":
        return hour, minute, timezone.utc
    digits = match[3].replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5])) * (-1 if digits[0] == "-" else 1)
    return hour, minute, timezone(offset)


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo | None:
    try:
        return timezone(timedelta(hours=float(name)))
    except ValueError:
        pass
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _holiday(country: str, day: date) -> bool:
    from bot.directory.holidays import is_holiday

    return is_holiday(country, day)
