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

from bot.directory import changes, restricted
from bot.directory.bulk import bulk_insert
from bot.directory.changes import TRANSLATION, Author, Edit, record_many, touched, translated
from bot.directory.entries import changed, in_bundle, index, reindex
from bot.directory.exchange.problems import ERROR, WARNING, Problem
from bot.directory.hsds import ENTITIES, ORDER, Row
from bot.directory.models import Dataset, Translation
from bot.directory.records import CHUNK, PUBLIC, Bundle, digest
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
    opened: dict[str, Restricted] = field(default_factory=dict)
    """What stands here of those of them that were here, sealed or public, by id."""
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


@dataclass(frozen=True)
class Edited:
    """What of a bundle are changes of entries that live here, and came back in a file: they are no file's own.

    `keys`: all rows of these entries; `gone`: (entity, row) that the file has emptied.
    """

    keys: frozenset[str] = frozenset()
    gone: tuple[tuple[str, Row], ...] = ()


NOT_EXPORTED = {"service": ("assurer_email",), "contact": ("name", "email")}
"""Personal data, by entity, which no export holds: where a file lacks it, what stands here stays."""


def plan(
    connection: Connection,
    dataset: str,
    bundle: Bundle,
    theirs: bool = False,
    progress: Progress = _silent,
    vault: Vault | None = None,
    edited: Edited = Edited(),
) -> Plan:
    """Compare a bundle with the directory. `theirs`: where both were changed, the file wins. Writes nothing.

    Without the vault (the starter set), what hangs on a row that was closed here is left out.
    """
    made = Plan(dataset)
    done = 0
    closed = set().union(*(restricted.known(connection, bundle[entity]) for entity in ORDER if bundle[entity]))
    sealed: dict[str, Restricted] = {}
    for key in closed:
        there = restricted.get(connection, vault, key) if vault is not None else None
        if there is not None:
            sealed[key] = there
        bundle.tiers[key] = restricted.strictest(bundle.tier(key), there.tier if there else restricted.CONFIDENTIAL)
    restricted.close(bundle)
    for entity, row in bundle:
        key = row["id"]
        if key not in bundle.tiers or vault is None:
            continue
        new, there = Restricted(entity, bundle.tier(key), row), sealed.get(key)
        if there is None or (theirs and there != new):
            made.closed.append(new)
            if there is not None:
                made.opened[key] = there
        elif there.row != row:
            made.kept.append((entity, there.row, row))  # an edit made here stays, and is never opened wider
        else:
            made.unchanged += 1
    for entity in ORDER:
        rows = bundle[entity]
        existing = {row["id"]: (row, has) for row, has in _existing(connection, entity, dataset, rows)}
        for key, row in rows.items():
            found = existing.pop(key, None)
            if key in bundle.tiers:
                if found is not None and not found[1].archived:
                    made.archived.append((entity, found[0]))  # it was public until now
            else:
                _compare(made, entity, row, found, theirs, key in edited.keys)
        done += len(rows)
        progress("compare", done, len(bundle))
        made.archived += [
            (entity, row) for row, has in existing.values() if has.dataset == dataset and not has.archived
        ]
    made.archived += edited.gone
    known = _translations(connection, bundle)
    for key_, words in bundle.translations.items():
        if known.get(key_, "") != words:
            made.translations.append((key_, known.get(key_), words))
    return made


def _exported(entity: str, row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in NOT_EXPORTED.get(entity, ())}


