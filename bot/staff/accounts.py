"""Staff accounts: adding, enrolling, logging in, changing.

Everything here blocks (a password takes about 0.3 s): call it in a thread. Nothing here needs the event loop.
"""

from __future__ import annotations

import json
import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session as Database

from bot.handoff.sealing import new_pair, private_from, public_of
from bot.log import get_logger
from bot.staff import passwords, totp
from bot.staff.audit import Audit
from bot.staff.errors import LoginRefused, StaffError, TryLater
from bot.staff.passwords import Cost, Kitchen
from bot.staff.tables import EscrowRow, OperatorRow, RecoveryCodeRow, writing
from bot.staff.throttle import DEVICE_DAYS as DEVICE_DAYS
from bot.staff.throttle import Devices, Throttle
from bot.store.database import forget_deleted
from bot.vault.vault import Unreadable, Vault

log = get_logger(__name__)

CLI = "cli"
CODE_HOURS = 72
RECOVERY_CODES = 10
DEFAULT_CAP = 5
MOST_CAP = 50
_LOGIN = re.compile(r"[^\s\x00-\x1f]{2,64}")
_TEAM = re.compile(r"[^\W_]([\w-]{0,38}[^\W_])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,8})?")
_NO_SECRET = "A" * 32
"""Stands in for the second factor of a login that does not exist, so that it costs the same time."""
_RECORD, _KEY, _CODE = "staff account", "staff key", "staff enrolment"


class Role(str, Enum):
    """What somebody may do."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, repr=False)
class Operator:
    """An account. `public_key` is None until enrolled."""

    id: str
    login: str
    name: str
    role: Role
    team: str
    language: str
    cap: int
    public_key: bytes | None
    active: bool
    epoch: int
    """Sessions of an older epoch are over."""
    version: int
    """Grows with every change of the account."""
    enrolling: bool
    """A one-time enrolment code is out and not yet used or expired."""

    def __repr__(self) -> str:
        return f"Operator({self.id})"


@dataclass(frozen=True, repr=False)
class Admission:
    """Somebody let in: give `operator` and `private_key` to Sessions.open, and set the device cookie."""

    operator: Operator
    private_key: X25519PrivateKey
    device_cookie: str
    """No login, it only gives this browser a counter of its own. For throttle.DEVICE_DAYS, HttpOnly, Secure, Strict."""
    recovery_codes: tuple[str, ...] = ()
    """After enrolling: shown once."""
    codes_left: int = 0

    def __repr__(self) -> str:
        return "Admission(…)"


@dataclass(repr=False)
class _Facts:
    """What an account's record holds."""

    login: str
    name: str
    role: str
    team: str
    language: str
    cap: int
    active: bool = True
    public: str = ""
    totp: str = ""
    step: int = 0
    """The last time step of the second factor that was used."""


