"""Changes of the directory: applied whole or not at all, kept with what was there before, and undone from that.

An edit says what it saw and what it wants. Where a field has changed since it was seen, the edit is refused for that
field; edits of different fields of a row all count. So nobody's change is lost without anybody's notice.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, null, select, update

from bot.directory import restricted
from bot.directory.entries import changed, reindex
from bot.directory.hsds import ENTITIES, ORDER, Row
from bot.directory.models import Change, Location, Phone, RestrictedRecord, Service, ServiceAtLocation, Translation
from bot.directory.records import CHUNK, PUBLIC, Bundle, select_rows
from bot.directory.restricted import Restricted, strictest
from bot.vault.vault import Vault

TRANSLATION = "translation"
"""An edit of a text in another language; its row is {record_id, field, language, text}."""

_PURPOSE = "directory change"
_LINKS = ("link_id", "resource_id")
"""By which attributes and metadata stand on rows of any table."""


@dataclass(frozen=True)
class Edit:
    """One row before and after. No `before`: it is new. No `after`: it is archived."""

    entity: str
    id: str
    before: Row | None
    after: Row | None
    tier_before: str = PUBLIC
    tier: str = PUBLIC

    @property
    def fields(self) -> list[str]:
        """The fields that differ."""
        before, after = self.before or {}, self.after or {}
        return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))

    @property
    def inverse(self) -> Edit:
        return Edit(self.entity, self.id, self.after, self.before, self.tier, self.tier_before)

    def as_json(self) -> list[Any]:
        return [self.entity, self.id, self.before, self.after, self.tier_before, self.tier]


@dataclass(frozen=True)
class Conflict:
    """A field that is no longer as the edit saw it."""

    edit: Edit
    field: str
    current: Any


class Conflicts(Exception):
    """What was edited has been changed meanwhile by somebody else. Nothing was applied."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} fields were changed meanwhile")
        self.conflicts = conflicts


@dataclass(frozen=True)
class Author:
    """Who changes: an operator's id, or a file; and who agreed."""

    by: str
    approved_by: str | None = None


def edits_between(before: Bundle, after: Bundle) -> list[Edit]:
    """Return the edits that lead from one bundle to another. What is missing in `after` is archived."""
    edits = []
    for entity in ORDER:
        for key in dict.fromkeys([*before[entity], *after[entity]]):
            old, new = before[entity].get(key), after[entity].get(key)
            if old != new or (old and before.tier(key) != after.tier(key)):
                edits.append(Edit(entity, key, old, new, before.tier(key), after.tier(key)))
    for text in dict.fromkeys([*before.translations, *after.translations]):
        was, will = before.translations.get(text), after.translations.get(text)
        if was != will:
            edits.append(Edit(TRANSLATION, "|".join(text), translated(text, was), translated(text, will)))
    return edits


def translated(key: tuple[str, str, str], text: str | None) -> Row | None:
    """Return the row of a text (id, field, language) of an edit; None: there is none."""
    record, name, language = key
    return None if text is None else {"record_id": record, "field": name, "language": language, "text": text}


