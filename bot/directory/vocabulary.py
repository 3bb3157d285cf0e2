"""The terms of vocabulary.yml, and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.directory.hsds import Row, made_id

FILE = Path(__file__).parent / "vocabulary.yml"


@lru_cache(maxsize=1)
def taxonomies() -> dict[str, dict[str, Any]]:
    """Return the vocabulary: name, description and terms by taxonomy."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_bytes())
    return loaded


def term_id(taxonomy: str, code: str) -> str:
    """Return the id of a term's row."""
    return made_id("term", taxonomy, code)


@lru_cache(maxsize=1)
def codes() -> dict[str, tuple[str, str]]:
    """Return (taxonomy, code) by the id of a term's row."""
    return {term_id(name, code): (name, code) for name, each in taxonomies().items() for code in each["terms"]}


@lru_cache(maxsize=1)
def order() -> dict[tuple[str, str], int]:
    """Return the place of each (taxonomy, code) in the vocabulary."""
    return {term: place for place, term in enumerate(codes().values())}


def facts() -> dict[str, dict[str, Any]]:
    """Return the terms of the taxonomy `fact`.

    `value`: yes_no, text, uri, date, zone or gender; `entity`: where it is put, if not on a service.
    """
    terms: dict[str, dict[str, Any]] = taxonomies()["fact"]["terms"]
    return terms


def attribute(entity: str, key: str, taxonomy: str, code: str, value: str | None = None) -> Row:
    """Return the row that puts a term on the row `key` of `entity`."""
    row: Row = {
        "id": made_id("attribute", key, taxonomy, code),
        "link_id": key,
        "taxonomy_term_id": term_id(taxonomy, code),
        "link_entity": entity,
    }
    return row if value is None else row | {"value": value}


def rows() -> Iterator[tuple[str, Row]]:
    """Yield (entity, row) of every taxonomy and term."""
    for name, each in taxonomies().items():
        taxonomy = made_id("taxonomy", name)
        yield "taxonomy", {"id": taxonomy, "name": each["name"], "description": each["description"], "version": "1"}
        for code, term in each["terms"].items():
            description = term["description"] if isinstance(term, dict) else term
            yield (
                "taxonomy_term",
                {
                    "id": term_id(name, code),
                    "code": code,
                    "name": code.replace("_", " "),
                    "description": description,
                    "taxonomy": each["name"],
                    "language": "en",
                    "taxonomy_id": taxonomy,
                },
            )
