"""Spreadsheets as NGOs have them, CSV and XLSX: rows of plain texts, each with the cell that it stands in."""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.directory.exchange.problems import WARNING, Problem

MOST_BYTES = 60_000_000
"""Of a file, and MOST_UNPACKED of what is packed in it: the largest real directories have a tenth of that."""
MOST_UNPACKED = 1_500_000_000
MOST_ROWS = 500_000
MOST_COLUMNS = 400
EMPTY_ROWS = 50_000
"""After so many empty rows the rest of a sheet is taken to be empty: spreadsheets keep a million formatted ones."""
HEADER_ROWS = 30
"""A title and remarks may stand above the names of the columns."""

_OLD_FORMATS = (b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rt")
_EXCEL_FIRST_DAY = date(1899, 12, 30)


@dataclass(frozen=True)
class Row:
    """A row: its number in the sheet, and its cells by the place of their column. Empty cells are left out."""

    number: int
    cells: dict[int, str]

    def place(self, column: int) -> str:
        return f"{letters(column)}{self.number}"


@dataclass
class Sheet:
    """What was read. With an error among `problems`, rows may be missing."""

    headers: dict[int, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    name: str = ""
    """Of the sheet, where the file has several."""


def letters(column: int) -> str:
    """Return the letters of a column: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_sheet(data: bytes) -> Sheet:
    """Read a CSV file or the first visible sheet with column names of an XLSX file. Never raises for what is in it."""
    sheet = Sheet()
    if len(data) > MOST_BYTES:
        sheet.problems.append(Problem("file", "too_large", {"most": MOST_BYTES, "what": "bytes"}))
    elif data.startswith(_OLD_FORMATS):
        sheet.problems.append(Problem("file", "old_format"))
    elif data.startswith(b"PK"):
        _read_xlsx(data, sheet)
    else:
        _fill(sheet, _csv_rows(data, sheet), guess=True)
        if not sheet.headers and not sheet.problems:
            sheet.problems.append(Problem("file", "no_header"))
    return sheet


def _fill(sheet: Sheet, rows: Iterator[tuple[int, list[Any]]], guess: bool) -> None:
    """Take rows into a sheet: first the names of the columns, then what stands below them.

    `guess`: where no name is known, the first of the widest rows has the names; people say what they mean.
    """
    above: list[tuple[int, dict[int, str]]] = []
    for number, cells in _filled(sheet, rows):
        if sheet.headers:
            if not _take(sheet, number, cells):
                return
        elif _known(cells):
            _take_header(sheet, number, cells)  # a title and remarks stood above
        else:
            above.append((number, cells))
            if len(above) > HEADER_ROWS:
                break
    widest = max((len(cells) for _, cells in above), default=0)
    if sheet.headers or not guess or widest < 2:
        return
    first = next(place for place, (_, cells) in enumerate(above) if len(cells) == widest)
    _take_header(sheet, *above[first])
    for number, cells in itertools.chain(above[first + 1 :], _filled(sheet, rows)):
        if not _take(sheet, number, cells):
            return


def _filled(sheet: Sheet, rows: Iterator[tuple[int, list[Any]]]) -> Iterator[tuple[int, dict[int, str]]]:
    """Yield the rows that hold something, until too many in a row hold nothing."""
    empty = 0
    for number, values in rows:
        cells = {}
        for column, value in enumerate(values[:MOST_COLUMNS]):
            text = _text(value, f"{letters(column)}{number}", sheet)
            if text:
                cells[column] = text
        empty = 0 if cells else empty + 1
        if cells:
            yield number, cells
        elif empty > EMPTY_ROWS:
            return


def _take(sheet: Sheet, number: int, cells: dict[int, str]) -> bool:
    """Take a row below the names of the columns; return False where there are too many."""
    beyond = [column for column in cells if column not in sheet.headers]
    if beyond:
        sheet.problems.append(Problem(f"{letters(beyond[0])}{number}", "too_many_cells", {}, WARNING))
    kept = {column: text for column, text in cells.items() if column in sheet.headers}
    if kept:
        sheet.rows.append(Row(number, kept))
    if len(sheet.rows) > MOST_ROWS:
        sheet.problems.append(Problem(f"A{number}", "too_large", {"most": MOST_ROWS, "what": "rows"}))
        return False
    return True


def _known(cells: dict[int, str]) -> bool:
    from bot.directory.exchange.columns import known_header

    return any(map(known_header, cells.values()))


def _take_header(sheet: Sheet, number: int, cells: dict[int, str]) -> None:
    taken: set[str] = set()
    for column, name in cells.items():
        if name.casefold() in taken:
            place = f"{letters(column)}{number}"
            sheet.problems.append(Problem(place, "repeated_header", {"name": name}, WARNING))
        else:
            taken.add(name.casefold())
            sheet.headers[column] = name


def _text(value: Any, place: str, sheet: Sheet) -> str:
    """Return a cell as plain text: whole numbers without a point or an exponent, days and times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, (date, time)):
        return value.isoformat()
    text = str(value).replace("\0", "").replace("\u00a0", " ").strip()
    if text.startswith("#") and re.fullmatch(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)", text):
        sheet.problems.append(Problem(place, "error_value", {"value": text}))
        return ""
    if re.fullmatch(r"\d(\.\d+)?E\+?\d{1,2}", text):  # a telephone number that a spreadsheet took for a quantity
        return f"{float(text):.0f}"
    if len(text) > 1 and text[0] == "'" and text[1] in "=+-@":
        return text[1:]  # the mark that our own exports put before what a spreadsheet would take for a formula
    return text


# CSV


def _csv_rows(data: bytes, sheet: Sheet) -> Iterator[tuple[int, list[Any]]]:
    text = _decode(data, sheet)
    sample = text[:20_000]
    delimiter = max(";,\t|", key=lambda mark: min(sample.count(mark), 10_000) * (2 if mark in ";\t" else 1))
    csv.field_size_limit(1_000_000)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    number = 0
    try:
        for values in reader:
            number += 1
            yield number, list(values)
    except csv.Error as error:
        sheet.problems.append(Problem(f"line {reader.line_num}", "not_json", {"detail": str(error)}))


def _decode(data: bytes, sheet: Sheet) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    likely = ["cp1252", "cp1250", "cp1251", "cp1256", "utf_16_le", "utf_16_be", "cp1258", "cp1254", "koi8_u"]
    found = [each.encoding for each in from_bytes(data[:200_000], cp_isolation=likely)]
    # Names and sentences are of letters: a guess that makes signs of them ("£ódŸ") is a worse one.
    encoding = min(found, key=lambda name: _signs(data[:200_000].decode(name, "replace")), default="cp1252")
    sheet.problems.append(Problem("file", "encoding_guessed", {"encoding": encoding}, WARNING))
    return data.decode(encoding, "replace")


def _signs(text: str) -> int:
    return sum(not letter.isalpha() and not letter.isspace() for letter in text if letter > "\x7f")


# XLSX


def _read_xlsx(data: bytes, sheet: Sheet) -> None:
    import warnings

    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(each.file_size for each in package.infolist()) > MOST_UNPACKED:
                sheet.problems.append(Problem("file", "too_large", {"most": MOST_UNPACKED, "what": "bytes, unpacked"}))
                return
            if "xl/workbook.xml" not in package.namelist():
                sheet.problems.append(Problem("file", "old_format"))
                return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            formulas = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
            try:
                visible = [each for each in values.worksheets if each.sheet_state == "visible"]
                for guess, each in itertools.product((False, True), visible):
                    found = Sheet(name=each.title)
                    _fill(found, _xlsx_rows(each, formulas[each.title], _merged(data, each), found), guess)
                    if found.headers:
                        sheet.__dict__.update(found.__dict__)
                        return
            finally:
                values.close()
                formulas.close()
        sheet.problems.append(Problem("file", "no_header"))
    except Exception:  # openpyxl raises what it likes for a file that it cannot read
        sheet.problems.append(Problem("file", "damaged"))


def _xlsx_rows(
    values: Any, formulas: Any, merged: list[tuple[int, int, int, int]], sheet: Sheet
) -> Iterator[tuple[int, list[Any]]]:
    above: dict[tuple[int, int, int, int], Any] = {}
    empty = 0
    for number, (row, origin) in enumerate(
        zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True)),  # noqa: B905
        1,
    ):
        cells = list(row[:MOST_COLUMNS])
        for column, formula in enumerate(origin[:MOST_COLUMNS]):
            if isinstance(formula, str) and formula.startswith("=") and len(formula) > 1 and cells[column] is None:
                sheet.problems.append(Problem(f"{letters(column)}{number}", "formula_without_value"))
        for area in merged:
            first, left, last, right = area
            if number == first and left < len(cells):
                above[area] = cells[left]
            if first < number <= last and above.get(area) is not None:
                for column in range(left, min(right + 1, len(cells))):
                    if cells[column] is None:
                        cells[column] = above[area]
                        place = f"{letters(column)}{number}"
                        sheet.problems.append(Problem(place, "merged", {}, WARNING))
        empty = empty + 1 if all(cell is None for cell in cells) else 0
        if empty > EMPTY_ROWS:
            return
        yield number, cells


