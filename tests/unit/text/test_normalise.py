"""bot/text/normalise.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalise import LONGEST, normalise


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Il DÉFONCE la porte!!!", "il defonce la porte"),
        ("mă bate", "ma bate"),
        ("tôi bị đánh", "toi bi danh"),
        ("м'яч ЇЖАК йод", "мяч іжак иод"),
        ("أُريدُ المُساعدة", "اريد المساعده"),
        ("٠١٢ ۳۴", "012 34"),
        ("heeeeelp", "help"),
        ("can't", "cant"),
        ("can’t", "cant"),
        ("a\u200bb", "a b"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("  \n\t ", ""),
        ("😀", ""),
    ],
)
def test_one_form_for_many_spellings(typed: str, expected: str) -> None:
    assert normalise(typed) == expected


@given(st.text())
def test_any_text_has_a_normal_form_that_stays_the_same(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    assert "  " not in once


def test_what_follows_the_bound_is_ignored() -> None:
    assert normalise("a " * LONGEST + "danger") == normalise("a " * LONGEST)
