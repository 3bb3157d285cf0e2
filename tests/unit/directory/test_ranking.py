"""bot/directory/ranking: the quick way and the long way agree, and each criterion counts where it should."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.directory.ages import Ages
from bot.directory.hours import Opening
from bot.directory.ranking import Entry, Index, Moment, Wanted, best, kinds_for, steps, unsuitable

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
STATES = {"open": Opening(open=True), "closed": Opening(), "": None}
MOMENT = Moment(NOW, Ages(), lambda entry: STATES[entry.hours])
ROME, MILAN, OSTIA = (41.9, 12.5), (45.46, 9.19), (41.73, 12.28)


def entry(service_id: str = "a", **values: Any) -> Entry:
    known: dict[str, Any] = {
        "name": service_id, "country": "IT", "kind": "trafficking", "needs": frozenset({"need_shelter"}),
        "languages": frozenset({"en"}), "interpreters": False, "minimum_age": None, "maximum_age": None,
        "gender": None, "places": (), "area": None, "hours": "open", "open_on_holidays": False,
        "assured_date": date(2026, 11, 1), "checked": None, "full_until": None, "status": "active",
    }  # fmt: skip
    return Entry(service_id=service_id, **(known | values))


def order(*entries: Entry, **wanted: Any) -> str:
    asked = Wanted(**({"country": "IT", "need": "need_shelter", "languages": ("ar",)} | wanted))
    return "".join(each.service_id for each in best(entries, asked, MOMENT, len(entries)))


def test_the_need_comes_before_the_language_and_that_before_open_now() -> None:
    need = entry("n", languages=frozenset({"fr"}), hours="closed")
    speaks = entry("l", needs=frozenset(), languages=frozenset({"ar"}))
    assert order(speaks, need) == "nl"
    assert order(entry("o"), entry("s", languages=frozenset({"ar"}), hours="closed")) == "so"


def test_what_covers_the_need_comes_before_lines_for_other_things_and_the_specialised_line_comes_first() -> None:
    line = entry("t", needs=frozenset())
    shelter = entry("s", kind="other")
    crisis, violence = entry("c", kind="crisis", needs=frozenset()), entry("v", kind="violence", needs=frozenset())
    assert order(crisis, violence, shelter, line) == "tsvc"
    assert order(shelter, entry("w", kind="violence")) == "ws"
    unpaid = entry("u", kind="migration", needs=frozenset({"wages_withheld"}))
    assert order(crisis, unpaid, need="find_service", topic="wages_withheld") == "uc"


def test_who_calls_an_interpreter_comes_before_who_says_nothing_and_who_speaks_only_others() -> None:
    found = order(
        entry("d"),
        entry("c", languages=frozenset()),
        entry("b", interpreters=True),
        entry("a", languages=frozenset({"ar"})),
    )
    assert found == "abcd"


def test_near_comes_before_far_and_a_hotline_counts_as_near() -> None:
    milan, ostia, line = entry("m", places=(MILAN,)), entry("o", places=(OSTIA,)), entry("t")
    assert order(milan, ostia, line, place=ROME) == "tom"
    assert order(milan, ostia, place=(45.5, 9.2)) == "mo"
    assert order(milan, ostia) == "mo", "without a place, distance does not count"


def test_open_before_unknown_before_closed() -> None:
    assert order(entry("c", hours="closed"), entry("b", hours=""), entry("a")) == "abc"


def test_places_taken_until_a_day_put_it_last_until_that_day() -> None:
    full = entry("a", full_until=date(2026, 11, 26))
    assert order(full, entry("b")) == "ba"
    assert order(entry("a", full_until=date(2026, 11, 25)), entry("b")) == "ab"


def test_confirmed_before_unconfirmed_and_what_is_too_old_is_not_shown() -> None:
    unread = entry("a", assured_date=None, checked=date(2026, 11, 20))
    warned = entry("b", assured_date=date(2026, 7, 1))
    assert order(warned, unread, entry("c")) == "cab"
    hidden = entry("d", assured_date=date(2026, 5, 1))
    assert unsuitable(hidden, Wanted("IT"), kinds_for(Wanted("IT")), MOMENT) == "stale"
    assert order(hidden, entry("c")) == "c"


def test_age_is_not_asked_but_what_she_said_counts() -> None:
    adults, young = entry("a", minimum_age=18), entry("b", maximum_age=17)
    assert order(adults, young) == "a"
    assert order(adults, young, need="child") == "b"
    assert order(adults, young, topic="user_is_child") == "b"


def test_closed_for_now_and_of_another_kind_are_left_out() -> None:
    assert order(entry("a", status="temporarily closed"), entry("b", kind="consular"), entry("c", kind="child")) == ""


entries = st.lists(
    st.builds(
        entry,
        st.uuids().map(str),
        kind=st.sampled_from(["trafficking", "violence", "child", "labour", "consular", "other"]),
        needs=st.frozensets(st.sampled_from(["need_shelter", "need_legal", "wages_withheld", "user_is_child"])),
        languages=st.frozensets(st.sampled_from(["ar", "en", "fr"])),
        interpreters=st.booleans(),
        minimum_age=st.sampled_from([None, 18.0]),
        places=st.sampled_from([(), (ROME,), (MILAN,), (MILAN, OSTIA)]),
        hours=st.sampled_from(list(STATES)),
        assured_date=st.sampled_from([None, *(NOW.date() - timedelta(days=days) for days in (1, 130, 200))]),
        full_until=st.sampled_from([None, date(2026, 12, 1)]),
        status=st.sampled_from(["active", "temporarily closed"]),
    ),
    max_size=12,
)
wanted = st.builds(
    Wanted,
    st.just("IT"),
    st.sampled_from([None, "need_shelter", "child"]),
    st.sampled_from([None, "user_is_child", "wages_withheld"]),
    st.sampled_from([(), ("ar",)]),
    st.sampled_from([None, ROME]),
)


@given(entries, wanted, st.integers(1, 4))
def test_the_best_are_exactly_those_that_all_criteria_put_first(found: list[Entry], asked: Wanted, most: int) -> None:
    kinds = kinds_for(asked)
    suitable = [each for each in found if unsuitable(each, asked, kinds, MOMENT) is None]
    slow = sorted(suitable, key=lambda each: [step.value for step in steps(each, asked, MOMENT)])
    assert best(found, asked, MOMENT, most) == slow[:most]
    assert Index(found).best(asked, MOMENT, most) == slow[:most]
