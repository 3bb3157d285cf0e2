"""What is wrong with a file, and where: for people to mend it. The words are in stories/gateway/imports.yml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.directory.exchange.writing import write_csv
from bot.text.catalogue import SOURCE_LANGUAGE, Catalogue, fill

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `place`: a cell ("B7"), a line of a file or a JSON path.

    `name`: of the text `utter_console_problem_<name>`, which is filled with `values`.
    """

    place: str
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    level: str = ERROR

    def words(self, catalogue: Catalogue, language: str = SOURCE_LANGUAGE) -> str:
        """Return what is wrong, in words."""
        shown = {key: str(value)[:120] for key, value in self.values.items()}
        return fill(catalogue.text(f"utter_console_problem_{self.name}", language), shown)


def errors(found: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in found if problem.level == ERROR]


def as_csv(found: Iterable[Problem], catalogue: Catalogue, language: str = SOURCE_LANGUAGE) -> bytes:
    """Return all of it as a file for a spreadsheet."""
    rows = ([each.level, each.place, each.words(catalogue, language)] for each in found)
    return write_csv([["level", "place", "problem"], *rows])
