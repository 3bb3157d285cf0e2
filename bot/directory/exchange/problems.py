"""What is wrong with a file, and where: for people to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ERROR, WARNING = "error", "warning"

WORDS = {
    "not_json": "this is no JSON: {detail}",
    "not_understood": "this is no HSDS JSON, no data package, and no spreadsheet that can be read",
    "too_large": "more than {most} {what}: split the file",
    "too_deep": "nested too deeply",
    "damaged": "the file is damaged, or protected with a password: save it anew without one",
    "old_format": "an old or foreign format: save it as .xlsx or .csv",
    "no_header": "no row with column names was found",
    "encoding_guessed": "the encoding was guessed: {encoding}. Check names with accents",
    "no_table": "a file {name} is missing in the package",
    "unknown_column": "no field of the directory: {name}",
    "unknown_field": "no field of HSDS: {name}",
    "required": "{field} is missing",
    "not_uuid": "{field}: expected a UUID, found {value}",
    "not_uri": "{field}: expected an address like https://example.org, found {value}",
    "not_email": "{field}: expected a mail address, found {value}",
    "not_date": "{field}: expected a date like 2026-11-26, found {value}",
    "not_datetime": "{field}: expected a time like 2026-11-26T10:00:00Z, found {value}",
    "not_number": "{field}: expected a number, found {value}",
    "not_text": "{field}: expected text, found {value}",
    "not_listed": "{field}: {value} is none of the words that the standard allows",
    "not_object": "expected an object, found {value}",
    "not_list": "expected a list, found {value}",
    "refers_to_nothing": "{field} refers to {value}, which is in neither the file nor the directory",
    "contradicts": "{entity} {id} stands in the file twice with different content",
    "formula_without_value": "a formula whose result the file does not hold: put the value in its place",
    "error_value": "an error of the spreadsheet ({value}): put the value in its place",
    "merged": "merged cells: the value was taken for every row of them",
    "repeated_header": "a second column called {name}: only the first is read",
    "too_many_cells": "more cells than columns with names: what is beyond is ignored",
    "repeated_row": "the same organisation and service as in row {row}",
    "unknown_country": "{value} is no country that is known",
    "unknown_language": "{value} is no language that is known",
    "unknown_need": "{value} is none of the needs: {known}",
    "unknown_kind": "{value} is none of the kinds: {known}",
    "unknown_yes_no": "{value}: expected yes or no",
    "unknown_hours": "{value}: expected hours like Mo-Fr 09:00-17:00",
    "unknown_date": "{value}: expected a date like 2026-11-26",
    "ambiguous_date": "{value} can be two days: write it like 2026-11-26",
    "unknown_phone": "{value} is no telephone number that is known",
    "no_country": "no country: nobody would find it",
    "nothing_found": "no row of data was found",
    "kept": "{field} was changed here and in the file: what stands here was kept ({value})",
}
"""The words of a problem, in English as those of the command line."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `place`: a cell ("B7"), a line of a file or a JSON path; `name`: a key of WORDS."""

    place: str
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    level: str = ERROR

    def __str__(self) -> str:
        shown = {key: str(value)[:120] for key, value in self.values.items()}
        return f"{self.place}: {WORDS[self.name].format(**shown)}"


def errors(found: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in found if problem.level == ERROR]
