"""The desk's pages over the real desk: what operators see and can do, with scripts and without."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from starlette.requests import Request

from bot.console import desk_pages, live
from bot.console.app import Page
from bot.console.case_pages import once
from bot.directory.search import EVERYWHERE
from bot.handoff.cases import CLOSED, OPEN, UNKNOWN, WAITING, WITH_ASSISTANT
from bot.staff.accounts import Role
from tests.unit.console.desk_support import Room
from tests.unit.console.support import AGENT, CATALOGUE, TEAM, Answer, Browser

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "bot" / "console" / "templates"
SCRIPT = {"HX_Request": "true"}
QUESTION = "safety_safe"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def words(name: str, /, language: str = "en", **values: str) -> str:
    return CATALOGUE.text(f"utter_console_{name}", language, **values)


def text_of(answer: Answer) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.body)))


def question(room: Room) -> str:
    """Return a phrase that has answers."""
    book = room.desk.phrasebook
    return next(name for name in book.names if book.get(name, "en", "en").answers)


def state(room: Room, case: str) -> str:
    found = room.desk.cases.get(case)
    assert found
    return found.record.state


def lines(answer: Answer) -> list[str]:
    return re.findall(r'<li id="line-(\d+)"', answer.body)


def taken(room: Room, browser: Browser, **case: object) -> str:
    """Let somebody ask and the browser's operator take the case; return its id."""
    identity = room.case(**case)  # type: ignore[arg-type]
    assert browser.post(f"/console/case/{identity}/take").status == 303
    return identity


# the queue


def test_the_queue_has_the_most_urgent_first_and_says_so_in_words(room: Room) -> None:
    browser, _ = room.operator()
    room.case("Calm 1", waited=3000, language="uk")
    room.case("Grave 2", waited=60, urgency=3, language="uk", country="IT", topic="confined", child=True)
    room.case("Calm 3", waited=4000, language="en", left_message=True, answer_here=True, safe_time="night")
    page = browser.get("/console/queue")
    assert re.findall(r'class="alias"[^>]*><bdi>([^<]+)', page.body) == ["Grave 2", "Calm 3", "Calm 1"]
    said = text_of(page)
    for each in (
        words("urgency_3"),
        "Ukrainian",
        "Italy",
        words("child"),
        words("topic_label", topic=CATALOGUE.text("utter_intent_confined", "en")),
        words("left_message"),
        words("safe_time", time=words("part_night")),
        f"English · {words('language_yours')}",
        words("waits_minutes", minutes="50"),
        words("waits_hours", hours="1", minutes="6"),
        words("load", count="0", cap="5"),
    ):
        assert each in said


def test_taking_leads_to_the_case_and_shows_how_many_one_has(room: Room) -> None:
    browser, session = room.operator()
    case = room.case()
    answer = browser.post(f"/console/case/{case}/take")
    assert (answer.status, answer.location) == (303, f"/console/case/{case}")
    found = room.desk.cases.get(case)
    assert found
    assert (found.record.state, found.record.owner) == (OPEN, session.operator.id)
    assert words("load", count="1", cap="5") in text_of(browser.get("/console/queue"))


@pytest.mark.parametrize(("presence", "name"), [("break", "off_duty"), ("duty", "taken")])
def test_what_is_refused_in_the_queue_is_said_there(room: Room, presence: str, name: str) -> None:
    ana, _ = room.operator("ana")
    bo, _ = room.operator("bo")
    case = taken(room, bo) if name == "taken" else room.case()
    ana.post("/console/presence", {"state": presence})
    answer = ana.post(f"/console/case/{case}/take")
    assert answer.status == 409
    assert words(f"refused_{name}") in text_of(answer)
    assert words("waiting_cases") in text_of(answer)


def test_nobody_takes_more_than_the_cap(room: Room) -> None:
    browser, session = room.operator()
    room.accounts.change(session.operator.id, by="cli", cap=1)
    taken(room, browser)
    answer = browser.post(f"/console/case/{room.case('Oak 2')}/take")
    assert words("refused_full") in text_of(answer)
    assert words("load_full", count="1", cap="1") in text_of(answer)


def test_presence_is_set_and_shown_to_colleagues(room: Room) -> None:
    ana, session = room.operator("ana")
    bo, _ = room.operator("bo")
    assert ana.post("/console/presence", {"state": "break"}).location == "/console/queue"
    assert room.desk.presence(session).state == "break"
    assert f"Ana · {words('presence_break')}" in text_of(bo.get("/console/queue"))
    assert words("new_cases_closed") in text_of(ana.get("/console/queue"))
    ana.post("/console/presence", {"state": "asleep"})
    assert room.desk.presence(session).state == "break"