class Accounts:
    """All staff accounts. Hooks are called in the thread of the caller, after the change is stored."""

    def __init__(self, engine: Engine, vault: Vault, audit: Audit, cost: Cost | None = None) -> None:
        self.engine = engine
        self.vault = vault
        self.audit = audit
        self.cost = cost or Cost()
        self.kitchen = Kitchen()
        self.throttle = Throttle()
        self.devices = Devices(vault)
        self._opened: dict[str, tuple[object, int, Operator]] = {}
        self.on_team_change: list[Callable[[str], None]] = []
        """Called with a team whose holders changed (enrolled, moved, disabled, enabled, reset)."""
        self.on_end: list[Callable[[str, str], None]] = []
        """Called with (operator id, session id to keep or "") when sessions must end. Sessions registers itself."""

    # Reading

    def get(self, operator_id: str) -> Operator | None:
        """Return the account, or None."""
        with Database(self.engine) as database:
            row = database.get(OperatorRow, operator_id)
            return self._operator(row) if row else None

    def find(self, login: str) -> Operator | None:
        """Return the account with this login, or None."""
        with Database(self.engine) as database:
            row = self._by_login(database, login)
            return self._operator(row) if row else None

    def all(self) -> list[Operator]:
        """Return all accounts, by login."""
        with Database(self.engine) as database:
            operators = [self._operator(row) for row in database.scalars(select(OperatorRow))]
        return sorted(operators, key=lambda operator: operator.login)

    def holders(self, team: str) -> list[Operator]:
        """Return whom the cases of a team are sealed to: active, enrolled, operator or supervisor."""
        return [
            operator
            for operator in self.all()
            if operator.team == team
            and operator.active
            and operator.public_key
            and operator.role in (Role.OPERATOR, Role.SUPERVISOR)
        ]

    def teams(self) -> list[str]:
        """Return the teams of all active accounts that work with cases."""
        return sorted(
            {each.team for each in self.all() if each.active and each.role in (Role.OPERATOR, Role.SUPERVISOR)}
        )

    def stamps(self, operator_ids: list[str]) -> dict[str, tuple[int, int]]:
        """Return (epoch, version) of each of these accounts: one quick query that opens no record."""
        with Database(self.engine) as database:
            rows = database.execute(
                select(OperatorRow.id, OperatorRow.epoch, OperatorRow.version).where(OperatorRow.id.in_(operator_ids))
            )
            return {row.id: (row.epoch, row.version) for row in rows}

    def codes_left(self, operator_id: str) -> int:
        """Return how many recovery codes are not used yet."""
        with Database(self.engine) as database:
            return self._codes_left(database, operator_id)

    # Administration. `by`: the acting operator's id, or "cli".

    def add(
        self, login: str, role: Role, team: str, name: str, language: str, by: str = CLI, cap: int = DEFAULT_CAP
    ) -> str:
        """Make an account and return its one-time enrolment code, valid for 72 hours, shown once.

        StaffError: login_bad, login_taken, name_bad, team_bad, language_bad, cap_bad; administrator_cli where `by` is
        an operator and `role` is administrator (one administrator alone must not be able to become two).
        """
        if role is Role.ADMINISTRATOR and by != CLI:
            raise StaffError("administrator_cli")
        login = normalise_login(login)
        if not _LOGIN.fullmatch(login) or not login.isprintable():
            raise StaffError("login_bad")
        facts = _Facts(login, _name(name), role.value, _team(team), _language(language), _cap(cap))
        with writing(self.engine) as database:
            if self._by_login(database, login):
                raise StaffError("login_taken")
            row = OperatorRow(id=secrets.token_hex(8), login_digest=self._login_digest(login), epoch=0, version=0)
            self._put(row, facts)
            code = self._new_code(row)
            database.add(row)
            database.flush()
            self.audit.append(database, by, "account_added", row.id)
        return code

    def change(
        self,
        operator_id: str,
        *,
        by: str,
        name: str | None = None,
        role: Role | None = None,
        team: str | None = None,
        language: str | None = None,
        cap: int | None = None,
        active: bool | None = None,
    ) -> Operator:
        """Change what is not None; a change of role, team or active ends the operator's sessions.

        StaffError: as `add`, and unknown_operator, own_account (own role, team, active), last_administrator.
        """
        new: dict[str, Any] = {
            "name": None if name is None else _name(name),
            "role": None if role is None else role.value,
            "team": None if team is None else _team(team),
            "language": None if language is None else _language(language),
            "cap": None if cap is None else _cap(cap),
            "active": active,
        }
        with self._changing(operator_id) as (database, row, facts):
            before = asdict(facts)
            changed = {key for key, value in new.items() if value is not None and value != before[key]}
            weighty = changed & {"role", "team", "active"}
            if by != CLI and weighty:
                self._allow(database, row, facts, by, Role(new["role"] or facts.role), new["active"])
            for key in changed:
                setattr(facts, key, new[key])
            if weighty:
                row.epoch += 1
            for key in sorted(changed):
                action = f"{key}_changed"
                if key == "active":
                    action = "account_enabled" if active else "account_disabled"
                self.audit.append(database, by, action, row.id)
            self._put(row, facts)
            operator = self._operator(row)
        if weighty:
            self._end(operator_id)
            self._team_changed(before["team"], operator.team)
        return operator

    def renew_code(self, operator_id: str, by: str) -> str:
        """Return a new enrolment code for somebody who has not enrolled yet. StaffError: as `reset`."""
        return self.reset(operator_id, by)

    def reset(self, operator_id: str, by: str) -> str:
        """Take password, second factor and key pair away and return a new enrolment code. Ends sessions.

        The operator can no longer read what was sealed to them. StaffError: unknown_operator, own_account,
        administrator_cli (an administrator's account, where `by` is not "cli").
        """
        with self._changing(operator_id) as (database, row, facts):
            if by == row.id:
                raise StaffError("own_account")
            if by != CLI and facts.role == Role.ADMINISTRATOR.value:
                raise StaffError("administrator_cli")
            enrolled = bool(facts.public)
            self._strip(database, row, facts)
            facts.public = ""
            database.execute(delete(EscrowRow).where(EscrowRow.operator_id == row.id))
            code = self._new_code(row)
            self._put(row, facts)
            self.audit.append(database, by, "account_reset" if enrolled else "code_renewed", row.id)
        forget_deleted(self.engine)
        self._end(operator_id)
        if enrolled:
            self._team_changed(facts.team)
        return code

    def recovered(self, operator_id: str, private: X25519PrivateKey, by: str) -> str:
        """Return a new enrolment code under which the key pair lives on. For bot.staff.recovery only.

        Password, second factor, recovery codes and sessions are gone. StaffError: unknown_operator, recovery_damaged.
        """
        with self._changing(operator_id) as (database, row, facts):
            if public_of(private).hex() != facts.public:
                raise StaffError("recovery_damaged")
            self._strip(database, row, facts)
            code = self._new_code(row, private)
            self._put(row, facts)
            self.audit.append(database, by, "recovery_confirmed", row.id)
        forget_deleted(self.engine)
        self._end(operator_id)
        return code

    def purge(self, now: float | None = None) -> int:
        """Forget expired enrolment codes (and the keys under them); return how many there were."""
        moment = time.time() if now is None else now
        with writing(self.engine) as database:
            rows = [
                row
                for row in database.scalars(select(OperatorRow).where(OperatorRow.code_record.is_not(None)))
                if self._code(row, moment) is None
            ]
            for row in rows:
                row.code_record = None
                row.version += 1
        if rows:
            forget_deleted(self.engine)
        return len(rows)

    # Enrolment

    def enrol_check(self, login: str, code: str, now: float | None = None) -> Operator:
        """Return whose enrolment code this is. Raises LoginRefused: unknown, used, expired, all the same."""
        with Database(self.engine) as database:
            row = self._by_login(database, login)
            if row is None or not self._right_code(row, code, time.time() if now is None else now):
                raise LoginRefused
            operator = self._operator(row)
        if not operator.active:
            raise LoginRefused
        return operator

    def check_password(self, login: str, password: str) -> None:
        """StaffError: password_short (least), password_long (most), password_common, password_holds_login."""
        passwords.check(password, normalise_login(login))

    def enrol(
        self,
        login: str,
        code: str,
        password: str,
        totp_secret: str,
        totp_code: str,
        device_cookie: str = "",
        now: float | None = None,
    ) -> Admission:
        """Set password and second factor (totp.new_secret()), make the key pair, use up the code.

        The admission carries the recovery codes; it can open a session at once. Raises LoginRefused (the code),
        TryLater, StaffError: password_…, code_wrong (the six digits don't fit the secret).
        """
        moment = time.time() if now is None else now
        operator = self.enrol_check(login, code, moment)
        self.check_password(login, password)
        step = _right_step(totp_secret, totp_code, moment)
        salt = secrets.token_bytes(passwords.SALT_BYTES)
        key = self.kitchen.key(password, salt, self.cost, known=True)
        with self._changing(operator.id) as (database, row, facts):
            if not facts.active or not self._right_code(row, code, moment):  # used while the key was made
                raise LoginRefused
            private = self._kept_private(row, facts, code)
            facts.public = public_of(private).hex()
            facts.totp, facts.step = totp_secret, step
            self._put_key(row, key, salt, private)
            row.code_record = None
            codes = self._new_recovery_codes(database, row.id)
            self._put(row, facts)
            operator = self._operator(row)
            self.audit.append(database, row.id, "account_enrolled", row.id)
        forget_deleted(self.engine)
        self._team_changed(operator.team)
        digest = self._login_digest(login)
        return Admission(operator, private, self.devices.issue(digest, device_cookie, moment), codes, len(codes))

    # Logging in

    def login(
        self, login: str, password: str, code: str, device_cookie: str = "", now: float | None = None
    ) -> Admission:
        """Let somebody in. `code`: six digits, or a recovery code. Raises LoginRefused, TryLater.

        What is wrong, or whether there is such a login, shows neither in words nor in time: the same is computed for
        all, and failures are counted for logins that don't exist too.
        """
        moment = time.time() if now is None else now
        digest = self._login_digest(login)
        with Database(self.engine) as database:
            row = self._by_login(database, login)
            facts = self._facts(row) if row else None
            key_record = self._key_record(row) if row else None
            read = row.key_record if row else None
            spare = self._recovery_digest(row.id if row else "", code)
            spare_right = database.get(RecoveryCodeRow, spare) is not None
            operator_id = row.id if row else ""
        step = totp.step_of(
            facts.totp if facts and facts.totp else _NO_SECRET, code, facts.step if facts else 0, moment
        )
        device = self.devices.recognise(digest, device_cookie, moment)
        # Who holds a recovery code gets past the strangers' counter, but not past one of that code's own.
        counter = f"spare|{spare}" if spare_right else f"{digest}|{device}"
        own = bool(device) or spare_right
        self._attempt(counter, moment, tell=bool(device))
        cost = key_record.cost if key_record else self.cost
        salt = key_record.salt if key_record else bytes(passwords.SALT_BYTES)
        try:
            key = self.kitchen.key(password, salt, cost, known=own)
        except TryLater:
            self.throttle.undo(counter)
            raise
        private = key_record.open(key, operator_id) if key_record else None
        if private is None or not (spare_right or step is not None):
            log.info("login_refused")
            raise LoginRefused
        new_salt = secrets.token_bytes(passwords.SALT_BYTES) if cost != self.cost else b""
        new_key = self.kitchen.key(password, new_salt, self.cost, known=True) if new_salt else b""
        with self._changing(operator_id) as (database, row, current):
            if not current.active or row.key_record != read:
                raise LoginRefused  # changed in this very moment
            if spare_right:
                self._use_recovery_code(database, spare)
            else:
                if step is None or step <= current.step:
                    raise LoginRefused
                current.step = step
            if new_key:
                self._put_key(row, new_key, new_salt, private)
            left = self._codes_left(database, row.id)
            self._put(row, current)
            operator = self._operator(row)
            self.audit.append(database, row.id, "recovery_code_used" if spare_right else "login", row.id)
        if own:
            self.throttle.succeeded(counter)
        else:
            self.throttle.undo(counter)
        return Admission(operator, private, self.devices.issue(digest, device_cookie, moment), codes_left=left)

    # One's own account. `operator_id` is the session's; the password is asked again.

    def set_password(self, operator_id: str, old: str, new: str, keep: str = "", now: float | None = None) -> None:
        """Change the password; the key pair stays. Ends all sessions but the one whose id is `keep`.

        Raises TryLater, StaffError: password_wrong, password_….
        """
        operator = self._known(operator_id)
        self.check_password(operator.login, new)
        private = self._ask_again(operator_id, old, now)
        salt = secrets.token_bytes(passwords.SALT_BYTES)
        key = self.kitchen.key(new, salt, self.cost, known=True)
        with self._changing(operator_id) as (database, row, facts):
            if facts.public != public_of(private).hex():
                raise StaffError("password_wrong")
            self._put_key(row, key, salt, private)
            row.epoch += 1
            self.audit.append(database, operator_id, "password_changed", operator_id)
        self._end(operator_id, keep)
        forget_deleted(self.engine)  # what the old password opens is gone from the disk

    def set_totp(
        self, operator_id: str, password: str, totp_secret: str, totp_code: str, now: float | None = None
    ) -> None:
        """Change the second factor. Raises TryLater, StaffError: password_wrong, code_wrong."""
        step = _right_step(totp_secret, totp_code, time.time() if now is None else now)
        self._ask_again(operator_id, password, now)
        with self._changing(operator_id) as (database, row, facts):
            facts.totp, facts.step = totp_secret, step
            self._put(row, facts)
            self.audit.append(database, operator_id, "second_factor_changed", operator_id)

    def new_recovery_codes(self, operator_id: str, password: str, now: float | None = None) -> tuple[str, ...]:
        """Replace all recovery codes; shown once. Raises TryLater, StaffError: password_wrong."""
        self._ask_again(operator_id, password, now)
        with self._changing(operator_id) as (database, row, _):
            codes = self._new_recovery_codes(database, row.id)
            self.audit.append(database, operator_id, "recovery_codes_changed", operator_id)
        return codes

    def change_own(self, operator_id: str, *, name: str | None = None, language: str | None = None) -> Operator:
        """Change one's own name or language. StaffError: name_bad, language_bad."""
        return self.change(operator_id, by=operator_id, name=name, language=language)

    # Inside

    @contextmanager
    def _changing(self, operator_id: str) -> Iterator[tuple[Database, OperatorRow, _Facts]]:
        with writing(self.engine) as database:
            row = database.get(OperatorRow, operator_id)
            if row is None:
                raise StaffError("unknown_operator")
            row.version += 1
            yield database, row, self._facts(row)

    def _allow(
        self, database: Database, row: OperatorRow, facts: _Facts, by: str, role: Role, active: bool | None
    ) -> None:
        """Raise StaffError for what an administrator may not do in the console."""
        if by == row.id:
            raise StaffError("own_account")
        if facts.role != Role.ADMINISTRATOR.value:
            if role is Role.ADMINISTRATOR:
                raise StaffError("administrator_cli")
        elif role is not Role.ADMINISTRATOR or active is False:
            others = [
                each
                for each in map(self._facts, database.scalars(select(OperatorRow).where(OperatorRow.id != row.id)))
                if each.role == Role.ADMINISTRATOR.value and each.active and each.public
            ]
            if not others:
                raise StaffError("last_administrator")

    def _known(self, operator_id: str) -> Operator:
        operator = self.get(operator_id)
        if operator is None:
            raise StaffError("unknown_operator")
        return operator

    def _attempt(self, counter: str, moment: float, tell: bool) -> None:
        wait = self.throttle.attempt(counter, moment)
        if wait and tell:
            raise TryLater(wait)
        if wait:
            log.info("login_held_back")
            raise LoginRefused

    def _ask_again(self, operator_id: str, password: str, now: float | None) -> X25519PrivateKey:
        """Return the private key that the password opens. Raises TryLater, StaffError password_wrong."""
        with Database(self.engine) as database:
            row = database.get(OperatorRow, operator_id)
            record = self._key_record(row) if row else None
        if record is None:
            raise StaffError("password_wrong")
        counter = f"again|{operator_id}"
        self._attempt(counter, time.time() if now is None else now, tell=True)
        try:
            key = self.kitchen.key(password, record.salt, record.cost, known=True)
        except TryLater:
            self.throttle.undo(counter)
            raise
        private = record.open(key, operator_id)
        if private is None:
            raise StaffError("password_wrong")
        self.throttle.succeeded(counter)
        return private

    def _login_digest(self, login: str) -> str:
        return self.vault.digest("staff login", normalise_login(login))

    def _by_login(self, database: Database, login: str) -> OperatorRow | None:
        return database.scalars(
            select(OperatorRow).where(OperatorRow.login_digest == self._login_digest(login))
        ).first()

    def _facts(self, row: OperatorRow) -> _Facts:
        return _Facts(**json.loads(self.vault.reveal(_RECORD, row.id, row.record)))

    def _put(self, row: OperatorRow, facts: _Facts) -> None:
        row.record = self.vault.protect(_RECORD, row.id, json.dumps(asdict(facts)).encode())

    def _operator(self, row: OperatorRow) -> Operator:
        """Return a row as an account. Opening 20 records takes longer than reading them, and the desk does it often."""
        stored = (row.version, row.epoch, row.record, row.code_record)
        opened = self._opened.get(row.id)
        if opened is None or opened[0] != stored:
            facts = self._facts(row)
            code = self._code(row, 0)
            operator = Operator(
                id=row.id,
                login=facts.login,
                name=facts.name,
                role=Role(facts.role),
                team=facts.team,
                language=facts.language,
                cap=facts.cap,
                public_key=bytes.fromhex(facts.public) or None,
                active=facts.active,
                epoch=row.epoch,
                version=row.version,
                enrolling=code is not None,
            )
            opened = self._opened[row.id] = (stored, code["expires"] if code else 0, operator)
        _, expires, operator = opened
        return replace(operator, enrolling=False) if operator.enrolling and expires <= time.time() else operator

    def _key_record(self, row: OperatorRow) -> _KeyRecord | None:
        if row.key_record is None:
            return None
        held = json.loads(self.vault.reveal(_KEY, row.id, row.key_record))
        return _KeyRecord(bytes.fromhex(held["salt"]), Cost(*held["cost"]), bytes.fromhex(held["locked"]))

    def _put_key(self, row: OperatorRow, key: bytes, salt: bytes, private: X25519PrivateKey) -> None:
        locked = passwords.lock(key, row.id, private.private_bytes_raw())
        cost = [self.cost.memory_kib, self.cost.iterations, self.cost.lanes]
        held = {"salt": salt.hex(), "cost": cost, "locked": locked.hex()}
        # Protected by the vault too: a copy of the database alone can't even be tried with passwords.
        row.key_record = self.vault.protect(_KEY, row.id, json.dumps(held).encode())

    def _strip(self, database: Database, row: OperatorRow, facts: _Facts) -> None:
        """Take away everything that lets the operator in."""
        row.key_record = None
        row.epoch += 1
        facts.totp, facts.step = "", 0
        database.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.operator_id == row.id))

    def _new_code(self, row: OperatorRow, private: X25519PrivateKey | None = None) -> str:
        code = passwords.new_code(5, 5)
        held: dict[str, Any] = {
            "digest": self._code_digest(row, code),
            "expires": int(time.time()) + CODE_HOURS * 3600,
            "locked": "",
        }
        if private is not None:
            held["locked"] = passwords.lock(passwords.code_key(code), row.id, private.private_bytes_raw()).hex()
        row.code_record = self.vault.protect(_CODE, row.id, json.dumps(held).encode())
        return code

    def _code_digest(self, row: OperatorRow, code: str) -> str:
        return self.vault.digest("staff enrolment", f"{row.id}|{passwords.plain_code(code)}")

    def _code(self, row: OperatorRow, moment: float) -> dict[str, Any] | None:
        """Return what belongs to an enrolment code that is out, or None."""
        if row.code_record is None:
            return None
        held: dict[str, Any] = json.loads(self.vault.reveal(_CODE, row.id, row.code_record))
        return held if held["expires"] > moment else None

    def _right_code(self, row: OperatorRow, code: str, moment: float) -> bool:
        held = self._code(row, moment)
        return held is not None and self.vault.same(held["digest"], self._code_digest(row, code))

    def _kept_private(self, row: OperatorRow, facts: _Facts, code: str) -> X25519PrivateKey:
        """Return the private key that two administrators recovered, or a new one."""
        held = self._code(row, 0)
        if held is None or not held["locked"]:
            return new_pair()[0]
        try:
            return private_from(passwords.unlock(passwords.code_key(code), row.id, bytes.fromhex(held["locked"])))
        except Unreadable:
            raise StaffError("recovery_damaged") from None

    def _new_recovery_codes(self, database: Database, operator_id: str) -> tuple[str, ...]:
        codes = tuple(passwords.new_code(4, 4) for _ in range(RECOVERY_CODES))
        database.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.operator_id == operator_id))
        database.add_all(
            RecoveryCodeRow(digest=self._recovery_digest(operator_id, code), operator_id=operator_id) for code in codes
        )
        return codes

    def _recovery_digest(self, operator_id: str, code: str) -> str:
        return self.vault.digest("staff recovery code", f"{operator_id}|{passwords.plain_code(code)}")

    def _use_recovery_code(self, database: Database, digest: str) -> None:
        row = database.get(RecoveryCodeRow, digest)
        if row is None:
            raise LoginRefused
        database.delete(row)
        database.flush()

    @staticmethod
    def _codes_left(database: Database, operator_id: str) -> int:
        query = select(func.count()).select_from(RecoveryCodeRow).where(RecoveryCodeRow.operator_id == operator_id)
        return database.scalar(query) or 0

    def _end(self, operator_id: str, keep: str = "") -> None:
        for hook in self.on_end:
            hook(operator_id, keep)

    def _team_changed(self, *teams: str) -> None:
        for team in dict.fromkeys(teams):
            for hook in self.on_team_change:
                hook(team)


@dataclass(frozen=True, repr=False)
class _KeyRecord:
    salt: bytes
    cost: Cost
    locked: bytes

    def open(self, key: bytes, operator_id: str) -> X25519PrivateKey | None:
        """Return the private key; None where `key` comes from another password."""
        try:
            return private_from(passwords.unlock(key, operator_id, self.locked))
        except Unreadable:
            return None


def normalise_login(login: str) -> str:
    """Return a login as it is compared: case and width of letters don't matter."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def _right_step(secret: str, code: str, moment: float) -> int:
    step = totp.step_of(secret, code, 0, moment)
    if step is None:
        raise StaffError("code_wrong")
    return step


def _name(name: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise StaffError("name_bad")
    return name


def _team(team: str) -> str:
    team = unicodedata.normalize("NFKC", team).strip().casefold().replace(" ", "-")
    if not _TEAM.fullmatch(team):
        raise StaffError("team_bad")
    return team


def _language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise StaffError("language_bad")
    return language


def _cap(cap: int) -> int:
    if not 1 <= cap <= MOST_CAP:
        raise StaffError("cap_bad", most=MOST_CAP)
    return cap
