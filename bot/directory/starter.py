"""Loads the starter data set (`starter/<country>.yml`) into the directory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, delete, insert, select

from bot.directory import vocabulary
from bot.directory.changes import Author
from bot.directory.exchange import imports
from bot.directory.hsds import made_id
from bot.directory.models import EmergencyNumber, StarterLoad
from bot.directory.read import COUNTRY, EVERYWHERE, NO, YES
from bot.directory.records import Bundle

FOLDER = Path(__file__).parent / "starter"
DATASET = "starter"
_ALWAYS = {"days": ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), "opens": "00:00", "closes": "24:00"}


def load_starter(engine: Engine, folder: Path = FOLDER) -> bool:
    """Load the data set once, and again when its files have changed; return whether anything was loaded.

    A row that an NGO has edited since stays as it is until the set says something new about it; rows that a later
    set lacks are archived; what no starter set knew stays.
    """
    files = sorted(folder.glob("*.yml"))
    contents = [file.read_bytes() for file in [*files, vocabulary.FILE]]
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()
    with engine.begin() as connection:
        if connection.execute(select(StarterLoad.digest).where(StarterLoad.digest == digest)).first():
            return False
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        bundle, emergency = starter([yaml.load(content, Loader=loader) for content in contents[:-1]])  # noqa: S506
        connection.execute(delete(EmergencyNumber))
        connection.execute(delete(StarterLoad))
        if emergency:
            connection.execute(insert(EmergencyNumber), emergency)
        imports.apply(connection, None, imports.plan(connection, DATASET, bundle), bundle, Author("import:starter"))
        connection.execute(insert(StarterLoad).values(digest=digest))
    return True


def starter(countries: Sequence[dict[str, Any]]) -> tuple[Bundle, list[dict[str, Any]]]:
    """Return the starter set's rows, and those of the table of emergency numbers."""
    bundle = Bundle()
    emergency: list[dict[str, Any]] = []
    for entity, row in vocabulary.rows():
        bundle.add(entity, row)
    for data in countries:
        for row in [*(data.get("emergency") or ()), *(data.get("text_emergency") or ())]:
            emergency.append(
                {
                    "country": data["country"],
                    "number": str(row["number"]),
                    "how": row.get("how", "call"),
                    "reaches": ",".join(row.get("for", ["any"])),
                    "code": row.get("code") and str(row["code"]),
                    "registration": bool(row.get("registration")),
                    "source": row["source"],
                    "checked": row["checked"],
                }
            )
        for row in data.get("organizations") or ():
            key = made_id(DATASET, row["id"])
            organization = {"id": key, "name": row["name"], "website": row.get("website")}
            bundle.add("organization", organization | {"description": row.get("description") or row["name"]})
            for service in row.get("services") or ():
                _add_service(bundle, service, key, data)
    return bundle, emergency


def _add_service(bundle: Bundle, row: dict[str, Any], organization: str, data: dict[str, Any]) -> None:
    key = made_id(DATASET, row["id"])
    bundle.add(
        "service",
        {
            "id": key,
            "organization_id": organization,
            "name": row["name"],
            "description": row.get("description"),
            "url": row.get("url"),
            "status": "active",
            "minimum_age": row.get("minimum_age"),
            "maximum_age": row.get("maximum_age"),
            "assured_date": row["checked"].isoformat() if row["verified"] else None,
        },
    )
    facts = {
        "source": row["source"],
        "checked": row["checked"].isoformat(),
        "chat_url": row.get("chat"),
        "timezone": data.get("timezone") or "UTC",
        "free": {True: YES, False: NO}.get(row.get("free")),  # type: ignore[arg-type]
    }
    facts |= {name: {True: YES, False: NO}.get(value, value) for name, value in (row.get("facts") or {}).items()}
    for name, value in facts.items():
        if value is not None:
            bundle.add("attribute", vocabulary.attribute("service", key, "fact", name, str(value)))
    bundle.add("attribute", vocabulary.attribute("service", key, "kind", row["kind"]))
    for need in row.get("needs") or ():
        bundle.add("attribute", vocabulary.attribute("service", key, "need", need))
    for number, phone in enumerate(row.get("phones") or ()):
        phone_key = made_id(DATASET, row["id"], "phone", str(number))
        bundle.add("phone", {"id": phone_key, "service_id": key, "number": str(phone["number"]), "type": phone["type"]})
        domestic = YES if phone.get("domestic_only") else NO
        bundle.add("attribute", vocabulary.attribute("phone", phone_key, "fact", "domestic_only", domestic))
    schedule = row.get("schedule")
    if schedule:
        weekly = _ALWAYS if schedule.get("always") else schedule
        bundle.add(
            "schedule",
            {
                "id": made_id(DATASET, row["id"], "schedule"),
                "service_id": key,
                "freq": "WEEKLY",
                "byday": ",".join(weekly["days"]),
                "opens_at": weekly["opens"],
                "closes_at": weekly["closes"],
            },
        )
    for code in row.get("languages") or ():
        bundle.add("language", {"id": made_id(DATASET, row["id"], "language", code), "service_id": key, "code": code})
    area = row.get("area") or "national"
    country = data["country"]
    bundle.add(
        "service_area",
        {
            "id": made_id(DATASET, row["id"], "area"),
            "service_id": key,
            "name": None if area in ("national", "international") else area,
            "extent": country,
            "extent_type": COUNTRY if country else EVERYWHERE,
        },
    )