def apply(
    connection: Connection, vault: Vault, edits: Sequence[Edit], author: Author, undoes: int | None = None
) -> int:
    """Apply edits in this transaction and keep them in the history; return the number of the change.

    Raises Conflicts, and then has written nothing.
    """
    changed(connection)  # first of all: whoever else is writing is waited for, and what is read below is what counts
    edits = _in_order(_with_what_hangs_on_it(connection, edits))
    current = {(edit.entity, edit.id): _current(connection, vault, edit) for edit in edits}
    conflicts = [conflict for edit in edits for conflict in _conflicts(edit, current[edit.entity, edit.id])]
    if conflicts:
        raise Conflicts(conflicts)
    owner = _owner(connection, edits)
    done: list[Edit] = []
    tiers: dict[str, str] = {}
    for edit in edits:
        known = current[edit.entity, edit.id]
        row = None if edit.after is None else _merged(edit, known.row if known else None)
        tier = edit.tier
        if row is not None and edit.entity != TRANSLATION:
            links = [row.get(name) for name in (*ENTITIES[edit.entity].parents, *_LINKS)]
            tier = strictest(tier, *(tiers.get(link) or _tier(connection, vault, link) for link in links if link))
            tiers[edit.id] = tier
        before, tier_before = (known.row, known.tier) if known else (None, PUBLIC)
        done.append(Edit(edit.entity, edit.id, before, row, tier_before, tier))
    # What leaves the public tables goes first, from the leaves to the root: nothing may refer to a row that is gone.
    for edit in [*(each for each in reversed(done) if each.tier != PUBLIC), *(e for e in done if e.tier == PUBLIC)]:
        _write(connection, vault, edit, owner)
    number = record(connection, vault, done, author, owner, undoes)
    reindex(connection, touched(connection, done))
    return number


def conflicts_of(connection: Connection, vault: Vault, edits: Sequence[Edit]) -> list[Conflict]:
    """Return what would keep these edits from being applied now. Writes nothing."""
    return [each for edit in edits for each in _conflicts(edit, _current(connection, vault, edit))]


def _in_order(edits: Sequence[Edit]) -> list[Edit]:
    order = {name: place for place, name in enumerate(ORDER)}
    return sorted(edits, key=lambda edit: order.get(edit.entity, len(order)))


def _with_what_hangs_on_it(connection: Connection, edits: Sequence[Edit]) -> list[Edit]:
    """Add the public rows that hang on rows which are not to be public any more."""
    found = {(edit.entity, edit.id): edit for edit in edits}
    waiting = [edit for edit in edits if edit.tier != PUBLIC and edit.before is not None and edit.after is not None]
    while waiting:
        parent = waiting.pop()
        for entity, kind in ENTITIES.items():
            fields = [name for name, field in kind.fields.items() if field.entity == parent.entity]
            fields += [name for name in _LINKS if name in kind.fields]
            for name in fields if parent.entity not in ("taxonomy", "taxonomy_term") else ():
                for row in select_rows(connection, entity, name, [parent.id]):
                    if (entity, row["id"]) not in found:
                        edit = Edit(entity, row["id"], row, row, PUBLIC, parent.tier)
                        found[entity, row["id"]] = edit
                        waiting.append(edit)
    return list(found.values())


def _current(connection: Connection, vault: Vault, edit: Edit) -> Restricted | None:
    if edit.entity == TRANSLATION:
        key = edit.id.split("|")
        texts = Translation.__table__.c
        found = connection.execute(
            select(Translation.text).where(texts.record_id == key[0], texts.field == key[1], texts.language == key[2])
        ).scalar()
        row = translated((key[0], key[1], key[2]), found)
        return Restricted(TRANSLATION, PUBLIC, row) if row else None
    entity = ENTITIES[edit.entity]
    columns = [entity.table.columns[name] for name in entity.fields]
    query = select(*columns).where(entity.table.c.id == edit.id, entity.table.c.archived_at.is_(None))
    found_row = connection.execute(query).mappings().first()
    if found_row:
        return Restricted(edit.entity, PUBLIC, {name: value for name, value in found_row.items() if value is not None})
    return restricted.get(connection, vault, edit.id)


def _conflicts(edit: Edit, current: Restricted | None) -> list[Conflict]:
    if edit.before is None:
        same = current is None or current.row == edit.after
        return [] if same else [Conflict(edit, "id", edit.id)]
    if current is None:
        return [] if edit.after is None else [Conflict(edit, "id", None)]
    now = current.row
    if edit.after is None:
        return [Conflict(edit, name, now.get(name)) for name in sorted({*now, *edit.before})
                if now.get(name) != edit.before.get(name)]  # fmt: skip
    return [
        Conflict(edit, name, now.get(name))
        for name in edit.fields
        if now.get(name) not in (edit.before.get(name), edit.after.get(name))
    ]


