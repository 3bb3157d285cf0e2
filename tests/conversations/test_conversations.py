"""Whole conversations in each language, over the web chat: what a person would notice of each point of the service."""

from __future__ import annotations

import itertools
import re

import pytest

from bot.text.catalogue import Language
from bot.text.examples import examples
from tests.conversations.conftest import CATALOGUE, LANGUAGES, PHRASES, Talker, country_name, said
from tests.support import Helpline

ANSWERS = {
    "immediate_danger": "utter_danger_choices",
    "self_harm": "utter_self_harm",
    "greet": "utter_menu",
    "find_service": "utter_ask_country",
    "inform_place": "utter_referral_next",
    "talk_to_human": "utter_handover_none",
    "delete_data": "utter_question_erase",
    "quick_exit": "utter_cover",
    "change_language": "utter_choose_language",
    "not_understood": "utter_not_understood",
    "nlu_fallback": "utter_fallback",
}
"""What is said to an intent, where it is not utter_<intent>."""

INTENTS = sorted({intent for _, intent in examples("en")})


@pytest.mark.parametrize("intent", INTENTS)
def test_each_row_of_the_intents_has_its_answer(helpline: Helpline, intent: str) -> None:
    wrong = []
    for language in LANGUAGES:
        lines = [text for text, each in examples(language) if each == intent and len(text) > 12][:3]
        for text in lines or [text for text, each in examples(language) if each == intent][:1]:
            person = Talker(helpline.url, language)
            answer = person.says(text)
            expected = ANSWERS.get(intent, f"utter_{intent}")
            if said(answer, expected, language) or (
                intent == "change_language" and any(said(answer, "utter_language_changed", c) for c in LANGUAGES)
            ):
                assert person.titles or person.answer["ended"], f"no button after {text!r}"
                break
            wrong.append((language, text, answer[:80]))
        else:
            pytest.fail(f"{intent} in {language}: {wrong[-3:]}")


# 1 Opening


def test_the_opening_is_in_the_devices_language_with_a_menu_of_all(person: Talker, language: Language) -> None:
    person.opens()
    assert person.hears("utter_welcome")
    assert person.hears("utter_question_own_phone")
    assert {each.name for each in CATALOGUE.languages.values()} <= set(person.titles)
    doors = ("I need help now", "I want information", "Worried about someone", "I work with people", "Talk to a person")
    assert {CATALOGUE.translate(title, language.code)[0] for title in doors} <= set(person.titles)


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("I need help now", "utter_question_danger"),
        ("I want information", "utter_door_information"),
        ("Worried about someone", "utter_concerned_for_other"),
        ("I work with people", "utter_door_professional"),
        ("Talk to a person", "utter_handover_none"),
        ("Only I use it", "utter_phone_own"),
        ("Others may read it", "utter_phone_shared"),
    ],
)
def test_each_door_opens(person: Talker, language: Language, door: str, answer: str) -> None:
    person.opens()
    person.taps_on(door)
    assert person.hears(answer)
    assert person.answer["direction"] == language.direction


def test_the_first_message_brings_the_welcome_and_its_answer(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["passport"])
    assert {each.name for each in CATALOGUE.languages.values()} <= set(person.titles) or person.hears(
        "utter_documents_withheld"
    )
    assert person.hears("utter_documents_withheld")


def test_the_phone_question_decides_how_long_is_remembered(person: Talker, language: Language) -> None:
    person.opens()
    day = person.taps_on("Only I use it")
    hour = person.taps_on("Others may read it") if "Others may read it" in person.titles else _shared(person)
    assert _hours(day) == 24
    assert _hours(hour) == 1


def _shared(person: Talker) -> str:
    kept = person.conversation
    person.opens()
    person.conversation = kept
    return person.taps_on("Others may read it")


def _hours(answer: str) -> int:
    """Return the first number in `answer`; an hour without one is one ("ساعة")."""
    return next((int(digits) for digits in re.findall(r"\d+", answer)), 1)


# 2 Immediate danger


@pytest.mark.parametrize("how", ["danger", "danger_careless"])
def test_danger_is_answered_with_a_number_and_no_question(person: Talker, language: Language, how: str) -> None:
    answer = person.says(PHRASES[language.code][how])
    assert person.hears("utter_danger_choices"), answer
    assert "112" in person.texts[0]
    first_line = person.texts[0].splitlines()[0]
    assert "?" not in first_line
    assert "؟" not in first_line


