"""She changes her mind or corrects an answer, hers or the assistant's."""

from __future__ import annotations

from bot.text.catalogue import Language
from tests.conversations.conftest import PHRASES, Talker, country_name


def test_an_answer_in_a_walk_can_be_taken_back(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    person.taps_on("Yes")
    assert person.is_asked("signs", "deception")
    person.taps_on("One back")
    assert person.is_asked("signs", "vulnerability")
    for _ in range(11):
        person.taps_on("No")
    assert person.hears("utter_signs_result_none")


def test_a_new_situation_replaces_the_old_one(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["wages"])
    assert person.hears("utter_wages_withheld")
    person.says(PHRASES[language.code]["passport"])
    assert person.hears("utter_documents_withheld"), "a sentence of its own is no follow-up"


def test_another_country_can_be_chosen_afterwards(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["shelter"])
    assert "800 290 290" in person.says(PHRASES[language.code]["place"])
    answer = person.says(country_name("GB", language.code))
    assert "08000 121 700" in answer


def test_stopping_a_walk_forgets_its_answers(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    person.taps_on("Yes")
    person.taps_on("Stop here")
    assert person.hears("utter_walk_stopped")
    assert not person.has_button("Go on with the questions")
    person.starts_walk("signs")
    assert person.is_asked("signs", "vulnerability")


def test_yes_after_all_means_something_only_where_something_was_asked(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    person.says(PHRASES[language.code]["shelter"])
    person.says(PHRASES[language.code]["place"])
    person.says(PHRASES[language.code]["yes"])
    assert not person.is_asked("signs", "deception"), "the question stood three answers ago"


def test_a_double_tap_answers_one_question(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    yes = next(choice["token"] for choice in person.choices)
    person.post(choice=yes)
    assert person.is_asked("signs", "deception")
    person.post(choice=yes)
    assert person.is_asked("signs", "deception"), "the button of the first question is no answer to the second"
    person.taps_on("No")
    assert person.is_asked("signs", "movement")


def test_a_card_that_waits_for_a_country_does_not_come_instead_of_help(person: Talker, language: Language) -> None:
    person.post(choice=person.token('/card{"card":"police"}'))
    assert person.hears("utter_card_country")
    person.says(PHRASES[language.code]["shelter"])
    answer = person.says(PHRASES[language.code]["place"])
    assert "800 290 290" in answer
    assert not any(message["card"] for message in person.answer["messages"])
