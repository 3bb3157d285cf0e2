"""A service as people are told it: what a bundle's rows say, put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.directory.hours import Hours, zone_of
from bot.directory.hsds import Row
from bot.directory.records import Bundle, load
from bot.directory.vocabulary import codes, order

if TYPE_CHECKING:
    from bot.directory.phones import PhoneNumber

YES, NO = "yes", "no"
COUNTRY = "country"
EVERYWHERE = "global"
"""`extent_type` of a service area that is a country, and of one that is the world."""


@dataclass(frozen=True)
class ReferralPhone:
    """A number as somebody is told it."""

    number: str
    """As it was entered."""
    type: str
    country: str | None
    domestic_only: bool | None
    """None: nobody has said; the number itself tells."""
    description: str | None = None

    @property
    def read(self) -> PhoneNumber:
        """Return the number for dialling and for showing."""
        from bot.directory.phones import read

        return read(self.number, self.country)

    @property
    def domestic(self) -> bool:
        return self.read.domestic_only if self.domestic_only is None else self.domestic_only


@dataclass(frozen=True)
class Referral:
    """One service, with all that a person is told about it."""

    id: str
    name: str
    organization_id: str | None
    organization: str
    kind: str
    description: str | None = None
    needs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    """ISO 3166; an empty one: everywhere."""
    area: str | None = None
    phones: tuple[ReferralPhone, ...] = ()
    schedules: tuple[Hours, ...] = ()
    url: str | None = None
    email: str | None = None
    address: str | None = None
    city: str | None = None
    places: tuple[tuple[float, float], ...] = ()
    minimum_age: float | None = None
    maximum_age: float | None = None
    eligibility: str | None = None
    documents: tuple[str, ...] = ()
    fees: str | None = None
    access: str | None = None
    """How people with disabilities get in."""
    status: str = "active"
    alert: str | None = None
    assured_date: date | None = None
    facts: dict[str, str] = field(default_factory=dict)
    """By the codes of the vocabulary's taxonomy `fact`."""
    translations: dict[tuple[str, str], str] = field(default_factory=dict)
    """(field, language) → text."""
    stale: bool = False
    """Nobody has confirmed it for so long that a person is warned."""

    @property
    def country(self) -> str | None:
        return next((code for code in self.countries if code), None)

    @property
    def free(self) -> bool | None:
        """Return whether it costs nothing; None where that is not known."""
        return {YES: True, NO: False}.get(self.facts.get("free", ""))

    @property
    def chat_url(self) -> str | None:
        return self.facts.get("chat_url")

    @property
    def checked(self) -> date | None:
        """Return when the page that it was taken from was last read."""
        return as_date(self.facts.get("checked"))

    @property
    def confirmed(self) -> date | None:
        """Return from when its age counts: the day it was assured, or else its source was read."""
        return self.assured_date or self.checked

    def text(self, name: str, language: str) -> str | None:
        """Return `name`, `description`, `alert`, … in a language where it is translated, else as entered."""
        value: str | None = self.translations.get((name, language)) or getattr(self, name)
        return value


def as_date(value: str | None) -> date | None:
    """Return an ISO date, None where there is none."""
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None


def referral(bundle: Bundle, key: str) -> Referral:
    """Return the service `key` of a bundle as people are told it."""
    row = bundle["service"][key]
    organization = bundle["organization"].get(row.get("organization_id", ""), {})
    terms = _terms(bundle, key)
    facts = {code: value for taxonomy, code, value in terms if taxonomy == "fact" and value}
    area = _areas(bundle.nested("service", key, "service_area"))[1]
    countries = countries_of(bundle, key)
    at_locations = bundle.nested("service", key, "service_at_location")
    locations = [
        bundle["location"][at["location_id"]] for at in at_locations if at.get("location_id") in bundle["location"]
    ]
    addresses = [address for location in locations for address in bundle.nested("location", location["id"], "address")]
    country = next(filter(None, countries), None)
    kinds = [code for taxonomy, code, _ in terms if taxonomy == "kind"]
    return Referral(
        id=key,
        name=row.get("name", ""),
        organization_id=row.get("organization_id"),
        organization=organization.get("name", ""),
        kind=kinds[0] if kinds else "other",
        description=row.get("description"),
        needs=tuple(code for taxonomy, code, _ in terms if taxonomy == "need"),
        groups=tuple(code for taxonomy, code, _ in terms if taxonomy == "victim_group"),
        languages=tuple(
            dict.fromkeys(each["code"] for each in bundle.nested("service", key, "language") if "code" in each)
        ),
        countries=countries,
        area=area,
        phones=tuple(_phones(bundle, key, country)),
        schedules=tuple(_hours(bundle, key, at_locations, facts.get("timezone"), country)),
        url=row.get("url"),
        email=row.get("email"),
        address=_address(addresses),
        city=next((address["city"] for address in addresses if address.get("city")), None),
        places=tuple(
            (each["latitude"], each["longitude"]) for each in locations if "latitude" in each and "longitude" in each
        ),
        minimum_age=row.get("minimum_age"),
        maximum_age=row.get("maximum_age"),
        eligibility=row.get("eligibility_description"),
        documents=tuple(
            each["document"] for each in bundle.nested("service", key, "required_document") if "document" in each
        ),
        fees=_fees(bundle, key, row),
        access=next((text for each in locations for text in _access(bundle, each["id"])), None),
        status=row.get("status", "active"),
        alert=row.get("alert"),
        assured_date=as_date(row.get("assured_date")),
        facts=facts,
        translations=bundle.texts(key),
    )


