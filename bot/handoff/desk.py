"""The desk: what operators do with cases. Her side of it is `bot.handoff.handover`.

Everything that reads or changes a case is noted in the audit log, without a word of what was written. Used on the event
loop; what asks the database runs in threads, or blocks for a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from bot.conversation.memory import Memory
from bot.conversation.state import ASSISTANT, OPERATOR
from bot.directory.hours import Hours
from bot.handoff import presence as duty
from bot.handoff.availability import Availability, Waits, next_opening
from bot.handoff.bus import Bus
from bot.handoff.cases import CLOSED, OPEN, PENDING, UNKNOWN, WAITING, WITH_ASSISTANT, Case, Cases, Keys, Record
from bot.handoff.cases import Line as StoredLine
from bot.handoff.phrasebook import Phrase, Phrasebook
from bot.handoff.post import Parcel, Post
from bot.handoff.presence import Duty, Presence
from bot.handoff.safe_times import is_safe
from bot.handoff.words import Words
from bot.log import get_logger
from bot.staff.accounts import Accounts, Operator, Role
from bot.staff.audit import Audit
from bot.staff.sessions import Session, Sessions

log = get_logger(__name__)

REASONS = ("helped", "referred", "lost_contact", "not_trafficking", "wrong_language", "test", "abuse", "other")
"""For closing a case. The desk itself closes with "left_hidden" and "withdrawn"."""

LONGEST = 2000
DAY = 86400
LEAST_SECONDS = DAY
"""What she wrote stays so long at least, whatever the retention: closing never deletes what she has just written."""

RELEASE_SECONDS = 120.0
"""An operator's console closed for so long while she waits for an answer, and her case goes back to the queue."""

WATCH_SECONDS = 5.0
FLUSH_EVERY = 12
LINE_SECONDS = 1.0
VIEWED, MOST_VIEWED = "viewed", 50
"""Cases that a session has looked at last: it is told of their lines."""

STAFF_SECONDS = 3.0
"""For so long, names and presence are taken from what was last read of the accounts. Access never is."""

HARD_URGENCY = 2


