"""What the tests of staff share: a small team on a real SQLite file, with a cheap Argon2id."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pyotp
import pytest
from sqlalchemy import Engine

from bot.staff import totp
from bot.staff.accounts import Accounts, Admission, Operator, Role
from bot.staff.audit import Audit
from bot.staff.passwords import Cost
from bot.staff.recovery import Recovery
from bot.staff.sessions import Session, Sessions
from bot.vault.vault import Vault

MASTER = bytes(range(32))
CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSWORD = "violet staircase 9 harbours"
AGENT = "Mozilla/5.0 (a browser)"


@dataclass
class Person:
    """Somebody of the staff, with a password, an app and a browser."""

    staff: Staff
    login: str
    password: str = PASSWORD
    secret: str = field(default_factory=totp.new_secret)
    cookie: str = ""
    codes: tuple[str, ...] = ()
    now: float = field(default_factory=time.time)

    def digits(self) -> str:
        """A code of the app, each time of a later step."""
        self.now += totp.STEP_SECONDS
        return pyotp.TOTP(self.secret).at(int(self.now))

    def enrols(self, code: str) -> Admission:
        digits = self.digits()
        admission = self.staff.accounts.enrol(
            self.login, code, self.password, self.secret, digits, self.cookie, now=self.now
        )
        self.cookie, self.codes = admission.device_cookie, admission.recovery_codes
        return admission

    def logs_in(self, **other: str) -> Admission:
        given = {"password": self.password, "code": "", "device_cookie": self.cookie} | other
        given["code"] = given["code"] or self.digits()
        admission = self.staff.accounts.login(self.login, **given, now=self.now)
        self.cookie = admission.device_cookie
        return admission

    def session(self) -> Session:
        admission = self.logs_in()
        return self.staff.sessions.open(admission.operator, admission.private_key, AGENT)[1]

    @property
    def account(self) -> Operator:
        operator = self.staff.accounts.find(self.login)
        assert operator is not None
        return operator


class Staff:
    """All parts, as the gateway puts them together."""

    def __init__(self, engine: Engine, master: bytes = MASTER) -> None:
        self.engine = engine
        self.vault = Vault(master)
        self.audit = Audit(engine, self.vault)
        self.accounts = Accounts(engine, self.vault, self.audit, CHEAP)
        self.sessions = Sessions(self.accounts, self.audit)
        self.recovery = Recovery(engine, self.vault, self.accounts, self.audit)
        self.sessions.on_open.append(self.recovery.at_login)

    def joins(self, login: str, role: Role = Role.OPERATOR, team: str = "rome") -> Person:
        """Add and enrol somebody."""
        person = Person(self, login)
        person.enrols(self.accounts.add(login, role, team, login.title(), "en"))
        return person


@pytest.fixture
def staff(engine: Engine) -> Staff:
    return Staff(engine)


@pytest.fixture
def ana(staff: Staff) -> Person:
    """An operator who has enrolled."""
    return staff.joins("ana")
