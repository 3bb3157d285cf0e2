"""Each topic in depth, by tapping and by words, in each language."""

from __future__ import annotations

import pytest

from bot.conversation.walks import load_walks
from bot.text.catalogue import Language
from tests.conversations.conftest import CATALOGUE, PHRASES, Talker, country_name
from tests.conversations.test_conversations import pick_country

SITUATIONS = [
    name.removeprefix("utter_").removesuffix("_do")
    for name in CATALOGUE.responses
    if name.endswith("_do") and not name.startswith("utter_console_")
]


def test_there_is_a_screen_for_each_situation() -> None:
    assert len(SITUATIONS) == 15
    assert all(f"utter_{name}{part}" in CATALOGUE for name in SITUATIONS for part in ("", "_name", "_do", "_help"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_has_its_name_what_to_do_and_what_help_there_is(
    person: Talker, language: Language, situation: str
) -> None:
    for part in ("do", "help", "name"):
        person.shows(f"{situation}_{part}")
        assert person.hears(f"utter_{situation}_{part}")
        assert person.has_button("Find help near me"), situation


def test_rights_by_question_with_what_the_country_gives(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["place"])
    person.shows("rights_who")
    assert person.hears("utter_rights_who")
    assert person.hears("utter_fact_identification")
    assert person.hears("utter_fact_unreviewed"), "nobody has reviewed it, and it says so"


def test_rights_in_an_unknown_country_say_who_can_tell(person: Talker, language: Language) -> None:
    person.shows("rights_time")
    assert person.hears("utter_fact_no_country")
    person.says(country_name("TR", language.code))
    person.shows("rights_time")
    assert person.hears("utter_fact_missing", "utter_fact_missing_none")


def test_the_offer_check_gives_its_reasons(person: Talker, language: Language) -> None:
    person.starts_walk("offer")
    for step in load_walks()["offer"].steps:
        assert person.is_asked("offer", step.name)
        person.taps_on("Yes" if step.name in ("fee", "alone") else "I'm not sure")
    assert person.hears("utter_offer_result_some")
    for name in ("fee", "alone"):
        assert CATALOGUE.text(f"utter_offer_name_{name}", language.code) in person.text


def test_each_question_is_explained_on_request(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    for step in load_walks()["signs"].steps:
        person.taps_on("What does that mean?")
        assert person.hears(f"utter_signs_{step.name}_explain")
        assert person.is_asked("signs", step.name)
        person.taps_on("No")


def test_a_journeys_numbers_come_from_both_countries(person: Talker, language: Language) -> None:
    person.shows("offer_travel")
    person.taps_on("Numbers for the journey")
    assert person.hears("utter_trip_to")
    pick_country(person, "IT")
    assert person.hears("utter_trip_from")
    answer = person.says(country_name("VN", language.code))
    assert person.hears("utter_trip_numbers")
    assert "112" in answer
    assert "+84 981 84 84 84" in answer


def test_pictures_go_two_ways_by_age(person: Talker, language: Language) -> None:
    person.shows("image_adult")
    assert "stopncii.org" in person.text
    person.shows("image_child")
    assert "takeitdown.ncmec.org" in person.text


@pytest.mark.parametrize("kind", ["An officer", "At a border", "In a hospital", "Somebody nearby"])
def test_a_card_is_in_the_countrys_language_with_hers_beneath(person: Talker, language: Language, kind: str) -> None:
    person.shows("card_menu")
    person.taps_on(kind)
    assert person.hears("utter_card_country")
    person.says(PHRASES[language.code]["place"])
    card = next(message["card"] for message in person.answer["messages"] if message["card"])
    assert [each["language"] for each in card["texts"]] == ["it", language.code]
    assert card["texts"][1]["direction"] == language.direction
    number = "112" if kind == "Somebody nearby" else "800 290 290"
    assert all(number in each["text"].replace("\xa0", " ") for each in card["texts"])


def test_somebody_in_despair_is_asked_again_how_it_is(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["self_harm"])
    person.shows("rights_help")
    person.shows("rights_private")
    person.shows("rights_court")
    assert person.hears("utter_check_back")
    person.taps_on("A little better")
    assert person.hears("utter_check_better")


def test_people_at_work_find_their_field(person: Talker, language: Language) -> None:
    person.opens()
    person.taps_on("I work with people")
    assert person.hears("utter_door_professional")
    for title, screen in (
        ("Health care", "pro_health"),
        ("School, social work", "pro_school"),
        ("Inspection of work", "pro_inspection"),
        ("Officer, border", "pro_officer"),
        ("Platform moderation", "pro_platform"),
    ):
        person.post(choice=person.token("/door_professional"))
        person.taps_on(title)
        assert person.hears(f"utter_{screen}")
