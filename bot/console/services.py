"""Looking services up for somebody else: by country, need and words, and how they read in any language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session as DatabaseSession
from sqlalchemy.orm import selectinload

from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.directory.models import Service, ServiceArea
from bot.directory.search import ANY_KINDS, CONSULAR, KINDS_FOR, Directory
from bot.text.catalogue import Catalogue
from bot.text.normalise import normalise

EVERYWHERE = "*"
"""Asked for instead of a country: what helps in many countries."""
MOST = 20
MOST_WORDS = 10
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


def search(
    directory: Directory, country: str = "", need: str = "", words: str = "", languages: Sequence[str] = ()
) -> list[Service]:
    """Return all services that fit, best first: those for the need, then those that speak one of `languages`.

    `country`: ISO 3166, EVERYWHERE or "" for any. All of `words` must stand somewhere in the entry. Blocks.
    """
    query = (
        select(Service)
        .where(Service.status == "active")
        .options(
            selectinload(Service.phones),
            selectinload(Service.schedules),
            selectinload(Service.languages),
            selectinload(Service.attributes),
            selectinload(Service.service_areas),
            selectinload(Service.organization),
        )
    )
    if country:
        extent = ServiceArea.extent.is_(None) if country == EVERYWHERE else ServiceArea.extent == country
        query = query.where(Service.service_areas.any(extent))
    with DatabaseSession(directory.engine, expire_on_commit=False) as session:
        found = list(session.scalars(query))
    wanted = normalise(words).split()[:MOST_WORDS]
    kinds = (*KINDS_FOR.get(need, ()), *ANY_KINDS)

    def fits(service: Service) -> bool:
        terms = {attribute.term for attribute in service.attributes}
        if need and need not in terms and service.kind not in KINDS_FOR.get(need, ()):
            return False
        text = _haystack(service) if wanted else ""
        return all(word in text for word in wanted)

    def rank(service: Service) -> tuple[object, ...]:
        return (
            need not in {attribute.term for attribute in service.attributes},
            not {language.code for language in service.languages} & set(languages),
            service.kind == CONSULAR,
            kinds.index(service.kind) if service.kind in kinds else len(kinds),
            service.name,
        )

    return sorted(filter(fits, found), key=rank)


def _haystack(service: Service) -> str:
    areas = service.service_areas
    territories = Locale.parse("en").territories
    pieces = [service.name, service.organization.name, service.description, service.organization.description]
    pieces += [area.name for area in areas] + [territories.get(area.extent or "") for area in areas]
    pieces += [service.kind.replace("_", " ")] + [attribute.term.replace("_", " ") for attribute in service.attributes]
    pieces += [phone.number for phone in service.phones]
    return " ".join(normalise(piece) for piece in pieces if piece)


def rendered(
    catalogue: Catalogue, directory: Directory, services: Sequence[Service], mine: str, hers: str | None = None
) -> list[Found]:
    """Return services in the operator's language and, where it is given, in the person's. Reads no database."""
    effects = Effects(catalogue, directory, 1)
    now = datetime.now(timezone.utc)
    return [
        Found(
            id=service.id,
            name=service.name,
            country=next((area.extent for area in service.service_areas), None),
            text=effects.entry(service, State(language=mine), now),
            shown=effects.entry(service, State(language=hers), now) if hers else "",
        )
        for service in services
    ]


def countries(directory: Directory, language: str) -> list[tuple[str, str]]:
    """Return the countries of the directory, (code, name), by name. Blocks."""
    territories = Locale.parse(language).territories
    return sorted(((code, territories.get(code, code)) for code in directory.countries()), key=lambda each: each[1])
