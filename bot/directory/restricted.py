"""Rows that not everybody may see: staff only (a desk's direct line) and confidential (a shelter's address).

They are in none of the tables that search, exports, the API and people's answers read: only here, sealed with the
master key. So nothing can show them by forgetting to leave them out. Whatever hangs on such a row is as closed as it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select

from bot.directory.hsds import ENTITIES, Row
from bot.directory.models import RestrictedRecord
from bot.directory.records import CHUNK, PUBLIC, Bundle
from bot.vault.vault import Vault

STAFF, CONFIDENTIAL = "staff", "confidential"
TIERS = (PUBLIC, STAFF, CONFIDENTIAL)
"""From what everybody may see to what only the organisation's own people and supervisors may."""

_PURPOSE = "directory"


@dataclass(frozen=True)
class Restricted:
    """One sealed row, opened."""

    entity: str
    tier: str
    row: Row


def strictest(*tiers: str) -> str:
    return max(tiers, key=TIERS.index, default=PUBLIC)


def put(
    connection: Connection, vault: Vault, record: Restricted, organization: str | None, service: str | None
) -> None:
    """Seal a row; one of the same id is replaced."""
    key = record.row["id"]
    plain = json.dumps([record.entity, record.tier, record.row], ensure_ascii=False).encode("utf-8", "surrogatepass")
    remove(connection, key)
    connection.execute(
        insert(RestrictedRecord).values(
            id=key,
            organization_id=organization,
            service_id=service,
            sealed=vault.protect(_PURPOSE, key, plain),
        )
    )


def remove(connection: Connection, key: str) -> None:
    connection.execute(delete(RestrictedRecord).where(RestrictedRecord.id == key))


def get(connection: Connection, vault: Vault, key: str) -> Restricted | None:
    """Open one row. Raises Unreadable with another master key."""
    found = connection.execute(select(RestrictedRecord).where(RestrictedRecord.id == key)).first()
    return _open(vault, found.id, found.sealed) if found else None


def known(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Return which of these ids are restricted rows."""
    column, found, wanted = RestrictedRecord.id, set(), list(keys)
    for start in range(0, len(wanted), CHUNK):
        found |= set(connection.scalars(select(column).where(column.in_(wanted[start : start + CHUNK]))))
    return found


def _open(vault: Vault, key: str, sealed: bytes) -> Restricted:
    entity, tier, row = json.loads(vault.reveal(_PURPOSE, key, sealed))
    return Restricted(entity, tier, row)


def of(
    connection: Connection,
    vault: Vault,
    organizations: Iterable[str] = (),
    services: Iterable[str] = (),
    only: str | None = None,
) -> Iterator[Restricted]:
    """Yield the restricted rows of organisations or of services. `only`: not those of another organisation."""
    query = select(RestrictedRecord).where(
        or_(
            RestrictedRecord.organization_id.in_(list(organizations)),
            RestrictedRecord.service_id.in_(list(services)),
        )
    )
    if only is not None:
        query = query.where(or_(RestrictedRecord.organization_id.is_(None), RestrictedRecord.organization_id == only))
    for found in connection.execute(query.order_by(RestrictedRecord.id)):
        yield _open(vault, found.id, found.sealed)


def add_to(bundle: Bundle, records: Iterable[Restricted], highest: str) -> Bundle:
    """Put the rows of tiers up to `highest` into a bundle, each marked with its tier."""
    allowed = TIERS[: TIERS.index(highest) + 1]
    for record in records:
        if record.tier in allowed:
            bundle.add(record.entity, record.row)
            bundle.tiers[record.row["id"]] = record.tier
    return bundle


def close(bundle: Bundle) -> None:
    """Make whatever hangs on a restricted row as restricted as it."""
    changed = True
    while changed:
        changed = False
        for entity, row in bundle:
            links = [row.get(field) for field in ENTITIES[entity].parents if field != "taxonomy_term_id"]
            links += [row.get("link_id"), row.get("resource_id")]
            tier = strictest(bundle.tier(row["id"]), *(bundle.tier(link) for link in links if link))
            if tier != bundle.tier(row["id"]):
                bundle.tiers[row["id"]] = tier
                changed = True
