"""Reading a file of any form that the directory takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.directory.exchange import columns, flat, tabular
from bot.directory.exchange.hsds_json import read_json
from bot.directory.exchange.problems import WARNING, Problem, errors
from bot.directory.exchange.sheets import read_sheet
from bot.directory.hsds import made_id
from bot.directory.read import COUNTRY, countries_of
from bot.directory.records import Bundle

JSON, TABULAR, SHEET = "hsds-json", "hsds-tabular", "sheet"


def read(
    source: Path | bytes, dataset: str, country: str | None = None, mapping: Mapping[str, str] | None = None
) -> tuple[Bundle, list[Problem], str]:
    """Return what a file or folder holds, what is wrong with it, and its form (JSON, TABULAR or SHEET).

    `country`: of services that name none; `mapping`: header → field, where the columns' names do not tell.
    Raises OSError.
    """
    if isinstance(source, Path) and source.is_dir():
        return (*_found_by(*tabular.read_tables(tabular.tables_of(source)), country), TABULAR)
    data = source.read_bytes() if isinstance(source, Path) else source
    if data.startswith(b"PK") and b"xl/workbook.xml" not in data:
        try:
            return (*_found_by(*tabular.read_tables(tabular.tables_of(data)), country), TABULAR)
        except ValueError as error:
            return Bundle(), [Problem("file", str(error), {"most": tabular.MOST_BYTES, "what": "bytes"})], TABULAR
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return (*_found_by(*read_json(data), country), JSON)
    sheet = read_sheet(data)
    if errors(sheet.problems):
        return Bundle(), sheet.problems, SHEET
    matches = columns.match(sheet.headers, mapping)
    left = [
        Problem("columns", "unknown_column", {"name": match.header}, "warning") for match in matches if not match.field
    ]
    bundle, found = flat.to_bundle(sheet, matches, dataset, country)
    return bundle, [*sheet.problems, *left, *found], SHEET


def _found_by(bundle: Bundle, found: list[Problem], country: str | None) -> tuple[Bundle, list[Problem]]:
    """Give services without a country the one that was named; without one, tell that nobody would find them."""
    if errors(found):
        return bundle, found
    for key, row in bundle["service"].items():
        if countries_of(bundle, key):
            continue
        if country:
            area = {"id": made_id("area", key, country), "service_id": key, "extent": country, "extent_type": COUNTRY}
            bundle.add("service_area", area)
        else:
            found.append(Problem(f"service {key}", "shown_nowhere", {"name": row.get("name", "")}, WARNING))
    return bundle, found
