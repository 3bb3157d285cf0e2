"""The right three services for this person, and what to dial in danger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session, selectinload

from bot.directory.hours import opening
from bot.directory.models import EmergencyNumber, Organization, Service, ServiceArea

BEST = 3
CONSULAR = "consular"
"""The kind of service that a country keeps for its own people abroad."""
STALE_DAYS = 90

KINDS_FOR = {
    "child": ("child", "violence"),
    "user_is_child": ("child", "trafficking"),
    "self_harm": ("crisis",),
    "need_counselling": ("crisis", "violence", "trafficking"),
    "wages_withheld": ("labour", "trafficking", "migration"),
    "forced_labour": ("trafficking", "labour", "migration"),
    "image_abuse": ("victims_of_crime", "violence", "crisis"),
    "threatened": ("trafficking", "violence", "victims_of_crime"),
    "forced_marriage": ("violence", "trafficking"),
    "return_home": ("migration", "trafficking"),
    "need_shelter": ("trafficking", "violence", "migration"),
}
"""Which kinds of service suit a need or a topic, best first; otherwise ANY_KINDS."""

ANY_KINDS = ("trafficking", "victims_of_crime", "violence", "migration", "labour", "crisis")


@dataclass(frozen=True)
class Wanted:
    """What is looked for: an ISO 3166 country, a need and a topic (names of intents), the languages she reads."""

    country: str | None
    need: str | None = None
    topic: str | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Emergency:
    """What to dial in one country: the number to call, and how to reach help without speaking, where that exists."""

    numbers: tuple[str, ...]
    sms: str | None = None
    sms_registered: bool = False
    silent_number: str | None = None
    silent_code: str | None = None


_WHOLE = tuple(
    selectinload(part)
    for part in (
        Service.phones,
        Service.schedules,
        Service.languages,
        Service.attributes,
        Service.service_areas,
        Service.organization,
    )
)


class Directory:
    """Reads the directory. Calls block for a few milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def services(self, wanted: Wanted, now: datetime | None = None) -> list[Service]:
        """Return the best services for `wanted` in its country, at most BEST; with no country: those for everywhere."""
        now = now or datetime.now(timezone.utc)
        query = (
            select(Service)
            .join(ServiceArea)
            .where(ServiceArea.extent == wanted.country if wanted.country else ServiceArea.extent.is_(None))
            .where(Service.status == "active")
            .options(*_WHOLE)
        )
        with Session(self.engine, expire_on_commit=False) as session:
            found = list(session.scalars(query))
        kinds = _kinds(wanted)
        suitable = [service for service in found if service.kind in kinds]
        return sorted(suitable, key=lambda service: _rank(service, wanted, kinds, now))[:BEST]

    def get(self, service_id: str) -> Service | None:
        """Return one active service, or None."""
        query = select(Service).where(Service.id == service_id, Service.status == "active").options(*_WHOLE)
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalar(query)

    def emergency(self, country: str | None) -> Emergency | None:
        """Return what to dial in `country`; None where that is not known."""
        if country is None:
            return None
        query = select(EmergencyNumber).where(EmergencyNumber.country == country).order_by(EmergencyNumber.id)
        with Session(self.engine) as session:
            rows = list(session.scalars(query))
        numbers = tuple(dict.fromkeys(row.number for row in rows if row.how == "call" and _reaches_police(row)))
        if not numbers:
            return None
        sms = next((row for row in rows if row.how == "sms"), None)
        silent = next((row for row in rows if row.how == "silent_call"), None)
        return Emergency(
            numbers=numbers[:2],
            sms=sms.number if sms else None,
            sms_registered=bool(sms and sms.registration),
            silent_number=silent.number if silent else None,
            silent_code=silent.code if silent else None,
        )

    def countries(self) -> list[str]:
        """Return the countries with an emergency number or a service, sorted by code."""
        with Session(self.engine) as session:
            codes = set(session.scalars(select(EmergencyNumber.country).distinct()))
            helped = select(ServiceArea.extent).join(Service).where(Service.kind != CONSULAR).distinct()
            codes |= {code for code in session.scalars(helped) if code}
        return sorted(codes)

    def consular(self, country: str) -> Service | None:
        """Return the line of `country` for its own people abroad; None where none is known."""
        query = (
            select(Service)
            .join(ServiceArea)
            .where(ServiceArea.extent == country, Service.kind == CONSULAR, Service.status == "active")
            .options(selectinload(Service.phones))
        )
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(query).first()

    def health(self, today: date | None = None) -> dict[str, int]:
        """Return counts for `helpline check`: organisations, services, those never verified, those not read lately."""
        today = today or datetime.now(timezone.utc).date()
        oldest = date.fromordinal(today.toordinal() - STALE_DAYS)

        def count(session: Session, *conditions: object) -> int:
            return int(session.scalar(select(func.count()).select_from(Service).where(*conditions)) or 0)  # type: ignore[arg-type]

        with Session(self.engine) as session:
            return {
                "countries": len(self.countries()),
                "organizations": int(session.scalar(select(func.count()).select_from(Organization)) or 0),
                "services": count(session),
                "unverified": count(session, Service.assured_date.is_(None)),
                "stale": count(session, or_(Service.checked.is_(None), Service.checked < oldest)),
            }


def _reaches_police(row: EmergencyNumber) -> bool:
    return bool({"any", "police"} & set(row.reaches.split(",")))


def _kinds(wanted: Wanted) -> tuple[str, ...]:
    """Return the kinds of service that suit, best first. Child helplines are for children, and for those who ask."""
    child = wanted.need == "child" or wanted.topic == "user_is_child"
    first = KINDS_FOR.get("user_is_child" if child else wanted.need or "") or KINDS_FOR.get(wanted.topic or "") or ()
    return tuple(dict.fromkeys((*first, *ANY_KINDS)))


def _rank(service: Service, wanted: Wanted, kinds: Sequence[str], now: datetime) -> tuple[object, ...]:
    """Sort key, best first: suits the topic, covers the need, speaks her language, open now, verified, read lately."""
    needs = {attribute.term for attribute in service.attributes}
    speaks = {language.code for language in service.languages}
    state = opening(service.schedules, now)
    return (
        kinds.index(service.kind),
        wanted.need not in needs,
        not speaks & set(wanted.languages),
        not (state and state.open),
        service.assured_date is None,
        service.checked is None,
        service.id,
    )
