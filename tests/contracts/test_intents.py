"""The names of the intents are a contract (docs/understanding.md)."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from bot.text.catalogue import Catalogue, load_languages
from bot.text.examples import examples, follow_ups
from tests.support import ROOT

SAFETY = {"immediate_danger", "not_safe_to_talk", "self_harm", "user_is_child"}
INTENTS = SAFETY | {
    "documents_withheld",
    "wages_withheld",
    "debt_bondage",
    "confined",
    "threatened",
    "forced_labour",
    "domestic_servitude",
    "sexual_exploitation",
    "forced_begging_or_crime",
    "forced_marriage",
    "organ_removal",
    "suspicious_job_offer",
    "image_abuse",
    "device_monitored",
    "concerned_for_other",
    "need_shelter",
    "need_medical",
    "need_legal",
    "need_basics",
    "need_counselling",
    "return_home",
    "report_police",
    "find_service",
    "talk_to_human",
    "ask_rights",
    "ask_residence",
    "ask_nonpunishment",
    "ask_compensation",
    "ask_trafficking_definition",
    "ask_evidence",
    "ask_privacy",
    "ask_identity",
    "delete_data",
    "quick_exit",
    "change_language",
    "inform_place",
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "unsure",
    "not_understood",
    "nlu_fallback",
}
LANGUAGES = list(load_languages(ROOT / "locales"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_has_enough_examples(language: str) -> None:
    counts = Counter(intent for _, intent in examples(language))
    assert set(counts) == INTENTS
    few = {intent: count for intent, count in counts.items() if count < (12 if intent in SAFETY else 8)}
    assert few == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_example_has_two_meanings(language: str) -> None:
    meanings: dict[str, set[str]] = {}
    for text, intent in examples(language):
        meanings.setdefault(text.casefold(), set()).add(intent)
    assert {text: found for text, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_held_out_texts_cover_every_intent(language: str) -> None:
    held_out = yaml.safe_load((ROOT / "tests" / "nlu" / "heldout" / f"{language}.yml").read_bytes())["texts"]
    assert set(held_out) == INTENTS
    assert all(len(held_out[intent]) >= (10 if intent in SAFETY else 4) for intent in INTENTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_independent_texts_cover_every_intent(language: str) -> None:
    file = ROOT / "tests" / "nlu" / "independent" / f"{language}.yml"
    if not file.exists():
        pytest.skip(f"nobody who has not seen the training examples has written texts in {language} yet")
    independent = yaml.safe_load(file.read_bytes())
    assert set(independent["texts"]) == INTENTS
    assert all(len(independent["texts"][intent]) >= (25 if intent in SAFETY else 8) for intent in INTENTS)
    assert len(independent["not_safety"]) >= 30
    assert {row["intent"] for row in independent["not_safety"]} <= INTENTS - SAFETY


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_in_context_has_enough_examples(language: str) -> None:
    counts = Counter(aspect for _, aspect in follow_ups()[language])
    responses = Catalogue().responses
    assert all(f"utter_follow_{aspect}" in responses for aspect in counts)
    assert len(counts) == 16
    assert min(counts.values()) >= 12


def test_the_domain_knows_every_intent() -> None:
    domain = yaml.safe_load((ROOT / "stories" / "domain" / "assistant.yml").read_bytes())
    names = {each if isinstance(each, str) else next(iter(each)) for each in domain["intents"]}
    assert names >= INTENTS
