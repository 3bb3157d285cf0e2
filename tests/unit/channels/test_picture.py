"""bot/channels/picture.py"""

import struct
import zlib
from functools import cache
from pathlib import Path

import pytest
import yaml
from fontTools.ttLib import TTFont

from bot.channels.picture import FONTS, WIDTH, picture, wrap
from bot.conversation.turn import Card, CardText
from bot.text.catalogue import Catalogue, isolate
from tests.support import ROOT

TEXTS = yaml.safe_load((ROOT / "locales" / "cards.yml").read_bytes())
CATALOGUE = Catalogue()


def ink(png: bytes) -> tuple[int, int]:
    """Return the picture's width, and how much its pixels weigh once compressed: an empty one weighs next to nothing."""
    assert png.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return width, len(zlib.compress(zlib.decompress(data)))


@cache
def drawn() -> set[int]:
    """Return the code points that the fonts draw."""
    found: set[int] = set()
    for file in FONTS:
        with TTFont(file) as font:
            found |= set(font.getBestCmap())
    return found


@pytest.mark.parametrize("language", [*TEXTS, *CATALOGUE.languages])
def test_every_character_of_a_card_has_a_glyph(language: str) -> None:
    if language in TEXTS:
        texts = TEXTS[language].values()
    else:
        texts = [CATALOGUE.text(f"utter_card_text_{name}", language) for name in ("police", "hospital", "call")]
    missing = {char for text in texts for char in text if ord(char) not in drawn() and char != "\u200b"}
    assert missing == set(), "run `make fonts`"


@pytest.mark.parametrize("language", ["it", "he", "th", "km", "my", "hi", "zh-Hans", "ka", "ar", "uk"])
def test_a_card_becomes_a_picture(language: str) -> None:
    words = TEXTS.get(language, {}).get("police") or CATALOGUE.text("utter_card_text_police", language)
    direction = "rtl" if language in ("he", "ar") else "ltr"
    with_number = picture(Card((CardText(f"{words} {isolate('+972 3 555')}", language, direction),), "", ""))
    without = picture(Card((CardText(words, language, direction),), "", ""))
    assert ink(with_number)[0] == WIDTH
    assert ink(without)[1] > 2000, "there is text on it"
    assert ink(with_number)[1] > ink(without)[1], "the number is drawn, too"


def test_a_number_is_not_broken_over_two_lines() -> None:
    text = CardText(f"Please call now and say {isolate('0800 111 222 333')}.", "en", "ltr")
    assert any("0800\xa0111\xa0222\xa0333" in line for line in wrap(text, 14))


def test_the_fonts_licence_is_beside_them() -> None:
    assert "SIL Open Font License" in (Path(FONTS[0]).parent / "OFL.txt").read_text(encoding="utf-8")
