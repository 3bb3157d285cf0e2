"""bot/staff/commands.py, as somebody at a terminal meets it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from bot.staff.commands import audit, operators
from bot.store.database import connect
from tests.unit.staff.conftest import MASTER, Person, Staff

ANA = ["add", "--login", "ana", "--role", "operator", "--team", "rome", "--name", "Ana"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPLINE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir(mode=0o700)
    key = tmp_path / "data" / "master.key"
    key.write_bytes(MASTER)
    key.chmod(0o600)
    return tmp_path / "data"


def helpline(*arguments: str, group: object = operators) -> Result:
    return CliRunner().invoke(group, list(arguments))  # type: ignore[arg-type]


def verify(*arguments: str) -> Result:
    return helpline("verify", *arguments, group=audit)


def test_an_operator_is_added_enrols_is_listed_disabled_and_reset(data: Path) -> None:
    added = helpline(*ANA)
    assert added.exit_code == 0
    assert "/console/enrol" in added.output
    code = re.search(r"([A-Z2-7]{5}-){4}[A-Z2-7]{5}", added.output)
    assert code
    assert re.search(r"ana +operator +rome +en +enrolling", helpline("list").output)
    engine = connect(f"sqlite:///{data / 'helpline.db'}")
    ana = Person(Staff(engine), "ana")
    ana.enrols(code[0])
    assert re.search(r"ana +operator +rome +en +active", helpline("list").output)
    assert helpline("disable", "ANA").exit_code == 0
    assert "disabled" in helpline("list").output
    assert helpline("enable", "ana").exit_code == 0
    asked = CliRunner().invoke(operators, ["reset", "ana"], input="n\n")
    assert asked.exit_code == 1
    assert "will be lost" in asked.output
    assert ana.account.public_key
    assert "One-time code:" in helpline("reset", "ana", "--yes").output
    assert ana.account.public_key is None
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*ANA], "taken"),
        (["disable", "nobody"], "operator list"),
        ([*ANA, "--language", "tlh"], "expected one of en, fr"),
        ([*ANA, "--login", "a b"], "without spaces"),
        ([*ANA, "--team", "!"], "--team"),
    ],
)
def test_errors_say_what_to_do(arguments: list[str], words: str) -> None:
    helpline(*ANA)
    result = helpline(*arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_an_empty_list_says_how_to_begin() -> None:
    assert "helpline operator add" in helpline("list").output


def test_another_master_key_is_named(data: Path) -> None:
    helpline(*ANA)
    (data / "master.key").write_bytes(bytes(32))
    result = helpline("list")
    assert result.exit_code == 1
    assert "master.key: restore" in result.output


def test_the_audit_log_is_verified(data: Path) -> None:
    helpline(*ANA)
    first = verify()
    assert first.exit_code == 0
    assert re.fullmatch(r"1:[0-9a-f]{64}\n", first.output)
    helpline("disable", "ana")
    assert verify("--expect", first.output.strip()).exit_code == 0
    second = verify().output.strip()
    engine = connect(f"sqlite:///{data / 'helpline.db'}")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE n = 2"))
    assert verify().output == first.output
    cut = verify("--expect", second)
    assert cut.exit_code == 1
    assert "BROKEN  row 2 is missing" in cut.output
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET action = 'nothing'"))
    engine.dispose()
    changed = verify()
    assert changed.exit_code == 1
    assert "BROKEN  row 1 was changed" in changed.output
    assert "expected COUNT:HASH" in verify("--expect", "rubbish").output
