"""Sessions: in memory only, so that they and the private keys in them die with the process."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bot.staff.accounts import Accounts, Operator
from bot.staff.audit import Audit

MOST_EACH = 5
"""Sessions an operator may have at once; the oldest goes first."""


@dataclass(repr=False, eq=False)
class Session:
    """Somebody logged in."""

    operator: Operator
    private_key: X25519PrivateKey
    csrf: str
    created: float
    seen: float
    id: str
    """For listing and ending; not the cookie."""
    agent: bytes
    """Digest of the User-Agent."""
    closed: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    """A cache for the desk; emptied at the end."""

    def __repr__(self) -> str:
        return f"Session({self.id})"


class Sessions:
    """All live sessions. Methods may be called from any thread; `get` reads one row of the database.

    Hooks are called in the thread of the caller, without a lock held.
    """

    def __init__(self, accounts: Accounts, audit: Audit, idle_minutes: float = 30, longest_hours: float = 10) -> None:
        """Registers itself with accounts.on_end."""
        self.accounts = accounts
        self.audit = audit
        self.idle_seconds = idle_minutes * 60
        self.longest_seconds = longest_hours * 3600
        self.on_open: list[Callable[[Session], None]] = []
        self.on_close: list[Callable[[Session], None]] = []
        self._sessions: dict[bytes, Session] = {}
        self._lock = threading.Lock()
        accounts.on_end.append(self.close_all)

    def open(
        self, operator: Operator, private_key: X25519PrivateKey, agent: str, now: float | None = None
    ) -> tuple[str, Session]:
        """Return the cookie's token (kept nowhere) and the session. `agent`: the User-Agent header."""
        moment = time.time() if now is None else now
        token = secrets.token_urlsafe(32)
        session = Session(
            operator=operator,
            private_key=private_key,
            csrf=secrets.token_urlsafe(32),
            created=moment,
            seen=moment,
            id=secrets.token_hex(8),
            agent=_digest(agent),
        )
        for old in self.of(operator.id, moment)[MOST_EACH - 1 :]:
            self._close(old, "session_ended")
        self.audit.note(operator.id, "session_opened", session.id)
        with self._lock:
            self._sessions[_digest(token)] = session
        for hook in self.on_open:
            hook(session)
        return token, session

    def get(self, token: str, agent: str, touch: bool = True, now: float | None = None) -> Session | None:
        """Return the session, or None: unknown, idle too long, too old, another browser, account changed.

        touch=False (event streams, polling): does not count as being there.
        """
        moment = time.time() if now is None else now
        with self._lock:
            session = self._sessions.get(_digest(token))
        if session is None or not secrets.compare_digest(session.agent, _digest(agent)):
            return None
        if not self._check([session], moment):
            return None
        if touch:
            session.seen = moment
        return session

    def close(self, session: Session) -> None:
        """Log out."""
        self._close(session, "logout")

    def end(self, operator_id: str, session_id: str) -> bool:
        """End one session of an operator; False where there is none such."""
        for session in self.of(operator_id):
            if session.id == session_id:
                self._close(session, "session_ended")
                return True
        return False

    def close_all(self, operator_id: str, keep: str = "") -> None:
        """End all sessions of an operator but the one whose id is `keep`."""
        for session in sorted(self._all(), key=lambda session: session.id != keep):
            if session.operator.id == operator_id and session.id == keep:  # goes on, in the account's new epoch
                session.operator = self.accounts.get(operator_id) or session.operator
            elif session.operator.id == operator_id:
                self._close(session, "session_ended")

    def live(self, now: float | None = None) -> list[Session]:
        """Return all sessions that are not over."""
        moment = time.time() if now is None else now
        return [session for session in self._all() if not self._over(session, moment)]

    def of(self, operator_id: str, now: float | None = None) -> list[Session]:
        """Return an operator's live sessions, newest first."""
        mine = [session for session in self.live(now) if session.operator.id == operator_id]
        return sorted(mine, key=lambda session: session.created, reverse=True)

    def sweep(self, now: float | None = None) -> None:
        """End what is over, also by `helpline operator disable` in another process. Call it every few seconds."""
        sessions = self._all()
        if sessions:
            self._check(sessions, time.time() if now is None else now)

    def _all(self) -> list[Session]:
        with self._lock:
            return list(self._sessions.values())

    def _over(self, session: Session, moment: float) -> bool:
        return (
            session.closed
            or moment - session.seen >= self.idle_seconds
            or moment - session.created >= self.longest_seconds
        )

    def _check(self, sessions: list[Session], moment: float) -> bool:
        """End those of `sessions` that are over and bring the others' accounts up to date; False where any ended."""
        stamps = self.accounts.stamps(list({session.operator.id for session in sessions}))
        all_well = True
        for session in sessions:
            epoch, version = stamps.get(session.operator.id, (-1, -1))
            if self._over(session, moment) or epoch != session.operator.epoch:
                self._close(session, "session_ended")
                all_well = False
            elif version != session.operator.version:
                session.operator = self.accounts.get(session.operator.id) or session.operator
                if session.operator.epoch != epoch:
                    self._close(session, "session_ended")
                    all_well = False
        return all_well

    def _close(self, session: Session, action: str) -> None:
        with self._lock:
            if session.closed:
                return
            session.closed = True
            for key in [key for key, each in self._sessions.items() if each is session]:
                del self._sessions[key]
        for hook in self.on_close:
            hook(session)
        session.known.clear()
        self.audit.note(session.operator.id, action, session.id)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
