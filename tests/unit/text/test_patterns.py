"""bot/text/patterns.py"""

import pytest

from bot.text.normalise import normalise
from bot.text.patterns import PatternError, Patterns, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("earn # (euro|usd) a week", "You can earn 5000 USD a week here", True),
        ("earn # (euro|usd) a week", "You can earn much USD a week here", False),
        ("(send|share)? photo* now", "please send photographs now", True),
        ("tell .. nobody", "tell your family and nobody", True),
        ("tell .. nobody", "tell your whole big family nobody", False),
    ],
)
def test_patterns_match_whole_words(pattern: str, text: str, found: bool) -> None:
    assert Patterns([pattern]).match(normalise(text)) is found


def test_a_span_says_where() -> None:
    words = normalise("Hello, send your passport to me today").split()
    (span,) = Patterns(["send .. passport"]).spans(" ".join(words))
    assert words[slice(*span)] == ["send", "your", "passport"]


def test_a_pattern_without_a_word_is_refused() -> None:
    with pytest.raises(PatternError):
        compile_pattern("..")