def _merged(edit: Edit, current: Row | None) -> Row:
    row = dict(current or edit.before or {})
    after = edit.after or {}
    for name in edit.fields:
        row[name] = after.get(name)
    return {name: value for name, value in row.items() if value is not None}


def _tier(connection: Connection, vault: Vault, key: str) -> str:
    found = restricted.get(connection, vault, key)
    return found.tier if found else PUBLIC


def _write(connection: Connection, vault: Vault, edit: Edit, owner: tuple[str | None, str | None]) -> None:
    row = edit.after
    if edit.entity == TRANSLATION:
        record_id, name, language = edit.id.split("|")
        texts = Translation.__table__
        here = (texts.c.record_id == record_id, texts.c.field == name, texts.c.language == language)
        connection.execute(delete(Translation).where(*here))
        if row:
            connection.execute(insert(Translation).values(**row))
        return
    table = ENTITIES[edit.entity].table
    if row is None:
        if edit.tier_before != PUBLIC:
            restricted.remove(connection, edit.id)
        else:
            connection.execute(update(table).where(table.c.id == edit.id).values(archived_at=int(time.time())))
    elif edit.tier != PUBLIC:
        # It must be gone from the public table, not only archived there.
        _forget_archived(connection, edit.entity, edit.id)
        connection.execute(delete(table).where(table.c.id == edit.id))
        restricted.put(connection, vault, Restricted(edit.entity, edit.tier, row), *owner)
    else:
        restricted.remove(connection, edit.id)
        values = {name: row.get(name) for name in ENTITIES[edit.entity].fields} | {"archived_at": None}
        if not connection.execute(update(table).where(table.c.id == edit.id).values(**values)).rowcount:
            connection.execute(insert(table).values(**values))


def _forget_archived(connection: Connection, entity: str, key: str) -> None:
    """Take what was archived of a row that is closed now out of the public tables; the sealed history has it."""
    for child, kind in ENTITIES.items():
        for name in [name for name, field in kind.fields.items() if field.entity == entity or name in _LINKS]:
            archived = (kind.table.c[name] == key, kind.table.c.archived_at.is_not(None))
            for found in connection.scalars(select(kind.table.c.id).where(*archived)).all():
                _forget_archived(connection, child, found)
                connection.execute(delete(kind.table).where(kind.table.c.id == found))


def close(
    connection: Connection, vault: Vault, edits: Sequence[Edit], owners: Callable[[Edit], tuple[str | None, str | None]]
) -> list[Edit]:
    """Seal public rows (edits whose tier is not public), with all that hangs on them; return what was done."""
    done = _in_order(_with_what_hangs_on_it(connection, edits))
    for edit in reversed(done):
        _write(connection, vault, edit, owners(edit))
    return done


def _owner(connection: Connection, edits: Sequence[Edit]) -> tuple[str | None, str | None]:
    """Return the organisation and the service that edits belong to: the first that is found."""
    organization = service = None
    links: list[str] = []
    for edit in edits:
        row = edit.after or edit.before or {}
        organization = organization or (edit.id if edit.entity == "organization" else row.get("organization_id"))
        service = service or (edit.id if edit.entity == "service" else row.get("service_id"))
        links += [edit.id, *(row[name] for name in row if name.endswith("_id") and name != "taxonomy_term_id")]
    for link in dict.fromkeys([*([service] if service else []), *links]):
        if organization and service:
            break
        for query in (
            select(Service.organization_id, Service.id).where(Service.id == link),
            select(Location.organization_id, null()).where(Location.id == link),
            select(null(), ServiceAtLocation.service_id).where(ServiceAtLocation.id == link),
            select(Phone.organization_id, Phone.service_id).where(Phone.id == link),
            select(RestrictedRecord.organization_id, RestrictedRecord.service_id).where(RestrictedRecord.id == link),
        ):
            found = connection.execute(query).first()
            if found:
                organization, service = organization or found[0], service or found[1]
    if service and organization is None:
        organization = connection.scalar(select(Service.organization_id).where(Service.id == service))
    return organization, service


