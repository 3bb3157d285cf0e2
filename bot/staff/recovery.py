"""The recovery key, which two administrators hold together: a forgotten password does not lose the key pair.

Its private half exists nowhere. For every pair of administrators it is the XOR of two random shares, each sealed to one
of the two. What every operator seals to its public half at login is the operator's own private key.
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, delete, or_, select
from sqlalchemy.orm import Session as Database

from bot.handoff.sealing import new_pair, private_from, seal, unseal
from bot.log import get_logger
from bot.staff.accounts import Accounts, Operator, Role
from bot.staff.audit import Audit
from bot.staff.errors import StaffError
from bot.staff.sessions import Session
from bot.staff.tables import EscrowRow, GenerationRow, ShareRow, writing
from bot.vault.vault import Unreadable, Vault

log = get_logger(__name__)

CONFIRM_SECONDS = 15 * 60
_RECORD = "staff recovery"


@dataclass(frozen=True, repr=False)
class Pending:
    """A recovery that one administrator has started."""

    operator: Operator
    by: Operator
    expires: float

    def __repr__(self) -> str:
        return f"Pending({self.operator.id})"


@dataclass(frozen=True, repr=False)
class _Generation:
    n: int
    public: bytes
    holders: dict[str, str]
    """The administrators' ids and public keys (hexadecimal) when it was made."""


@dataclass(frozen=True, repr=False)
class _Started:
    by: str
    generation: int
    shares: dict[str, bytes]
    """The first administrator's share for each possible second one."""
    expires: float


