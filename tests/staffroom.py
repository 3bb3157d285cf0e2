"""Staff for tests that run a whole helpline: accounts put into its database, logins as browsers send them."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyotp

from bot.staff import totp
from bot.staff.accounts import Accounts, Role
from bot.staff.audit import Audit
from bot.staff.passwords import Cost
from bot.store.database import connect
from bot.vault.keys import load
from bot.vault.vault import Unreadable, Vault
from tests.support import Helpline

PASSWORD = "violet staircase 9 harbours"
CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
"""Argon2id as cheap as it gets: what costs much on purpose is tested in tests/unit/staff."""


@dataclass
class Employee:
    """Somebody of the staff: what they know, and what they hold."""

    login: str
    secret: str = field(default_factory=totp.new_secret)
    codes: list[str] = field(default_factory=list)
    id: str = ""
    _step: int = 0

    def digits(self) -> str:
        """A code of the app that was not used yet; waits where the next one is not valid so far ahead."""
        now = int(time.time()) // totp.STEP_SECONDS
        self._step = max(self._step + 1, now)
        while self._step > int(time.time()) // totp.STEP_SECONDS + 1:
            time.sleep(0.5)
        return pyotp.TOTP(self.secret).at(self._step * totp.STEP_SECONDS)

    def code(self) -> str:
        """A recovery code: logging in again and again needs no waiting."""
        return self.codes.pop()


def employ(
    helpline: Helpline, login: str, role: Role = Role.OPERATOR, team: str = "main", language: str = "en", cap: int = 5
) -> Employee:
    """Add and enrol somebody, as `helpline operator add` and the enrolment page do."""
    engine = connect(helpline.environment.get("HELPLINE_DATABASE_URL") or f"sqlite:///{helpline.data / 'helpline.db'}")
    try:
        vault = Vault(load(helpline.data / "master.key"))
        accounts = Accounts(engine, vault, Audit(engine, vault), CHEAP)
        code = accounts.add(login, role, team, login.title(), language, cap=cap)
        employee = Employee(login)
        admission = accounts.enrol(login, code, PASSWORD, employee.secret, employee.digits())
        employee.codes = list(admission.recovery_codes)
        employee.id = admission.operator.id
        return employee
    finally:
        engine.dispose()


class Console:
    """A console as a browser without scripts sends its forms."""

    def __init__(self, helpline: Helpline, employee: Employee) -> None:
        self.employee = employee
        self.http = httpx.Client(base_url=helpline.url, timeout=30, headers={"User-Agent": f"test {employee.login}"})
        self.csrf = ""

    def logs_in(self) -> Console:
        fields = {"login": self.employee.login, "password": PASSWORD, "code": self.employee.code()}
        answer = self.http.post("/console/login", data=fields)
        assert answer.status_code == 303, answer.text
        cookie = answer.headers.get_list("set-cookie")
        # The cookie is Secure, and this client is not on TLS: browsers make an exception for 127.0.0.1.
        self.http.headers["Cookie"] = "; ".join(each.partition(";")[0] for each in cookie)
        self.csrf = self.http.get("/console/queue").text.partition('data-csrf="')[2].partition('"')[0]
        assert self.csrf
        return self

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data={"csrf": self.csrf, **fields})

    def on_duty(self) -> Console:
        assert self.post("/console/presence", state="duty").status_code == 303
        return self


def opened_by_master_key(data: Path) -> list[bytes]:
    """Return all that somebody with the disk and the master key can decrypt, by trying every key on every blob."""
    vault = Vault(load(data / "master.key"))
    opened: list[bytes] = []
    with sqlite3.connect(data / "helpline.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    keys: list[tuple[str, bytes]] = []
    for bound, wrapped, version in [(row[0], row[1], row[2]) for row in rows["conversation"] + rows["handoff_case"]]:
        keys.append((bound, vault.unwrap(bound, wrapped, version)))
    # The directory's public tables have no sealed cell; their words are no part of any seal.
    sealed = [table for table in tables if any(isinstance(cell, bytes) for row in rows[table] for cell in row)]
    sealed = [table for table in sealed if not table.startswith("service_words")]
    ids = {str(cell) for table in sealed for row in rows[table] for cell in row if isinstance(cell, (str, int))}
    for blob in {cell for table in sealed for row in rows[table] for cell in row if isinstance(cell, bytes)}:
        for bound, conversation_key in keys:
            for purpose in ("state", "case"):
                try:
                    opened.append(vault.open(conversation_key, bound, purpose, blob))
                except Unreadable:
                    continue
        for purpose in ("staff account", "staff key", "staff enrolment", "staff recovery"):
            for bound in ids:
                try:
                    opened.append(vault.reveal(purpose, bound, blob))
                except Unreadable:
                    continue
    return opened
