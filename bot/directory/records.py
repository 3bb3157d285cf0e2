"""A bundle of rows: the one form in which the directory comes in from files and goes out to them, and is read in.

A row is a dict without empty values, so that two rows are the same exactly when they are equal.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from bot.directory.hsds import ENTITIES, ORDER, Entity, Row, link_field
from bot.directory.models import Translation

PUBLIC = "public"
CHUNK = 500
"""Values of one IN (…): SQLite takes 32,766 parameters, older ones 999."""

INSIDE = ("contact", "metadata", "funding", "organization_identifier", "program")
"""What no person is told."""


@dataclass(frozen=True)
class Returned:
    """A service in a spreadsheet. `fields`: the columns that the sheet has; `version`: what stood here (flat.py)."""

    place: str
    fields: frozenset[str]
    version: str


class Bundle:
    """Rows by entity and id, their texts in other languages, and the tiers of those that not everybody may see."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in ORDER}
        self.translations: dict[tuple[str, str, str], str] = {}
        """(id, field, language) → text."""
        self.tiers: dict[str, str] = {}
        """id → staff or confidential; who is missing here is public."""
        self.returned: dict[str, Returned] = {}
        """Services that a spreadsheet names by an id, as it does when it was exported."""
        self._children: dict[tuple[str, str], dict[str, list[Row]]] = {}

    def __getitem__(self, entity: str) -> dict[str, Row]:
        return self.rows[entity]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        for entity in ORDER:
            for row in self.rows[entity].values():
                yield entity, row

    def add(self, entity: str, row: Row) -> Row:
        """Put a row in, without what is empty in it; one of the same id is replaced."""
        kept = {name: value for name, value in row.items() if value is not None}
        self.rows[entity][kept["id"]] = kept
        if self._children:
            self._children.clear()
        return kept

    def remove(self, entity: str, key: str) -> None:
        """Take a row out, with the terms that were put on it."""
        self.rows[entity].pop(key, None)
        for row in [each for each in self.rows["attribute"].values() if each.get("link_id") == key]:
            self.rows["attribute"].pop(row["id"])
        self._children.clear()

    def update(self, other: Bundle) -> None:
        """Take over all of another bundle."""
        for entity, rows in other.rows.items():
            self.rows[entity].update(rows)
        self.translations.update(other.translations)
        self.tiers.update(other.tiers)
        self._children.clear()

    def children(self, child: str, field: str, key: str) -> list[Row]:
        """Return the rows of `child` whose `field` refers to `key`."""
        known = self._children.get((child, field))
        if known is None:
            known = defaultdict(list)
            for row in self.rows[child].values():
                if field in row:
                    known[row[field]].append(row)
            self._children[child, field] = known
        return known.get(key, [])

    def nested(self, parent: str, key: str, child: str) -> list[Row]:
        """Return the rows of `child` that hang on the row `key` of `parent`."""
        return self.children(child, link_field(parent, child), key)

    def texts(self, key: str) -> dict[tuple[str, str], str]:
        """Return the texts of a row in other languages by (field, language)."""
        if not self.translations:
            return {}
        return {(field, language): text for (row, field, language), text in self.translations.items() if row == key}

    def public(self) -> Bundle:
        """Return what everybody may see."""
        if not self.tiers:
            return self
        shown = Bundle()
        for entity, row in self:
            if self.tier(row["id"]) == PUBLIC:
                shown.add(entity, row)
        shown.translations = dict(self.translations)
        return shown

    def tier(self, key: str) -> str:
        return self.tiers.get(key, PUBLIC)