class Recovery:
    """Blocks for some milliseconds a call."""

    def __init__(self, engine: Engine, vault: Vault, accounts: Accounts, audit: Audit) -> None:
        self.engine = engine
        self.vault = vault
        self.accounts = accounts
        self.audit = audit
        self._started: dict[str, _Started] = {}
        self._lock = threading.Lock()

    def at_login(self, session: Session) -> None:
        """ensure_generation for administrators, and escrow; to be appended to sessions.on_open."""
        if session.operator.role is Role.ADMINISTRATOR:
            self.ensure_generation(session)
        self.escrow(session)

    def ensure_generation(self, session: Session) -> None:
        """Make a new recovery key where the administrators are others than at the last one (and at least two).

        Shares of those who are administrators no longer, or have another key pair now, are deleted.
        """
        self._administrator(session)
        with writing(self.engine) as database:
            now = self._administrators()
            current = self._current(database)
            if current and current.holders == now:
                return
            self._drop_shares(database, now)
            if len(now) < 2:
                return
            n = current.n + 1 if current else 1
            private, public = new_pair()
            held = {"public": public.hex(), "holders": now}
            record = self.vault.protect(_RECORD, str(n), json.dumps(held).encode())
            database.add(GenerationRow(n=n, record=record))
            database.flush()
            whole = private.private_bytes_raw()
            for one, other in itertools.combinations(sorted(now), 2):
                half = secrets.token_bytes(len(whole))
                database.add(self._share(n, one, other, now[one], half))
                database.add(self._share(n, other, one, now[other], _xor(whole, half)))
            used = select(EscrowRow.generation)
            database.execute(delete(GenerationRow).where(GenerationRow.n < n, GenerationRow.n.not_in(used)))
            self.audit.append(database, session.operator.id, "recovery_key_made", f"generation:{n}")
        log.info("recovery_key_made", administrators=len(now))

    def escrow(self, session: Session) -> None:
        """Seal this session's private key to the recovery key, where there is one and that is not done yet."""
        operator_id = session.operator.id
        with writing(self.engine) as database:
            current = self._current(database)
            row = database.get(EscrowRow, operator_id)
            if current is None or (row and row.generation == current.n):
                return
            if row is None:
                row = EscrowRow(operator_id=operator_id)
                database.add(row)
            row.generation = current.n
            raw = session.private_key.private_bytes_raw()
            row.sealed = seal(current.public, raw, _escrow_info(operator_id, current.n))
            self.audit.append(database, operator_id, "recovery_copy_made", f"generation:{current.n}")

    def ready(self, operator_id: str) -> bool:
        """Could two of today's administrators, none of them the operator, recover this operator's key pair?"""
        now = self._administrators()
        now.pop(operator_id, None)
        with Database(self.engine) as database:
            row = database.get(EscrowRow, operator_id)
            generation = self._generation(database, row.generation) if row else None
        if generation is None:
            return False
        return len([each for each in now if generation.holders.get(each) == now[each]]) > 1

    def begin(self, session: Session, operator_id: str, now: float | None = None) -> None:
        """The first administrator starts; 15 minutes for the second.

        StaffError: not_administrator, unknown_operator, recovery_self, recovery_not_enrolled, recovery_no_copy (the
        operator has not logged in since there are two administrators), recovery_no_share (this administrator was none
        then, or has a new key pair): use `reset`, which gives a new key pair.
        """
        administrator = self._administrator(session)
        self._recoverable(session, operator_id)
        with Database(self.engine) as database:
            row = database.get(EscrowRow, operator_id)
            if row is None:
                raise StaffError("recovery_no_copy")
            shares = {}
            for share in database.scalars(
                select(ShareRow).where(ShareRow.generation == row.generation, ShareRow.holder == administrator.id)
            ):
                shares[share.partner] = self._open_share(session, share)
            generation = row.generation
        if not shares:
            raise StaffError("recovery_no_share")
        moment = time.time() if now is None else now
        self.audit.note(administrator.id, "recovery_started", operator_id)
        with self._lock:
            self._started[operator_id] = _Started(administrator.id, generation, shares, moment + CONFIRM_SECONDS)

    def withdraw(self, session: Session, operator_id: str) -> None:
        """Stop a recovery that was started (any administrator). StaffError: not_administrator."""
        administrator = self._administrator(session)
        with self._lock:
            started = self._started.pop(operator_id, None)
        if started:
            self.audit.note(administrator.id, "recovery_withdrawn", operator_id)

    def pending(self, now: float | None = None) -> list[Pending]:
        """Return what was started and has not expired."""
        found = []
        for operator_id, started in self._live(time.time() if now is None else now).items():
            operator, by = self.accounts.get(operator_id), self.accounts.get(started.by)
            if operator and by:
                found.append(Pending(operator, by, started.expires))
        return found

    def confirm(self, session: Session, operator_id: str, now: float | None = None) -> str:
        """The second administrator confirms: returns the one-time enrolment code, shown once.

        The operator's sessions end, and the old password and second factor are gone. StaffError: those of `begin`,
        recovery_not_started, recovery_same_person, recovery_damaged.
        """
        administrator = self._administrator(session)
        self._recoverable(session, operator_id)
        started = self._live(time.time() if now is None else now).get(operator_id)
        if started is None:
            raise StaffError("recovery_not_started")
        if started.by == administrator.id:
            raise StaffError("recovery_same_person")
        first = self.accounts.get(started.by)
        if first is None or not first.active or first.role is not Role.ADMINISTRATOR:
            raise StaffError("recovery_not_started")
        with Database(self.engine) as database:
            row = database.get(EscrowRow, operator_id)
            share = database.get(ShareRow, (started.generation, administrator.id, started.by))
            generation = self._generation(database, started.generation)
        if row is None or generation is None or row.generation != started.generation:
            raise StaffError("recovery_not_started")  # the operator has logged in since
        if share is None or administrator.id not in started.shares:
            raise StaffError("recovery_no_share")
        whole = _xor(started.shares[administrator.id], self._open_share(session, share))
        private = _open_copy(generation, whole, operator_id, row.sealed)
        code = self.accounts.recovered(operator_id, private, administrator.id)
        with self._lock:
            self._started.pop(operator_id, None)
        return code

    def _administrator(self, session: Session) -> Operator:
        """Return the session's account as it is now. StaffError: not_administrator."""
        operator = self.accounts.get(session.operator.id)
        if session.closed or operator is None or not operator.active or operator.role is not Role.ADMINISTRATOR:
            raise StaffError("not_administrator")
        return operator

    def _recoverable(self, session: Session, operator_id: str) -> None:
        operator = self.accounts.get(operator_id)
        if operator is None or not operator.active:
            raise StaffError("unknown_operator")
        if operator_id == session.operator.id:
            raise StaffError("recovery_self")
        if operator.public_key is None:
            raise StaffError("recovery_not_enrolled")

    def _administrators(self) -> dict[str, str]:
        """Return the ids and public keys of those who can hold shares now."""
        return {
            each.id: each.public_key.hex()
            for each in self.accounts.all()
            if each.role is Role.ADMINISTRATOR and each.active and each.public_key
        }

    def _live(self, moment: float) -> dict[str, _Started]:
        with self._lock:
            self._started = {key: each for key, each in self._started.items() if each.expires > moment}
            return dict(self._started)

    def _current(self, database: Database) -> _Generation | None:
        n = database.scalar(select(GenerationRow.n).order_by(GenerationRow.n.desc()).limit(1))
        return None if n is None else self._generation(database, n)

    def _generation(self, database: Database, n: int) -> _Generation | None:
        row = database.get(GenerationRow, n)
        if row is None:
            return None
        held = json.loads(self.vault.reveal(_RECORD, str(n), row.record))
        return _Generation(n, bytes.fromhex(held["public"]), held["holders"])

    def _drop_shares(self, database: Database, now: dict[str, str]) -> None:
        for n in list(database.scalars(select(GenerationRow.n))):
            generation = self._generation(database, n)
            still = [each for each in now if generation and generation.holders.get(each) == now[each]]
            database.execute(
                delete(ShareRow).where(
                    ShareRow.generation == n, or_(ShareRow.holder.not_in(still), ShareRow.partner.not_in(still))
                )
            )

    @staticmethod
    def _share(n: int, holder: str, partner: str, public: str, half: bytes) -> ShareRow:
        sealed = seal(bytes.fromhex(public), half, _share_info(n, holder, partner))
        return ShareRow(generation=n, holder=holder, partner=partner, sealed=sealed)

    @staticmethod
    def _open_share(session: Session, share: ShareRow) -> bytes:
        try:
            info = _share_info(share.generation, share.holder, share.partner)
            return unseal(session.private_key, share.sealed, info)
        except Unreadable:
            raise StaffError("recovery_no_share") from None


def _open_copy(generation: _Generation, whole: bytes, operator_id: str, sealed: bytes) -> X25519PrivateKey:
    try:
        return private_from(unseal(private_from(whole), sealed, _escrow_info(operator_id, generation.n)))
    except Unreadable:
        raise StaffError("recovery_damaged") from None


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise StaffError("recovery_damaged")
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _share_info(n: int, holder: str, partner: str) -> str:
    return f"staff recovery share|{n}|{holder}|{partner}"


def _escrow_info(operator_id: str, n: int) -> str:
    return f"staff escrow|{operator_id}|{n}"
