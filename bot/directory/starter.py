"""Loads the starter data set (`starter/<country>.yml`) into the directory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, delete, select
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

FOLDER = Path(__file__).parent / "starter"
EVERY_DAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def load_starter(engine: Engine, folder: Path = FOLDER) -> bool:
    """Load the data set once, and again when its files have changed; return whether anything was loaded.

    Rows of an earlier starter set are replaced; organisations that it does not know stay.
    """
    files = sorted(folder.glob("*.yml"))
    contents = [file.read_bytes() for file in files]
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()
    with Session(engine) as session, session.begin():
        if session.get(StarterLoad, digest) is not None:
            return False
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        session.execute(delete(EmergencyNumber))
        session.execute(delete(StarterLoad))
        for content in contents:
            _load_country(session, yaml.load(content, Loader=loader))  # noqa: S506
        session.add(StarterLoad(digest=digest))
    return True


def _load_country(session: Session, data: dict[str, Any]) -> None:
    for row in [*(data.get("emergency") or ()), *(data.get("text_emergency") or ())]:
        session.add(
            EmergencyNumber(
                country=data["country"],
                number=str(row["number"]),
                how=row.get("how", "call"),
                reaches=",".join(row.get("for", ["any"])),
                code=row.get("code") and str(row["code"]),
                registration=bool(row.get("registration")),
                source=row["source"],
                checked=row["checked"],
            )
        )
    for row in data.get("organizations") or ():
        known = session.scalar(select(Organization).where(Organization.id == row["id"]))
        if known is not None:
            session.delete(known)
            session.flush()
        organization = Organization(id=row["id"], name=row["name"], website=row.get("website"))
        organization.services = [_service(each, data) for each in row.get("services") or ()]
        session.add(organization)


def _service(row: dict[str, Any], data: dict[str, Any]) -> Service:
    area = row.get("area") or "national"
    return Service(
        id=row["id"],
        name=row["name"],
        url=row.get("url"),
        chat_url=row.get("chat"),
        kind=row["kind"],
        free=row.get("free"),
        source=row["source"],
        checked=row["checked"],
        assured_date=row["checked"] if row["verified"] else None,
        phones=[
            Phone(number=str(phone["number"]), type=phone["type"], domestic_only=bool(phone.get("domestic_only")))
            for phone in row.get("phones") or ()
        ],
        schedules=_schedules(row.get("schedule"), data.get("timezone") or "UTC"),
        languages=[Language(code=code) for code in row.get("languages") or ()],
        service_areas=[
            ServiceArea(extent=data["country"], name=None if area in ("national", "international") else area)
        ],
        attributes=[Attribute(taxonomy="need", term=need) for need in row.get("needs") or ()],
    )


def _schedules(schedule: dict[str, Any] | None, timezone: str) -> list[Schedule]:
    if not schedule:
        return []
    if schedule.get("always"):
        return [Schedule(byday=",".join(EVERY_DAY), opens_at="00:00", closes_at="24:00", timezone=timezone)]
    return [
        Schedule(
            byday=",".join(schedule["days"]),
            opens_at=schedule["opens"],
            closes_at=schedule["closes"],
            timezone=timezone,
        )
    ]
