"""HSDS JSON, in which everything stands inside what it belongs to ("dereferenced"): in, and out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from bot.directory.exchange.problems import Problem
from bot.directory.hsds import ENTITIES, Entity, Row, link_field, problems
from bot.directory.records import Bundle, tree

MOST_NESTED = 40
_ROOT = "$"
_ALSO_MANY = {"organization": {"services": "service"}}
"""What an API nests in a full answer, though the standard's tables have it the other way round."""


def read_json(data: bytes) -> tuple[Bundle, list[Problem]]:
    """Read one service or organisation, a list of them, a page of an API's answer, or a line each (JSON lines).

    With any problem that is an error, the bundle is not to be used.
    """
    found: list[Problem] = []
    bundle = Bundle()
    for path, value in _documents(data, found):
        _read_root(value, path, bundle, found)
    if not found and not len(bundle):
        found.append(Problem(_ROOT, "nothing_found"))
    return bundle, found


def _documents(data: bytes, found: list[Problem]) -> Iterator[tuple[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found.append(Problem(_ROOT, "not_json", {"detail": f"byte {error.start} is not UTF-8"}))
        return
    try:
        yield _ROOT, json.loads(text)
        return
    except RecursionError:
        found.append(Problem(_ROOT, "too_deep"))
        return
    except ValueError as error:
        first = str(error)
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].lstrip().startswith("{") or not lines[0].rstrip().endswith("}"):
        found.append(Problem(_ROOT, "not_json", {"detail": first}))
        return
    for number, line in enumerate(lines, 1):
        try:
            yield f"line {number}: {_ROOT}", json.loads(line)
        except (ValueError, RecursionError) as error:
            found.append(Problem(f"line {number}", "not_json", {"detail": str(error)}))


def _read_root(value: Any, path: str, bundle: Bundle, found: list[Problem]) -> None:
    if isinstance(value, dict) and isinstance(value.get("contents"), list):
        value, path = value["contents"], f"{path}.contents"
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows):
        place = f"{path}[{number}]" if isinstance(value, list) else path
        if not isinstance(row, dict):
            found.append(Problem(place, "not_object", {"value": _shown(row)}))
            continue
        _read(kind_of(row), row, place, bundle, found, {}, 0)


def kind_of(row: dict[str, Any]) -> str:
    """Return which entity an object without a name is, by the fields that only one has."""
    if "location_type" in row:
        return "location"
    if "status" not in row and ("location" in row or "location_id" in row):
        return "service_at_location"
    if "status" in row or "organization" in row or "service_at_locations" in row or "service_areas" in row:
        return "service"
    if "taxonomy_detail" in row or "taxonomy_id" in row or "term_uri" in row or ("code" in row and "parent_id" in row):
        return "taxonomy_term"
    if "version" in row and "website" not in row:
        return "taxonomy"
    return "organization"


def _read(
    entity: str,
    value: dict[str, Any],
    path: str,
    bundle: Bundle,
    found: list[Problem],
    links: Row,
    depth: int,
) -> str | None:
    """Read an object and what is nested in it; return its id."""
    kind = ENTITIES[entity]
    if depth > MOST_NESTED:
        found.append(Problem(path, "too_deep"))
        return None
    row: Row = {}
    nested: list[tuple[str, str, Any]] = []
    many = kind.many | _ALSO_MANY.get(entity, {})
    for name, each in value.items():
        if name in kind.fields:
            row[name] = _value(each)
        elif name in many or name in kind.one:
            nested.append((name, f"{path}.{name}", each))
        elif each not in (None, "", [], {}):
            found.append(Problem(f"{path}.{name}", "unknown_field", {"name": name}, "warning"))
    for name, link in links.items():
        row.setdefault(name, link)
    for name, place, each in list(nested):
        if name in kind.one and each not in (None, {}):
            nested.remove((name, place, each))
            target = kind.fields[kind.one[name]].entity
            if not isinstance(each, dict):
                found.append(Problem(place, "not_object", {"value": _shown(each)}))
            elif target:
                key = _read(target, each, place, bundle, found, {}, depth + 1)
                if key:
                    row.setdefault(kind.one[name], key)
    wrong = list(problems(kind, row))
    found += [Problem(f"{path}.{name}", what, {"field": name, "value": _shown(row.get(name))}) for name, what in wrong]
    key = row.get("id")
    if not isinstance(key, str) or wrong:
        key = None if not isinstance(key, str) else key
    if key is not None:
        _add(kind, row, path, bundle, found)
    for name, place, each in nested:
        if name in kind.one or each is None:
            continue
        if not isinstance(each, list):
            found.append(Problem(place, "not_list", {"value": _shown(each)}))
            continue
        child = many[name]
        for number, item in enumerate(each):
            if not isinstance(item, dict):
                found.append(Problem(f"{place}[{number}]", "not_object", {"value": _shown(item)}))
                continue
            below: Row = {link_field(entity, child): key} if key else {}
            if child == "attribute":
                below["link_entity"] = entity
            elif child == "metadata":
                below["resource_type"] = entity
            _read(child, item, f"{place}[{number}]", bundle, found, below, depth + 1)
    return key


def _value(value: Any) -> Any:
    """Return a field's value; what JSON does not know as a number (NaN) becomes text, which is refused."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _add(kind: Entity, row: Row, path: str, bundle: Bundle, found: list[Problem]) -> None:
    known = bundle[kind.name].get(row["id"])
    fresh = {name: value for name, value in row.items() if value is not None}
    if known:
        if any(name in known and known[name] != value for name, value in fresh.items()):
            found.append(Problem(path, "contradicts", {"entity": kind.name, "id": row["id"]}))
            return
        fresh = known | fresh
    bundle.add(kind.name, fresh)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)[:80]


def trees(bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Yield every service with all that belongs to it, then the organisations that have none."""
    used = set()
    for key, row in bundle["service"].items():
        used.add(row.get("organization_id"))
        yield tree(bundle, "service", key)
    for key in bundle["organization"]:
        if key not in used:
            yield tree(bundle, "organization", key)


def write_json(bundle: Bundle) -> str:
    """Return all trees as a JSON list."""
    return json.dumps(list(trees(bundle)), ensure_ascii=False, indent=2) + "\n"
