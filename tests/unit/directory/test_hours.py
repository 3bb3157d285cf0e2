"""bot/directory/hours and holidays: open now, in the service's own time zone, whatever the rule."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.holidays import is_holiday
from bot.directory.hours import DAYS, Hours, opening, problems

WEEK = "MO,TU,WE,TH,FR"


def hours(days: str, opens: str, closes: str, zone: str = "Europe/Bucharest", **more: Any) -> Hours:
    return Hours.read({"freq": "WEEKLY", "byday": days, "opens_at": opens, "closes_at": closes} | more, zone)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of 2026, UTC (23 November is a Monday)."""
    return datetime(2026, month, day, hour, minute, tzinfo=timezone.utc)


def when(rule: Hours, moment: datetime, **more: Any) -> str:
    """ "open" with the time until when, or when it opens."""
    found = opening([rule], moment, **more)
    assert found is not None
    if found.open:
        return "always" if found.always else f"open until {found.until:%a %H:%M}"
    return f"opens {found.opens:%d %a %H:%M}" if found.opens else "closed"


@pytest.mark.parametrize(
    ("rule", "moment", "said"),
    [
        (hours(WEEK, "08:00", "17:00"), at(23, 6, 30), "open until Mon 17:00"),
        (hours(WEEK, "08:00", "17:00"), at(27, 15, 30), "opens 30 Mon 08:00"),
        (hours(WEEK, "08:00:00", "17:00:00"), at(23, 5), "opens 23 Mon 08:00"),
        (hours("MO", "20:00", "04:00"), at(24, 1), "open until Tue 04:00"),
        (hours("MO", "20:00", "04:00"), at(24, 3), "opens 30 Mon 20:00"),
        (hours(",".join(DAYS), "00:00", "24:00"), at(23, 0), "always"),
        (hours("MO", "09:00", "24:00"), at(23, 21), "open until Tue 00:00"),
        (hours("MO", "08:00Z", "10:00Z"), at(23, 9), "open until Mon 12:00"),
        (hours("MO", "08:00+01:00", "10:00+01:00"), at(23, 8), "open until Mon 11:00"),
        (hours("1MO", "09:00", "12:00", freq="MONTHLY"), at(23, 9), "opens 07 Mon 09:00"),
        (hours("-1FR", "09:00", "12:00", freq="MONTHLY"), at(27, 8), "open until Fri 12:00"),
        (hours("", "09:00", "12:00", freq="MONTHLY", bymonthday="24"), at(23, 9), "opens 24 Tue 09:00"),
        (hours("MO", "09:00", "12:00", interval=2, dtstart="2026-11-16"), at(23, 5), "opens 30 Mon 09:00"),
        (hours("MO", "09:00", "12:00", until="2026-11-20"), at(23, 8), "closed"),
        (hours("MO", "09:00", "12:00", valid_from="2026-11-24"), at(23, 8), "opens 30 Mon 09:00"),
        (hours("MO", "09:00", "12:00", dtstart="2026-11-23", count=1), at(24, 8), "closed"),
        (hours("MO", "09:00", "12:00", byweekno="49"), at(23, 8), "opens 30 Mon 09:00"),
    ],
)  # fmt: skip
def test_open_and_closed(rule: Hours, moment: datetime, said: str) -> None:
    assert when(rule, moment) == said


def test_the_clock_that_is_put_forward_and_back() -> None:
    rule = hours("SU", "01:00", "06:00", "Europe/Berlin")
    assert when(rule, datetime(2026, 3, 29, 0, 30, tzinfo=timezone.utc)) == "open until Sun 06:00"
    assert when(rule, datetime(2026, 3, 29, 4, 1, tzinfo=timezone.utc)).startswith("opens")
    assert when(rule, datetime(2026, 10, 25, 4, 59, tzinfo=timezone.utc)) == "open until Sun 06:00"
    assert when(rule, datetime(2026, 10, 25, 5, 1, tzinfo=timezone.utc)).startswith("opens")


def test_the_offset_of_hsds_counts_where_no_zone_is_named() -> None:
    row = {"freq": "WEEKLY", "byday": "MO", "opens_at": "09:00", "closes_at": "10:00", "timezone": 3.0}
    assert when(Hours.read(row), at(23, 6, 30)) == "open until Mon 10:00"


def test_public_holidays_are_days_off_but_not_for_who_never_closes() -> None:
    christmas = at(25, 10, month=12)
    rule = hours(WEEK, "08:00", "17:00", "Europe/Rome")
    assert when(rule, christmas) == "open until Fri 17:00"
    assert when(rule, christmas, country="IT", closed_on_holidays=True) == "opens 28 Mon 08:00"
    assert when(rule, christmas, country="XX", closed_on_holidays=True) == "open until Fri 17:00"
    always = hours(",".join(DAYS), "00:00", "24:00", "Europe/Rome")
    assert when(always, christmas, country="IT", closed_on_holidays=True) == "always"
    assert is_holiday("RO", date(2026, 12, 1))
    assert not is_holiday("IT", date(2026, 12, 1))


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (hours("XX", "08:00", "17:00"), ["byday"]),
        (hours("", "08:00", "17:00"), ["byday"]),
        (hours("MO", "8 am", "25:00"), ["opens_at", "closes_at"]),
        (hours("MO", "08:00", "17:00", "Europe/Atlantis"), ["timezone"]),
        (hours("MO", "08:00", "17:00", freq="DAILY"), ["rule"]),
    ],
)
def test_a_rule_that_cannot_be_read_is_named_and_counts_as_not_known(rule: Hours, wrong: list[str]) -> None:
    assert problems(rule) == wrong
    assert opening([rule], at(23, 9)) is None


@given(
    st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
    st.integers(0, 23),
    st.integers(1, 24),
    st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/Bogota", "Africa/Lagos"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(timezone.utc)),
)
def test_the_next_opening_is_open_and_what_is_open_closes(
    days: list[str], opens: int, closes: int, zone: str, moment: datetime
) -> None:
    rule = hours(",".join(days), f"{opens:02}:00", f"{closes:02}:00", zone)
    state = opening([rule], moment)
    assert state is not None
    if state.open and not state.always:
        assert state.until is not None
        assert state.until > moment
        assert state.until - moment <= timedelta(hours=26)
    if state.opens:
        later = opening([rule], state.opens)
        assert later is not None
        assert later.open


@given(
    st.dictionaries(
        st.sampled_from(["byday", "opens_at", "closes_at", "bymonthday", "until", "wkst", "freq"]), st.text()
    )
)
def test_nothing_that_stands_in_a_file_breaks_it(row: dict[str, str]) -> None:
    state = opening([Hours.read(row, "Europe/Rome")], at(23, 9))
    assert state is None or state.open or not state.until
