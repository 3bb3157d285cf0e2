"""The audit log: who did what to which case, in a chain that can't be changed without being noticed.

Each row holds the previous row's hash in its own, an HMAC under a key from the master key: who has the database alone
can't make a row. `helpline audit verify --expect` also finds rows cut off at the end.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bot.log import get_logger
from bot.staff.tables import AuditRow, hold
from bot.vault.vault import Vault

log = get_logger(__name__)

START = "0" * 64
"""What the first row holds as the hash of the row before it."""
_ACTION = re.compile(r"[a-z][a-z_]{0,39}")
_ACTOR = re.compile(r"[0-9a-f]{16}|person|system|cli")
_SUBJECT = re.compile(r"[A-Za-z0-9:_.-]{0,64}")


@dataclass(frozen=True)
class AuditLine:
    """One row, as shown."""

    n: int
    at: int
    actor: str
    """An operator's id, "person", "system" or "cli"."""
    action: str
    subject: str


@dataclass(frozen=True)
class AuditResult:
    """What a check of the whole chain found. `broken`: the first bad row's number; None: all is well.

    `why`: "changed" (also one that somebody made without the key), "missing" (deleted, inserted or moved rows before
    it), "cut" (fewer rows than expected), "other" (not the chain that was expected).
    """

    count: int
    head: str
    broken: int | None = None
    why: str = ""


class Audit:
    """Appends and checks. Calls block for about a millisecond."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault
        self._seen = 0

    def note(self, actor: str, action: str, subject: str = "") -> None:
        """Append a row in a transaction of its own.

        With SQLite never call it while the caller has a transaction open that has written: it would wait for itself.
        Use `append` there. ValueError for anything that is no fixed word or id: nothing that somebody wrote fits in.
        """
        with Session(self.engine) as session, session.begin():
            self.append(session, actor, action, subject)

    def append(self, session: Session, actor: str, action: str, subject: str = "") -> None:
        """Append a row within the caller's transaction (all or nothing); the last thing before it commits.

        With SQLite the transaction must begin with a write or with this call (bot.staff.tables.writing does):
        one that has read before fails where somebody else has written since.
        """
        if not (_ACTOR.fullmatch(actor) and _ACTION.fullmatch(action) and _SUBJECT.fullmatch(subject)):
            raise ValueError("the audit log takes ids and fixed words only")
        hold(session)
        last = session.execute(select(AuditRow.n, AuditRow.hash).order_by(AuditRow.n.desc()).limit(1)).first()
        n, previous = (last.n + 1, last.hash) if last else (1, START)
        if n <= self._seen:  # `verify` can't know that rows are gone from the end, this process can
            log.error("audit_rows_missing", count=self._seen - n + 1)
        at = int(time.time())
        link = self._link(n, at, actor, action, subject, previous)
        session.add(AuditRow(n=n, at=at, actor=actor, action=action, subject=subject, previous=previous, hash=link))
        session.flush()
        self._seen = n

    def recent(self, count: int = 100, before: int | None = None, subject: str = "") -> list[AuditLine]:
        """Return the newest rows first, from before row `before`, about `subject` where given."""
        query = select(AuditRow).order_by(AuditRow.n.desc()).limit(count)
        if before is not None:
            query = query.where(AuditRow.n < before)
        if subject:
            query = query.where(AuditRow.subject == subject)
        with Session(self.engine) as session:
            return [AuditLine(row.n, row.at, row.actor, row.action, row.subject) for row in session.scalars(query)]

    def verify(self, expect: tuple[int, str] | None = None) -> AuditResult:
        """Check every row; `expect` is an earlier (count, head) that must still be in the chain."""
        count, head = 0, START
        columns = (AuditRow.n, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject)
        query = select(*columns, AuditRow.previous, AuditRow.hash).order_by(AuditRow.n)
        with (
            Session(self.engine) as session,
            session.execute(query, execution_options={"yield_per": 1000}) as rows,
        ):
            for n, at, actor, action, subject, previous, link in rows:
                if not Vault.same(self._link(n, at, actor, action, subject, previous), link):
                    return AuditResult(count, head, n, "changed")
                if n != count + 1 or previous != head:
                    return AuditResult(count, head, n, "missing")
                count, head = n, link
                if expect and expect[0] == count and expect[1] != head:
                    return AuditResult(count, head, n, "other")
        if expect and expect[0] > count:
            return AuditResult(count, head, count + 1, "cut")
        return AuditResult(count, head)

    def _link(self, n: int, at: int, actor: str, action: str, subject: str, previous: str) -> str:
        return self.vault.digest("audit", json.dumps([n, at, actor, action, subject, previous]))
