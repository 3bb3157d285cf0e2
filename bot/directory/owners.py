"""Whose a row is: the organisations that must agree before it is changed. A place that two of them use is both's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from bot.directory.hsds import ENTITIES, Row
from bot.directory.models import EditorOrganization, Location, RestrictedRecord, Service, ServiceAtLocation

_LINKED = ("service", "location", "organization", "phone", "contact", "service_at_location", "program")
"""What an attribute, a translation or a row below it can stand on."""


def kept_by(connection: Connection, operator_id: str) -> set[str]:
    """Return the ids of the organisations that were given to an editor."""
    query = select(EditorOrganization.organization_id).where(EditorOrganization.operator_id == operator_id)
    return set(connection.scalars(query))


def owners(connection: Connection, rows: Iterable[tuple[str, Row]]) -> set[str]:
    """Return the organisations that rows (entity, row) belong to, as the directory stands now."""
    found: set[str] = set()
    for entity, row in rows:
        found |= _of(connection, entity, row)
    return found


def places_of_others(connection: Connection, locations: Iterable[str], own: set[str]) -> frozenset[str]:
    """Return which locations belong to, or are used by, organisations that are not in `own`."""
    return frozenset(key for key in locations if _of_location(connection, key) - own)


def _of(connection: Connection, entity: str, row: Row) -> set[str]:
    if entity == "organization":
        return {str(row["id"])}
    found = {str(row["organization_id"])} if row.get("organization_id") else set()
    if entity == "location":
        return found | _of_location(connection, str(row["id"]))
    if row.get("location_id") and entity != "service_at_location":  # a link to a place changes nothing of the place
        found |= _of_location(connection, str(row["location_id"]))
    for field in ("service_id", "service_at_location_id", "contact_id", "phone_id"):
        if row.get(field):
            found |= _of_key(connection, field.removesuffix("_id"), str(row[field]))
    for field in ("link_id", "resource_id", "record_id"):
        for linked in _LINKED if row.get(field) else ():
            found |= _of_key(connection, linked, str(row[field]))
    return found


def _of_key(connection: Connection, entity: str, key: str) -> set[str]:
    """Return the owners of the row `key`; none where it is not there."""
    if entity == "location":
        return _of_location(connection, key)
    table = ENTITIES[entity].table
    row: Any = connection.execute(select(table).where(table.c.id == key)).mappings().first()
    if row is not None:
        return _of(connection, entity, {name: value for name, value in row.items() if value is not None})
    return _closed(connection, key)


def _of_location(connection: Connection, key: str) -> set[str]:
    at, found = ServiceAtLocation, _closed(connection, key)
    own = select(Location.organization_id).where(Location.id == key)
    used = select(Service.organization_id).join(at, at.service_id == Service.id).where(at.location_id == key)
    used = used.where(at.archived_at.is_(None), Service.archived_at.is_(None))
    for query in (own, used):
        found |= {each for each in connection.scalars(query) if each}
    return found


def _closed(connection: Connection, key: str) -> set[str]:
    query = select(RestrictedRecord.organization_id).where(RestrictedRecord.id == key)
    return {each for each in connection.scalars(query) if each}
