"""A small directory to test with: one organisation, one service with everything."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine

from bot.directory import vocabulary
from bot.directory.changes import Author, apply, edits_between
from bot.directory.hsds import made_id
from bot.directory.records import Bundle
from bot.vault.vault import Vault

VAULT = Vault(bytes(32))
SOMEBODY = Author("0123456789abcdef")
ORGANIZATION = made_id("test", "organization")
SERVICE = made_id("test", "service")


def key(*names: str) -> str:
    return made_id("test", *names)


def add_service(bundle: Bundle, name: str = "service", country: str = "IT", **more: Any) -> str:
    """Put a service of the test's organisation into a bundle; return its id."""
    service = key(name)
    kind, needs, languages = more.pop("kind", "trafficking"), more.pop("needs", ()), more.pop("languages", ())
    facts = {"checked": "2026-11-20", "source": "https://example.org", **more.pop("facts", {})}
    bundle.add(
        "service",
        {"id": service, "organization_id": ORGANIZATION, "name": name, "status": "active", **more},
    )
    bundle.add("attribute", vocabulary.attribute("service", service, "kind", kind))
    for need in needs:
        bundle.add("attribute", vocabulary.attribute("service", service, "need", need))
    for fact, value in facts.items():
        bundle.add("attribute", vocabulary.attribute("service", service, "fact", fact, value))
    for code in languages:
        bundle.add("language", {"id": key(name, "language", code), "service_id": service, "code": code})
    bundle.add(
        "phone", {"id": key(name, "phone"), "service_id": service, "number": "+39 06 1234 5678", "type": "voice"}
    )
    area = {"id": key(name, "area"), "service_id": service, "extent": country, "extent_type": "country"}
    bundle.add("service_area", area)
    return service


def small() -> Bundle:
    """One organisation with one service at one location, and the vocabulary."""
    bundle = Bundle()
    for entity, row in vocabulary.rows():
        bundle.add(entity, row)
    bundle.add("organization", {"id": ORGANIZATION, "name": "Porto Sicuro", "description": "Helps"})
    add_service(bundle, "service", needs=("need_shelter",), languages=("ar", "en"))
    location = key("location")
    bundle.add("location", {"id": location, "location_type": "physical", "organization_id": ORGANIZATION})
    at = {"id": key("at"), "service_id": SERVICE, "location_id": location}
    bundle.add("service_at_location", at)
    bundle.add(
        "address",
        {
            "id": key("address"),
            "location_id": location,
            "address_1": "Via Roma 1",
            "city": "Roma",
            "state_province": "RM",
            "postal_code": "00100",
            "country": "IT",
            "address_type": "physical",
        },
    )
    return bundle


def enter(engine: Engine, bundle: Bundle) -> None:
    """Write a bundle into an empty directory."""
    with engine.begin() as connection:
        put(connection, bundle)


def put(connection: Connection, bundle: Bundle) -> int:
    return apply(connection, VAULT, edits_between(Bundle(), bundle), SOMEBODY)
