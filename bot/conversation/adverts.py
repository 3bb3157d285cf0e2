"""Warning signs in the text of an offer, by reviewed patterns (`nlu/adverts/<lang>.yml`). Nothing of it is kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from bot.text.catalogue import ROOT
from bot.text.normalise import normalise
from bot.text.patterns import Patterns

SIGNS = (
    "passport", "pictures", "secret", "fee", "debt", "scam_region", "tourist_visa", "pay_too_good", "hurry",
    "young_women", "travel_paid", "private_chat", "no_experience",
)  # fmt: skip
"""The gravest first: so they are named."""

LONG_ENOUGH = 30
"""Characters from which on a text can be an offer."""

LIKE_AN_ADVERT, SIGNS_OF_AN_ADVERT = 120, 3
"""A text as long as this and with so many signs is read as an offer without having been asked for."""


_GROUPED = re.compile(r"(?<=\d)[.,\s\u202f](?=\d{3}(?!\d))")
"""Between groups of a number: patterns know "5000", people write "5.000"."""
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[€$£₫])(?=\d)")
"""Where a unit is written at its number: "50tr", "200euros"."""


@dataclass(frozen=True)
class Sign:
    """A warning sign, and her own words in which it was found."""

    name: str
    words: str


def _shown(words: str) -> str:
    """Return her own words without what can't be sent back or would turn the text around them."""
    return "".join(char for char in words if unicodedata.category(char) not in ("Cs", "Cf", "Cc"))


class Adverts:
    """Finds the signs in a text, in any of the languages."""

    def __init__(self, folder: Path = ROOT / "nlu" / "adverts") -> None:
        self.folder = folder

    @cached_property
    def patterns(self) -> dict[str, list[Patterns]]:
        """The patterns by sign; read when the first offer comes."""
        found: dict[str, list[Patterns]] = {sign: [] for sign in SIGNS}
        # Everything in these files is a word.
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        for file in sorted(self.folder.glob("*.yml")):
            data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
            for sign in SIGNS:
                found[sign].append(Patterns(data.get(sign) or []))
        return found

    def signs(self, text: str) -> list[Sign]:
        """Return the signs in `text`, each once."""
        tokens = _GLUED.sub(" ", _GROUPED.sub("", text)).split()
        origin = [index for index, token in enumerate(tokens) for _ in normalise(token).split()]
        words = " ".join(normalise(token) for token in tokens if normalise(token))
        found = []
        for sign, of_languages in self.patterns.items():
            span = next((span for patterns in of_languages for span in patterns.spans(words)), None)
            if span:
                first, last = origin[span[0]], origin[min(span[1], len(origin)) - 1]
                found.append(Sign(sign, _shown(" ".join(tokens[first : last + 1]))))
        return found
