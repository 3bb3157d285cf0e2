"""A card as a picture, for channels that show text only small: rendered in memory, with the fonts beside this file."""

from __future__ import annotations

import re
import unicodedata
from html import escape
from pathlib import Path

import resvg_py
from babel.core import get_global

from bot.conversation.turn import Card, CardText
from bot.text.catalogue import END_ISOLATE, ISOLATE

FONTS = sorted(str(file) for file in (Path(__file__).parent / "fonts").glob("*.[ot]tf"))
WIDTH, MARGIN = 1080, 72
SIZES = (60, 46)
"""Pixels of the host country's words, and of her own beneath."""
LINE, GAP = 1.45, 70
BREAK = "\u200b"
"""Between words of scripts that write no spaces (Thai, Lao, Khmer, Burmese)."""

FAMILIES = {
    "Arab": "Noto Sans Arabic", "Armn": "Noto Sans Armenian", "Beng": "Noto Sans Bengali",
    "Deva": "Noto Sans Devanagari", "Geor": "Noto Sans Georgian", "Hebr": "Noto Sans Hebrew",
    "Hans": "Noto Sans CJK SC", "Hant": "Noto Sans CJK TC", "Jpan": "Noto Sans CJK JP", "Kore": "Noto Sans CJK KR",
    "Khmr": "Noto Sans Khmer", "Laoo": "Noto Sans Lao", "Mymr": "Noto Sans Myanmar", "Thai": "Noto Sans Thai",
}  # fmt: skip
"""The font of each script (ISO 15924) that Noto Sans itself does not hold."""

RTL, LTR, POP, NO_BREAK = "\u202b", "\u202a", "\u202c", "\xa0"
_EMBEDDED = re.compile(f"{LTR}[^{POP}]*{POP}")
_NUMBER = re.compile(f"{ISOLATE}([^{END_ISOLATE}]*){END_ISOLATE}")


def picture(card: Card) -> bytes:
    """Return the card as a PNG, WIDTH pixels wide."""
    pieces: list[str] = []
    top = float(MARGIN)
    for index, text in enumerate(card.texts):
        size = SIZES[min(index, 1)]
        if index:
            pieces.append(
                f'<rect x="{MARGIN}" y="{top + GAP / 2:.0f}" width="{WIDTH - 2 * MARGIN}" height="3" fill="#999"/>'
            )
            top += GAP
        for line in wrap(text, (WIDTH - 2 * MARGIN) / size):
            top += size * LINE
            pieces.append(_line(line, text, size, top))
    height = round(top + MARGIN * 1.3)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(pieces)}</svg>'
    )
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, font_files=FONTS, skip_system_fonts=True, font_family="Noto Sans")
    )


def _line(line: str, text: CardText, size: int, y: float) -> str:
    # The embedding marks put the full stop of right-to-left text on its left.
    rtl = text.direction == "rtl"
    anchor, x = ("end", WIDTH - MARGIN) if rtl else ("start", MARGIN)
    # Some scripts' fonts have no digits, and falling back within a word loses them: the number names its font.
    numbered = _EMBEDDED.sub(r'<tspan font-family="Noto Sans">\g<0></tspan>', escape(line))
    words = f"{RTL if rtl else LTR}{numbered}{POP}"
    likely = get_global("likely_subtags").get(text.language.replace("-", "_"), text.language)
    family = next((FAMILIES[part] for part in re.split("[-_]", likely) if part in FAMILIES), "Noto Sans")
    return (
        f'<text x="{x}" y="{y:.0f}" text-anchor="{anchor}" font-family="{family}" font-size="{size}" '
        f'fill="#000" xml:space="preserve">{words}</text>'
    )


def wrap(text: CardText, width: float) -> list[str]:
    """Return `text` in lines of at most `width` ems, by an estimate of each character's width on the safe side."""
    lines, line, room = [], "", width
    for piece in _pieces(_NUMBER.sub(lambda match: f"{LTR}{match[1].replace(' ', NO_BREAK)}{POP}", text.text)):
        needed = sum(map(_ems, piece.rstrip(" ")))
        if line.strip() and needed > room:
            lines.append(line.strip())
            line, room = "", width
        line += piece.replace(BREAK, "")
        room -= sum(map(_ems, piece))
    return [*lines, line.strip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """Return `text` cut where a line may end: after spaces, break marks and Chinese or Japanese characters."""
    pieces, piece = [], ""
    for index, char in enumerate(text):
        piece += char
        following = text[index + 1 : index + 2]
        wide = unicodedata.east_asian_width(char) == "W" and "HANGUL" not in unicodedata.name(char, "")
        closing = following and unicodedata.category(following) in ("Po", "Pe", "Pf")
        if char in (" ", BREAK) or (wide and not closing):
            pieces.append(piece)
            piece = ""
    return [*pieces, piece]


def _ems(char: str) -> float:
    if unicodedata.category(char) in ("Mn", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 1.0
    if "\u1000" <= char <= "\u109f":  # Burmese
        return 0.85
    if char.isupper() or char in "mwмшщжюфы":
        return 0.8
    return 0.3 if char in " .,:;'ilj" else 0.62