def _merged(data: bytes, worksheet: Any) -> list[tuple[int, int, int, int]]:
    """Return merged areas as (first row, left column, last row, right column): read-only sheets do not know them."""
    from openpyxl.utils import range_boundaries

    path = str(worksheet._worksheet_path).lstrip("/")
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as package, package.open(path) as stream:
        tail = b""
        while True:
            block = stream.read(1 << 20)
            if not block:
                break
            for match in re.finditer(rb'<mergeCell [^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"', tail + block):
                left, first, right, last = range_boundaries(match[1].decode())
                found.append((first, left - 1, last, right - 1))
            tail = block[-64:]
    return sorted(set(found))[:2000]


def as_date(text: str) -> date | str:
    """Return a day; "unknown_date" for what is none, "ambiguous_date" for what may be two (03/04/2026)."""
    text = text.strip()
    if re.fullmatch(r"\d{5}", text):
        return _EXCEL_FIRST_DAY + timedelta(days=int(text))
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        pass
    match = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4})", text)
    if match is None:
        return "unknown_date"
    first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
    if mark == "/" and first <= 12 and second <= 12 and first != second:
        return "ambiguous_date"
    day, month = (first, second) if second <= 12 else (second, first)
    try:
        return date(year, month, day)
    except ValueError:
        return "unknown_date"
