"""The standard as data: which entities there are, how they nest, which fields they have, and what a field may hold.

Read off the tables in models.py, so that there is one place to change.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha1
from typing import Any

from sqlalchemy import Table

from bot.directory import models as models  # the tables must be known
from bot.store.database import Base

Row = dict[str, Any]
"""A row of one table: HSDS field names; values are str, int, float or None."""

NAMESPACE = uuid.UUID("5d1f5c1e-6f43-4c1d-9b0a-1f1c3c0e7a55")
"""Of the ids that are made from names (UUID version 5)."""


@dataclass(frozen=True)
class Field:
    """A field of an entity. `format`: text, number, uuid, uri, email, date or datetime."""

    name: str
    format: str
    required: bool
    enum: tuple[str, ...]
    entity: str | None
    """What it refers to."""


@dataclass(frozen=True)
class Entity:
    """A table of the standard. `many` and `one`: what is nested in it in JSON, by the name it has there."""

    name: str
    file: str
    fields: dict[str, Field]
    many: dict[str, str]
    one: dict[str, str]

    @property
    def table(self) -> Table:
        return Base.metadata.tables[self.name]

    @property
    def parents(self) -> list[str]:
        """The fields by which a row hangs on another one."""
        return [field.name for field in self.fields.values() if field.entity]


_FILES = {
    "taxonomy": "taxonomies",
    "accessibility": "accessibility",
    "address": "addresses",
    "funding": "funding",
    "metadata": "metadata",
    "service_at_location": "service_at_location",
}
"""The tabular files whose name is not the entity's with an s."""

_ATTRIBUTED = {"attributes": "attribute", "metadata": "metadata"}
_MANY: dict[str, dict[str, str]] = {
    "service": {
        "phones": "phone",
        "schedules": "schedule",
        "service_areas": "service_area",
        "service_at_locations": "service_at_location",
        "languages": "language",
        "funding": "funding",
        "cost_options": "cost_option",
        "required_documents": "required_document",
        "contacts": "contact",
    },
    "organization": {
        "funding": "funding",
        "contacts": "contact",
        "phones": "phone",
        "locations": "location",
        "programs": "program",
        "organization_identifiers": "organization_identifier",
    },
    "service_at_location": {"contacts": "contact", "phones": "phone", "schedules": "schedule"},
    "location": {
        "languages": "language",
        "addresses": "address",
        "contacts": "contact",
        "accessibility": "accessibility",
        "phones": "phone",
        "schedules": "schedule",
    },
    "phone": {"languages": "language"},
    "contact": {"phones": "phone"},
}
_ONE = {
    "service": {"organization": "organization_id", "program": "program_id"},
    "service_at_location": {"location": "location_id", "service": "service_id"},
    "attribute": {"taxonomy_term": "taxonomy_term_id"},
    "taxonomy_term": {"taxonomy_detail": "taxonomy_id"},
}
"""Single nested objects: the name in JSON, and the field that refers to them."""

_NOT_ATTRIBUTED = ("taxonomy", "taxonomy_term", "attribute", "metadata")

ORDER = (
    "taxonomy",
    "taxonomy_term",
    "organization",
    "program",
    "service",
    "location",
    "service_at_location",
    "contact",
    "phone",
    "address",
    "schedule",
    "language",
    "service_area",
    "accessibility",
    "cost_option",
    "required_document",
    "funding",
    "organization_identifier",
    "attribute",
    "metadata",
    "meta_table_description",
)
"""All entities, what is referred to first: the order in which rows can be inserted."""


def _entity(name: str) -> Entity:
    columns = Base.metadata.tables[name].columns
    fields = {
        column.name: Field(
            column.name,
            column.info.get("format") or "text",
            bool(column.info.get("required")),
            column.info.get("enum") or (),
            column.info.get("entity"),
        )
        for column in columns
        if not column.info.get("own")
    }
    many = dict(_MANY.get(name, {}))
    if name not in _NOT_ATTRIBUTED:
        many |= _ATTRIBUTED
    elif name != "metadata":
        many |= {"metadata": "metadata"}
    return Entity(name, f"{_FILES.get(name, name + 's')}.csv", fields, many, _ONE.get(name, {}))


ENTITIES = {name: _entity(name) for name in ORDER}


def link_field(parent: str, child: str) -> str:
    """Return the field of `child` that refers to the row of `parent` it is nested in."""
    return {"attribute": "link_id", "metadata": "resource_id"}.get(child, f"{parent}_id")


def made_id(*names: str | None) -> str:
    """Return the id of what has these names, a UUID of version 5: the same at every import.

    Written out, because a large file needs a million of them, and the `uuid` module takes ten times as long.
    """
    named = "\x1f".join([name or "" for name in names]).encode("utf-8", "surrogatepass")
    digits = sha1(NAMESPACE.bytes + named, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What no database keeps: the character 0, and halves of characters."""
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def problems(entity: Entity, row: Row) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong) of a row: required, not_uuid, not_uri, not_email, not_date, not_number, not_listed.

    A field that the standard requires may be an empty string there, but not missing.
    """
    for name, field in entity.fields.items():
        value = row.get(name)
        if value is None:
            if field.required and name != "organization_id":
                yield name, "required"
        elif field.format == "number":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                yield name, "not_number"
        elif not isinstance(value, str) or _UNSTORABLE.search(value):
            yield name, "not_text"
        elif field.enum and value not in field.enum:
            yield name, "not_listed"
        elif not _fits(field.format, value):
            yield name, f"not_{field.format}"


def _fits(kind: str, value: str) -> bool:
    if kind == "uuid":
        try:
            return str(uuid.UUID(value)) == value.lower()
        except ValueError:
            return False
    if kind == "uri":
        return bool(_URI.fullmatch(value))
    if kind == "email":
        return bool(_EMAIL.fullmatch(value))
    try:
        if kind == "date":
            date.fromisoformat(value[:10])
        elif kind == "datetime":
            datetime.fromisoformat(value.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return False
    return True