def test_danger_in_a_known_country_gives_its_numbers_and_its_silent_way(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["danger"])
    person.taps_on("My country")
    answer = pick_country(person, "GB")
    assert "999" in answer
    assert "55" in answer
    person.taps_on("I can't call")
    assert person.hears("utter_danger_cannot_call")


def pick_country(person: Talker, code: str) -> str:
    for _ in range(30):
        name = country_name(code, person.language)
        if name in person.titles:
            return person.taps(name)
        person.taps(CATALOGUE.text("utter_more_countries", person.language))
    raise AssertionError(f"{code} is on no page")


def test_a_false_alarm_leads_back(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["danger"])
    person.taps_on("Not in danger: go on")
    assert person.hears("utter_danger_over")
    person.says(PHRASES[language.code]["passport"])
    assert person.hears("utter_documents_withheld")


# 3 Not safe, exit, erase


def test_not_safe_to_talk(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["not_safe"])
    assert person.hears("utter_not_safe_to_talk")


def test_exit_in_words_covers_and_forgets(person: Talker, language: Language) -> None:
    for word in PHRASES[language.code]["exit"]:
        person.says(PHRASES[language.code]["place"])
        person.says(word)
        assert person.answer["cover"], word
        assert person.answer["ended"]
        assert person.hears("utter_cover")
        person.says(PHRASES[language.code]["shelter"])
        assert person.hears("utter_ask_country"), "as if she were new: her country is forgotten"


def test_erase_asks_once_then_forgets(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["erase"])
    assert person.hears("utter_question_erase")
    person.taps_on("Erase everything now")
    assert person.hears("utter_erased")
    assert person.answer["ended"]


# 4 Self-harm and children


def test_despair_is_met_with_a_person_to_call(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["self_harm"])
    assert person.hears("utter_self_harm")
    assert person.hears("utter_self_harm_choices")


def test_a_child_is_shown_helplines_for_children(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["child"])
    assert person.hears("utter_user_is_child")
    person.taps_on("Find a child helpline")
    answer = pick_country(person, "RO")
    assert "116" in answer


# 5 Referral


def test_a_need_then_a_typed_country(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["shelter"])
    assert person.hears("utter_need_shelter")
    assert person.hears("utter_ask_country")
    answer = person.says(PHRASES[language.code]["place"])
    assert "800 290 290" in answer
    assert person.hears("utter_referral_next")
    assert any(said(answer, f"utter_entry_{how}", language.code) for how in ("verified", "unverified", "unread"))


def test_a_country_without_an_entry_is_said_honestly(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["shelter"])
    answer = person.says(country_name("MN", language.code))
    assert person.hears("utter_referral_none", "utter_referral_none_unknown"), answer


# 6 Talk to a person: tests/conversations/handover


# 7 Misunderstandings


def test_repeated_misunderstanding_never_says_the_same_and_never_ends(person: Talker, language: Language) -> None:
    answers = []
    for text in ("scope", "insult", "scope", "insult"):
        person.says(PHRASES[language.code][text])
        answers.append(person.texts[-1])
        assert person.titles
    assert all(first != second for first, second in itertools.pairwise(answers))


def test_not_understanding_gets_simpler_words_then_a_person(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["passport"])
    person.says(PHRASES[language.code]["confused"])
    assert person.hears("utter_documents_withheld_simple")
    person.says(PHRASES[language.code]["confused"])
    assert person.hears("utter_not_understood", "utter_not_understood_person")


# Language


def test_asking_for_a_language_changes_it(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["passport"])
    person.says(PHRASES[language.code]["ask_french"])
    wanted = "ro" if language.code == "fr" else "fr"
    assert person.answer["language"] == wanted
    assert person.hears("utter_language_changed", language=wanted)


def test_another_language_is_followed_with_a_way_back(helpline: Helpline, language: Language) -> None:
    device = "fr" if language.code != "fr" else "en"
    person = Talker(helpline.url, device)
    person.says(PHRASES[language.code]["passport"])
    assert person.answer["language"] == language.code
    assert said(person.text, "utter_documents_withheld", language.code)
    assert CATALOGUE.text("utter_language_yes", device) in person.titles


def test_a_chosen_language_stays_and_the_other_is_only_offered(helpline: Helpline, language: Language) -> None:
    chosen = "vi" if language.code != "vi" else "ro"
    person = Talker(helpline.url, language.code)
    person.says(PHRASES[language.code]["ask_french"])
    person.taps(CATALOGUE.text("utter_menu_button", person.answer["language"]))
    kept = person.answer["language"]
    person.says(PHRASES[chosen]["passport"])
    assert person.answer["language"] == kept
    assert CATALOGUE.text("utter_language_yes", chosen) in person.titles
