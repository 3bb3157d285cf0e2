"""The directory's tables are those of HSDS 3.0, held to the official schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.directory.hsds import ENTITIES, ORDER
from tests.support import ROOT

HSDS = ROOT.parent / "shared" / "hsds"
pytestmark = pytest.mark.skipif(
    not HSDS.exists(), reason="the official schemas lie beside the checkout (../shared/hsds)"
)


def schema(entity: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HSDS / "schema" / f"{entity}.json").read_bytes())
    return loaded


def test_every_table_of_the_standard_is_there() -> None:
    package = json.loads((HSDS / "datapackage.json").read_bytes())
    assert {each["name"]: each["path"] for each in package["resources"]} == {
        name: entity.file for name, entity in ENTITIES.items()
    }


@pytest.mark.parametrize("entity", ORDER)
def test_fields_are_those_of_the_data_package(entity: str) -> None:
    package = json.loads((HSDS / "datapackage.json").read_bytes())
    (table,) = [each["schema"] for each in package["resources"] if each["name"] == entity]
    assert {field["name"] for field in table["fields"]} == set(ENTITIES[entity].fields)
    numbers = {field["name"] for field in table["fields"] if field["type"] == "number"}
    assert {field.name for field in ENTITIES[entity].fields.values() if field.format == "number"} == numbers


@pytest.mark.parametrize("entity", ORDER)
def test_enums_formats_and_nesting_are_those_of_the_schemas(entity: str) -> None:
    properties = schema(entity)["properties"]
    ours = ENTITIES[entity]
    for name, field in ours.fields.items():
        official = properties.get(name, {})
        if "enum" in official:
            assert set(field.enum) == set(official["enum"]), name
        if official.get("format") in ("uri", "email", "uuid"):
            assert field.format == official["format"], name
    nested = {name for name, each in properties.items() if each.get("type") == "array"}
    assert set(ours.many) == nested
    required = set(schema(entity).get("required", ())) | set(schema(entity).get("tabular_required") or ())
    assert {name for name in required if name in ours.fields and not ours.fields[name].required} == set()
