"""Looking services up for somebody else: by country, need and words, and how they read in any language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from babel import Locale

from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.directory.read import Referral
from bot.directory.search import Directory
from bot.text.catalogue import Catalogue

MOST = 20
NEEDS = (
    "need_shelter",
    "need_medical",
    "need_legal",
    "need_basics",
    "need_counselling",
    "return_home",
    "report_police",
    "wages_withheld",
    "image_abuse",
    "forced_marriage",
    "user_is_child",
)


@dataclass(frozen=True)
class Found:
    """A service as an operator reads it, and as the person will."""

    id: str
    name: str
    country: str | None
    text: str
    shown: str
    staff: bool = False
    """It has something that only staff may see."""


def rendered(
    catalogue: Catalogue,
    directory: Directory,
    services: Sequence[Referral],
    mine: str,
    hers: str | None = None,
    staff: Collection[str] = (),
) -> list[Found]:
    """Return services in the operator's language and, where it is given, in the person's. Reads no database.

    `staff`: the ids of those that have something for staff only.
    """
    effects = Effects(catalogue, directory, 1)
    now = datetime.now(timezone.utc)
    return [
        Found(
            id=service.id,
            name=service.name,
            country=service.country,
            text=effects.entry(service, State(language=mine), now),
            shown=effects.entry(service, State(language=hers), now) if hers else "",
            staff=service.id in staff,
        )
        for service in services
    ]


def countries(directory: Directory, language: str) -> list[tuple[str, str]]:
    """Return the countries of the directory, (code, name), by name. Blocks."""
    territories = Locale.parse(language).territories
    return sorted(((code, territories.get(code, code)) for code in directory.countries()), key=lambda each: each[1])