def test_a_hard_case_asks_to_talk_about_it_until_that_is_done(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    browser.post(f"/console/case/{case}/close", {"why": "helped", "hard": "1", "seen": "99"})
    assert words("debrief_due") in text_of(browser.get("/console/queue"))
    browser.post("/console/presence", {"debriefed": "1"})
    assert words("debrief_due") not in text_of(browser.get("/console/queue"))


def test_the_header_tells_the_script_who_calls_and_where_an_alert_is(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser, alias="Birch 1")
    room.writes(case, "help", alert="danger")
    waiting = room.case("Maple 2")
    header = browser.get("/console/presence", **SCRIPT).body
    assert f'data-calling="{waiting}" data-alerted="{case}" data-alias="Birch 1"' in header
    assert words("alert_danger") in text_of(browser.get("/console/queue/lists", **SCRIPT))


# a case


def test_a_case_shows_both_languages_what_was_understood_and_notes(room: Room) -> None:
    browser, _ = room.operator(language="fr")
    case = taken(room, browser, language="ar", country="IT", need="need_shelter")
    phrase = question(room)
    room.writes(case, "أنا خائفة", intent="threatened", confidence=0.87, place="IT", language="ar")
    browser.post(f"/console/case/{case}/phrase", {"phrase": phrase, "key": "k"})
    room.answers(case, f"{phrase}:0")
    browser.post(f"/console/case/{case}/note", {"note": "Sounds frightened"})
    page = browser.get(f"/console/case/{case}")
    said = text_of(page)
    mine = room.desk.phrasebook.get(phrase, "fr", "ar")
    assert "أنا خائفة" in said
    assert f"{CATALOGUE.text('utter_intent_threatened', 'fr')} (87 %) · Italie · arabe" in said
    assert " ".join(mine.text.split()) in said
    assert mine.shown in said
    assert mine.answers[0] in said
    assert "Sounds frightened" in said
    assert '<html lang="fr" dir="ltr">' in page.body
    assert re.search(r'<p class="what" lang="ar" dir="auto">أنا خائفة', page.body)
    note = re.search(r'<li id="line-\d+" class="line note"[^>]*>(.*?)</li>', page.body, re.DOTALL)
    assert note
    assert words("kind_note", "fr") in html.unescape(note[1])


def test_what_she_writes_is_text_and_nothing_else(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    room.writes(case, '<script>alert(1)</script> <img src=x onerror="a">\u2066https://evil.example\u2069')
    browser.post(f"/console/case/{case}/note", {"note": "<b>bold</b>"})
    body = browser.get(f"/console/case/{case}").body
    assert "<script>alert" not in body
    assert "<img" not in body
    assert "<b>" not in body
    assert "evil.example</a>" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_the_page_is_mirrored_for_who_reads_from_the_right(room: Room) -> None:
    browser, _ = room.operator(language="ar")
    case = taken(room, browser, language="en")
    assert '<html lang="ar" dir="rtl">' in browser.get(f"/console/case/{case}").body


def test_writing_goes_back_to_the_case_and_a_repeated_form_is_sent_once(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    for text in ("I am here", "I am here", "Take your time"):
        answer = browser.post(f"/console/case/{case}/say", {"text": text, "key": "same"})
        assert (answer.status, answer.location) == (303, f"/console/case/{case}?done=sent#end")
    page = browser.get(f"/console/case/{case}")
    assert page.body.count(">I am here</p>") == 1
    assert page.body.count(">Take your time</p>") == 1  # the key of a page left open, but another text


def test_every_form_has_a_key_of_its_own(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    pages = [browser.get(f"/console/case/{case}") for _ in range(2)]
    assert pages[0].field("key") != pages[1].field("key")
    assert once("a", "text", "x") == once("a", "text", "x") != once("a", "text", "y")
    assert once("", "text", "x") != once("", "text", "x")


def test_with_a_script_only_the_new_lines_come(room: Room) -> None:
    browser, session = room.operator()
    case = taken(room, browser)
    first = browser.get(f"/console/case/{case}")
    last, version = (re.search(rf'data-{name}="([^"]+)"', first.body)[1] for name in ("last", "version"))  # type: ignore[index]
    answer = browser.post(
        f"/console/case/{case}/say", {"text": "Hello", "key": "k", "after": last, "version": version}, **SCRIPT
    )
    assert (answer.status, len(lines(answer))) == (200, 1)
    assert "<html" not in answer.body
    assert 'id="case-status"' in answer.body
    assert 'id="writing"' not in answer.body  # what she is writing into is left alone
    assert answer.headers["x-csrf"] == session.csrf
    again = browser.get(f"/console/case/{case}/lines", f"after={int(last) + 1}&version={version}", **SCRIPT)
    assert lines(again) == []


def test_the_panels_come_anew_when_the_case_has_changed(room: Room) -> None:
    ana, _ = room.operator("ana")
    olga, _ = room.on_duty(room.hire("olga", Role.SUPERVISOR))
    case = taken(room, ana)
    version = re.search(r'data-version="([^"]+)"', ana.get(f"/console/case/{case}").body)[1]  # type: ignore[index]
    assert olga.post(f"/console/case/{case}/take").status == 303
    news = ana.get(f"/console/case/{case}/lines", f"after=0&version={version}", **SCRIPT)
    assert 'id="writing"' in news.body
    assert words("read_only") in text_of(news)
    assert 'id="text"' not in news.body


@pytest.mark.parametrize("number", ["", "x", "-1", "٣", "9" * 30])
def test_a_senseless_place_to_read_on_from_is_the_beginning(room: Room, number: str) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    shown = lines(browser.get(f"/console/case/{case}"))
    assert lines(browser.get(f"/console/case/{case}/lines", urlencode({"after": number}), **SCRIPT)) == shown


@pytest.mark.parametrize(("text", "name"), [("x" * 2001, "too_long"), ("  ", "empty")])
def test_what_was_typed_is_not_lost_when_it_is_refused(room: Room, text: str, name: str) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    plain = browser.post(f"/console/case/{case}/say", {"text": text, "key": "k"})
    assert plain.status == 409
    assert words(f"refused_{name}") in text_of(plain)
    assert f">{text}</textarea>" in plain.body
    script = browser.post(f"/console/case/{case}/say", {"text": text, "key": "k"}, **SCRIPT)
    assert (script.status, script.headers["hx-retarget"]) == (409, "#alerts")
    assert words(f"refused_{name}") in text_of(script)


def test_phrases_are_searched_in_ones_own_language_and_sent_with_one_tap(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser, language="uk")
    phrase = room.desk.phrasebook.get(question(room), "en", "uk")
    every = browser.get(f"/console/case/{case}/phrases", **SCRIPT)
    word = max(re.findall(r"[a-z]+", phrase.text.lower()), key=len)
    found = browser.get(f"/console/case/{case}/phrases", f"q={word}", **SCRIPT)
    assert f'name="phrase" value="{phrase.name}"' in found.body
    assert 0 < found.body.count('name="phrase"') < every.body.count('name="phrase"') == len(room.desk.phrasebook.names)
    assert words("phrase_none") in text_of(browser.get(f"/console/case/{case}/phrases", "q=zzzz", **SCRIPT))
    assert browser.post(f"/console/case/{case}/phrase", {"phrase": phrase.name, "key": "k"}).status == 303
    assert browser.post(f"/console/case/{case}/phrase", {"phrase": "no_such", "key": "k"}).status == 409
    assert phrase.text in text_of(browser.get(f"/console/case/{case}/lines", "after=1", **SCRIPT))


def test_a_phrase_that_is_not_translated_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, _ = room.operator()
    case = taken(room, browser, language="uk")
    monkeypatch.setitem(CATALOGUE.responses, "utter_phrase_greetings_newest", [{"text": "Brand new words of today."}])
    room.desk.phrasebook.names.append("greetings_newest")
    found = browser.get(f"/console/case/{case}/phrases", "q=brand", **SCRIPT)
    assert words("phrase_untranslated") in text_of(found)


def test_a_service_is_found_shown_in_both_languages_and_sent(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser, language="uk", country="IT")
    italian, polish = room.service("Casa Sicura", "IT"), room.service("La Strada", "PL")
    shown = browser.get(f"/console/case/{case}/services", "country=IT", **SCRIPT)
    assert (f'value="{italian}"' in shown.body, f'value="{polish}"' in shown.body) == (True, False)
    for language in ("en", "uk"):
        assert CATALOGUE.text("utter_kind_trafficking", language) in text_of(shown)
    assert browser.get(f"/console/case/{case}").body.count('name="service"') == 1  # her country is chosen already
    browser.post(f"/console/case/{case}/service", {"service": italian, "key": "k"})
    assert "Casa Sicura" in text_of(browser.get(f"/console/case/{case}/lines", **SCRIPT))


def test_a_message_that_may_not_have_arrived_can_be_sent_again(room: Room) -> None:
    browser, session = room.operator()
    case = taken(room, browser)
    browser.post(f"/console/case/{case}/say", {"text": "Are you there", "key": "k"})
    line = room.desk.view(session, case).lines[-1]
    room.desk.cases.set_delivery(case, [line.seq], UNKNOWN)
    page = browser.get(f"/console/case/{case}")
    assert words("delivery_unknown") in text_of(page)
    assert page.field("seq") == str(line.seq)
    browser.post(f"/console/case/{case}/again", {"seq": str(line.seq)})
    assert words("delivery_unknown") not in text_of(browser.get(f"/console/case/{case}"))


def test_typing_is_passed_on(room: Room) -> None:
    browser, session = room.operator()
    case = taken(room, browser)
    assert browser.post(f"/console/case/{case}/typing", **SCRIPT).status == 204
    found = room.desk.cases.get(case)
    assert found
    assert found.record.pseudonym
    assert room.desk.post.who_types(found.record.pseudonym) == session.operator.name


def test_a_case_is_offered_accepted_and_declined(room: Room) -> None:
    ana, _ = room.operator("ana")
    bo, session = room.operator("bo")
    case = taken(room, ana)
    ana.post(f"/console/case/{case}/offer", {"operator": session.operator.id})
    assert words("offered") in text_of(ana.get(f"/console/case/{case}"))
    assert words("offered_to_you", name="Ana") in text_of(bo.get("/console/queue"))
    bo.post(f"/console/case/{case}/decline")
    assert words("offered") not in text_of(ana.get(f"/console/case/{case}"))
    ana.post(f"/console/case/{case}/offer", {"operator": session.operator.id})
    assert bo.post(f"/console/case/{case}/accept").location == f"/console/case/{case}"
    assert 'id="text"' in bo.get(f"/console/case/{case}").body
    assert words("read_only") in text_of(ana.get(f"/console/case/{case}"))


def test_a_case_given_to_another_team_is_gone_from_this_one(room: Room) -> None:
    ana, _ = room.operator("ana")
    zoe, _ = room.operator("zoe", team="south")
    case = taken(room, ana)
    assert ana.post(f"/console/case/{case}/team", {"team": "south"}).location == "/console/queue"
    assert words("refused_gone") in text_of(ana.get(f"/console/case/{case}"))
    assert "Maple 27" in text_of(zoe.get("/console/queue"))
    assert "Maple 27" not in text_of(ana.get("/console/queue"))


@pytest.mark.parametrize(
    ("act", "fields"), [("team", {"team": TEAM}), ("back", {}), ("close", {"why": "test", "seen": "99"})]
)
def test_who_has_given_a_case_away_is_led_to_the_queue(room: Room, act: str, fields: dict[str, str]) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    answer = browser.post(f"/console/case/{case}/{act}", fields, **SCRIPT)
    assert (answer.status, answer.headers["hx-redirect"]) == (200, "/console/queue")


def test_returned_to_the_assistant_the_case_can_only_be_read(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    assert browser.post(f"/console/case/{case}/back").location == "/console/queue"
    assert state(room, case) == WITH_ASSISTANT
    assert words("read_only_assistant") in text_of(browser.get(f"/console/case/{case}"))


def test_closing_needs_a_reason_and_that_her_last_words_were_read(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    seen = browser.get(f"/console/case/{case}").field("seen")
    room.writes(case, "wait")
    late = browser.post(f"/console/case/{case}/close", {"why": "helped", "seen": seen})
    assert words("refused_just_written") in text_of(late)
    assert "wait" in text_of(late)
    bad = browser.post(f"/console/case/{case}/close", {"why": "bored", "seen": "99"}, **SCRIPT)
    assert words("refused_bad_reason") in text_of(bad)
    assert state(room, case) == OPEN
    assert browser.post(f"/console/case/{case}/close", {"why": "helped", "seen": "99"}).location == "/console/queue"
    assert state(room, case) == CLOSED


def test_closed_cases_are_listed_with_their_end_and_can_be_kept_longer(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    browser.post(f"/console/case/{case}/close", {"why": "referred", "seen": "99"})
    page = text_of(browser.get("/console/closed"))
    assert "Maple 27" in page
    assert words("closed_because", reason=words("reason_referred")) in page
    room.desk.cases.change(case, lambda record: None, int(time.time()) + 7 * 86400 - 60)
    page = text_of(browser.get("/console/closed"))
    assert words("deletes_in", time=words("days", days="6", hours="23")) in page
    refused = browser.post(f"/console/case/{case}/prolong", {"days": "7", "reason": " "})
    assert refused.status == 409
    browser.post(f"/console/case/{case}/prolong", {"days": "7", "reason": "a court asks for it"})
    after = text_of(browser.get(f"/console/case/{case}"))
    assert words("deletes_in", time=words("days", days="13", hours="23")) in after
    assert words("read_only_closed") in after
    assert "a court asks for it" in after


def test_a_supervisor_follows_a_case_and_stops(room: Room) -> None:
    ana, _ = room.operator("ana")
    olga, _ = room.on_duty(room.hire("olga", Role.SUPERVISOR))
    case = taken(room, ana)
    olga.post(f"/console/case/{case}/follow")
    assert f"/console/case/{case}/unfollow" in olga.get(f"/console/case/{case}").body
    assert words("followers", count="1") in text_of(ana.get(f"/console/case/{case}"))
    olga.post(f"/console/case/{case}/unfollow")
    assert words("followers", count="1") not in text_of(ana.get(f"/console/case/{case}"))


# the shift


def test_the_handover_list_shows_the_last_note_and_marks_nothing_as_read(room: Room) -> None:
    browser, _ = room.operator()
    case = taken(room, browser)
    browser.post(f"/console/case/{case}/note", {"note": "first"})
    browser.post(f"/console/case/{case}/note", {"note": "meets a lawyer tomorrow"})
    room.writes(case, "new words", alert="not_safe")
    page = text_of(browser.get("/console/shift"))
    assert words("shift_last_note", note="meets a lawyer tomorrow") in page
    assert words("alert_not_safe") in page
    found = room.desk.cases.get(case)
    assert found
    assert found.record.read < found.record.last_in


def test_all_cases_go_to_the_team_with_one_button(room: Room) -> None:
    browser, _ = room.operator()
    cases = [taken(room, browser, alias=alias) for alias in ("Oak 1", "Elm 2")]
    answer = browser.post("/console/shift/give")
    assert answer.location == "/console/shift?given=2&left=0"
    assert [state(room, case) for case in cases] == [WAITING, WAITING]
    path, _, query = answer.location.partition("?")
    assert words("shift_given", count="2", left="0") in text_of(browser.get(path, query))


# browsing


def test_the_phrasebook_stands_in_two_chosen_languages(room: Room) -> None:
    browser, _ = room.operator()
    page = browser.get("/console/phrasebook", "mine=uk&hers=ar")
    phrase = room.desk.phrasebook.get(question(room), "uk", "ar")
    assert phrase.text in text_of(page)
    assert phrase.shown in text_of(page)
    assert 'name="phrase"' not in page.body  # nobody to send it to
    unknown = browser.get("/console/phrasebook", "mine=xx&hers=yy&q=" + "zq" * 5000)
    assert (unknown.status, words("phrase_none") in text_of(unknown)) == (200, True)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_can_search_the_directory(room: Room, role: Role) -> None:
    browser, _ = room.log_in(room.hire("ana", role))
    room.service("Casa Sicura", "IT")
    assert "Casa Sicura" in text_of(browser.get("/console/directory", "country=IT"))
    assert "Casa Sicura" in text_of(browser.get("/console/directory", "words=SICURA+casa", **SCRIPT))
    assert words("directory_none") in text_of(browser.get("/console/directory", "words=elsewhere"))
    assert 'name="service"' not in browser.get("/console/directory", "country=IT").body


def test_services_for_many_countries_and_for_a_need_are_found(room: Room) -> None:
    room.service("Casa Sicura", "IT")
    directory = room.console.directory
    assert directory.find(EVERYWHERE) == ([], 0)
    assert [each.name for each in directory.find(need="need_shelter")[0]] == ["Casa Sicura"]
    assert directory.find(need="self_harm") == ([], 0)


# who may


def test_nobody_reaches_a_case_of_another_team_or_without_the_role(room: Room) -> None:
    ana, session = room.operator("ana")
    case = taken(room, ana)
    room.writes(case, "canary-4711")
    zoe, _ = room.operator("zoe", team="south")
    outsiders = [room.log_in(room.hire(role.value, role))[0] for role in (Role.EDITOR, Role.ADMINISTRATOR)]
    fields = {"text": "x", "note": "x", "phrase": question(room), "why": "helped", "seen": "99", "team": "south"}

    def ask(browser: Browser, page: Page) -> Answer:
        path = page.path.replace("{id}", case)
        return browser.get(path) if page.method == "GET" else browser.post(path, fields)

    for page in desk_pages.PAGES:
        if page.path != "/console/directory":
            assert [ask(browser, page).status for browser in outsiders] == [403, 403], page
        answer = ask(zoe, page)
        assert "canary-4711" not in answer.body
        assert "Maple 27" not in answer.body
        if "{id}" in page.path and page.path != "/console/directory/{id}":
            assert (answer.status, words("refused_gone") in text_of(answer)) == (409, True), page
    view = room.desk.view(session, case)
    assert (view.entry.owner, view.entry.state, view.may_write) == (session.operator.id, OPEN, True)


# live


def listener(room: Room, browser: Browser) -> Request:
    cookie = f"__Host-console={browser.cookies['__Host-console']}"
    headers = [(b"cookie", cookie.encode()), (b"user-agent", AGENT.encode())]
    return Request(
        {"type": "http", "method": "GET", "path": "/console/events", "headers": headers, "query_string": b""}
    )


def test_events_are_streamed_until_the_session_is_over(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, session = room.operator()
    monkeypatch.setattr(live, "PING_SECONDS", 0.01)
    case = room.case()

    async def follow() -> list[bytes]:
        stream = live.stream(room.console, listener(room, browser), session)
        got = [await anext(stream), await anext(stream)]
        assert room.desk.bus.listens(session.operator.id)
        room.desk.bus.tell("case", case, session.operator.team)
        while b"event: case" not in got[-1]:
            got.append(await anext(stream))
        room.sessions.close(session)
        got += [each async for each in stream]
        assert not room.desk.bus.listens(session.operator.id)
        return got

    got = room.web.loop.run_until_complete(asyncio.wait_for(follow(), 10))
    assert got[0].startswith(b"retry: ")
    assert got[1] == b": still here\n\n"
    assert live.event("case", case) in got
    assert got[-1] == live.event("ended")


def test_a_page_that_is_left_is_not_listened_for_any_more(room: Room) -> None:
    browser, session = room.operator()

    async def follow() -> None:
        stream = live.stream(room.console, listener(room, browser), session)
        await anext(stream)
        room.desk.bus.tell("queue", "", session.operator.team)  # nobody listens yet
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await stream.aclose()
        assert not room.desk.bus.listens(session.operator.id)

    room.web.loop.run_until_complete(asyncio.wait_for(follow(), 10))


def test_the_stream_needs_a_session_and_says_what_it_is(room: Room) -> None:
    browser, _ = room.operator()
    answer = browser.get("/console/events", Accept="text/event-stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert Browser(room.web).get("/console/events", Accept="text/event-stream").status == 401


# texts and templates


def test_every_text_that_a_template_asks_for_exists_and_every_button_is_short() -> None:
    asked = {
        name
        for file in TEMPLATES.glob("*.html")
        for name in re.findall(r"""\bt\(\s*["'](\w+)["']\s*[,)]""", file.read_text("utf-8"))
    }
    assert len(asked) > 150
    assert [name for name in asked if f"utter_console_{name}" not in CATALOGUE] == []
    buttons = {
        name
        for file in TEMPLATES.glob("*.html")
        for name in re.findall(r"""<button[^>]*>\{\{ t\("(\w+)"\) \}\}</button>""", file.read_text("utf-8"))
    }
    own = yaml.safe_load((ROOT / "stories" / "gateway" / "console.yml").read_text("utf-8"))["responses"]
    short = {name: own[f"utter_console_{name}"][0]["text"] for name in buttons if f"utter_console_{name}" in own}
    assert len(short) > 15
    assert {name: text for name, text in short.items() if len(text) > 24} == {}


def test_no_template_holds_a_script_or_a_style() -> None:
    for file in TEMPLATES.glob("*.html"):
        source = file.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|hx-vals=.js:", source), (
            file.name
        )