def touched(connection: Connection, edits: Sequence[Edit]) -> list[str]:
    """Return the services whose search rows the edits change."""
    services: dict[str, None] = {}
    locations: list[str] = []
    organizations: list[str] = []
    links: list[str] = []
    for edit in edits:
        row = (edit.before or {}) | (edit.after or {})
        if edit.entity == "service":
            services[edit.id] = None
        elif edit.entity == "location":
            locations.append(edit.id)
        elif edit.entity == "organization":
            organizations.append(edit.id)
        for name, found in (("service_id", None), ("location_id", locations), ("organization_id", organizations)):
            if row.get(name) and found is None:
                services[row[name]] = None
            elif row.get(name) and found is not None and edit.entity != "service":
                found.append(row[name])
        links += [row[name] for name in ("link_id", "record_id", "service_at_location_id", "phone_id") if row.get(name)]
    return [*services, *_services_of(connection, locations, organizations, links, services)]


def _services_of(
    connection: Connection, locations: list[str], organizations: list[str], links: list[str], known: Iterable[str]
) -> list[str]:
    found: dict[str, None] = {}
    for column, source, keys in (
        (ServiceAtLocation.service_id, ServiceAtLocation.location_id, locations),
        (ServiceAtLocation.service_id, ServiceAtLocation.id, links),
        (Service.id, Service.organization_id, organizations),
        (Service.id, Service.id, links),
        (Phone.service_id, Phone.id, links),
    ):
        for start in range(0, len(keys), CHUNK):
            query = select(column).where(source.in_(keys[start : start + CHUNK]))
            found.update(dict.fromkeys(key for key in connection.scalars(query) if key))
    there = set(known)
    return [key for key in found if key not in there]


def record(
    connection: Connection,
    vault: Vault,
    edits: Sequence[Edit],
    author: Author,
    owner: tuple[str | None, str | None],
    undoes: int | None = None,
) -> int:
    """Write edits into the history; return the change's number."""
    done = connection.execute(insert(Change).values(_row(vault, edits, author, owner) | {"undoes": undoes}))
    key = done.inserted_primary_key
    return int(key[0]) if key else 0


def record_many(
    connection: Connection,
    vault: Vault,
    changes: Iterable[tuple[tuple[str | None, str | None], Sequence[Edit]]],
    author: Author,
) -> None:
    """Write many changes, (owner, edits) each, into the history."""
    rows = [_row(vault, edits, author, owner) for owner, edits in changes]
    if rows:
        connection.execute(insert(Change), rows)


def _row(vault: Vault, edits: Sequence[Edit], author: Author, owner: tuple[str | None, str | None]) -> dict[str, Any]:
    plain = zlib.compress(json.dumps([edit.as_json() for edit in edits]).encode())
    return {
        "at": int(time.time()),
        "by": author.by,
        "approved_by": author.approved_by,
        "organization_id": owner[0],
        "service_id": owner[1],
        "sealed": vault.protect(_PURPOSE, author.by, plain),
    }


def edits_of(vault: Vault, by: str, sealed: bytes) -> list[Edit]:
    """Return the edits of a change. Raises Unreadable with another master key."""
    return [Edit(*each) for each in json.loads(zlib.decompress(vault.reveal(_PURPOSE, by, sealed)))]


def undo(connection: Connection, vault: Vault, number: int, author: Author) -> int:
    """Take a change back, as a change of its own. Raises Conflicts, LookupError."""
    found = connection.execute(select(Change.by, Change.sealed).where(Change.n == number)).first()
    if found is None:
        raise LookupError(number)
    edits = [edit.inverse for edit in reversed(edits_of(vault, found.by, found.sealed))]
    return apply(connection, vault, edits, author, undoes=number)
