"""bot/text/respell.py: bare Latin typing finds its letters again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.respell import KEYS, Respeller

SEEN = {
    "vi": [
        "họ giữ hộ chiếu của tôi",
        "họ không cho tôi ra ngoài",
        "tôi muốn về nhà",
        "họ giữ giấy tờ",
        "họ lấy hộ chiếu",
    ],
    "uk": ["мене б'ють, допоможіть", "він забрав мій паспорт", "я хочу додому", "щодня працюю"],
    "ar": ["ساعدوني من فضلكم", "اخذوا جواز سفري", "انا محبوسة في البيت", "بدي ارجع على بلدي"],
}
RESPELLER = Respeller.learn(SEEN)


@pytest.mark.parametrize(
    ("typed", "language", "expected"),
    [
        ("ho giu ho chieu", "vi", "họ giữ hộ chiếu"),
        ("ho ko cho toi ra ngoai", "vi", "họ không cho tôi ra ngoài"),
        ("mene byut", "uk", "мене б'ють"),
        ("vin zabrav mij pasport", "uk", "він забрав мій паспорт"),
        ("ya hochu dodomu", "uk", "я хочу додому"),
        ("shchodnya", "uk", "щодня"),
        ("sa3duni", "ar", "ساعدوني"),
        ("5adu jawaz safari", "ar", "اخذوا جواز سفري"),
        ("passport qwzx", "vi", "passport qwzx"),
    ],
)
def test_the_usual_spelling_is_found(typed: str, language: str, expected: str) -> None:
    assert RESPELLER.respell(typed, language) == expected


def test_other_languages_and_usual_spelling_stay_as_they_are() -> None:
    assert RESPELLER.respell("ho giu ho chieu", "en") == "ho giu ho chieu"
    assert RESPELLER.respell("họ giữ", "vi") == "họ giữ"
    assert RESPELLER.respell("anything", None) == "anything"


@given(st.text(), st.sampled_from(sorted(KEYS)))
def test_any_text_can_be_respelt(text: str, language: str) -> None:
    assert isinstance(RESPELLER.respell(text, language), str)