def _compare(made: Plan, entity: str, row: Row, found: tuple[Row, _Has] | None, theirs: bool, edited: bool) -> None:
    """Put a row of a file where it belongs in a plan."""
    if found is None:
        made.added.append((entity, row))
        return
    here, has = found
    if has.archived:
        if has.imported == digest(row):  # taken out here, or by another file: until this one says something new
            made.unchanged += 1
        else:
            made.added.append((entity, row))
        return
    whole = row | {name: here[name] for name in NOT_EXPORTED.get(entity, ()) if name in here and name not in row}
    if here == whole:
        made.unchanged += 1
    elif edited:
        made.changed.append((entity, here, whole))
    elif has.imported == digest(row):
        made.unchanged += 1  # the file says what it said before: an edit made here stays
    elif has.imported not in (digest(here), digest(_exported(entity, here))) and not theirs:
        made.kept.append((entity, here, whole))  # written or changed here: nobody's work is overwritten unasked
    else:
        made.changed.append((entity, here, whole))


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
    edited: Edited = Edited(),
) -> None:
    """Carry out a plan in this transaction. Without a vault (the starter set) no history is kept."""
    total = len(made.added) + len(made.changed) + len(made.archived)
    done = 0
    closing = {each.row["id"]: each for each in made.closed}
    archived = [(entity, row) for entity, row in made.archived if row["id"] not in closing]
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
            _add(connection, made.dataset, entity, rows[start : start + 5000], known, edited.keys)
            done += len(rows[start : start + 5000])
            progress("write", done, total)
    for entity, _, after in made.changed:
        own, said = after["id"] not in edited.keys, bundle[entity].get(after["id"])
        _update(connection, made.dataset, entity, after, own, said)
    for entity, row in archived:
        table = ENTITIES[entity].table
        connection.execute(update(table).where(table.c.id == row["id"]).values(archived_at=moment, imported=None))
    for (record_id, name, language), _, words in made.translations:
        connection.execute(
            delete(Translation).where(
                Translation.record_id == record_id, Translation.field == name, Translation.language == language
            )
        )
        if words:
            values = {"record_id": record_id, "field": name, "language": language, "text": words}
            connection.execute(insert(Translation).values(**values))
    progress("write", total, total)
    if vault is not None:
        _close(connection, vault, made, bundle)
    elif made.closed:
        raise ValueError("rows that are not to be public need the vault")
    _index(connection, made, bundle, progress)
    if vault is not None:
        new_rows = made.added if len(made.added) <= MOST_NEW else []
        edits = [Edit(entity, row["id"], None, row) for entity, row in new_rows]
        edits += [Edit(entity, after["id"], before, after) for entity, before, after in made.changed]
        edits += [Edit(entity, row["id"], row, None) for entity, row in archived]
        edits += [
            Edit(TRANSLATION, "|".join(key), translated(key, before), translated(key, words or None))
            for key, before, words in made.translations
        ]
        edits += _closing(made)
        progress("history", 0, len(edits))
        record_many(connection, vault, _by_service(connection, bundle, edits, organization), author)
        progress("history", len(edits), len(edits))
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


def _add(
    connection: Connection,
    dataset: str,
    entity: str,
    rows: Sequence[Row],
    known: set[str],
    edited: frozenset[str] = frozenset(),
) -> None:
    kind = ENTITIES[entity]
    fresh = [row for row in rows if row["id"] not in known]
    for row in rows:
        if row["id"] in known:  # it was archived
            _update(connection, dataset, entity, row, own=row["id"] not in edited)
    if not fresh:
        return
    empty = dict.fromkeys([*kind.fields, "archived_at", "dataset", "imported"])
    values = [
        empty | row | ({} if row["id"] in edited else {"dataset": dataset, "imported": digest(row)}) for row in fresh
    ]
    bulk_insert(connection, kind.table, values)


def _update(
    connection: Connection, dataset: str, entity: str, row: Row, own: bool = True, said: Row | None = None
) -> None:
    """Write a row. `own`: it is the file's from now on; `said`: as the file has it, where that is less."""
    table = ENTITIES[entity].table
    values = {name: row.get(name) for name in ENTITIES[entity].fields} | {"archived_at": None}
    if own:
        values |= {"dataset": dataset, "imported": digest(said or row)}
    connection.execute(update(table).where(table.c.id == row["id"]).values(**values))


_VOCABULARY = ("taxonomy", "taxonomy_term")


def _index(connection: Connection, made: Plan, bundle: Bundle, progress: Progress) -> None:
    """Make the search rows: from the bundle where everything in it is new, from the tables otherwise."""
    keys = list(bundle["service"])
    added = sum(entity not in _VOCABULARY for entity, _ in made.added)
    terms = sum(len(bundle[entity]) for entity in _VOCABULARY)
    if added == len(bundle) - terms - len(bundle.tiers) and not made.archived and not made.changed:
        some = []
        for number, service in enumerate(in_bundle(bundle), 1):
            some.append(service)
            if len(some) == CHUNK or number == len(keys):
                index(connection, some)
                some = []
                progress("index", number, len(keys))
        index(connection, some)
        return
    keys = list(dict.fromkeys(touched(connection, _public_edits(made))))
    for start in range(0, len(keys), CHUNK):
        reindex(connection, keys[start : start + CHUNK])
        progress("index", min(start + CHUNK, len(keys)), len(keys))


