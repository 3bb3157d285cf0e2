"""Loads the starter data set (`starter/<country>.yml`) into the directory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.orm import Session

from bot.directory.models import (
    Attribute,
    EmergencyNumber,
    Language,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    StarterLoad,
)
from bot.store.database import Base

FOLDER = Path(__file__).parent / "starter"
_ALWAYS = {"days": ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), "opens": "00:00", "closes": "24:00"}


def load_starter(engine: Engine, folder: Path = FOLDER) -> bool:
    """Load the data set once, and again when its files have changed; return whether anything was loaded.

    Rows of an earlier starter set are replaced, and gone where the new one lacks them; organisations that no starter
    set knew stay.
    """
    files = sorted(folder.glob("*.yml"))
    contents = [file.read_bytes() for file in files]
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()
    with Session(engine) as session, session.begin():
        if session.get(StarterLoad, digest) is not None:
            return False
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        rows = Rows()
        for content in contents:
            rows.add_country(yaml.load(content, Loader=loader))  # noqa: S506
        before = session.scalars(select(StarterLoad.organizations)).first() or ""
        organizations = [row["id"] for row in rows.of[Organization]]
        known = {*before.split(), *organizations}
        services = [row["id"] for row in rows.of[Service]]
        session.execute(delete(EmergencyNumber))
        session.execute(delete(StarterLoad))
        session.execute(delete(Service).where(Service.id.in_(services)))
        session.execute(delete(Organization).where(Organization.id.in_(known)))
        for table, values in rows.of.items():
            if values:
                session.execute(insert(table), values)
        session.add(StarterLoad(digest=digest, organizations="\n".join(organizations)))
    return True


class Rows:
    """The rows of each table, in the order in which they can be inserted: at once, since every start waits for it."""

    def __init__(self) -> None:
        tables = (Organization, Service, Phone, Schedule, Language, ServiceArea, Attribute, EmergencyNumber)
        self.of: dict[type[Base], list[dict[str, Any]]] = {table: [] for table in tables}

    def add_country(self, data: dict[str, Any]) -> None:
        for row in [*(data.get("emergency") or ()), *(data.get("text_emergency") or ())]:
            self.of[EmergencyNumber].append(
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
            self.of[Organization].append({"id": row["id"], "name": row["name"], "website": row.get("website")})
            for service in row.get("services") or ():
                self._add_service(service, row["id"], data)

    def _add_service(self, row: dict[str, Any], organization: str, data: dict[str, Any]) -> None:
        service = {"service_id": row["id"]}
        area = row.get("area") or "national"
        self.of[Service].append(
            {
                "id": row["id"],
                "organization_id": organization,
                "name": row["name"],
                "url": row.get("url"),
                "chat_url": row.get("chat"),
                "status": "active",
                "kind": row["kind"],
                "free": row.get("free"),
                "source": row["source"],
                "checked": row["checked"],
                "assured_date": row["checked"] if row["verified"] else None,
            }
        )
        self.of[Phone] += [
            service
            | {
                "number": str(phone["number"]),
                "type": phone["type"],
                "domestic_only": bool(phone.get("domestic_only")),
            }
            for phone in row.get("phones") or ()
        ]
        schedule = row.get("schedule")
        if schedule:
            weekly = _ALWAYS if schedule.get("always") else schedule
            self.of[Schedule].append(
                service
                | {
                    "freq": "WEEKLY",
                    "byday": ",".join(weekly["days"]),
                    "opens_at": weekly["opens"],
                    "closes_at": weekly["closes"],
                    "timezone": data.get("timezone") or "UTC",
                }
            )
        self.of[Language] += [service | {"code": code} for code in row.get("languages") or ()]
        self.of[ServiceArea].append(
            service | {"extent": data["country"], "name": None if area in ("national", "international") else area}
        )
        self.of[Attribute] += [service | {"taxonomy": "need", "term": need} for need in row.get("needs") or ()]
