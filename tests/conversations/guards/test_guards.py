"""What must hold whatever somebody writes: nothing is claimed of her, nothing kept that need not be, nothing shown behind a word."""

from __future__ import annotations

import re
import sqlite3

from bot.text.catalogue import Language
from tests.conversations.conftest import CATALOGUE, PHRASES, Talker
from tests.support import Helpline

HELPLINE_WORDS = ("utter_menu", "utter_welcome", "utter_documents_withheld", "utter_return_welcome")


def sets_words(person: Talker, word: str = "mimosa", duress: str | None = "lavender") -> None:
    person.opens()
    person.taps_on("Others may read it")
    person.taps_on("Set a word to return")
    assert person.hears("utter_question_return_word")
    person.says(word)
    assert person.hears("utter_question_duress_word")
    if duress:
        person.says(duress)
    else:
        person.taps_on("Skip")
    assert person.hears("utter_return_set")


def is_cover(person: Talker) -> bool:
    shown = not any(person.hears(name) for name in HELPLINE_WORDS)
    return shown and person.answer["cover"] and len(person.titles) == 3


def test_a_locked_chat_is_a_unit_converter_until_the_word_comes(person: Talker, language: Language) -> None:
    sets_words(person)
    person.says(PHRASES[language.code]["passport"])
    person.taps_on("Hide it now")
    assert is_cover(person)
    assert person.answer["cleared"]
    for text in ("hello", "mimosas", PHRASES[language.code]["passport"], PHRASES[language.code]["danger"], "/start"):
        person.says(text)
        assert is_cover(person), text
    assert "11.02" in person.says("5 kg").replace(",", ".")
    person.says("Mimosa")
    assert person.hears("utter_return_welcome")
    assert person.answer["hide"], "the word does not stay in sight"


def test_the_duress_word_shows_the_cover_only(person: Talker, language: Language) -> None:
    sets_words(person)
    person.taps_on("Hide it now")
    hidden = (person.titles, person.answer["cover"])
    person.says("lavender")
    assert is_cover(person)
    assert (person.titles, person.answer["cover"]) == hidden
    person.says("mimosa")
    assert person.hears("utter_return_welcome")


def test_guessing_is_limited(person: Talker, language: Language) -> None:
    sets_words(person, duress=None)
    person.taps_on("Hide it now")
    for guess in ("rose", "tulip", "daisy", "lily", "violet"):
        person.says(guess)
        assert is_cover(person)
    person.says("mimosa")
    assert is_cover(person), "after five wrong words the right one does not open either, for a while"


def test_exit_works_from_behind_the_cover(helpline: Helpline, person: Talker, language: Language) -> None:
    sets_words(person)
    person.says(PHRASES[language.code]["place"])
    assert "country" in opened(helpline, person)
    person.taps_on("Hide it now")
    person.says(PHRASES[language.code]["exit"][0])
    assert is_cover(person)
    assert person.answer["cleared"]
    assert "country" not in opened(helpline, person)


def test_the_converter_looks_the_same_before_during_and_after(helpline: Helpline, language: Language) -> None:
    stranger, user = Talker(helpline.url, language.code), Talker(helpline.url, language.code)
    before = (stranger.says("5 kg"), stranger.titles)
    sets_words(user)
    user.taps_on("Hide it now")
    assert (user.says("5 kg"), user.titles) == before
    user.says("mimosa")
    assert (user.says("5 kg"), user.titles) == before
    user.says(PHRASES[language.code]["exit"][0])
    assert user.answer["ended"]
    user.conversation = Talker(helpline.url).conversation
    assert (user.says("5 kg"), user.titles) == before


def test_a_bad_word_is_refused_with_what_to_do(person: Talker, language: Language) -> None:
    person.opens()
    person.taps_on("Others may read it")
    person.taps_on("Set a word to return")
    for bad in ("abc", "two words", "5kg7"):
        person.says(bad)
        assert person.hears("utter_return_bad"), bad
    person.says("mimosa")
    person.says("mimosa")
    assert person.hears("utter_return_same")


def test_the_signs_never_say_what_she_is(person: Talker, language: Language) -> None:
    person.starts_walk("signs")
    for _ in range(11):
        person.taps_on("Yes")
    assert person.hears("utter_signs_result_many")
    assert "{" not in person.text
    names = [CATALOGUE.text(f"utter_signs_name_{name}", language.code) for name in ("documents", "debt")]
    assert all(name in person.text for name in names)


def test_the_plan_is_shown_once_and_not_kept(helpline: Helpline, person: Talker, language: Language) -> None:
    person.starts_walk("plan")
    for title in ("Yes, near me", "I can do that", "Somebody keeps them", "Both", "To a public place", "Skip", "No"):
        person.taps_on(title)
    assert person.hears("utter_plan_result")
    assert CATALOGUE.text("utter_plan_line_papers_taken", language.code) in person.text
    stored = opened(helpline, person)
    assert not re.search("taken|public|near|plan", stored.replace("last_", ""))


def test_an_advert_is_read_and_not_kept(helpline: Helpline, person: Talker, language: Language) -> None:
    person.opens()
    person.post(choice=person.token("!advert"))
    assert person.hears("utter_question_advert")
    person.says(PHRASES[language.code]["advert"])
    assert person.hears("utter_advert_found"), person.text
    found = [
        sign
        for sign in (
            "pay_too_good",
            "passport",
            "pictures",
            "travel_paid",
            "hurry",
            "secret",
            "young_women",
            "no_experience",
        )
        if CATALOGUE.text(f"utter_offer_name_{sign}", language.code) in person.text
    ]
    assert len(found) >= 5, (found, person.text)
    assert "Dubai" not in opened(helpline, person)


def test_a_pasted_advert_is_recognised_without_having_been_asked_for(person: Talker, language: Language) -> None:
    person.says(PHRASES[language.code]["advert"])
    assert person.hears("utter_advert_found"), person.text


def opened(helpline: Helpline, person: Talker) -> str:
    """Return all that is stored of a conversation, opened with the master key."""
    vault = person.vault
    pseudonym = vault.pseudonym("web", person.conversation)
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        wrapped, version, record = database.execute(
            "SELECT wrapped_key, key_version, record FROM conversation WHERE pseudonym = ?", [pseudonym]
        ).fetchone()
    return vault.open(vault.unwrap(pseudonym, wrapped, version), pseudonym, "state", record).decode()
