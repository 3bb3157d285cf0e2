"""bot/text/catalogue.py: never silent, in no language."""

from pathlib import Path

import pytest

from bot.text.catalogue import ROOT, Catalogue, fill, isolate, load_responses


@pytest.fixture(scope="module")
def partly_translated(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A catalogue with one text translated, one fuzzy, one missing."""
    root = tmp_path_factory.mktemp("catalogue")
    (root / "stories/domain").mkdir(parents=True)
    (root / "stories/domain/a.yml").write_text(
        'responses:\n  utter_default: [{text: "I am here."}]\n  utter_not_translated: [{text: "(Not yet:)"}]\n'
        '  utter_hello: [{text: "Hello {name}", buttons: [{title: "Go", payload: "/go"}]}, {text: "Hi"}]\n'
        '  utter_fuzzy: [{text: "Perhaps"}]\n'
    )
    (root / "locales/fr/LC_MESSAGES").mkdir(parents=True)
    (root / "locales/languages.toml").write_text(
        '[en]\nname = "English"\nreviewed = true\n[fr]\nname = "Français"\nreviewed = false\n'
    )
    (root / "locales/fr/LC_MESSAGES/messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Hello {name}"\nmsgstr "Bonjour {name}"\n\nmsgid "(Not yet:)"\nmsgstr "(Pas encore :)"\n\n'
        '#, fuzzy\nmsgid "Perhaps"\nmsgstr "Sans doute"\n'
    )
    return Catalogue(root)


def test_a_translation_is_used_and_filled_in(partly_translated: Catalogue) -> None:
    said = partly_translated.say("utter_hello", "fr", name="Ana")
    assert said.text == "Bonjour Ana"
    assert said.buttons[0].payload == "/go"


def test_a_missing_translation_is_said_in_english_after_the_languages_own_notice(partly_translated: Catalogue) -> None:
    assert partly_translated.say("utter_hello", "fr", 1).text == "(Pas encore :)\nHi"
    assert partly_translated.say("utter_fuzzy", "fr").text == "(Pas encore :)\nPerhaps"
    assert partly_translated.say("utter_hello", "fr", 1, notice=False).text == "Hi"


def test_a_missing_response_becomes_a_safe_default(partly_translated: Catalogue) -> None:
    assert partly_translated.say("utter_no_such", "en").text == "I am here."


def test_variations_take_turns(partly_translated: Catalogue) -> None:
    texts = [partly_translated.say("utter_hello", "en", turn, name="x").text for turn in range(4)]
    assert texts == ["Hello x", "Hi", "Hello x", "Hi"]


def test_unknown_placeholders_stay_for_somebody_who_knows_them() -> None:
    assert fill("{a} and {b}", {"a": "1"}) == "1 and {b}"
    assert fill("{a}", {"a": "{b}"}) == "{b}"


def test_isolated_text_is_wrapped_in_unicode_isolates() -> None:
    assert isolate("112") == "\u2066112\u2069"


def test_two_files_must_not_define_the_same_response(tmp_path: Path) -> None:
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).write_text('responses:\n  utter_x: [{text: "x"}]\n')
    with pytest.raises(ValueError, match="utter_x"):
        load_responses(tmp_path)


def test_arabic_runs_from_right_to_left() -> None:
    languages = Catalogue(ROOT).languages
    assert languages["ar"].direction == "rtl"
    assert languages["vi"].direction == "ltr"


def test_a_translation_that_equals_its_source_is_no_missing_one() -> None:
    catalogue = Catalogue()
    assert catalogue.translate("Menu", "vi") == ("Menu", True)
    assert catalogue.translate("Nobody has translated this.", "vi") == ("Nobody has translated this.", False)