def _public_edits(made: Plan) -> list[Edit]:
    edits = [Edit(entity, row["id"], None, row) for entity, row in made.added]
    edits += [Edit(entity, after["id"], before, after) for entity, before, after in made.changed]
    edits += [Edit(entity, row["id"], row, None) for entity, row in made.archived]
    edits += [
        Edit(TRANSLATION, "|".join(key), translated(key, before), translated(key, words or None))
        for key, before, words in made.translations
    ]
    return edits


def _closing(made: Plan) -> list[Edit]:
    """Return the rows that are closed, each with what was there before, sealed or public."""
    public = {row["id"]: row for _, row in made.archived}
    edits = []
    for new in made.closed:
        key = str(new.row["id"])
        there = made.opened.get(key)
        before, tier = (there.row, there.tier) if there else (public.get(key), PUBLIC)
        edits.append(Edit(new.entity, key, before, new.row, tier, new.tier))
    return edits


def _close(connection: Connection, vault: Vault, made: Plan, bundle: Bundle) -> None:
    def owner(edit: Edit) -> tuple[str | None, str | None]:
        row = edit.after or {}
        service = _service_of(bundle, row)
        organization = row.get("organization_id") or bundle["service"].get(service or "", {}).get("organization_id")
        return organization, service

    edits = _closing(made)
    changes.close(connection, vault, [edit for edit in edits if edit.before and edit.tier_before == PUBLIC], owner)
    for edit in edits:
        if edit.after and not (edit.before and edit.tier_before == PUBLIC):
            restricted.put(connection, vault, Restricted(edit.entity, edit.tier, edit.after), *owner(edit))


_ABOVE = ("phone_id", "contact_id", "service_at_location_id")


def _by_service(
    connection: Connection, bundle: Bundle, edits: Sequence[Edit], organization: str | None
) -> Iterator[tuple[tuple[str | None, str | None], list[Edit]]]:
    """Yield ((organisation, service), edits): every entry's history tells what a file changed of it."""
    rows = {edit.id: edit.after or edit.before or {} for edit in edits if edit.entity != TRANSLATION}
    at = {row["location_id"]: row for row in rows.values() if "location_id" in row and "service_id" in row}

    def find(key: str | None) -> Row:
        if not key:
            return {}
        return rows.get(key) or next((bundle[entity][key] for entity in ORDER if key in bundle[entity]), {})

    def service(entity: str, row: Row) -> str | None:
        if entity == "service":
            return str(row["id"])
        if row.get("service_id"):
            return str(row["service_id"])
        location = row["id"] if entity == "location" else row.get("location_id")
        if location:
            there = bundle.children("service_at_location", "location_id", location) or [at.get(location, {})]
            return there[0].get("service_id")
        link = next((row[name] for name in ("link_id", "record_id", "resource_id") if row.get(name)), None)
        if link in bundle["service"] or link in services:
            return str(link)
        above = link or next(
            (row[name] for name in ("phone_id", "contact_id", "service_at_location_id") if name in row), None
        )
        return service("", find(above)) if above else None

    services = {edit.id for edit in edits if edit.entity == "service"}
    grouped: dict[str | None, list[Edit]] = {}
    for edit in edits:
        grouped.setdefault(service(edit.entity, edit.after or edit.before or {}), []).append(edit)
    known = {key: row.get("organization_id") for key, row in bundle["service"].items()}
    for key, some in grouped.items():
        for start in range(0, len(some), HISTORY_ROWS):
            yield (known.get(key or "") or organization, key), some[start : start + HISTORY_ROWS]


def _service_of(bundle: Bundle, row: Row) -> str | None:
    """Return the service that a row which is not public belongs to, itself or by its location."""
    if row.get("service_id"):
        return str(row["service_id"])
    location = row.get("location_id") or row["id"]
    found = bundle.children("service_at_location", "location_id", location)
    return str(found[0]["service_id"]) if found else None
