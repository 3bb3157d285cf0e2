"""bot/conversation/language.py"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.following import says_its_language
from bot.conversation.language import LanguageGuesser, named_language
from bot.text.catalogue import Catalogue
from bot.text.examples import texts_by_language

LANGUAGES = Catalogue().languages


@pytest.fixture(scope="module")
def guesser() -> LanguageGuesser:
    return LanguageGuesser.train(texts_by_language())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("my boss took my passport and I can't leave", "en"),
        ("mon patron garde mon passeport", "fr"),
        ("seful imi tine pasaportul si nu pot pleca", "ro"),
        ("начальник забрав мій паспорт", "uk"),
        ("nachalnyk zabrav miy pasport", "uk"),
        ("صاحب العمل أخذ جوازي", "ar"),
        ("sa7eb el shoghl a5ad el passport bta3y", "ar"),
        ("chủ giữ hộ chiếu của tôi", "vi"),
        ("chu giu ho chieu cua toi", "vi"),
    ],
)
def test_it_guesses_what_people_type(guesser: LanguageGuesser, text: str, language: str) -> None:
    assert guesser.guess(text)[0] == language


@given(st.text())
def test_any_text_can_be_guessed(text: str) -> None:
    guesser = LanguageGuesser.train({"en": ["hello there hello"], "fr": ["bonjour bonjour"]})
    language, sure = guesser.guess(text)
    assert language in {None, "en", "fr"}
    assert 0.0 <= sure <= 1.0


def test_it_is_the_same_after_saving(guesser: LanguageGuesser, tmp_path: Path) -> None:
    guesser.save(tmp_path)
    again = LanguageGuesser.load(tmp_path)
    for text in ("je suis en Italie", "không", "так", "x"):
        assert again.guess(text)[0] == guesser.guess(text)[0]
        assert again.guess(text)[1] == pytest.approx(guesser.guess(text)[1])


@pytest.mark.parametrize("text", ["😀", "12345", "", "…"])
def test_without_letters_there_is_no_language(guesser: LanguageGuesser, text: str) -> None:
    assert guesser.guess(text) == (None, 0.0)


@pytest.mark.parametrize("text", ["Warszawa", "ok", "Italia", "Milano", "no", "15", "Paris!"])
def test_a_name_or_a_short_word_alone_does_not_decide(text: str) -> None:
    assert not says_its_language(text)


@pytest.mark.parametrize("text", ["bonjour", "так", "نعم", "có", "je suis en Italie"])
def test_a_greeting_or_a_script_of_its_own_decides(text: str) -> None:
    assert says_its_language(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("English please", ("en", True)),
        ("parlez-vous roumain ?", ("ro", True)),
        ("vorbiti in franceza", ("fr", True)),
        ("можна українською", ("uk", True)),
        ("بالعربية من فضلك", ("ar", True)),
        ("nói tiếng Việt đi", ("vi", True)),
        ("noi tieng viet", ("vi", True)),
        ("на русском", ("ru", True)),
        ("польською", ("pl", False)),
        ("do you speak Spanish", ("es", True)),
        ("do you speak Polish", ("pl", False)),
        ("change the language", (None, False)),
    ],
)
def test_which_language_is_named(text: str, found: tuple[str | None, bool]) -> None:
    assert named_language(text, LANGUAGES) == found
