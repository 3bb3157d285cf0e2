"""Languages that cannot be written: recognised, told of in themselves, never mistaken for one another."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from babel import Locale

from bot.conversation.following import Following
from bot.conversation.others import others, recognise
from bot.conversation.state import State
from bot.text.catalogue import ROOT, Catalogue
from bot.text.examples import texts_by_language

CATALOGUE = Catalogue()
CODES = [other.code for other in others()]
ALWAYS = {"am", "ti", "el", "ka"}
"""Their letters tell."""


def texts(code: str) -> list[str]:
    data = yaml.safe_load((ROOT / "tests" / "nlu" / "zero_shot" / f"{code}.yml").read_bytes())
    return [text for each in data["texts"].values() for text in each]


@pytest.mark.parametrize("code", CODES)
def test_its_texts_are_recognised_and_hardly_taken_for_another(code: str) -> None:
    found = Counter(other.code if (other := recognise(text)) else "" for text in texts(code))
    assert sum(found.values()) - found[code] - found[""] <= (6 if code == "ti" else 1), found
    assert found[code] >= (20 if code in ALWAYS else 9), found


def test_no_language_that_is_offered_is_taken_for_one_of_them() -> None:
    examples = texts_by_language()
    wrong = [text for texts in examples.values() for text in texts if recognise(text)]
    assert len(wrong) <= sum(map(len, examples.values())) / 5000, wrong


@pytest.mark.parametrize("code", CODES)
def test_it_is_told_in_itself_and_names_the_language_of_the_answers(code: str) -> None:
    other = next(each for each in others() if each.code == code)
    told = other.told("en")
    assert "{" not in told
    assert told != other.told("fr")
    assert Locale.parse(code)


def test_she_is_told_once_and_offered_what_she_may_read() -> None:
    state = State(language="en")
    following = Following(CATALOGUE, lambda: None)
    (message,) = following.follow("waxaan rabaa inaan qof la hadlo fadlan i caawi", state)
    assert message.language == "so"
    assert "Ingiriisi" in message.text
    assert [button.payload for button in message.buttons] == ["!language:ar"]
    assert following.follow("waxaan rabaa lacag iyo guri", state) == []
    assert state.language == "en"


def test_a_guess_that_she_can_hardly_read_is_not_followed() -> None:
    class Guesser:
        def guess(self, text: str) -> tuple[str | None, float]:
            return ("ro" if "yana" in text else "fr"), 0.99

    following = Following(CATALOGUE, lambda: Guesser())  # type: ignore[arg-type, return-value]
    following.warmed = True
    state = State(language="en")
    following.follow("ina so in yi magana da wani", state)
    following.follow("yana karya kofa yana da wuka", state)
    assert state.language == "en"
    following.follow("je voudrais parler en français", state)
    assert state.language == "fr"
