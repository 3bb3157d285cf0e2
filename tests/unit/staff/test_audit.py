"""bot/staff/audit.py: one chain, and every way to tamper with it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.staff.audit import START, Audit
from bot.staff.tables import writing
from bot.vault.vault import Vault

MASTER = bytes(range(32))
CASE = "c0ffee00"


@pytest.fixture
def audit(engine: Engine) -> Audit:
    return Audit(engine, Vault(MASTER))


@pytest.fixture
def filled(audit: Audit) -> Audit:
    for turn in range(6):
        audit.note("system", "case_opened", f"case:{turn}")
    return audit


def change(audit: Audit, *statements: str) -> None:
    with audit.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_what_was_noted_is_shown_newest_first(audit: Audit) -> None:
    assert audit.verify().count == 0
    assert audit.verify().head == START
    audit.note("person", "case_left", CASE)
    audit.note("0123456789abcdef", "case_taken", CASE)
    audit.note("cli", "account_added")
    assert [(line.n, line.actor, line.action, line.subject) for line in audit.recent()] == [
        (3, "cli", "account_added", ""),
        (2, "0123456789abcdef", "case_taken", CASE),
        (1, "person", "case_left", CASE),
    ]
    assert [line.n for line in audit.recent(1, before=3)] == [2]
    assert [line.n for line in audit.recent(subject=CASE)] == [2, 1]
    result = audit.verify()
    assert (result.count, result.broken) == (3, None)


@pytest.mark.parametrize(
    ("actor", "action", "subject"),
    [
        ("ana", "case_taken", ""),
        ("system", "Help me please", ""),
        ("system", "case_taken", "I am in Rome"),
        ("system", "case_taken", "x" * 65),
        ("system", "case_taken", "Рим"),
        ("", "case_taken", ""),
        ("system", "", ""),
    ],
)
def test_nothing_that_somebody_wrote_fits_in(audit: Audit, actor: str, action: str, subject: str) -> None:
    with pytest.raises(ValueError, match="fixed words"):
        audit.note(actor, action, subject)
    assert audit.verify().count == 0


@pytest.mark.parametrize(
    "column", ["at = at + 1", "actor = 'cli'", "action = 'case_closed'", "subject = 'case:9'", "hash = previous"]
)
@pytest.mark.parametrize("n", [1, 3, 6])
def test_a_changed_row_is_found(filled: Audit, column: str, n: int) -> None:
    change(filled, f"UPDATE audit SET {column} WHERE n = {n}")
    result = filled.verify()
    assert (result.broken, result.why) == (n, "changed")


@pytest.mark.parametrize(("gone", "found"), [(1, 2), (3, 4), (5, 6)])
def test_a_deleted_row_is_found(filled: Audit, gone: int, found: int) -> None:
    change(filled, f"DELETE FROM audit WHERE n = {gone}")
    result = filled.verify()
    assert (result.broken, result.why) == (found, "missing")


def test_a_deleted_row_is_found_when_the_others_move_up(filled: Audit) -> None:
    change(filled, "DELETE FROM audit WHERE n = 3", "UPDATE audit SET n = n - 1 WHERE n > 3")
    result = filled.verify()
    assert (result.broken, result.why) == (3, "changed")


def test_an_inserted_row_is_found(filled: Audit) -> None:
    change(
        filled,
        "UPDATE audit SET n = -n - 1 WHERE n > 3",
        "UPDATE audit SET n = -n WHERE n < 0",
        "INSERT INTO audit (n, at, actor, action, subject, previous, hash) "
        "SELECT 4, at, actor, 'case_closed', subject, hash, hash FROM audit WHERE n = 3",
    )
    assert filled.verify().broken == 4


def test_a_row_made_with_another_key_is_found(filled: Audit, engine: Engine) -> None:
    Audit(engine, Vault(bytes(32))).note("system", "case_closed", CASE)
    result = filled.verify()
    assert (result.broken, result.why) == (7, "changed")


def test_reordered_rows_are_found(filled: Audit) -> None:
    change(
        filled,
        "UPDATE audit SET n = -1 WHERE n = 2",
        "UPDATE audit SET n = 2 WHERE n = 5",
        "UPDATE audit SET n = 5 WHERE n = -1",
    )
    assert filled.verify().broken == 2


def test_a_cut_off_tail_is_found_with_what_was_expected(filled: Audit) -> None:
    kept = filled.verify()
    expect = (kept.count, kept.head)
    filled.note("system", "case_opened", "case:7")
    assert filled.verify(expect).broken is None
    change(filled, "DELETE FROM audit WHERE n > 4")
    assert filled.verify().broken is None  # that is why there is --expect
    result = filled.verify(expect)
    assert (result.broken, result.why) == (5, "cut")
    for turn in range(3):
        filled.note("system", "case_closed", f"case:{turn}")  # grown again, past it
    result = filled.verify(expect)
    assert (result.broken, result.why) == (6, "other")


def test_a_row_put_back_from_before_a_cut_is_found(filled: Audit) -> None:
    change(filled, "CREATE TABLE kept AS SELECT * FROM audit WHERE n = 6", "DELETE FROM audit WHERE n = 6")
    filled.note("system", "case_closed", CASE)
    filled.note("system", "case_closed", CASE)
    change(filled, "DELETE FROM audit WHERE n = 6", "INSERT INTO audit SELECT * FROM kept")
    result = filled.verify()
    assert (result.broken, result.why) == (7, "missing")


def test_an_emptied_log_is_found_with_what_was_expected(filled: Audit) -> None:
    kept = filled.verify()
    change(filled, "DELETE FROM audit")
    assert filled.verify((kept.count, kept.head)).why == "cut"


def test_a_change_and_its_row_are_stored_together_or_not_at_all(audit: Audit, engine: Engine) -> None:
    def fails() -> None:
        with writing(engine) as session:
            audit.append(session, "system", "case_opened", CASE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert audit.verify().count == 0
    with Session(engine) as session, session.begin():
        audit.append(session, "system", "case_opened", CASE)
        audit.append(session, "system", "case_closed", CASE)
    assert audit.verify().count == 2


def test_threads_and_processes_append_to_one_chain(audit: Audit) -> None:
    program = (
        "import sys\n"
        "from bot.staff.audit import Audit\n"
        "from bot.store.database import connect\n"
        "from bot.vault.vault import Vault\n"
        "audit = Audit(connect(sys.argv[1]), Vault(bytes(range(32))))\n"
        "for _ in range(50): audit.note('cli', 'case_read')\n"
    )
    url = audit.engine.url.render_as_string(hide_password=False)
    others = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda: [audit.note("system", "case_read") for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    result = audit.verify()
    assert (result.count, result.broken) == (300, None)
