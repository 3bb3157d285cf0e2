"""bot/text/durations.py"""

import pytest

from bot.text.catalogue import Catalogue
from bot.text.durations import duration


@pytest.mark.parametrize("language", Catalogue().languages)
@pytest.mark.parametrize("unit", ["hour", "day", "month"])
def test_every_language_has_words_for_it(language: str, unit: str) -> None:
    for amount in (1, 2, 24, 30):
        words = duration(amount, unit, language)
        assert "duration" not in words
        assert words.strip()


def test_the_long_form_where_there_is_one() -> None:
    assert duration(30, "day", "en") == "30 days"
    assert duration(24, "hour", "vi") == "24 giờ"
