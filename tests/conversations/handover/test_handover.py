"""Asking for a person, in each language: by words, with consent, with staff there and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.text.catalogue import Language
from bot.vault.keys import load
from bot.vault.vault import Vault
from tests.conversations.conftest import CATALOGUE, PHRASES, Talker
from tests.staffroom import Console, Employee, employ
from tests.support import Helpline, running


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with running(tmp_path_factory.mktemp("staffed"), HELPLINE_STAFF_HOURS="MO-SU 08:00-20:00") as helpline:
        yield helpline


@pytest.fixture(scope="module")
def employee(staffed: Helpline) -> Employee:
    return employ(staffed, "ana")


@pytest.fixture(scope="module")
def console(staffed: Helpline, employee: Employee) -> Console:
    return Console(staffed, employee).logs_in()


@pytest.fixture
def person(staffed: Helpline, language: Language) -> Talker:
    Talker.vault = Vault(load(staffed.data / "master.key"))
    return Talker(staffed.url, language.code)


def test_with_somebody_there_she_agrees_by_words_waits_and_leaves(
    person: Talker, console: Console, language: Language
) -> None:
    console.on_duty()
    words = PHRASES[language.code]
    person.says(words["human"])
    assert person.hears("utter_handover_here", "utter_handover_here_wait")
    assert person.hears("utter_handover_shown")
    assert language.name in person.text, "exactly what staff would see"
    assert person.has_button("No")
    person.says(words["yes"])
    assert person.hears("utter_handover_waiting")
    assert person.answer["with_staff"]
    person.taps_on("My place in line")
    assert person.hears("utter_handover_place")
    person.says(words["shelter"])
    assert not person.hears("utter_handover_place"), "the assistant goes on answering"
    assert person.titles
    person.post(choice=person.token("!human_leave"))
    assert person.hears("utter_handover_left_line")


def test_she_may_say_no(person: Talker, console: Console, language: Language) -> None:
    console.on_duty()
    person.says(PHRASES[language.code]["human"])
    person.says(PHRASES[language.code]["no"])
    assert person.hears("utter_human_declined")
    assert not person.answer["with_staff"]


def test_with_nobody_there_she_leaves_a_message_and_gets_a_number(
    person: Talker, console: Console, language: Language
) -> None:
    assert console.post("/console/presence", state="off").status_code == 303
    person.says(PHRASES[language.code]["human"])
    assert person.hears("utter_handover_away_until", "utter_handover_away_unknown")
    assert person.has_button("A hotline now")
    person.taps_on("Leave a message")
    assert person.hears("utter_handover_question_message")
    person.says(PHRASES[language.code]["shelter"])
    assert person.hears("utter_handover_kept")
    assert person.hears("utter_handover_reference")
    assert person.hears("utter_handover_deletes_latest")


def test_danger_despair_and_a_child_are_offered_a_person(person: Talker, language: Language) -> None:
    for payload in ("/immediate_danger", "/self_harm", "/user_is_child"):
        person.post(choice=person.token(payload))
        assert person.has_button("Talk to a person"), payload


def test_repeated_misunderstanding_ends_in_a_person(person: Talker, language: Language) -> None:
    for _ in range(3):
        Talker.__mro__[1].post(person, text=PHRASES[language.code]["scope"])
    assert person.has_button("Talk to a person")
    assert CATALOGUE.translate("Talk to a person", language.code)[1], "in her own language"
