"""Cases: what is stored of a conversation that was handed over, and who can open it.

Each case has a key pair. Its lines are sealed to the public half as they arrive; the private half is stored only sealed
to each operator of the case's team. What the queue and the router need (state, owner, times) is a record under a key
of its own, readable with the master key. Calls block for about a millisecond.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DatabaseSession

from bot.handoff.sealing import new_pair, private_from, seal, unseal
from bot.handoff.tables import CaseKeyRow, CaseRow, LineRow
from bot.log import get_logger
from bot.store.database import forget_deleted
from bot.vault.vault import KEY_VERSION, Unreadable, Vault

log = get_logger(__name__)

WAITING, OPEN, WITH_ASSISTANT, CLOSED = "waiting", "open", "assistant", "closed"
PENDING, SENDING, SENT, UNKNOWN = "pending", "sending", "sent", "unknown"
"""Of a line to her: still to be sent; being sent; arrived; the process died while it was being sent."""

Keys = dict[int, X25519PrivateKey]
"""A case's private keys by generation."""


@dataclass
class Record:
    """What is known of a case without opening it. Times are Unix seconds."""

    alias: str
    team: str
    state: str = WAITING
    urgency: int = 0
    pseudonym: str | None = None
    """Her conversation; None once it is gone."""
    pushes: bool = False
    """Her channel can write first (Telegram), rather than being asked by her page."""
    language: str = "en"
    opened_at: int = 0
    ticket: int = 0
    """Nanoseconds of the opening: who of two came first."""
    waiting_since: int | None = None
    """Since when she waits for an answer."""
    last_at: int = 0
    owner: str | None = None
    owned: bool = False
    """Somebody has had it: she was greeted."""
    offered_to: str | None = None
    followers: list[str] = field(default_factory=list)
    last: int = 0
    """Number of its last line."""
    summary: int = 0
    """Number of the line that holds what she agreed to show."""
    last_in: int = 0
    """Of the last line from her."""
    last_in_at: int = 0
    read: int = 0
    """Of the last line that its owner has seen."""
    alert: str | None = None
    waited: int | None = None
    """Seconds until the first operator came."""
    closed_at: int | None = None
    reason: str | None = None
    hard: bool = False
    previous: str | None = None
    """The case that she came back from."""
    external: str | None = None
    """Its name at another helpdesk (bot/handoff/chatwoot.py)."""
    external_last: int = 0
    """Number there of the last message that has reached her."""
    external_under_way: list[tuple[int, int]] = field(default_factory=list)
    """Lines on their way to her, with their numbers there."""
    left_message: bool = False
    erased: bool = False
    """She has erased everything: nothing is left to read."""
    tell: bool = True
    """She may be written to without asking first."""


@dataclass(frozen=True)
class Case:
    """A case as it is at this moment."""

    id: str
    record: Record
    public_key: bytes
    generation: int
    deletes_at: int | None


@dataclass(frozen=True, repr=False)
class Line:
    """An opened line: what it says is in `content` (see `bot.handoff.desk`)."""

    seq: int
    content: dict[str, Any]
    delivery: str


