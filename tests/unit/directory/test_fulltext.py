"""bot/directory/fulltext: words in any script."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from bot.directory import fulltext
from bot.directory.models import ServiceWords

TEXTS = {
    "it": "Casa di accoglienza à Città di Castello, 800 290 290",
    "uk": "Притулок для жінок у Києві",
    "ar": "مأوى للنساء في القاهرة",
    "zh": "北京妇女庇护所",
    "th": "บ้านพักฉุกเฉิน",
    "am": "የሴቶች መጠለያ",
    "hi": "महिला आश्रय दिल्ली",
    "vi": "Nhà tạm lánh Hà Nội",
    "de": "Straße der Mädchen",
}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        rows = [{"service_id": code, "words": fulltext.words(text)} for code, text in TEXTS.items()]
        connection.execute(insert(ServiceWords), rows)
    return engine


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("casa", "it"), ("CITTA castello", "it"), ("290", "it"), ("acco", "it"), ("притул", "uk"), ("києві", "uk"),
        ("مأوى", "ar"), ("القاهرة", "ar"), ("庇护", "zh"), ("北京 妇女", "zh"), ("ฉุกเฉิน", "th"), ("መጠለያ", "am"),
        ("महिला", "hi"), ("ha noi", "vi"), ("Hà Nội", "vi"), ("strasse", "de"), ("madchen", "de"),
    ],
)  # fmt: skip
def test_words_are_found_in_any_script_by_their_beginnings(filled: Engine, asked: str, found: str) -> None:
    with filled.connect() as connection:
        assert fulltext.find(connection, asked, 10) == [found]


@pytest.mark.parametrize("asked", ["asa", "casa притулок", "护庇", "zzz"])
def test_what_is_not_there_is_not_found(filled: Engine, asked: str) -> None:
    with filled.connect() as connection:
        assert fulltext.find(connection, asked, 10) == []


@pytest.mark.parametrize("asked", ["", "  ", "!?", '""'])
def test_nothing_asked_is_no_search(filled: Engine, asked: str) -> None:
    with filled.connect() as connection:
        assert fulltext.find(connection, asked, 10) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_nothing_that_is_asked_breaks_the_search(filled: Engine, asked: str) -> None:
    with filled.connect() as connection:
        found = fulltext.find(connection, asked, 10)
    assert found is None or set(found) <= set(TEXTS)