class Refused(Exception):
    """The desk can't do that. `name` is one of the console's texts, utter_console_refused_<name>."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Summary:
    """What she agreed to show, and how she wants to be answered."""

    language: str
    country: str | None = None
    topic: str | None = None
    need: str | None = None
    child: bool = False
    shared_phone: bool = False
    channel: str = ""
    left_message: bool = False
    answer_here: bool = False
    safe_time: str | None = None
    came_back: bool = False


@dataclass(frozen=True)
class Entry:
    """A case in a list."""

    id: str
    alias: str
    state: str
    urgency: int
    since: int
    owner: str | None
    owner_name: str | None
    owner_away: bool
    offered_to: str | None
    summary: Summary | None
    unread: bool
    alert: str | None
    closed_reason: str | None
    deletes_at: int | None
    followers: int
    waits: bool
    """`since` is when she began to wait for an answer; else, when something last happened."""
    language: str
    country_name: str = ""
    topic_name: str = ""
    need_name: str = ""
    language_name: str = ""


@dataclass(frozen=True)
class Calls:
    """What calls for an operator: ids of cases, and the alias of the first with an alert."""

    waiting: list[str]
    alerted: list[str]
    alias: str


@dataclass(frozen=True)
class Line:
    """A line as one operator sees it. `shown`: what she saw or tapped, where it is in another language."""

    seq: int
    at: int
    kind: str
    text: str
    shown: str | None = None
    shown_language: str | None = None
    name: str | None = None
    mine: bool = False
    understood: dict[str, Any] | None = None
    understood_text: str | None = None
    delivery: str = ""


@dataclass(frozen=True)
class CaseView:
    """A case, opened by one operator."""

    entry: Entry
    lines: list[Line]
    last: int
    may_write: bool
    colleagues: list[tuple[Operator, str]]
    teams: list[str]
    person_here: bool | None
    sending_allowed_now: bool
    following: bool


class Desk:
    """All cases of all teams; each operator reaches those of her own team."""

    def __init__(
        self,
        cases: Cases,
        memory: Memory,
        post: Post,
        words: Words,
        phrasebook: Phrasebook,
        accounts: Accounts,
        sessions: Sessions,
        audit: Audit,
        hours: list[Hours],
        retention_days: int,
    ) -> None:
        self.cases = cases
        self.memory = memory
        self.post = post
        self.words = words
        self.phrasebook = phrasebook
        self.accounts = accounts
        self.sessions = sessions
        self.audit = audit
        self.hours = hours
        self.retention = retention_days * DAY
        self.bus = Bus()
        self.duty = Duty()
        self.waits = Waits()
        self.release_seconds = RELEASE_SECONDS
        self._telling_line = False
        self._line_before: list[str] = []
        """Who waits, in order, when it was last told."""
        self._staff: tuple[float, dict[str, Operator]] = (-STAFF_SECONDS, {})
        self._watching: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        post.words = words.for_her
        post.watchers.append(self._delivered)
        accounts.on_team_change.append(self._on_loop(self.reseal))
        sessions.on_open.append(self._on_loop(self.on_login))
        sessions.on_close.append(self._on_loop(self.on_logout))

    # life

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.cases.doubt_unfinished)
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        for session in self.sessions.live():
            self.bus.end(session)
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self.post.stop()

    def _on_loop(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return `call` for a hook that any thread may use."""

        def hook(value: Any) -> None:
            if self._loop and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(call, value)

        return hook

    async def _watch(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if number % FLUSH_EVERY == 0:
                    self.post.flush()
                await asyncio.to_thread(self.sessions.sweep)
                await self._release_orphans()
            except Exception:
                log.exception("desk_watch_failed")

    async def _release_orphans(self) -> None:
        """Give cases whose operator is away while she waits for an answer back to the queue."""
        for case in self.cases.all():
            record = case.record
            if record.state != OPEN or record.owner is None or record.external:
                continue
            away = self.duty.is_away(record.owner, self.bus.listens(record.owner), self.release_seconds)
            if away and record.waiting_since is not None:
                changed = self.cases.change(case.id, _release)
                if changed and changed.record.state == WAITING:
                    await asyncio.to_thread(self.audit.note, "system", "case_released", case.id)
                    self._event(case.id, "operator_away")
                    self.tell_her(case.id, "utter_handover_away")
                    self.changed(changed)

    def on_login(self, session: Session) -> None:
        """Open what this operator's key opens: seal it to colleagues who lack it, and send what a restart held up."""
        self.reseal(session.operator.team)
        for case_id in self.cases.undelivered():
            case = self.cases.get(case_id)
            if case is None or case.record.team != session.operator.team:
                continue
            keys = self._keys(session, case_id)
            for line in self.cases.lines(case_id, keys, only=PENDING):
                if case.record.pseudonym:
                    self.post.put(case.record.pseudonym, Parcel(case_id, line.seq, line.content))
            if case.record.pseudonym and case.record.pushes:
                self.post.deliver_soon(case.record.pseudonym)

    def on_logout(self, session: Session) -> None:
        self.bus.end(session)
        if not self.sessions.of(session.operator.id):
            self.duty.forget(session.operator.id)
            self.bus.tell("presence", "", session.operator.team)

    def reseal(self, team: str) -> None:
        """Hold a team's cases to its members: who left loses the keys, who joined gets them from a colleague."""
        self._staff = (-STAFF_SECONDS, {})
        holders = {each.id: each.public_key for each in self.accounts.holders(team) if each.public_key}
        pairs = list(holders.items())
        for case in self.cases.all():
            if case.record.team != team or case.record.external:
                continue
            members = self.cases.members(case.id)
            gone = members.keys() - holders.keys()
            if gone:
                self.cases.revoke(case.id, gone, [pair for pair in pairs if pair[0] in members])
                for session in self.sessions.live():
                    session.known.pop(f"keys {case.id}", None)
                members = self.cases.members(case.id)
            for session in self.sessions.live():
                keys = self._keys(session, case.id) if session.operator.team == team else {}
                lacking = [pair for pair in pairs if not members.get(pair[0], set()) >= keys.keys()]
                if keys and lacking:
                    self.cases.grant(case.id, keys, lacking)
                    members = self.cases.members(case.id)
        self.bus.tell("queue", "", team)

    # reading

    def _keys(self, session: Session, case_id: str) -> Keys:
        case = self.cases.get(case_id)
        known: Keys = session.known.get(f"keys {case_id}", {})
        if case is None or case.record.erased or session.closed:
            return {}
        if case.generation not in known:
            known = self.cases.open_keys(case_id, session.operator.id, session.private_key)
            session.known[f"keys {case_id}"] = known
        return known

    def _case(self, session: Session, case_id: str, write: bool = False) -> Case:
        """Return a case of her team that she can open. Raises Refused."""
        case = self.cases.get(case_id)
        allowed = session.operator.role in (Role.OPERATOR, Role.SUPERVISOR)
        if case is None or not allowed or case.record.team != session.operator.team or case.record.external:
            raise Refused("gone")
        if write and (case.record.state != OPEN or case.record.owner != session.operator.id):
            raise Refused("closed" if case.record.state == CLOSED else "not_yours")
        if not self._keys(session, case_id):
            raise Refused("no_key")
        return case

    def _summary(self, session: Session, case: Case) -> Summary | None:
        self._open_summaries(session, [case])
        known = session.known.get(f"summary {case.id}")
        return known[1] if known and self._keys(session, case.id) else None

    def _open_summaries(self, session: Session, cases: list[Case]) -> None:
        """Open the keys and summaries of cases that this session has not opened yet, many at once."""
        if session.closed:
            return
        known = session.known
        locked = [
            each.id for each in cases
            if not each.record.erased and each.generation not in known.get(f"keys {each.id}", {})
        ]  # fmt: skip
        if locked:
            for case_id, keys in self.cases.open_many(locked, session.operator.id, session.private_key).items():
                known[f"keys {case_id}"] = keys
        wanted = {
            each.id: each.record.summary
            for each in cases
            if known.get(f"keys {each.id}") and known.get(f"summary {each.id}", (0,))[0] != each.record.summary
        }
        if not wanted:
            return
        lines = self.cases.one_each(wanted, {case_id: known[f"keys {case_id}"] for case_id in wanted})
        for case_id, line in lines.items():
            fields = {name: line.content[name] for name in Summary.__dataclass_fields__ if name in line.content}
            known[f"summary {case_id}"] = (wanted[case_id], Summary(**fields))

    def _entry(self, session: Session, case: Case, staff: dict[str, Operator]) -> Entry:
        record = case.record
        owner = staff.get(record.owner or "")
        summary = self._summary(session, case)
        mine = session.operator.language
        return Entry(
            id=case.id,
            alias=record.alias,
            state=record.state,
            urgency=record.urgency,
            since=record.waiting_since or record.last_at,
            owner=record.owner,
            owner_name=owner.name if owner else None,
            owner_away=bool(record.owner and self.duty.is_away(record.owner, self.bus.listens(record.owner))),
            offered_to=record.offered_to,
            summary=summary,
            unread=record.last_in > record.read,
            alert=record.alert,
            closed_reason=record.reason,
            deletes_at=case.deletes_at,
            followers=len(record.followers),
            waits=record.waiting_since is not None,
            language=record.language,
            language_name=self.words.language(record.language, mine),
            country_name=self.words.country(summary.country, mine) if summary and summary.country else "",
            topic_name=self.words.topic(summary.topic, mine) if summary and summary.topic else "",
            need_name=self.words.topic(summary.need, mine) if summary and summary.need else "",
        )

    def staff(self) -> dict[str, Operator]:
        """Return all accounts, at most STAFF_SECONDS old."""
        if time.monotonic() - self._staff[0] > STAFF_SECONDS:
            self._staff = (time.monotonic(), {each.id: each for each in self.accounts.all()})
        return self._staff[1]

    def _members(self, team: str) -> list[Operator]:
        return [
            each
            for each in self.staff().values()
            if each.team == team and each.active and each.public_key and each.role in (Role.OPERATOR, Role.SUPERVISOR)
        ]

    def _list(self, session: Session, wanted: Callable[[Record], bool]) -> list[Entry]:
        if session.operator.role not in (Role.OPERATOR, Role.SUPERVISOR):
            raise Refused("gone")
        team = session.operator.team
        chosen = [
            case for case in self.cases.all()
            if case.record.team == team and not case.record.external and wanted(case.record)
        ]  # fmt: skip
        staff = self.staff()
        self._open_summaries(session, chosen)
        return [self._entry(session, case, staff) for case in sorted(chosen, key=order)]

    def calls(self, session: Session) -> Calls:
        """Return who waits or is offered to her, and which cases have an alert, without opening any."""
        team, me = session.operator.team, session.operator.id
        cases = sorted((each for each in self.cases.all() if each.record.team == team), key=order)
        open_ones = [each for each in cases if each.record.state not in (CLOSED, WAITING) and not each.record.external]
        waiting = [each.id for each in cases if each.record.state == WAITING and not each.record.external]
        alerted = [each for each in open_ones if each.record.alert]
        offered = [each.id for each in open_ones if each.record.offered_to == me]
        return Calls([*waiting, *offered], [each.id for each in alerted], alerted[0].record.alias if alerted else "")

    def last_note(self, session: Session, case_id: str) -> str:
        """Return what staff noted last in a case; "" where nothing is. Marks nothing as read."""
        self._case(session, case_id)
        opened = session.known.setdefault(f"lines {case_id}", {})
        lines = self.cases.lines(case_id, self._keys(session, case_id), opened=opened)
        notes = [line.content["text"] for line in lines if line.content["kind"] == "note"]
        if notes:
            self._note_reading(session, case_id)
        return str(notes[-1]) if notes else ""

    def _note_reading(self, session: Session, case_id: str) -> None:
        if f"read {case_id}" not in session.known:
            session.known[f"read {case_id}"] = True
            self.audit.note(session.operator.id, "case_read", case_id)

    def queue(self, session: Session) -> list[Entry]:
        """Return who waits, the most urgent first, then the longest."""
        return self._list(session, lambda record: record.state == WAITING)

    def mine(self, session: Session) -> list[Entry]:
        """Return her own cases, and those that a colleague offers her."""
        me = session.operator.id
        return self._list(session, lambda record: record.state == OPEN and me in (record.owner, record.offered_to))

    def team_cases(self, session: Session) -> list[Entry]:
        return self._list(session, lambda record: record.state != CLOSED)

    def closed(self, session: Session) -> list[Entry]:
        """Return closed cases that can still be read, the newest first."""
        found = self._list(session, lambda record: record.state == CLOSED)
        return sorted(found, key=lambda entry: -(entry.deletes_at or 0))

    def view(self, session: Session, case_id: str, after: int = 0) -> CaseView:
        """Open a case; its owner has read it then. Raises Refused."""
        case = self._case(session, case_id)
        me, record = session.operator.id, case.record
        viewed: deque[str] = session.known.setdefault(VIEWED, deque(maxlen=MOST_VIEWED))
        if case_id not in viewed:
            viewed.append(case_id)
        self._note_reading(session, case_id)
        if record.owner == me and (record.read < record.last or record.alert):
            self.cases.change(case_id, _read)  # the entry below still says what is new
        staff = self.staff()
        opened = session.known.setdefault(f"lines {case_id}", {})
        stored = self.cases.lines(case_id, self._keys(session, case_id), opened=opened)
        understood = {line.content["of"]: line.content for line in stored if line.content["kind"] == "understood"}
        lines = [
            line
            for each in stored
            if each.seq > after and each.content["kind"] != "understood"
            for line in [self._line(session, case, each, understood.get(each.seq), staff)]
        ]
        summary = self._summary(session, case)
        return CaseView(
            entry=self._entry(session, case, staff),
            lines=lines,
            last=record.last,
            may_write=record.state == OPEN and record.owner == me,
            colleagues=[(each, state) for each, state in self.colleagues(session) if each.id != me],
            teams=sorted({each.team for each in staff.values() if each.active and each.public_key} - {record.team}),
            person_here=None if record.pushes else self.post.is_here(record.pseudonym),
            sending_allowed_now=is_safe(summary.safe_time, summary.country) if summary else True,
            following=me in record.followers,
        )

    def _line(
        self,
        session: Session,
        case: Case,
        stored: StoredLine,
        understood: dict[str, Any] | None,
        staff: dict[str, Operator],
    ) -> Line:
        content, language, hers = stored.content, session.operator.language, case.record.language
        kind = content["kind"]
        text, shown = self._both(content, language, hers)
        delivery = stored.delivery
        if delivery == PENDING and not self.post.waits(case.id, stored.seq):
            delivery = "held"
        author = staff.get(content.get("by") or "")
        return Line(
            seq=stored.seq,
            at=content["at"],
            kind="event" if kind in ("notice", "media") else kind,
            text=text,
            shown=shown if shown != text else None,
            shown_language=hers if shown and shown != text else None,
            name=content.get("name") or (author.name if author else None),
            mine=content.get("by") == session.operator.id,
            understood=understood,
            understood_text=self._understood(understood, language) if understood else None,
            delivery=delivery,
        )

    def _both(self, content: dict[str, Any], language: str, hers: str) -> tuple[str, str | None]:
        """Return a line in the operator's language, and as she saw it, where that was in words of ours."""
        kind, words = content["kind"], self.words
        if kind in ("person", "staff", "note"):
            return content["text"], None
        if kind == "answer":
            return words.answer(content["answer"], language), words.answer(content["answer"], hers)
        if kind == "phrase":
            return words.phrase(content["phrase"], language), words.phrase(content["phrase"], hers)
        if kind == "service":
            return words.service(content["service"], language), words.service(content["service"], hers)
        catalogue = words.catalogue
        if kind == "notice":
            values = content.get("values", {})
            return catalogue.text(content["notice"], language, **values), catalogue.text(
                content["notice"], hers, **values
            )
        if kind == "media":
            return catalogue.text(f"utter_console_media_{content['media']}", language), None
        if kind == "event":
            return catalogue.text(
                f"utter_console_event_{content['event']}", language, name=content.get("name", "")
            ), None
        return catalogue.text("utter_console_event_summary", language), None

    def _understood(self, understood: dict[str, Any], language: str) -> str:
        words, separator = self.words, " · "
        share = f"{round(100 * understood['confidence'])} %"
        parts = [f"{words.topic(understood['intent'], language)} ({share})"]
        if understood.get("place"):
            parts.append(words.country(understood["place"], language))
        if understood.get("language"):
            parts.append(words.language(understood["language"], language))
        return separator.join(parts)

    # changing

    async def take(self, session: Session, case_id: str) -> None:
        """Take a waiting case; a supervisor may take over any. She is told that a person is there, once."""
        case = self._case(session, case_id)
        me = session.operator
        if self.duty.state(me.id) != duty.DUTY:
            raise Refused("off_duty")
        if sum(1 for each in self.cases.all() if each.record.state == OPEN and each.record.owner == me.id) >= me.cap:
            raise Refused("full")
        over = me.role is Role.SUPERVISOR or bool(
            case.record.owner and self.duty.is_away(case.record.owner, self.bus.listens(case.record.owner))
        )
        await self._own(session, case_id, lambda record: record.state == WAITING or (record.state == OPEN and over))

    async def _own(self, session: Session, case_id: str, may: Callable[[Record], bool]) -> None:
        """Make a case this operator's."""
        me, greeted = session.operator, [True]

        def how(record: Record) -> None:
            if not may(record) or (record.pseudonym is None and not record.left_message):
                raise Refused("taken" if record.state == OPEN else "gone")
            greeted[0] = record.owned
            if record.waited is None:
                record.waited = int(time.time()) - record.opened_at
            record.state, record.owner, record.owned, record.offered_to = OPEN, me.id, True, None

        before = self.cases.get(case_id)
        changed = self.cases.change(case_id, how)
        if changed is None:
            raise Refused("gone")
        if before and before.record.waited is None and not changed.record.left_message and changed.record.waited:
            self.waits.note(changed.record.waited)
        async with self.memory.change(changed.record.pseudonym) as state:
            if state is not None and state.case == case_id:
                state.owner = OPERATOR
        await asyncio.to_thread(self.audit.note, me.id, "case_taken", case_id)
        self._event(case_id, "taken", me.name)
        if not greeted[0]:
            self.tell_her(case_id, "utter_handover_joined", name=me.name)
        self.changed(changed)

    async def offer(self, session: Session, case_id: str, operator_id: str) -> None:
        """Ask a colleague of the team to take a case over. Nothing changes until they accept."""
        self._case(session, case_id, write=True)
        if operator_id not in {each.id for each in self.accounts.holders(session.operator.team)}:
            raise Refused("not_a_member")
        await self._change(session, case_id, "case_offered", lambda record: setattr(record, "offered_to", operator_id))
        self.bus.tell("alert", case_id, session.operator.team)

    async def accept(self, session: Session, case_id: str) -> None:
        """Take over what a colleague has offered. She is neither told nor greeted again."""
        case, me = self._case(session, case_id), session.operator
        if case.record.offered_to != me.id:
            raise Refused("not_yours")
        await self._own(session, case_id, lambda record: record.state == OPEN and record.offered_to == me.id)

    async def decline(self, session: Session, case_id: str) -> None:
        case = self._case(session, case_id)
        if session.operator.id not in (case.record.offered_to, case.record.owner):
            raise Refused("not_yours")
        await self._change(session, case_id, "case_declined", lambda record: setattr(record, "offered_to", None))

    async def transfer_team(self, session: Session, case_id: str, team: str) -> None:
        """Give a case to a team's queue, one's own included: sealed to them, and no longer to this team."""
        case = self._case(session, case_id, write=True)
        holders = [(each.id, each.public_key) for each in self.accounts.holders(team) if each.public_key]
        if not holders:
            raise Refused("not_a_member")
        keys = self._keys(session, case_id)
        old = case.record.team
        if team != old:
            self.cases.grant(case_id, keys, holders)
            gone = self.cases.members(case_id).keys() - {holder for holder, _ in holders}
            self.cases.revoke(case_id, gone, holders)

        def how(record: Record) -> None:
            record.team, record.state, record.owner, record.offered_to = team, WAITING, None, None
            record.waiting_since = record.waiting_since or int(time.time())

        self._event(case_id, "transferred", session.operator.name)
        await self._change(session, case_id, "case_transferred", how)
        self.bus.tell("queue", "", old)

    async def hand_back(self, session: Session, case_id: str) -> None:
        """Give her back to the assistant. The case stays, for when she asks again."""
        self._case(session, case_id, write=True)
        name = session.operator.name

        def how(record: Record) -> None:
            record.state, record.owner, record.owned, record.waiting_since = WITH_ASSISTANT, None, False, None

        self._event(case_id, "handed_back", name)
        changed = await self._change(session, case_id, "case_returned", how)
        async with self.memory.change(changed.record.pseudonym) as state:
            if state is not None and state.case == case_id:
                state.owner = ASSISTANT
        self.tell_her(case_id, "utter_handover_left", name=name)

    async def close(self, session: Session, case_id: str, reason: str, hard: bool, seen: int) -> None:
        """Close a case. Raises Refused("just_written") where she wrote after line `seen`."""
        if reason not in REASONS:
            raise Refused("bad_reason")
        case = self._case(session, case_id)
        if case.record.state == CLOSED:
            raise Refused("closed")
        if case.record.owner not in (session.operator.id, None) and session.operator.role is not Role.SUPERVISOR:
            raise Refused("not_yours")

        def check(record: Record) -> None:
            if record.last_in > seen:
                raise Refused("just_written")
            record.hard = hard

        pseudonym = case.record.pseudonym
        async with self.memory.change(pseudonym) as state:
            self.cases.change(case_id, check)
            self._event(case_id, "closed", session.operator.name)
            changed = self.finish(case_id, reason)
            if state is not None and state.case == case_id:
                state.owner, state.answer_here = ASSISTANT, False
                state.address = state.address if case.record.owned else None
        if changed is None:
            raise Refused("gone")
        await asyncio.to_thread(self.audit.note, session.operator.id, "case_closed", case_id)
        if pseudonym and case.record.owned:
            name = session.operator.name
            self.tell_her(case_id, "utter_handover_closed_case", until=changed.deletes_at, name=name)
        if hard or case.record.urgency >= HARD_URGENCY:
            self.duty.ask_debrief(session.operator.id)
            self.bus.tell_one("presence", session.operator.id)
        self.changed(changed)

    def finish(self, case_id: str, reason: str) -> Case | None:
        """Close a case for the desk and say when it is deleted."""
        moment = int(time.time())

        def how(record: Record) -> None:
            record.state, record.owner, record.offered_to = CLOSED, None, None
            record.closed_at, record.reason, record.waiting_since = moment, reason, None

        case = self.cases.get(case_id)
        last_in = case.record.last_in_at if case else 0
        return self.cases.change(case_id, how, max(moment + self.retention, last_in + LEAST_SECONDS))

    async def prolong(self, session: Session, case_id: str, days: int, reason: str) -> None:
        """Keep a closed case for `days` more, with a reason that is sealed to the case like everything else."""
        case = self._case(session, case_id)
        if case.record.state != CLOSED or case.deletes_at is None:
            raise Refused("not_closed")
        if not reason.strip() or not 0 < days <= 365:
            raise Refused("bad_reason")
        self.cases.append(case_id, {"kind": "note", "text": reason.strip()[:LONGEST], "by": session.operator.id})
        await self._change(session, case_id, "case_prolonged", lambda record: None, case.deletes_at + days * DAY)

    async def note(self, session: Session, case_id: str, text: str) -> None:
        """Write a note that only staff see."""
        self._case(session, case_id)
        self.cases.append(case_id, {"kind": "note", "text": _checked(text), "by": session.operator.id})
        await self._change(session, case_id, "case_noted", lambda record: None)

    async def follow(self, session: Session, case_id: str) -> None:
        self._case(session, case_id)
        me = session.operator.id

        def how(record: Record) -> None:
            record.followers = list(dict.fromkeys([*record.followers, me]))

        await self._change(session, case_id, "case_followed", how)

    async def unfollow(self, session: Session, case_id: str) -> None:
        self._case(session, case_id)

        def how(record: Record) -> None:
            record.followers = [each for each in record.followers if each != session.operator.id]

        await self._change(session, case_id, "case_unfollowed", how)

    async def _change(
        self, session: Session, case_id: str, action: str, how: Callable[[Record], None], deletes_at: int | None = None
    ) -> Case:
        changed = self.cases.change(case_id, how, deletes_at)
        if changed is None:
            raise Refused("gone")
        await asyncio.to_thread(self.audit.note, session.operator.id, action, case_id)
        self.changed(changed)
        return changed

    # writing

    async def say(self, session: Session, case_id: str, text: str, key: str) -> None:
        """Write to her, as it is. The same `key` is never sent twice."""
        await self._send(session, case_id, {"kind": "staff", "text": _checked(text)}, key)

    async def say_phrase(self, session: Session, case_id: str, phrase: str, key: str) -> None:
        """Send a sentence of the phrasebook, in her language."""
        if phrase not in self.phrasebook:
            raise Refused("gone")
        await self._send(session, case_id, {"kind": "phrase", "phrase": phrase}, key)

    async def say_service(self, session: Session, case_id: str, service_id: str, key: str) -> None:
        """Send an entry of the directory, in her language."""
        if await asyncio.to_thread(self.words.effects.directory.get, service_id) is None:
            raise Refused("gone")
        await self._send(session, case_id, {"kind": "service", "service": service_id}, key)

    async def _send(self, session: Session, case_id: str, content: dict[str, Any], key: str) -> None:
        self._case(session, case_id, write=True)
        content = {"at": int(time.time()), **content, "name": session.operator.name, "by": session.operator.id}

        def how(record: Record) -> None:
            if record.state != OPEN or record.owner != session.operator.id:
                raise Refused("not_yours")
            record.waiting_since, record.alert, record.read = None, None, record.last

        seq = self.cases.append(case_id, content, f"{session.operator.id} {key}", PENDING, how)
        if seq is None:
            return  # this very line is there already: its answer was lost on the way to the browser
        await asyncio.to_thread(self.audit.note, session.operator.id, "case_answered", case_id)
        self._post(case_id, seq, content)

    async def send_again(self, session: Session, case_id: str, seq: int) -> None:
        """Send a line once more of which nobody knows whether it arrived."""
        case = self._case(session, case_id, write=True)
        line = self.cases.line(case_id, seq, self._keys(session, case_id))
        if line is None or line.delivery not in (UNKNOWN, PENDING):
            raise Refused("gone")
        if case.record.pseudonym is None:
            raise Refused("no_way")
        self.cases.set_delivery(case_id, [seq], PENDING)
        self._post(case_id, seq, line.content)

    async def typing(self, session: Session, case_id: str) -> None:
        case = self._case(session, case_id, write=True)
        await self.post.typing(case, session.operator.name)

    def _post(self, case_id: str, seq: int, content: dict[str, Any]) -> None:
        case = self.cases.get(case_id)
        if case is None:
            return
        pseudonym = case.record.pseudonym
        if pseudonym:
            self.post.put(pseudonym, Parcel(case_id, seq, content))
            if case.record.pushes:
                self.post.deliver_soon(pseudonym)
        self.changed(case, listed=False)

    def tell_her(self, case_id: str, notice: str, until: int | None = None, **values: str) -> None:
        """Let the desk itself say something to her, in her language."""
        content = {"at": int(time.time()), "kind": "notice", "notice": notice, "values": values, "until": until}
        seq = self.cases.append(case_id, content, delivery=PENDING)
        if seq is not None:
            self._post(case_id, seq, content)

    def _event(self, case_id: str, event: str, name: str = "") -> None:
        self.cases.append(case_id, {"kind": "event", "event": event, "name": name})

    def changed(self, case: Case, event: str = "case", listed: bool = True) -> None:
        """Tell who looks that a case has changed; `listed`: in a way that the lists of the team show."""
        record = case.record
        concerned = {record.owner, record.offered_to, *record.followers}
        self.bus.tell(
            event,
            case.id,
            record.team,
            lambda each: event == "alert" or each.operator.id in concerned or case.id in each.known.get(VIEWED, ()),
        )
        if listed:
            self.bus.tell("queue", case.id, record.team)
        elif record.owner:
            self.bus.tell_one("queue", record.owner)
        if record.pseudonym:
            self.post.ring(record.pseudonym)
        if self._loop and not self._telling_line:
            self._telling_line = True
            self._loop.call_later(LINE_SECONDS, self._tell_line)

    def _tell_line(self) -> None:
        """Tell those who wait, where the line has changed: at most once in LINE_SECONDS, for they may be many."""
        self._telling_line = False
        waiting = [each for each in sorted(self.cases.all(), key=order) if each.record.state == WAITING]
        line = [each.id for each in waiting]
        for place, each in enumerate(waiting):
            moved = place >= len(self._line_before) or self._line_before[place] != each.id
            if moved and each.record.pseudonym:
                self.post.ring(each.record.pseudonym)
        self._line_before = line

    def _delivered(self, case_id: str) -> None:
        case = self.cases.get(case_id)
        if case:
            self.changed(case, listed=False)

    # phrasebook, directory

    def phrases(self, session: Session, case_id: str, query: str = "", group: str = "") -> list[Phrase]:
        """Return phrases in her own language and in the person's."""
        case = self._case(session, case_id)
        return self.phrasebook.find(session.operator.language, case.record.language, query, group)

    def groups(self, session: Session) -> list[tuple[str, str]]:
        return self.phrasebook.titles(session.operator.language)

    # presence

    async def set_presence(self, session: Session, state: str) -> None:
        """Say whether one is on duty. Raises Refused."""
        try:
            self.duty.change(session.operator.id, state)
        except ValueError:
            raise Refused("bad_reason") from None
        await asyncio.to_thread(self.audit.note, session.operator.id, f"presence_{state}", "")
        self.bus.tell("presence", "", session.operator.team)

    def presence(self, session: Session) -> Presence:
        return self.duty.get(session.operator.id)

    def debriefed(self, session: Session) -> None:
        self.duty.debriefed(session.operator.id)

    def load(self, session: Session) -> int:
        """Return how many cases she has."""
        me = session.operator.id
        return sum(1 for case in self.cases.all() if case.record.state == OPEN and case.record.owner == me)

    def colleagues(self, session: Session) -> list[tuple[Operator, str]]:
        """Return the team's operators and supervisors and their presence, herself included."""
        return [(each, self.duty.state(each.id)) for each in self._members(session.operator.team)]

    def availability(self, team: str) -> Availability:
        """Return whether somebody of a team is on duty, how long one waits, and when they are back."""
        on_duty = self.duty.on_duty()
        here = any(each.id in on_duty and self.sessions.of(each.id) for each in self._members(team))
        return Availability(here, self.waits.minutes, None if here else next_opening(self.hours))

    async def events(self, session: Session) -> AsyncIterator[tuple[str, str]]:
        """Yield (event, case id) until the session is over: "queue", "case", "alert", "presence", "ended"."""
        self.duty.is_away(session.operator.id, True)
        async for event in self.bus.events(session):
            yield event


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise Refused("empty")
    if len(text) > LONGEST:
        raise Refused("too_long")
    return text


def order(case: Case) -> tuple[int, int, int]:
    """Sort key of a queue: the most urgent first, then who has waited longest."""
    record = case.record
    return -record.urgency, record.waiting_since or record.last_at, record.ticket


def _read(record: Record) -> None:
    record.read, record.alert = record.last, None


def _release(record: Record) -> None:
    if record.state == OPEN:
        record.state, record.owner, record.offered_to = WAITING, None, None
