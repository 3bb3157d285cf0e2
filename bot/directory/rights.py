"""What one country's law gives: `rights/<country>.yml`, each fact with its source, its date and its expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "rights"
FACTS = ("reflection_period", "residence", "compensation_fund", "legal_aid", "identification")


@dataclass(frozen=True)
class Fact:
    """One fact of one country. `values` are the fact's own: `duration`, `name`, `free`, `bodies`, …"""

    values: dict[str, Any]
    source: str
    checked: date
    expires: date
    reviewer: str | None
    """The lawyer who has reviewed it; None: nobody yet."""


def countries(folder: Path = FOLDER) -> list[str]:
    """Return the countries of which something is known, by ISO 3166 code."""
    return sorted(file.stem for file in folder.glob("*.yml"))


@lru_cache(maxsize=128)
def facts(country: str, folder: Path = FOLDER) -> dict[str, Fact]:
    """Return what is known of a country by name, expired facts too."""
    file = folder / f"{country}.yml"
    if not file.exists():
        return {}
    data = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    kept = ("source", "checked", "expires", "quote")
    return {
        name: Fact(
            {key: value for key, value in row.items() if key not in kept},
            row["source"],
            row["checked"],
            row["expires"],
            data.get("reviewer"),
        )
        for name, row in data["facts"].items()
        if row
    }


def fact(country: str, name: str, today: date | None = None, folder: Path = FOLDER) -> Fact | None:
    """Return a country's fact; None where it is not known, or its time is over."""
    found = facts(country, folder).get(name)
    today = today or datetime.now(timezone.utc).date()
    return found if found and today < found.expires else None
