"""`helpline directory …`, as somebody at a terminal uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from bot.directory.commands import directory

SHEET = """Organisation;Service;Phone;Country;City;Needs;Languages
Porto Sicuro;Casa;+39 06 1234 5678;Italy;Roma;need_shelter;Arabic
Porto Sicuro;Linea;800 290 290;Italy;;need_legal;Italian
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELPLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HELPLINE_DIRECTORY_HIDE_DAYS", "36500")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.csv").write_text(SHEET, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(directory, list(arguments))


def services(data: Path) -> int:
    engine = create_engine(f"sqlite:///{data / 'data' / 'helpline.db'}")
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM service")).scalar()
    engine.dispose()
    return int(count or 0)


def test_a_dry_run_tells_and_changes_nothing(data: Path) -> None:
    done = run("import", "ours.csv", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "2 service" in done.output
    assert "Nothing was changed" in done.output
    assert services(data) == 0


def test_importing_twice_says_that_all_is_there(data: Path) -> None:
    assert "2 service" in run("import", "ours.csv").output
    assert "has all of this already" in run("import", "ours.csv").output
    assert services(data) == 2


def test_a_file_with_errors_is_not_imported_and_its_report_names_the_cells(data: Path) -> None:
    (data / "ours.csv").write_text(SHEET + "Porto Sicuro;;1;Atlantis;;;\n", encoding="utf-8")
    done = run("import", "ours.csv", "--report", "report.csv")
    assert done.exit_code == 1
    assert "B4: service is missing" in done.output
    assert "nothing was imported" in done.output
    assert services(data) == 0
    assert "error,B4,service is missing" in (data / "report.csv").read_text(encoding="utf-8-sig")


def test_a_column_with_a_name_of_its_own_is_mapped_by_hand(data: Path) -> None:
    (data / "ours.csv").write_text(SHEET.replace("Organisation", "Träger"), encoding="utf-8")
    assert run("import", "ours.csv").exit_code == 1
    assert run("import", "ours.csv", "--map", "Träger=organization").exit_code == 0
    wrong = run("import", "ours.csv", "--map", "Träger=nothing")
    assert wrong.exit_code == 2
    assert "expected HEADER=FIELD" in wrong.output


def test_the_starter_set_goes_out_and_comes_in_as_a_spreadsheet(data: Path) -> None:
    run("why", "--country", "IT")  # loads the starter set
    for form in ("csv", "xlsx", "hsds-json", "hsds-tabular"):
        assert run("export", f"all.{form}", "--form", form).exit_code == 0
    for form in ("csv", "xlsx"):
        done = run("import", f"all.{form}", "--dataset", "copy", "--dry-run")
        assert done.exit_code == 0, done.output
    assert "has all of this already" in run("import", "all.hsds-json").output
    assert "has all of this already" in run("import", "all.hsds-tabular").output


def test_why_names_every_criterion_and_where_the_next_falls_behind(data: Path) -> None:
    run("import", "ours.csv")
    done = run("why", "--country", "Italy", "--city", "Rome", "--need", "need_shelter", "--language", "ar")
    assert done.exit_code == 0, done.output
    for words in (
        "kind",
        "covers need_shelter",
        "speaks her language",
        "near, or reached from anywhere",
        "never confirmed",
    ):
        assert words in done.output
    assert "behind 1 by" in done.output
    assert run("why", "--country", "Atlantis").exit_code == 2
    assert run("why", "--country", "IT", "--city", "Atlantis").exit_code == 2
    assert run("why", "--country", "IT", "--at", "yesterday").exit_code == 2
