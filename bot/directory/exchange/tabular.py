"""The tabular data package: a CSV file a table and a datapackage.json (frictionlessdata.io), as a folder or a .zip."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.directory.exchange.problems import Problem
from bot.directory.hsds import ENTITIES, Entity, problems
from bot.directory.records import Bundle

PACKAGE = "datapackage.json"
MOST_BYTES = 2_000_000_000
"""Of all tables of a .zip together, unpacked: more is no directory, but a bomb."""

_TYPES = {"number": "number", "date": "date", "datetime": "datetime"}


def tables_of(source: Path | bytes) -> dict[str, bytes]:
    """Return the files of a package by name. Raises ValueError for a .zip that cannot be read, or is too large."""
    if isinstance(source, Path):
        return {file.name: file.read_bytes() for file in sorted(source.iterdir()) if file.suffix in (".csv", ".json")}
    try:
        with zipfile.ZipFile(io.BytesIO(source)) as package:
            if sum(each.file_size for each in package.infolist()) > MOST_BYTES:
                raise ValueError("too_large")
            return {
                Path(each.filename).name: package.read(each)
                for each in package.infolist()
                if each.filename.endswith((".csv", ".json")) and not each.is_dir()
            }
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ValueError("damaged") from error


def read_tables(tables: Mapping[str, bytes]) -> tuple[Bundle, list[Problem]]:
    """Read the tables of a package. Files that the standard does not know are told of, and ignored."""
    found: list[Problem] = []
    bundle = Bundle()
    files = {entity.file: entity for entity in ENTITIES.values()}
    for name in tables:
        if name not in files and name != PACKAGE:
            found.append(Problem(name, "unknown_field", {"name": name}, "warning"))
    for entity in ENTITIES.values():
        if entity.file in tables:
            _read_table(entity, tables[entity.file], bundle, found)
    if not found and not len(bundle):
        found.append(Problem(PACKAGE, "nothing_found"))
    return bundle, found


def _read_table(entity: Entity, data: bytes, bundle: Bundle, found: list[Problem]) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found.append(Problem(entity.file, "not_json", {"detail": f"byte {error.start} is not UTF-8"}))
        return
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        for name in header:
            if name not in entity.fields:
                found.append(Problem(f"{entity.file} line 1", "unknown_column", {"name": name}, "warning"))
        for cells in reader:
            if any(cells):
                _read_row(entity, dict(zip(header, cells)), f"{entity.file} line {reader.line_num}", bundle, found)  # noqa: B905
    except csv.Error as error:
        found.append(Problem(f"{entity.file} line {reader.line_num}", "not_json", {"detail": str(error)}))


def _read_row(entity: Entity, cells: dict[str, str], place: str, bundle: Bundle, found: list[Problem]) -> None:
    row: dict[str, Any] = {}
    for name, value in cells.items():
        field = entity.fields.get(name)
        if field is None or (value == "" and not field.required):
            continue
        row[name] = _number(value) if field.format == "number" else value
    wrong = [(name, what) for name, what in problems(entity, row) if not (what != "required" and row.get(name) == "")]
    for name, what in wrong:
        found.append(Problem(f"{place}, {name}", what, {"field": name, "value": row.get(name)}))
    key = row.get("id")
    if not isinstance(key, str):
        return
    if bundle[entity.name].get(key) not in (None, row):
        found.append(Problem(place, "contradicts", {"entity": entity.name, "id": key}))
        return
    bundle.add(entity.name, row)


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError:
        return text


def write_tables(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Yield (file name, content) of a package, empty tables left out."""
    used = [entity for entity in ENTITIES.values() if bundle[entity.name]]
    yield PACKAGE, json.dumps(datapackage(used), indent=2) + "\n"
    for entity in used:
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(entity.fields), lineterminator="\r\n")
        writer.writeheader()
        for row in bundle[entity.name].values():
            writer.writerow({name: _cell(value) for name, value in row.items()})
        yield entity.file, out.getvalue()


def write_zip(bundle: Bundle) -> bytes:
    """Return a package as a .zip. The same directory gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in write_tables(bundle):
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def datapackage(entities: list[Entity]) -> dict[str, Any]:
    """Return the description of a package with these tables."""
    names = {entity.name for entity in entities}
    return {
        "name": "human_services_data",
        "profile": "tabular-data-package",
        "title": "Human Services Data Specification",
        "version": "3.0",
        "homepage": "https://docs.openreferral.org",
        "resources": [
            {
                "name": entity.name,
                "path": entity.file,
                "profile": "tabular-data-resource",
                "schema": {
                    "primaryKey": "id",
                    "fields": [
                        {
                            "name": field.name,
                            "type": _TYPES.get(field.format, "string"),
                            **({"constraints": {"required": True}} if field.name == "id" else {}),
                        }
                        for field in entity.fields.values()
                    ],
                    "foreignKeys": [
                        {"fields": field.name, "reference": {"resource": field.entity, "fields": "id"}}
                        for field in entity.fields.values()
                        if field.entity in names
                    ],
                },
            }
            for entity in entities
        ],
    }
