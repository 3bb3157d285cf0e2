"""bot/conversation/places.py"""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.places import Places

PLACES = Places.load()
HELD_OUT = Path(__file__).parents[2] / "nlu" / "heldout" / "places.yml"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("w Polsce", "PL"),
        ("în Italia", "IT"),
        ("в Італії", "IT"),
        ("I am in Warsaw", "PL"),
        ("je suis à Marseille", "FR"),
        ("tôi đang ở Đức", "DE"),
        ("toi dang o Ba Lan", "PL"),
        ("انا في المانيا", "DE"),
        ("بألمانيا", "DE"),
        ("I am from Vietnam, now in Poland", "PL"),
        ("sunt din Moldova, acum sunt în Germania", "DE"),
        ("Nice", "FR"),
        ("nice to meet you", None),
        ("je suis seul", None),
        ("là bị lừa", None),
        ("thank you", None),
        ("", None),
        ("NO", None),
    ],
)
def test_the_country_that_is_named(text: str, country: str | None) -> None:
    assert PLACES.find(text) == country


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert PLACES.find(text) in {None, *PLACES.names.values()}


def test_texts_written_by_somebody_who_has_not_seen_the_lists() -> None:
    rows = yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))
    wrong = [(row["text"], row["country"], PLACES.find(row["text"])) for row in rows]
    wrong = [each for each in wrong if each[1] != each[2]]
    assert len(wrong) <= len(rows) * 0.1, wrong
