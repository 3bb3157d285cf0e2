"""Spreadsheets to hand out: CSV and XLSX that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """Return a cell that is no formula: before what could be one stands an apostrophe.

    Also before "+39 06 …": without it a spreadsheet adds the digits up. Our own reader takes the apostrophe off again
    (sheets.py), and spreadsheets do not show it. See OWASP, "CSV Injection", read 2026-11-26.
    """
    return f"'{text}" if text.startswith(DANGEROUS) else text


def write_csv(rows: Iterable[Iterable[str]]) -> bytes:
    """Return rows as CSV with a byte order mark, without which Excel mistakes the encoding."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def write_xlsx(rows: Iterable[Iterable[str]]) -> bytes:
    """Return rows as XLSX, every cell a text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Services")
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", safe(text)))
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
