"""bot/directory/exchange: in, out and in again; whole or not at all; nothing lost, nothing doubled."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from bot.directory.changes import Author, apply, edits_between
from bot.directory.exchange import imports, tabular
from bot.directory.exchange.exports import FORMS, export
from bot.directory.exchange.hsds_json import read_json
from bot.directory.exchange.problems import Problem, errors
from bot.directory.exchange.reading import read
from bot.directory.exchange.sheets import read_sheet
from bot.directory.hsds import ORDER
from bot.directory.models import Service
from bot.directory.records import Bundle, load, tree
from bot.directory.search import Directory
from bot.directory.starter import load_starter
from tests.support import ROOT
from tests.unit.directory.rows import SERVICE, SOMEBODY, VAULT, enter, key, small

HSDS = ROOT.parent / "shared" / "hsds"
official = pytest.mark.skipif(
    not HSDS.exists(), reason="the official HSDS files lie beside the checkout (../shared/hsds)"
)


def bring_in(engine: Engine, bundle: Bundle, dataset: str = "file", theirs: bool = False) -> imports.Plan:
    with engine.begin() as connection:
        assert errors(imports.check_links(connection, bundle)) == []
        plan = imports.plan(connection, dataset, bundle, theirs, vault=VAULT)
        imports.apply(connection, VAULT, plan, bundle, Author(f"import:{dataset}"))
    return plan


def everything(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {table: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{table}"')))) for table in ORDER}


def sheet(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEADER = ["Organisation", "Service name", "Phone", "Country", "Languages", "Opening hours", "Needs"]
CASA = ["Porto Sicuro", "Casa", "+39 06 1234 5678", "Italy", "English, Arabic", "Mo-Fr 9-17", "need_shelter"]
LINEA = ["Porto Sicuro", "Linea", "800 290 290", "Italia", "italien", "24/7", "need_legal"]


# the standard's own files


@official
@pytest.mark.parametrize(
    "name",
    ["location", "organization_full", "organization_list", "service_at_location_full", "service_full", "service_list",
     "taxonomy", "taxonomy_list", "taxonomy_term", "taxonomy_term_list"],
)  # fmt: skip
def test_the_official_examples_come_in_and_come_out_the_same(engine: Engine, name: str) -> None:
    bundle, found = read_json((HSDS / "examples" / f"{name}.json").read_bytes())
    assert errors(found) == []
    assert not bring_in(engine, bundle).empty
    before = everything(engine)
    assert bring_in(engine, bundle).empty
    assert everything(engine) == before
    with engine.connect() as connection:
        stored = load(connection, list(bundle["service"]), list(bundle["organization"]))
    for entity in ("service", "organization", "phone", "schedule", "address", "attribute", "contact", "cost_option"):
        for row in stored[entity].values():
            assert row == bundle[entity][row["id"]]


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: without(each, names) for name, each in value.items() if name not in names}
    return [without(each, names) for each in value] if isinstance(value, list) else value


@official
def test_the_full_service_is_the_same_document_after_a_round_trip(engine: Engine) -> None:
    document = json.loads((HSDS / "examples" / "service_full.json").read_bytes())
    bundle, _ = read_json(json.dumps(document).encode())
    bring_in(engine, bundle)
    with engine.connect() as connection:
        again = tree(load(connection, [document["id"]]), "service", document["id"])
    links = {f"{name}_id" for name in ORDER} | {"link_id", "link_entity", "resource_id", "resource_type", "taxonomy_id"}
    assert without(again, links) == without(document, links)


@official
def test_the_official_tables_come_in_but_for_what_they_refer_to_and_do_not_hold(engine: Engine) -> None:
    bundle, found = tabular.read_tables(tabular.tables_of(HSDS / "examples" / "csv"))
    assert errors(found) == []
    with engine.begin() as connection:
        told = imports.check_links(connection, bundle)
    assert told
    assert {problem.name for problem in told} == {"refers_to_nothing"}


@official
@pytest.mark.parametrize(
    ("folder", "wrong"),
    [("Default", set()), ("Warn", set()), ("Fail", {("$.url", "not_uri"), ("$.email", "not_email")})],
)
def test_the_uk_fixtures_fail_exactly_where_they_should(folder: str, wrong: set[tuple[str, str]]) -> None:
    _, found = read_json((HSDS / "uk" / folder / "service_full.json").read_bytes())
    assert {(problem.place, problem.name) for problem in errors(found)} == wrong


@official
def test_what_we_export_is_valid_by_the_official_schemas(engine: Engine) -> None:
    from jsonschema import FormatChecker
    from jsonschema.validators import validator_for

    load_starter(engine)
    schema = json.loads((HSDS / "schema" / "compiled" / "service.json").read_bytes())
    check = validator_for(schema)(schema, format_checker=FormatChecker())
    with engine.connect() as connection:
        services = json.loads(export(connection, "hsds-json"))
        uk = json.loads(export(connection, "uk-json"))["contents"]
    assert len(services) > 150
    for service in [*services, *uk]:
        assert [error.message for error in check.iter_errors(service)] == []


@official
def test_our_tables_are_a_valid_data_package(engine: Engine, tmp_path: Path) -> None:
    load_starter(engine)
    with engine.connect() as connection:
        tables = tabular.tables_of(export(connection, "hsds-tabular"))
    for name, content in tables.items():
        (tmp_path / name).write_bytes(content)
    uvx = ROOT / ".uv" / "bin" / "uvx"
    # frictionless needs a newer attrs than rasa admits: it runs in an environment of its own
    command = [str(uvx), "--quiet", "--from", "frictionless==5.8.1", "frictionless", "validate", "--trusted", "--json"]
    done = subprocess.run([*command, str(tmp_path / "datapackage.json")], capture_output=True, text=True, check=False)
    if not done.stdout.lstrip().startswith("{"):
        pytest.skip(f"frictionless could not be fetched from the package registry: {done.stderr[-200:]}")
    report = json.loads(done.stdout)
    assert report["valid"], [task["errors"][:2] for task in report["tasks"] if task["errors"]]


# all or nothing, and the same again


@pytest.mark.parametrize("form", ["hsds-json", "hsds-tabular"])
def test_an_export_that_is_imported_again_changes_nothing(engine: Engine, form: str) -> None:
    enter(engine, small())
    before = everything(engine)
    with engine.connect() as connection:
        bundle, found, _ = read(export(connection, form), "file")
    assert errors(found) == []
    assert bring_in(engine, bundle).empty
    assert everything(engine) == before


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_spreadsheet_that_we_wrote_says_the_same_when_it_is_read(engine: Engine, form: str) -> None:
    bundle, _, _ = read(sheet(HEADER, CASA, LINEA), "one")
    bring_in(engine, bundle, "one")
    with engine.connect() as connection:
        again, found, _ = read(export(connection, form), "one")
    assert errors(found) == []
    names = {row["name"]: row["id"] for row in again["service"].values()}
    assert set(names) == {"Casa", "Linea"}
    for entity, field in (("phone", "number"), ("schedule", "byday"), ("language", "code"), ("service_area", "extent")):
        assert sorted(row[field] for row in again[entity].values()) == sorted(
            row[field] for row in bundle[entity].values()
        )


def test_a_spreadsheet_comes_in_and_the_same_again_changes_nothing(engine: Engine) -> None:
    bundle, found, _ = read(sheet(HEADER, CASA, LINEA), "one")
    assert errors(found) == []
    bring_in(engine, bundle, "one")
    services, count = Directory(engine).find(country="IT")
    assert (count, sorted(each.name for each in services)) == (2, ["Casa", "Linea"])
    assert Directory(engine).find(words="1234 casa")[1] == 1
    before = everything(engine)
    again, _, _ = read(sheet(HEADER, CASA, LINEA), "one")
    assert bring_in(engine, again, "one").empty
    assert everything(engine) == before


def test_a_changed_file_shows_its_difference_and_what_it_lacks_is_archived(engine: Engine) -> None:
    bring_in(engine, read(sheet(HEADER, CASA, LINEA), "one")[0], "one")
    other = [*CASA[:2], "+39 06 9999 9999", *CASA[3:]]
    plan = bring_in(engine, read(sheet(HEADER, other), "one")[0], "one")
    assert [(entity, before["number"], after["number"]) for entity, before, after in plan.changed] == [
        ("phone", "+39 06 1234 5678", "+39 06 9999 9999")
    ]
    assert plan.counts()["archived"]["service"] == 1
    assert [each.name for each in Directory(engine).find(country="IT")[0]] == ["Casa"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM service")).scalar() == 2, "archived, not deleted"
    bring_in(engine, read(sheet(HEADER, CASA, LINEA), "one")[0], "one")
    assert Directory(engine).find(country="IT")[1] == 2


def test_what_was_edited_here_stays_until_the_file_says_something_new(engine: Engine) -> None:
    first, _, _ = read(sheet(HEADER, CASA), "one")
    bring_in(engine, first, "one")
    (service,) = first["service"]
    with engine.begin() as connection:
        before, after = load(connection, [service]), load(connection, [service])
        after.add("service", after["service"][service] | {"description": "Edited"})
        apply(connection, VAULT, edits_between(before, after), SOMEBODY)
    assert bring_in(engine, read(sheet(HEADER, CASA), "one")[0], "one").empty
    newer = sheet([*HEADER, "Description"], [*CASA, "From the file"])
    plan = bring_in(engine, read(newer, "one")[0], "one")
    assert [entity for entity, *_ in plan.kept] == ["service"]
    (found,), _ = Directory(engine).find(country="IT")
    assert found.description == "Edited"
    bring_in(engine, read(newer, "one")[0], "one", theirs=True)
    (found,), _ = Directory(engine).find(country="IT")
    assert found.description == "From the file"


def test_a_file_that_fails_in_the_middle_leaves_everything_as_it_was(engine: Engine) -> None:
    enter(engine, small())
    before = everything(engine)
    bundle, _, _ = read(sheet(HEADER, CASA), "one")
    bundle.rows["phone"][key("broken")] = {"id": key("broken"), "service_id": key("nobody"), "number": "1"}
    with pytest.raises(Exception, match=r"(?i)foreign key"), engine.begin() as connection:  # noqa: PT012
        plan = imports.plan(connection, "one", bundle)
        imports.apply(connection, VAULT, plan, bundle, Author("import:one"))
    assert everything(engine) == before
    assert [each.name for each in Directory(engine).find(country="IT")[0]] == ["service"]


def test_closed_columns_never_become_public_and_come_again_unchanged(engine: Engine) -> None:
    header = [*HEADER, "Staff phone", "Internal notes", "Shelter address"]
    row = [*CASA, "+39 06 CANARY", "CANARY note", "Via CANARY 1"]
    bring_in(engine, read(sheet(header, row), "one")[0], "one")
    assert "CANARY" not in repr(everything(engine))
    with engine.connect() as connection:
        for form in FORMS:
            assert b"CANARY" not in export(connection, form)
        assert connection.execute(text("SELECT count(*) FROM restricted_record")).scalar() == 5
    assert bring_in(engine, read(sheet(header, row), "one")[0], "one").empty


# messy spreadsheets


def problems(data: bytes) -> list[tuple[str, str]]:
    _, found, _ = read(data, "one")
    return [(problem.place, problem.name) for problem in found]


def test_a_title_above_the_header_and_empty_rows_are_passed_over() -> None:
    bundle, found, _ = read(sheet(["Our services 2026"], [], HEADER, [], CASA), "one")
    assert found == []
    assert len(bundle["service"]) == 1


def test_each_error_names_its_cell() -> None:
    wrong = ["", "Casa", "hello", "Atlantis", "Xyzzy", "whenever", "x"]
    found = problems(sheet(HEADER, CASA, wrong, ["A", "B", "hello", "Atlantis", "Xyzzy", "whenever", "x"]))
    assert ("A3", "required") in found
    for cell in (
        ("C4", "unknown_phone"),
        ("D4", "unknown_country"),
        ("E4", "unknown_language"),
        ("F4", "unknown_hours"),
    ):
        assert cell in found
    assert ("G4", "unknown_need") in found


def test_numbers_that_a_spreadsheet_took_for_quantities_stay_numbers() -> None:
    bundle, _, _ = read(sheet(HEADER, [*CASA[:2], 390612345678.0, *CASA[3:]]), "one")
    assert [row["number"] for row in bundle["phone"].values()] == ["390612345678"]
    text_ = "Organisation;Service;Phone;Country\r\nA;B;3.90612345678E+11;Italy\r\n"
    bundle, _, _ = read(text_.encode(), "one")
    assert [row["number"] for row in bundle["phone"].values()] == ["390612345678"]


def test_dates_as_numbers_and_as_days_and_those_that_can_be_two() -> None:
    import datetime

    for value in (46352, datetime.date(2026, 11, 26), "26.11.2026", "26/11/2026", "2026-11-26"):
        bundle, found, _ = read(sheet([*HEADER, "Last verified"], [*CASA, value]), "one")
        assert errors(found) == []
        assert [row["assured_date"] for row in bundle["service"].values()] == ["2026-11-26"]
    assert problems(sheet([*HEADER, "Last verified"], [*CASA, "03/04/2026"])) == [("H2", "ambiguous_date")]


def test_merged_cells_count_for_all_their_rows_and_are_told() -> None:
    book = openpyxl.Workbook()
    for row in (HEADER, CASA, [None, *LINEA[1:]]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    bundle, found, _ = read(out.getvalue(), "one")
    assert len(bundle["service"]) == 2
    assert len(bundle["organization"]) == 1
    assert [(problem.place, problem.name, problem.level) for problem in found] == [("A3", "merged", "warning")]


def test_a_formula_without_its_value_is_named() -> None:
    assert ("C2", "formula_without_value") in problems(sheet(HEADER, [*CASA[:2], "=1+1", *CASA[3:]]))


def test_the_same_row_twice_is_told() -> None:
    assert problems(sheet(HEADER, CASA, LINEA, CASA)) == [("B4", "repeated_row")]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1252", "Maison d'accueil à Besançon, hébergement d'urgence"), ("cp1251", "Притулок для жінок у Києві, допомога"),
     ("cp1250", "Schronisko dla kobiet, Łódź, pomoc społeczna"), ("utf-16", "مأوى"), ("utf-8-sig", "Hà Nội"), ("utf-8", "Țara")],
)  # fmt: skip
def test_encodings_are_read_and_a_guess_is_told(encoding: str, name: str) -> None:
    rows = "".join(f"A;{name};{number};Italy\r\n" for number in range(30))
    content = f"Organisation;Service;Phone;Country\r\n{rows}".encode(encoding)
    found = read_sheet(content)
    assert name in found.rows[0].cells[1]
    assert [problem.name for problem in found.problems] == (["encoding_guessed"] if encoding.startswith("cp") else [])


def test_a_million_empty_rows_are_no_work() -> None:
    found = read_sheet(("Organisation,Service,Country\nA,B,Italy\n" + ",,\n" * 1_000_000).encode())
    assert len(found.rows) == 1


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"\xd0\xcf\x11\xe0abc", b"PK\x03\x04broken", b"", b"\x00" * 50, b"one line"]
)
def test_what_is_no_spreadsheet_is_said_in_one_sentence(data: bytes) -> None:
    _, found, _ = read(data, "one")
    assert len(errors(found)) == 1
    assert str(errors(found)[0])


def test_a_formula_in_a_name_is_text_in_an_export(engine: Engine) -> None:
    bundle = small()
    bundle.add("service", bundle["service"][SERVICE] | {"name": "=HYPERLINK(1)", "description": "@cmd"})
    enter(engine, bundle)
    with engine.connect() as connection:
        rows = export(connection, "csv").decode("utf-8-sig")
        book = openpyxl.load_workbook(io.BytesIO(export(connection, "xlsx")))
    assert "'=HYPERLINK(1)" in rows
    assert "'@cmd" in rows
    assert "'+39 06" in rows
    assert {cell.data_type for row in book.active for cell in row} <= {"s", "inlineStr"}
    assert not any(str(cell.value or "").startswith("=") for row in book.active for cell in row)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.builds(lambda tail: b"Organisation,Service\n" + tail, st.binary(max_size=100)))  # fmt: skip
def test_no_bytes_break_the_reading(data: bytes) -> None:
    bundle, found, _ = read(data, "one")
    assert all(isinstance(problem, Problem) and str(problem) for problem in found)
    assert len(bundle["service"]) or found


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "name", "status", "phones", "organization", "attributes", "number", "contents"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_no_json_breaks_the_reading(value: Any) -> None:
    _, found = read_json(json.dumps(value).encode())
    assert all(str(problem) for problem in found)


def test_deep_json_is_refused() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert [problem.name for problem in read_json(deep.encode())[1]] == ["too_deep"]


def test_the_history_tells_of_an_import(engine: Engine) -> None:
    bring_in(engine, read(sheet(HEADER, CASA), "one")[0], "one")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT DISTINCT by FROM directory_change")).scalars().all() == ["import:one"]
        assert connection.execute(text("SELECT count(*) FROM service")).scalar() == 1
        assert Service.__tablename__ == "service"