class Cases:
    """Stores cases. All changes come from this one process."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault
        self._lock = threading.RLock()
        self._known: dict[str, Case] = {}
        self._load()

    def _load(self) -> None:
        with DatabaseSession(self.engine) as session:
            for row in session.scalars(select(CaseRow)):
                case = self._read(row)
                if case:
                    self._known[row.id] = case

    def _read(self, row: CaseRow) -> Case | None:
        try:
            key = self.vault.unwrap(row.id, row.wrapped_key, row.key_version)
            stored = json.loads(self.vault.open(key, row.id, "case", row.record))
        except Unreadable:
            log.warning("case_unreadable")
            return None
        names = {each.name for each in fields(Record)}
        record = Record(**{name: value for name, value in stored.items() if name in names})
        return Case(row.id, record, row.public_key, row.generation, row.deletes_at)

    def _write(self, row: CaseRow, record: Record) -> None:
        key = self.vault.unwrap(row.id, row.wrapped_key, row.key_version)
        row.record = self.vault.seal(key, row.id, "case", json.dumps(asdict(record)).encode())

    def get(self, case_id: str | None) -> Case | None:
        case = self._known.get(case_id or "")
        return replace(case, record=_copy(case.record)) if case else None

    def all(self) -> list[Case]:
        return list(self._known.values())

    def create(self, record: Record, holders: Iterable[tuple[str, bytes]], reference: str | None) -> Case:
        """Store a new case, sealed to `holders` (operator id, public key)."""
        case_id = secrets.token_hex(16)
        private, public = new_pair()
        _, wrapped = self.vault.new_key(case_id)
        row = CaseRow(
            id=case_id, wrapped_key=wrapped, key_version=KEY_VERSION, public_key=public, generation=1,
            reference=reference, deletes_at=None,
        )  # fmt: skip
        self._write(row, record)
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.add(row)
            session.flush()
            self._grant(session, case_id, 1, private, holders)
        case = Case(case_id, record, public, 1, None)
        self._known[case_id] = case
        return case

    @staticmethod
    def _grant(
        session: DatabaseSession,
        case_id: str,
        generation: int,
        private: X25519PrivateKey,
        holders: Iterable[tuple[str, bytes]],
    ) -> None:
        raw = private.private_bytes_raw()
        for operator_id, public in holders:
            sealed = seal(public, raw, _key_info(case_id, generation, operator_id))
            session.merge(CaseKeyRow(case_id=case_id, generation=generation, operator_id=operator_id, sealed=sealed))

    def change(self, case_id: str, how: Callable[[Record], None], deletes_at: int | None = None) -> Case | None:
        """Change a case's record; `deletes_at` is set where it is given. Returns the case as it is then."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            row, case = session.get(CaseRow, case_id), self._known.get(case_id)
            if row is None or case is None:
                return None
            record = _copy(case.record)
            how(record)
            self._write(row, record)
            if deletes_at is not None:
                row.deletes_at = deletes_at
            changed = replace(case, record=record, deletes_at=row.deletes_at)
            self._known[case_id] = changed
        return changed

    def reopen(self, case_id: str, how: Callable[[Record], None]) -> Case | None:
        """Change a closed case into one that is not deleted."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(update(CaseRow).where(CaseRow.id == case_id).values(deletes_at=None))
        case = self._known.get(case_id)
        if case:
            self._known[case_id] = replace(case, deletes_at=None)
        return self.change(case_id, how)

    def append(
        self,
        case_id: str,
        content: dict[str, Any],
        once: str | None = None,
        delivery: str = "",
        how: Callable[[Record], None] | None = None,
    ) -> int | None:
        """Seal a line to the case, and change its record with it; None where this line is there already.

        `content` gets the time. What is sealed here can be opened by the case's operators alone.
        """
        content = {"at": int(time.time()), **content}
        digest = self.vault.digest("line", f"{case_id}\0{once}") if once else None
        with self._lock:
            case = self._known.get(case_id)
            if case is None:
                return None
            record = _copy(case.record)
            record.last += 1
            record.last_at = content["at"]
            if how:
                how(record)
            row = LineRow(
                case_id=case_id, seq=record.last, generation=case.generation, delivery=delivery, once=digest,
                sealed=seal(case.public_key, json.dumps(content).encode(), _line_info(case_id, record.last)),
            )  # fmt: skip
            try:
                with DatabaseSession(self.engine) as session, session.begin():
                    stored = session.get(CaseRow, case_id)
                    if stored is None:
                        return None
                    if digest and session.scalar(
                        select(func.count()).where(LineRow.case_id == case_id, LineRow.once == digest)
                    ):
                        return None
                    self._write(stored, record)
                    session.add(row)
            except IntegrityError:
                return None
            self._known[case_id] = replace(case, record=record)
            return record.last

    def open_keys(self, case_id: str, operator_id: str, private: X25519PrivateKey) -> Keys:
        """Return the case's private keys that this operator holds; {} where she holds none."""
        return self.open_many([case_id], operator_id, private).get(case_id, {})

    def open_many(self, case_ids: Sequence[str], operator_id: str, private: X25519PrivateKey) -> dict[str, Keys]:
        """Return the private keys of several cases that this operator holds."""
        found: dict[str, Keys] = {}
        query = select(CaseKeyRow).where(CaseKeyRow.case_id.in_(case_ids), CaseKeyRow.operator_id == operator_id)
        with DatabaseSession(self.engine) as session:
            rows = list(session.scalars(query))
        for row in rows:
            try:
                raw = unseal(private, row.sealed, _key_info(row.case_id, row.generation, operator_id))
                found.setdefault(row.case_id, {})[row.generation] = private_from(raw)
            except Unreadable:
                continue  # sealed to an earlier key pair of hers
        return found

    def lines(
        self,
        case_id: str,
        keys: Keys,
        after: int = 0,
        only: str | None = None,
        opened: dict[int, dict[str, Any]] | None = None,
    ) -> list[Line]:
        """Return the case's lines after number `after` that `keys` open; `only` those of one delivery.

        `opened` holds what was opened before, by number, and gets what is opened now.
        """
        query = select(LineRow).where(LineRow.case_id == case_id, LineRow.seq > after).order_by(LineRow.seq)
        if only:
            query = query.where(LineRow.delivery == only)
        with DatabaseSession(self.engine) as session:
            rows = list(session.scalars(query))
        found = []
        for row in rows:
            content = (opened or {}).get(row.seq)
            line = Line(row.seq, content, row.delivery) if content else self._open(row, keys)
            if line:
                found.append(line)
                if opened is not None:
                    opened[row.seq] = line.content
        return found

    def one_each(self, wanted: dict[str, int], keys: dict[str, Keys]) -> dict[str, Line]:
        """Return one line of each of several cases, by its number, where `keys` open it."""
        query = select(LineRow).where(LineRow.case_id.in_(wanted), LineRow.seq.in_(set(wanted.values())))
        with DatabaseSession(self.engine) as session:
            rows = [row for row in session.scalars(query) if wanted[row.case_id] == row.seq]
        lines = {row.case_id: self._open(row, keys.get(row.case_id, {})) for row in rows}
        return {case_id: line for case_id, line in lines.items() if line}

    def line(self, case_id: str, seq: int, keys: Keys) -> Line | None:
        """Return one line, where it is there and `keys` open it."""
        with DatabaseSession(self.engine) as session:
            row = session.get(LineRow, (case_id, seq))
        return self._open(row, keys) if row else None

    @staticmethod
    def _open(row: LineRow, keys: Keys) -> Line | None:
        private = keys.get(row.generation)
        if private is None:
            return None
        try:
            plain = unseal(private, row.sealed, _line_info(row.case_id, row.seq))
        except Unreadable:
            return None
        return Line(row.seq, json.loads(plain), row.delivery)

    def set_delivery(self, case_id: str, seqs: Sequence[int], delivery: str) -> None:
        """Note how far lines have come. What has arrived stays so."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(
                update(LineRow)
                .where(LineRow.case_id == case_id, LineRow.seq.in_(seqs), LineRow.delivery != SENT)
                .values(delivery=delivery)
            )

    def hold_undelivered(self, case_id: str) -> None:
        """Send nothing that still waits until staff say so."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(
                update(LineRow).where(LineRow.case_id == case_id, LineRow.delivery == PENDING).values(delivery=UNKNOWN)
            )

    def deliveries(self, case_id: str, seqs: Sequence[int]) -> dict[int, str]:
        """Return how far lines have come."""
        with DatabaseSession(self.engine) as session:
            query = select(LineRow.seq, LineRow.delivery).where(LineRow.case_id == case_id, LineRow.seq.in_(seqs))
            return dict(session.execute(query).tuples().all())

    def discard(self, case_id: str, delivery: str) -> None:
        """Delete lines that nobody can open any more."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(delete(LineRow).where(LineRow.case_id == case_id, LineRow.delivery == delivery))

    def doubt_unfinished(self) -> None:
        """At the start: what was being sent when the last process died may have arrived or not."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(update(LineRow).where(LineRow.delivery == SENDING).values(delivery=UNKNOWN))

    def undelivered(self) -> set[str]:
        """Return the cases in which something still has to be sent."""
        with DatabaseSession(self.engine) as session:
            return set(session.scalars(select(LineRow.case_id).where(LineRow.delivery == PENDING).distinct()))

    def members(self, case_id: str) -> dict[str, set[int]]:
        """Return who holds the case's key: operator id and the generations."""
        held: dict[str, set[int]] = {}
        with DatabaseSession(self.engine) as session:
            for operator_id, generation in session.execute(
                select(CaseKeyRow.operator_id, CaseKeyRow.generation).where(CaseKeyRow.case_id == case_id)
            ):
                held.setdefault(operator_id, set()).add(generation)
        return held

    def grant(self, case_id: str, keys: Keys, holders: Iterable[tuple[str, bytes]]) -> None:
        """Seal all `keys` of a case to more operators."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            for generation, private in keys.items():
                self._grant(session, case_id, generation, private, holders)

    def revoke(self, case_id: str, operator_ids: Iterable[str], holders: Iterable[tuple[str, bytes]]) -> None:
        """Take a case away from some operators; what comes from now on is sealed to a new key of `holders` alone."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            row, case = session.get(CaseRow, case_id), self._known.get(case_id)
            if row is None or case is None:
                return
            session.execute(
                delete(CaseKeyRow).where(CaseKeyRow.case_id == case_id, CaseKeyRow.operator_id.in_(list(operator_ids)))
            )
            private, public = new_pair()
            row.public_key, row.generation = public, row.generation + 1
            self._grant(session, case_id, row.generation, private, holders)
            self._known[case_id] = replace(case, public_key=public, generation=row.generation)
        forget_deleted(self.engine)

    def forget_keys(self, operator_id: str) -> None:
        """Delete what was sealed to a key pair that is no longer this operator's."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(delete(CaseKeyRow).where(CaseKeyRow.operator_id == operator_id))

    def by_reference(self, digest: str) -> Case | None:
        with DatabaseSession(self.engine) as session:
            return self.get(session.scalar(select(CaseRow.id).where(CaseRow.reference == digest)))

    def set_reference(self, case_id: str, digest: str) -> None:
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(update(CaseRow).where(CaseRow.id == case_id).values(reference=digest))

    def shred(self, case_id: str) -> None:
        """Delete what a case says, for ever: its lines, all its keys, her way back. An empty record stays."""
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            session.execute(delete(LineRow).where(LineRow.case_id == case_id))
            session.execute(delete(CaseKeyRow).where(CaseKeyRow.case_id == case_id))
            session.execute(update(CaseRow).where(CaseRow.id == case_id).values(reference=None))
        forget_deleted(self.engine)

    def purge(self, now: float | None = None) -> list[str]:
        """Delete the cases whose time has come; return their ids."""
        moment = int(time.time() if now is None else now)
        with self._lock, DatabaseSession(self.engine) as session, session.begin():
            due = list(session.scalars(select(CaseRow.id).where(CaseRow.deletes_at <= moment)))
            for table, column in ((LineRow, LineRow.case_id), (CaseKeyRow, CaseKeyRow.case_id), (CaseRow, CaseRow.id)):
                session.execute(delete(table).where(column.in_(due)))
            for case_id in due:
                self._known.pop(case_id, None)
        if due:
            forget_deleted(self.engine)
        return due


def _copy(record: Record) -> Record:
    return replace(
        record,
        followers=list(record.followers),
        external_under_way=[(seq, number) for seq, number in record.external_under_way],
    )


def _key_info(case_id: str, generation: int, operator_id: str) -> str:
    return f"helpline case key|{case_id}|{generation}|{operator_id}"


def _line_info(case_id: str, seq: int) -> str:
    return f"helpline case line|{case_id}|{seq}"
