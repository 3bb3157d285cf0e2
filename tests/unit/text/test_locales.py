"""bot/text/locales and the command: what is not translated, not sound, not reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages import pofile
from click.testing import CliRunner

from bot.cli import main
from bot.text.catalogue import Catalogue
from bot.text.locales import CLASSES, check, languages, messages, status
from bot.text.pseudo import accented

SOURCE = "Call {numbers} now, or write to us."


def written(
    root: Path,
    source: str,
    text: str,
    comment: str = "utter_danger",
    flags: str = "",
    offered_too: tuple[str, ...] = (),
) -> Path:
    """Return a root with a catalogue of one text."""
    folder = root / "locales" / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    offered = "\n".join(f'[{code}]\nname = "{code}"\nreviewed = true' for code in ("en", *offered_too))
    (root / "locales" / "languages.toml").write_text(offered, encoding="utf-8")
    catalogue = pofile.Catalog()
    catalogue.add(source, text, [("stories/domain/safety.yml", 1)], auto_comments=[comment], flags=flags.split())
    with (folder / "messages.po").open("wb") as file:
        pofile.write_po(file, catalogue)
    return root


@pytest.mark.parametrize(
    ("source", "text", "wrong"),
    [
        (SOURCE, "Rufen Sie jetzt {numbers} an, oder schreiben Sie uns.", []),
        (SOURCE, "", ["not translated"]),
        (SOURCE, "Rufen Sie jetzt an, oder schreiben Sie uns.", ["placeholders, commands or links"]),
        (SOURCE, "Rufen Sie {numbers} oder 0800 116 016.", ["a number that the source has not"]),
        ("Send /menu to us", "Senden Sie /menue", ["placeholders, commands or links"]),
        ("See https://stopncii.org.", "Siehe stopncii.org", ["placeholders, commands or links"]),
        ("See https://stopncii.org.", "Siehe https://stopncii.org。", []),
        ("At least 30 days.", "Mindestens dreißig Tage.", ["other numbers than the source"]),
        ("Stay with me", "Bleiben Sie hier!", ["an exclamation mark"]),
        ("Stay with me", " Bleiben Sie hier", ["spaces around it"]),
        ("A sentence of more than thirty characters", "Kurz", ["much shorter or longer than the source"]),
    ],
)
def test_what_is_wrong_with_a_translation_is_told(tmp_path: Path, source: str, text: str, wrong: list[str]) -> None:
    assert [each.what for each in check("xx", written(tmp_path, source, text))] == wrong


def test_what_is_missing_is_an_error_once_the_language_is_offered(tmp_path: Path) -> None:
    (waiting,) = check("xx", written(tmp_path / "waiting", "Stay", ""))
    (offered,) = check("xx", written(tmp_path / "offered", "Stay", "", offered_too=("xx",)))
    assert (waiting.level, offered.level) == ("warning", "error")


def test_a_long_button_is_told(tmp_path: Path) -> None:
    root = written(tmp_path, "Back", "Zurück zum Anfang des Gesprächs", "utter_x: a button, at most 24 characters")
    assert [each.what for each in check("xx", root)] == ["a button of more than 24 characters"]


def test_a_word_that_the_glossary_avoids_is_told(tmp_path: Path) -> None:
    root = written(tmp_path, "Traffickers", "Die Schleuser")
    (root / "locales" / "glossary").mkdir()
    glossary = "terms: {trafficker: {use: Menschenhändler, avoid: [Schleuser]}}"
    (root / "locales" / "glossary" / "xx.yml").write_text(glossary, encoding="utf-8")
    assert [(each.what, each.detail) for each in check("xx", root)] == [
        ("a word that the glossary avoids", "Schleuser")
    ]


def test_a_text_is_a_draft_until_it_is_flagged(tmp_path: Path) -> None:
    root = written(tmp_path, "Stay", "Bleiben")
    assert [each.reviewed for each in messages("xx", root)] == [False]
    root = written(tmp_path / "other", "Stay", "Bleiben", flags="reviewed")
    assert [each.reviewed for each in messages("xx", root)] == [True]
    (state,) = status(root)
    assert (state.offered, state.total["safety"], state.reviewed["safety"]) == (False, 1, 1)


def test_every_catalogue_of_this_repository_is_sound() -> None:
    wrong = [
        (code, each.what, each.message.at) for code in languages() for each in check(code) if each.level == "error"
    ]
    assert wrong == []


def test_the_commands_say_it() -> None:
    shown = CliRunner().invoke(main, ["locales", "status"])
    assert shown.exit_code == 0
    for word in ("uk", "offered", *CLASSES):
        assert word in shown.output
    sound = CliRunner().invoke(main, ["locales", "check", "uk"])
    assert (sound.exit_code, "uk: 0 errors" in sound.output) == (0, True)
    unknown = CliRunner().invoke(main, ["locales", "check", "tlh"])
    assert unknown.exit_code == 2
    assert "expected one of" in unknown.output


def test_the_pseudo_locale_changes_every_letter_and_no_placeholder() -> None:
    assert accented("Call {numbers} at https://x.org now") == "Çåļļ {numbers} åţ https://x.org ñöŵ"
    catalogue = Catalogue(pseudo=True)
    assert catalogue.say("utter_menu", "en").text != Catalogue().say("utter_menu", "en").text
    assert catalogue.say("utter_menu", "fr") == Catalogue().say("utter_menu", "fr")
