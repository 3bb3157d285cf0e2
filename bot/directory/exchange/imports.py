"""Importing a file that was read into a bundle: what it would change, and changing it, all or nothing.

A dataset is a file that comes again and again. Its rows remember what the file last said of them: the same file
changes nothing, a changed file changes what changed in it, and an edit made here stays until the file itself says
something new about that row.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, text, update

from bot.directory import restricted
from bot.directory.bulk import bulk_insert
from bot.directory.changes import Author, Edit, record
from bot.directory.entries import changed, in_bundle, index, reindex
from bot.directory.exchange.problems import ERROR, WARNING, Problem
from bot.directory.hsds import ENTITIES, ORDER, Row
from bot.directory.models import Dataset, Service, Translation
from bot.directory.records import CHUNK, Bundle, digest
from bot.directory.restricted import Restricted
from bot.vault.vault import Vault

Progress = Callable[[str, int, int], None]
"""Told (what, done, of how many)."""

HISTORY_ROWS = 2000
"""Rows of one entry of the history: what is sealed is opened as a whole."""
MOST_NEW = 20_000
"""New rows that the history lists one by one; of more it keeps only what was changed and archived."""


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass
class Plan:
    """What a file would change. `kept`: rows edited here and changed in the file too; the edit made here stays."""

    dataset: str
    added: list[tuple[str, Row]] = field(default_factory=list)
    changed: list[tuple[str, Row, Row]] = field(default_factory=list)
    """(entity, before, after)."""
    archived: list[tuple[str, Row]] = field(default_factory=list)
    kept: list[tuple[str, Row, Row]] = field(default_factory=list)
    unchanged: int = 0
    closed: list[Restricted] = field(default_factory=list)
    """Rows that are not to be public: new ones, and those that differ."""
    translations: list[tuple[tuple[str, str, str], str | None, str]] = field(default_factory=list)
    """(key, before, after)."""

    @property
    def empty(self) -> bool:
        return not (self.added or self.changed or self.archived or self.translations or self.closed)

    def counts(self) -> dict[str, Counter[str]]:
        """Return how many rows of each entity are added, changed, archived, kept, and not to be public."""
        return {
            "added": Counter(entity for entity, _ in self.added),
            "changed": Counter(entity for entity, *_ in self.changed),
            "archived": Counter(entity for entity, _ in self.archived),
            "kept": Counter(entity for entity, *_ in self.kept),
            "closed": Counter(record.entity for record in self.closed),
        }


def plan(
    connection: Connection,
    dataset: str,
    bundle: Bundle,
    theirs: bool = False,
    progress: Progress = _silent,
    vault: Vault | None = None,
) -> Plan:
    """Compare a bundle with the directory. `theirs`: where both were changed, the file wins. Writes nothing.

    The vault is needed where the bundle has rows that are not to be public.
    """
    made = Plan(dataset)
    done = 0
    restricted.close(bundle)
    for entity, row in bundle:
        if row["id"] in bundle.tiers and vault is not None:
            record_ = Restricted(entity, bundle.tier(row["id"]), row)
            there = restricted.get(connection, vault, row["id"])
            if there is None or (theirs and there != record_):
                tier = restricted.strictest(record_.tier, there.tier) if there else record_.tier
                made.closed.append(Restricted(entity, tier, row))
            elif there != record_:
                made.kept.append((entity, there.row, row))  # an edit made here stays, and is never opened wider
    for entity in ORDER:
        rows = bundle[entity]
        closed = restricted.known(connection, rows) if rows else set()
        existing = {row["id"]: (row, has) for row, has in _existing(connection, entity, dataset, rows)}
        for key, row in rows.items():
            found = existing.pop(key, None)
            if key in bundle.tiers:
                if found is not None and not found[1].archived:
                    made.archived.append((entity, found[0]))  # it was public until now
            elif key in closed:
                made.unchanged += 1
            elif found is None or found[1].archived:
                if found is not None and found[1].imported == digest(row):
                    made.unchanged += (
                        1  # taken out here, or by another file: it stays out until this one says something new
                    )
                else:
                    made.added.append((entity, row))
            elif found[0] == row:
                made.unchanged += 1
            elif found[1].imported == digest(row):
                made.unchanged += 1  # the file says what it said before: an edit made here stays
            elif found[1].imported is not None and found[1].imported != digest(found[0]) and not theirs:
                made.kept.append((entity, found[0], row))
            else:
                made.changed.append((entity, found[0], row))
        done += len(rows)
        progress("compare", done, len(bundle))
        made.archived += [
            (entity, row) for row, has in existing.values() if has.dataset == dataset and not has.archived
        ]
    known = _translations(connection, bundle)
    for key_, words in bundle.translations.items():
        if known.get(key_) != words:
            made.translations.append((key_, known.get(key_), words))
    return made


def hold(connection: Connection) -> None:
    """Keep everybody else from changing the directory until this transaction ends: call it before `plan`."""
    changed(connection)


def check_links(connection: Connection, bundle: Bundle) -> list[Problem]:
    """Return the references to what is in neither the bundle nor the directory.

    A row that is nothing without the other is an error; elsewhere the reference is left out, with a warning.
    """
    found: list[Problem] = []
    for name, entity in ENTITIES.items():
        for link in entity.fields.values():
            if link.entity is None:
                continue
            there = bundle[link.entity]
            missing = {
                row[link.name] for row in bundle[name].values() if row.get(link.name) and row[link.name] not in there
            }
            missing -= known_ids(connection, link.entity, sorted(missing))
            if not missing:
                continue
            for row in list(bundle[name].values()):
                if row.get(link.name) in missing:
                    values = {"field": link.name, "value": row[link.name]}
                    level = ERROR if name in _NOTHING_ALONE else WARNING
                    found.append(Problem(f"{name} {row['id']}", "refers_to_nothing", values, level))
                    bundle.add(name, row | {link.name: None})
    return found


_NOTHING_ALONE = ("service_at_location", "attribute", "cost_option", "organization_identifier", "program")


@dataclass(frozen=True)
class _Has:
    dataset: str | None
    imported: str | None
    archived: bool


def _existing(connection: Connection, entity: str, dataset: str, rows: dict[str, Row]) -> Iterator[tuple[Row, _Has]]:
    kind = ENTITIES[entity]
    table = kind.table
    columns = [*(table.c[name] for name in kind.fields), table.c.archived_at, table.c.dataset, table.c.imported]
    missing = dict.fromkeys(rows)

    def each(query: object) -> Iterator[tuple[Row, _Has]]:
        for found in connection.execute(query).mappings():  # type: ignore[call-overload]
            row = {name: found[name] for name in kind.fields if found[name] is not None}
            missing.pop(row["id"], None)
            yield row, _Has(found["dataset"], found["imported"], found["archived_at"] is not None)

    yield from each(select(*columns).where(table.c.dataset == dataset))
    rest = list(missing)
    if not rest or connection.execute(select(table.c.id).limit(1)).first() is None:
        return
    for start in range(0, len(rest), CHUNK):
        yield from each(select(*columns).where(table.c.id.in_(rest[start : start + CHUNK])))


def _translations(connection: Connection, bundle: Bundle) -> dict[tuple[str, str, str], str]:
    found = {}
    ids = list({key for key, _, _ in bundle.translations})
    for start in range(0, len(ids), CHUNK):
        for each in connection.execute(
            select(Translation.__table__).where(Translation.record_id.in_(ids[start : start + CHUNK]))
        ):
            found[each.record_id, each.field, each.language] = each.text
    return found


def apply(
    connection: Connection,
    vault: Vault | None,
    made: Plan,
    bundle: Bundle,
    author: Author,
    organization: str | None = None,
    progress: Progress = _silent,
) -> None:
    """Carry out a plan in this transaction. Without a vault (the starter set) no history is kept."""
    total = len(made.added) + len(made.changed) + len(made.archived)
    done = 0
    if connection.dialect.name == "sqlite":  # ids are random: without room, every row rewrites pages of every index
        connection.execute(text("PRAGMA cache_size = -262144"))
    moment = int(time.time())
    new: dict[str, list[Row]] = {}
    for entity, row in made.added:
        new.setdefault(entity, []).append(row)
    for entity in ORDER:
        rows = new.get(entity, [])
        known = known_ids(connection, entity, [row["id"] for row in rows])
        for start in range(0, len(rows), 5000):
            _add(connection, made.dataset, entity, rows[start : start + 5000], known)
            done += len(rows[start : start + 5000])
            progress("write", done, total)
    for entity, _, after in made.changed:
        _update(connection, made.dataset, entity, after)
    for entity, row in made.archived:
        table = ENTITIES[entity].table
        connection.execute(update(table).where(table.c.id == row["id"]).values(archived_at=moment, imported=None))
    for (record_id, name, language), _, words in made.translations:
        connection.execute(
            delete(Translation).where(
                Translation.record_id == record_id, Translation.field == name, Translation.language == language
            )
        )
        values = {"record_id": record_id, "field": name, "language": language, "text": words}
        connection.execute(insert(Translation).values(**values))
    for each in made.closed:
        if vault is None:
            raise ValueError("rows that are not to be public need the vault")
        connection.execute(
            delete(ENTITIES[each.entity].table).where(ENTITIES[each.entity].table.c.id == each.row["id"])
        )
        restricted.put(connection, vault, each, each.row.get("organization_id"), _service_of(bundle, each.row))
    progress("write", total, total)
    _index(connection, made, bundle, progress)
    if vault is not None:
        new_rows = made.added if len(made.added) <= MOST_NEW else []
        edits = [Edit(entity, row["id"], None, row) for entity, row in new_rows]
        edits += [Edit(entity, after["id"], before, after) for entity, before, after in made.changed]
        edits += [Edit(entity, row["id"], row, None) for entity, row in made.archived]
        for start in range(0, len(edits), HISTORY_ROWS):
            record(connection, vault, edits[start : start + HISTORY_ROWS], author, (organization, None))
            progress("history", start, len(edits))
    changed(connection)  # also for who has not held it


def remember(connection: Connection, dataset: str, organization: str | None, source: dict[str, object] | None) -> None:
    """Note that a file was imported, and how it was read."""
    connection.execute(delete(Dataset).where(Dataset.name == dataset))
    connection.execute(
        insert(Dataset).values(
            name=dataset, organization_id=organization, imported_at=int(time.time()), source=source, digest=None
        )
    )


def remembered(connection: Connection, dataset: str) -> dict[str, str]:
    """Return how the columns of an earlier file of this dataset were read (header → field)."""
    source = connection.scalar(select(Dataset.source).where(Dataset.name == dataset))
    return dict((source or {}).get("mapping") or {})


def datasets(connection: Connection) -> list[str]:
    """Return the names of the datasets that were imported."""
    return list(connection.scalars(select(Dataset.name).order_by(Dataset.name)))


def known_ids(connection: Connection, entity: str, ids: Sequence[str]) -> set[str]:
    """Return which of these ids the table of an entity has, archived rows too."""
    table = ENTITIES[entity].table
    if not ids or connection.execute(select(table.c.id).limit(1)).first() is None:
        return set()
    found: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        found |= set(connection.scalars(select(table.c.id).where(table.c.id.in_(ids[start : start + CHUNK]))))
    return found


def _add(connection: Connection, dataset: str, entity: str, rows: Sequence[Row], known: set[str]) -> None:
    kind = ENTITIES[entity]
    fresh = [row for row in rows if row["id"] not in known]
    for row in rows:
        if row["id"] in known:  # it was archived
            _update(connection, dataset, entity, row)
    if not fresh:
        return
    empty = dict.fromkeys([*kind.fields, "archived_at"])
    values = [empty | row | {"dataset": dataset, "imported": digest(row)} for row in fresh]
    bulk_insert(connection, kind.table, values)


def _update(connection: Connection, dataset: str, entity: str, row: Row) -> None:
    table = ENTITIES[entity].table
    values = {name: row.get(name) for name in ENTITIES[entity].fields}
    values |= {"archived_at": None, "dataset": dataset, "imported": digest(row)}
    connection.execute(update(table).where(table.c.id == row["id"]).values(**values))


def _index(connection: Connection, made: Plan, bundle: Bundle, progress: Progress) -> None:
    """Make the search rows: from the bundle where everything in it is new, from the tables otherwise."""
    keys = list(bundle["service"])
    if len(made.added) == len(bundle) - len(bundle.tiers) and not made.archived:
        some = []
        for number, service in enumerate(in_bundle(bundle), 1):
            some.append(service)
            if len(some) == CHUNK or number == len(keys):
                index(connection, some)
                some = []
                progress("index", number, len(keys))
        index(connection, some)
        return
    touched = {entity for entity, *_ in [*made.added, *made.changed, *made.archived]}
    if not touched and not made.translations:
        return
    gone = {row["id"] for entity, row in made.archived if entity == "service"}
    gone |= {row["service_id"] for _, row in made.archived if row.get("service_id")}
    if {"organization", "location", "attribute"} & touched or made.translations:
        keys = list(
            dict.fromkeys([*keys, *connection.scalars(select(Service.id).where(Service.dataset == made.dataset))])
        )
    else:
        keys = list(dict.fromkeys([*_services_in(made), *gone]))
    keys = list(dict.fromkeys([*keys, *gone]))
    for start in range(0, len(keys), CHUNK):
        reindex(connection, keys[start : start + CHUNK])
        progress("index", min(start + CHUNK, len(keys)), len(keys))


def _service_of(bundle: Bundle, row: Row) -> str | None:
    """Return the service that a row which is not public belongs to, itself or by its location."""
    if row.get("service_id"):
        return str(row["service_id"])
    location = row.get("location_id") or row["id"]
    found = bundle.children("service_at_location", "location_id", location)
    return str(found[0]["service_id"]) if found else None


def _services_in(made: Plan) -> Iterator[str]:
    rows = [*made.added, *((entity, row) for entity, *both in made.changed for row in both), *made.archived]
    for entity, row in rows:
        if entity == "service":
            yield row["id"]
        elif row.get("service_id"):
            yield row["service_id"]
