"""The texts: complete, safe to show, and fit for a phone, in every language."""

from __future__ import annotations

import re

import pytest
from babel.messages import pofile

from bot.text.catalogue import Catalogue
from tests.support import ROOT

CATALOGUE = Catalogue()
LANGUAGES = [code for code in CATALOGUE.languages if code != "en"]
KEPT = re.compile(r"\{\w+\}|(?<![\w/])/[a-z]+")
HARMFUL = re.compile(r"\b(victims?|slaves?|prostitutes?|illegal(s|ly)?|why didn't you)\b", re.IGNORECASE)
NEUTRAL = 40
TELLING = {
    language: re.compile(words, re.IGNORECASE)
    for language, words in {
        "en": "traffick|exploit|police|abus|violen|escape|rescue",
        "fr": "traite des|trafic|exploit|police|abus|violen|évasion|s'enfuir|vous sauver",
        "ro": "trafic|exploat|poliți|abuz|violen|evada|salva",
        "uk": "торгівл|експлуат|поліці|насил|втекти|втеч|врятув",
        "ar": "اتجار|استغلال|شرطة|اعتداء|عنف|هروب|إنقاذ",
        "es": r"\btrata de (seres|personas)|la trata|tráfico|explota|policía|abus|violen|escap|huir|rescat",
        "ru": "торговл|эксплуат|полици|насил|сбежать|побег|спас(ти|ём|ение)",
        "vi": "buôn người|bóc lột|công an|cảnh sát|lạm dụng|bạo lực|bỏ trốn|giải cứu",
    }.items()
}
INSIDE = (
    "utter_console_",
    "utter_intent_",
    "utter_need_name_",
    "utter_kind_",
    "utter_entry_",
    "utter_card_text_",
    "utter_plan_",
    "utter_signs_name_",
    "utter_offer_name_",
)
"""Words for the inside of a message, and what follows a card's neutral first line."""

BUTTON_LABEL = re.compile(
    r"utter_(walk_(yes|no|unsure|explain|back|stop|go_on)|plan_skip|plan_(?!line_)[a-z]+_[a-z]+|card_(open|close)|lock_button|exit|menu_button)"
)


def messages(language: str) -> list[tuple[str, str, bool]]:
    with (ROOT / "locales" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = pofile.read_po(file, locale=language)
    return [
        (str(each.id), str(each.string), any("a button" in comment for comment in each.auto_comments))
        for each in catalogue
        if each.id
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    assert [source for source, translated, _ in messages(language) if not translated] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_commands_are_kept(language: str) -> None:
    wrong = [
        (source, translated)
        for source, translated, _ in messages(language)
        if sorted(KEPT.findall(source)) != sorted(KEPT.findall(translated))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_buttons_fit_a_phone(language: str) -> None:
    assert [translated for _, translated, button in messages(language) if button and len(translated) > 24] == []


def test_english_buttons_fit_a_phone() -> None:
    titles = {
        button["title"]
        for variations in CATALOGUE.responses.values()
        for variation in variations
        for button in variation.get("buttons") or ()
    }
    assert [title for title in titles if len(title) > 24] == []


def test_the_template_is_up_to_date(tmp_path: object) -> None:
    with (ROOT / "locales" / "messages.pot").open("rb") as file:
        template = {str(each.id) for each in pofile.read_po(file) if each.id}
    said = {
        text
        for variations in CATALOGUE.responses.values()
        for variation in variations
        for text in [variation.get("text"), *(button["title"] for button in variation.get("buttons") or ())]
        if text
    }
    assert said <= template, "run `make catalogues`"


def test_nobody_is_called_a_victim_and_nobody_is_blamed() -> None:
    for name, variations in CATALOGUE.responses.items():
        if name.startswith("utter_card_text_"):
            continue  # what she shows to an officer: the law's own word
        for variation in variations:
            assert not HARMFUL.search(variation.get("text", "")), name


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_a_preview_gives_nothing_away(language: str) -> None:
    for name, variations in CATALOGUE.responses.items():
        if name.startswith(INSIDE):
            continue
        for variation in variations:
            start = CATALOGUE.translate(variation.get("text", ""), language)[0][:NEUTRAL]
            assert not TELLING[language].search(start), f"{name}: {start}"


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_a_screen_has_at_most_three_sentences(language: str) -> None:
    long = []
    for name, variations in CATALOGUE.responses.items():
        for variation in variations:
            text = CATALOGUE.translate(variation.get("text", ""), language)[0]
            if len(re.findall(r"[.?؟](?=\s|$)", text)) > 3:
                long.append(f"{name}: {text}")
    assert long == []


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_labels_that_become_buttons_fit_a_phone(language: str) -> None:
    long = [
        (name, shown)
        for name in CATALOGUE.responses
        if BUTTON_LABEL.fullmatch(name) and len(shown := CATALOGUE.text(name, language)) > 24
    ]
    assert long == []


def test_no_shouting_and_no_emoji() -> None:
    for name, variations in CATALOGUE.responses.items():
        for variation in variations:
            text = variation.get("text", "")
            assert "!" not in text, name
            assert not re.search("[\U0001f300-\U0001faff]", text), name


def test_reviewed_is_claimed_for_no_draft() -> None:
    """A language becomes `reviewed = true` only together with the reviewer's name in docs/translating.md."""
    page = (ROOT / "docs" / "translating.md").read_text(encoding="utf-8")
    for language in CATALOGUE.languages.values():
        if language.reviewed and language.code != "en":
            assert re.search(rf"reviewed.*{language.code}", page), language.code