def digest(row: Row) -> str:
    """Return what tells a row from any other content of it (16 hexadecimal digits)."""
    return hashlib.blake2b(repr(sorted(row.items())).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def select_rows(connection: Connection, entity: str, field: str, values: Iterable[str]) -> Iterator[Row]:
    """Yield the rows in use whose `field` is one of `values`."""
    wanted = list(dict.fromkeys(values))
    query = _select_rows(entity, field)
    for start in range(0, len(wanted), CHUNK):
        for found in connection.execute(query, {"keys": wanted[start : start + CHUNK]}).mappings():
            yield {name: value for name, value in found.items() if value is not None}


@cache
def _select_rows(entity: str, field: str) -> Select[Any]:
    """Return the statement, made once: making it takes longer than running it."""
    table = ENTITIES[entity].table
    columns = [table.columns[name] for name in ENTITIES[entity].fields]
    keys: BindParameter[str] = bindparam("keys", expanding=True)
    return select(*columns).where(table.columns[field].in_(keys), table.c.archived_at.is_(None)).order_by(table.c.id)


def load(
    connection: Connection, services: Sequence[str] = (), organizations: Sequence[str] = (), people: bool = False
) -> Bundle:
    """Return services and organisations with all that hangs on them, as the public tables have it.

    `people`: without what no person is told (INSIDE), which is faster.
    """
    bundle = Bundle()
    known: dict[str, set[str]] = defaultdict(set)

    def take(entity: str, field: str, values: Iterable[str]) -> None:
        values = [value for value in values if value]
        if not values or (people and entity in INSIDE):
            return
        for row in select_rows(connection, entity, field, values):
            bundle.rows[entity][row["id"]] = row
            known[entity].add(row["id"])

    take("service", "id", services)
    rows = bundle.rows
    take(
        "organization",
        "id",
        [*organizations, *(row["organization_id"] for row in rows["service"].values() if "organization_id" in row)],
    )
    take("location", "organization_id", organizations)
    take("program", "organization_id", organizations)
    take("program", "id", [row.get("program_id", "") for row in rows["service"].values()])
    take("service_at_location", "service_id", known["service"])
    take("location", "id", [row.get("location_id", "") for row in rows["service_at_location"].values()])
    for entity in ("contact", "phone", "address", "schedule", "language", "service_area", "accessibility",
                   "cost_option", "required_document", "funding", "organization_identifier"):  # fmt: skip
        for field in ENTITIES[entity].parents:
            parent = field.removesuffix("_id")
            if people and (entity, parent) not in _PEOPLE:
                continue
            take(entity, field, known[parent])
    linked = [key for entity in (("service", "phone") if people else ORDER) for key in known[entity]]
    take("attribute", "link_id", linked)
    if not people:
        take("metadata", "resource_id", [key for keys in known.values() for key in keys])
        take("taxonomy_term", "id", [row["taxonomy_term_id"] for row in rows["attribute"].values()])
        take("taxonomy", "id", [row.get("taxonomy_id", "") for row in rows["taxonomy_term"].values()])
    texts = Translation.__table__
    ids = [key for entity in ("service", "organization", "location") for key in known[entity]]
    for start in range(0, len(ids), CHUNK):
        query = select(texts).where(texts.c.record_id.in_(ids[start : start + CHUNK]))
        for each in connection.execute(query):
            bundle.translations[each.record_id, each.field, each.language] = each.text
    return bundle


_PEOPLE = {
    ("phone", "service"),
    ("phone", "location"),
    ("phone", "service_at_location"),
    ("phone", "organization"),
    ("address", "location"),
    ("schedule", "service"),
    ("schedule", "service_at_location"),
    ("language", "service"),
    ("service_area", "service"),
    ("cost_option", "service"),
    ("accessibility", "location"),
    ("required_document", "service"),
}
"""(entity, parent) of what is told to people."""


def tree(bundle: Bundle, entity: str, key: str, inside: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return a row with all that is nested in it, as HSDS JSON has it ("dereferenced").

    Links to the parent it stands in are left out, as in the official examples. `inside`: ids of what it stands in.
    """
    kind: Entity = ENTITIES[entity]
    row = dict(bundle[entity][key])
    inside = inside | {key}
    for name, field in kind.one.items():
        target = row.get(field)
        other = ENTITIES[entity].fields[field].entity
        if target and other and target not in inside and target in bundle[other]:
            row[name] = tree(bundle, other, target, inside)
    for name, child in kind.many.items():
        nested = [each for each in bundle.nested(entity, key, child) if each["id"] not in inside]
        if nested:
            row[name] = [tree(bundle, child, each["id"], inside) for each in nested]
    return row
