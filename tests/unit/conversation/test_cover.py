"""bot/conversation/cover.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import cover
from bot.text.catalogue import Catalogue

LANGUAGES = tuple(Catalogue().languages)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("5 kg", "5 kg = 11.02 lb"),
        ("5,5 km in miles", "5.5 km = 3.42 mi"),
        ("100 miles", "100 mi = 160.93 km"),
        ("20 °C", "20°C = 68°F"),
        ("-40°F", "-40°F = -40°C"),
        ("5 кілограмів", "5 kg = 11.02 lb"),
        ("5 كيلومتر", "5 km = 3.11 mi"),
        ("12 km en miles", "12 km = 7.46 mi"),
        ("3 feet", "3 ft = 0.91 m"),
    ],
)
def test_what_is_asked_is_converted(asked: str, answer: str) -> None:
    conversion = cover.read(asked, LANGUAGES)
    assert conversion is not None
    assert conversion.text("en") == answer


@pytest.mark.parametrize(
    "text",
    ["16 f", "15 m", "16 ans", "5 months", "call 112", "5 kg of rice for my child", "5 kg in celsius", "kg", "5"],
)
def test_what_may_mean_something_else_is_left_to_the_assistant(text: str) -> None:
    assert cover.read(text, LANGUAGES) is None


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    cover.read(text, LANGUAGES)
    cover.read(f"5 {text}", LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_and_names_exist_in_each_language(language: str) -> None:
    for dimension in cover.TABLES:
        assert len(cover.table(dimension, language).splitlines()) == len(cover.AMOUNTS)
        assert len(cover.title(dimension, language)) <= 24
    assert cover.read(cover.example(language), LANGUAGES) is not None, "the example that is shown is understood"