def referrals(connection: Connection, keys: Sequence[str]) -> list[Referral]:
    """Return services in the order of their ids; those that are gone are left out."""
    bundle = load(connection, services=keys, people=True)
    return [referral(bundle, key) for key in keys if key in bundle["service"]]


def _terms(bundle: Bundle, key: str) -> list[tuple[str, str, str | None]]:
    known = codes()
    found = []
    for row in bundle.children("attribute", "link_id", key):
        term = known.get(row.get("taxonomy_term_id", ""))
        if term:
            found.append((*term, row.get("value")))
    return sorted(found, key=lambda each: order()[each[0], each[1]]) if len(found) > 1 else found


def countries_of(bundle: Bundle, key: str) -> tuple[str, ...]:
    """Return the countries (ISO 3166) of a service's areas, or else of its addresses. Without any, nobody finds it."""
    countries, _ = _areas(bundle.nested("service", key, "service_area"))
    if countries:
        return countries
    locations = [at.get("location_id", "") for at in bundle.nested("service", key, "service_at_location")]
    rows = (row for location in locations for row in bundle.nested("location", location, "address"))
    found = (str(row.get("country", "")).upper() for row in rows)
    return tuple(dict.fromkeys(code for code in found if len(code) == 2 and code.isalpha()))


def _areas(rows: Iterable[Row]) -> tuple[tuple[str, ...], str | None]:
    countries: list[str] = []
    names: list[str] = []
    for row in rows:
        extent = str(row.get("extent", "")).upper()
        if len(extent) == 2 and extent.isalpha():
            countries.append(extent)
        elif row.get("extent_type") == EVERYWHERE:
            countries.append("")
        if row.get("name") and row.get("extent_type") in (COUNTRY, None):
            names.append(row["name"])
    return tuple(dict.fromkeys(countries)), ", ".join(names) or None


def phone_rows(bundle: Bundle, key: str) -> list[Row]:
    """Return the numbers that people are told for a service: its own, or else its locations' or organisation's."""
    at_locations = bundle.nested("service", key, "service_at_location")
    rows = list(bundle.nested("service", key, "phone"))
    for at in at_locations:
        rows += bundle.nested("service_at_location", at["id"], "phone")
    if not rows:
        for at in at_locations:
            rows += bundle.nested("location", at.get("location_id", ""), "phone")
    if not rows:
        organization = bundle["service"][key].get("organization_id", "")
        rows = bundle.nested("organization", organization, "phone")
    return rows


_TYPES = {"cell": "voice", "text": "sms", "textphone": "tty"}
"""HSDS's words for what people are told in fewer."""


def told_as(phone: Row) -> str:
    """Return what a number is to people: voice, sms, whatsapp, tty; others are told nobody."""
    kind = str(phone.get("type") or "voice").lower()
    return _TYPES.get(kind, kind)


def _phones(bundle: Bundle, key: str, country: str | None) -> Iterable[ReferralPhone]:
    for row in phone_rows(bundle, key):
        facts = {code: value for _, code, value in _terms(bundle, row["id"])}
        domestic = {YES: True, NO: False}.get(facts.get("domestic_only") or "")
        if facts.get("abroad") == YES:
            domestic = False
        number = row["number"] + (f" ext. {row['extension']:g}" if row.get("extension") is not None else "")
        yield ReferralPhone(number, told_as(row), country, domestic, row.get("description"))


def _hours(bundle: Bundle, key: str, at_locations: list[Row], zone: str | None, country: str | None) -> Iterable[Hours]:
    """Yield the hours whose time zone is known: the service's, the row's own, or the one of the whole country."""
    rows = list(bundle.nested("service", key, "schedule"))
    for at in [] if rows else at_locations:
        rows += bundle.nested("service_at_location", at["id"], "schedule")
    for row in rows:
        known = zone or (zone_of(country) if row.get("timezone") is None else None)
        if known or row.get("timezone") is not None:
            yield Hours.read(row, known)


def _fees(bundle: Bundle, key: str, row: Row) -> str | None:
    """Return what a service costs, in the organisation's words, or else its list of prices."""
    if row.get("fees_description") or row.get("fees"):
        return str(row.get("fees_description") or row.get("fees"))
    prices = []
    for each in bundle.nested("service", key, "cost_option"):
        amount = f"{each['amount']:g} {each.get('currency', '')}".strip() if each.get("amount") is not None else ""
        parts = [each.get("option"), amount, each.get("amount_description")]
        prices.append(" ".join(part for part in parts if part))
    return "; ".join(filter(None, prices)) or None


def _access(bundle: Bundle, location: str) -> list[str]:
    rows = bundle.nested("location", location, "accessibility")
    texts = (": ".join(filter(None, (each.get("description"), each.get("details")))) for each in rows)
    return [text for text in texts if text]


def _address(rows: list[Row]) -> str | None:
    for row in rows:
        if row.get("address_type") != "postal" and row.get("address_1"):
            parts: list[Any] = [row.get("address_1"), row.get("address_2"), row.get("postal_code"), row.get("city")]
            return ", ".join(part for part in parts if part)
    return None
