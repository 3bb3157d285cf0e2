"""She asks something else in the middle: the question is answered, and what was begun waits for her."""

from __future__ import annotations

import pytest

from bot.text.catalogue import Language
from tests.conversations.conftest import CATALOGUE, PHRASES, Talker


def test_a_question_in_the_middle_of_the_signs_is_answered_and_the_signs_wait(
    person: Talker, language: Language
) -> None:
    person.starts_walk("signs")
    person.says(PHRASES[language.code]["yes"])
    assert person.is_asked("signs", "deception")
    person.says(PHRASES[language.code]["shelter"])
    assert person.hears("utter_need_shelter")
    person.taps_on("Go on with the questions")
    assert person.is_asked("signs", "deception")


def test_a_change_of_language_in_the_middle_of_a_walk_keeps_the_place(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    person.says(PHRASES[language.code]["yes"])
    other = "fr" if language.code != "fr" else "en"
    person.post(choice=person.token(f"!language:{other}"))
    assert person.answer["language"] == other
    person.taps(CATALOGUE.translate("Go on with the questions", other)[0])
    assert person.is_asked("signs", "deception", language=other)


def test_danger_in_the_middle_of_a_walk_is_answered_as_danger(person: Talker, language: Language) -> None:
    person.starts_walk("offer")
    person.says(PHRASES[language.code]["danger"])
    assert person.hears("utter_danger_choices")


@pytest.mark.parametrize(
    ("question", "answer"),
    [("papers", "utter_follow_papers"), ("found_out", "utter_follow_found_out"), ("baby", "utter_follow_children")],
)
def test_a_follow_up_is_understood_in_context(person: Talker, language: Language, question: str, answer: str) -> None:
    person.says(PHRASES[language.code]["sex"])
    assert person.hears("utter_sexual_exploitation")
    person.says(PHRASES[language.code][question])
    assert person.hears(answer), person.text


def test_a_follow_up_while_a_country_is_asked_for_does_not_lose_the_question(
    person: Talker, language: Language
) -> None:
    person.says(PHRASES[language.code]["sex"])
    person.says(PHRASES[language.code]["shelter"])
    assert person.hears("utter_ask_country")
    person.says(PHRASES[language.code]["baby"])
    assert person.hears("utter_follow_children"), person.text
    assert "800 290 290" in person.says(PHRASES[language.code]["place"])


def test_after_another_answer_the_country_is_not_asked_again(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["shelter"])
    assert person.hears("utter_ask_country")
    person.shows("rights_help")
    assert person.hears("utter_rights_help")
    assert not person.hears("utter_ask_country"), "one question at a time, and not again and again"
    assert "800 290 290" in person.says(PHRASES[language.code]["place"]), "it waited for the answer"
