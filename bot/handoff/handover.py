"""Her side of a handover: asking for a person, agreeing, waiting, writing, leaving, coming back.

The router asks this before it asks the engine. Whoever owns the conversation is in her state, and follows the case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from babel.dates import format_date, format_time, get_day_names
from sqlalchemy.exc import SQLAlchemyError

from bot.conversation.answer import Answer
from bot.conversation.effects import Effects
from bot.conversation.state import ASSISTANT, OPERATOR, QUEUE, State
from bot.conversation.turn import Kind, Message, Turn
from bot.handoff import reference
from bot.handoff.alias import new_alias
from bot.handoff.cases import CLOSED, OPEN, WAITING, WITH_ASSISTANT, Case, Record
from bot.handoff.desk import Desk, Summary, order
from bot.handoff.helpdesk import Helpdesk, HelpdeskUnreachable
from bot.handoff.safe_times import HOURS
from bot.log import get_logger
from bot.text.catalogue import SOURCE_LANGUAGE, isolate
from bot.text.durations import duration, time_left

log = get_logger(__name__)

MESSAGE, REFERENCE = "message", "reference"
"""What the next message is taken for (`State.expecting`)."""

COMMANDS = frozenset(
    {"!human", "!human_yes", "!human_no", "!human_leave", "!leave_message", "!tell_yes", "!tell_no", "!place",
     "!number", "!stay", "!look", "!answer", "!answer_here", "!answer_none", "!safe", "!reference", "!deleted",
     "!erase_chat"}
)  # fmt: skip

AT_ONCE_SECONDS = 0.1
"""Staff see a line after so long, with what the engine understood or without it."""

MOST_WAITING = 500
RECENT_TURNS = 20
"""For so many turns, danger that she spoke of makes her case urgent."""

LONGEST = 4000
URGENT = {"immediate_danger": 3, "self_harm": 2, "user_is_child": 2, "not_safe_to_talk": 1}
ALERTS = {
    "immediate_danger": "danger",
    "self_harm": "self_harm",
    "not_safe_to_talk": "not_safe",
    "user_is_child": "child",
}

Understand = Callable[[str], Awaitable[dict[str, Any] | None]]


class Handover:
    """What she can do with staff. The caller holds her conversation's lock."""

    def __init__(
        self, desk: Desk, effects: Effects, understand: Understand, team: str, helpdesk: Helpdesk | None = None
    ) -> None:
        self.desk = desk
        self.cases = desk.cases
        self.post = desk.post
        self.vault = desk.cases.vault
        self.effects = effects
        self.catalogue = effects.catalogue
        self.understand = understand
        self.team = team
        self.helpdesk = helpdesk
        self.turnstile = reference.Turnstile()
        self._explaining: set[asyncio.Task[None]] = set()

    # who owns the conversation

    def case(self, state: State, pseudonym: str) -> Case | None:
        """Return her case, where it is still hers."""
        case = self.cases.get(state.case)
        return case if case and case.record.pseudonym == pseudonym else None

    def settle(self, state: State, pseudonym: str) -> None:
        """Let her state follow her case, whatever died between the two being written."""
        if state.case is None:
            state.owner = ASSISTANT
            return
        case = self.case(state, pseudonym)
        record = case.record if case else None
        if record is None or record.state in (CLOSED, WITH_ASSISTANT):
            state.owner = ASSISTANT
        elif record.state == OPEN or record.owned:
            state.owner = OPERATOR
        else:
            state.owner = ASSISTANT if record.left_message else QUEUE
        if case is None:
            state.case = None
        if (record is None or record.state == CLOSED) and not self.post.has(pseudonym):
            state.address = None

    # asking

    def _holders(self) -> list[tuple[str, bytes]]:
        return [(each.id, each.public_key) for each in self.desk.accounts.holders(self.team) if each.public_key]

    async def offer(self, state: State) -> list[Message]:
        """Whether somebody is there, what they would see, and whether she agrees."""
        here, minutes, opens = True, None, None
        elsewhere = self.helpdesk is not None
        if self.helpdesk is None:
            if not await asyncio.to_thread(self._holders):
                return [self._say("utter_handover_none", state)]
            available = await asyncio.to_thread(self.desk.availability, self.team)
            here, minutes, opens = available.here, available.minutes, available.opens
        if elsewhere:
            there = self._text("utter_handover_elsewhere", state)
        elif here and minutes:
            wait = duration(minutes, "minute", state.language)
            there = self._text("utter_handover_here_wait", state, duration=wait)
        elif here:
            there = self._text("utter_handover_here", state)
        elif opens:
            day = get_day_names("wide", locale=state.language)[opens.weekday()]
            clock = isolate(format_time(opens, "short", locale=state.language))
            there = self._text("utter_handover_away_until", state, day=day, time=clock)
        else:
            there = self._text("utter_handover_away_unknown", state)
        shown = self._text("utter_handover_shown", state, list=self._shown(self.summary(state, ""), state))
        asks = self._say("utter_handover_consent" if here else "utter_handover_consent_message", state)
        return [Message(f"{there}\n{shown}"), asks]

    def summary(self, state: State, channel: str) -> Summary:
        """Return exactly what staff are shown of her."""
        slots = state.engine.get("slots", {})
        topic = slots.get("topic") or None
        return Summary(
            language=state.language,
            country=state.country,
            topic=topic if topic != "user_is_child" else None,
            need=slots.get("need") or None,
            child=topic == "user_is_child" or slots.get("need") == "child",
            shared_phone=state.shared_phone,
            channel=channel,
            answer_here=state.answer_here,
            safe_time=state.safe_time,
        )

    def _shown(self, summary: Summary, state: State) -> str:
        words, language = self.desk.words, state.language
        parts = []
        if summary.topic:
            parts.append(self._text("utter_handover_shown_topic", state, topic=words.topic(summary.topic, language)))
        if summary.country:
            country = words.country(summary.country, language)
            parts.append(self._text("utter_handover_shown_country", state, country=country))
        else:
            parts.append(self._text("utter_handover_shown_no_country", state))
        name = self.catalogue.languages[language].name
        parts.append(self._text("utter_handover_shown_language", state, spoken=name))
        if summary.need:
            parts.append(self._text("utter_handover_shown_need", state, need=words.topic(summary.need, language)))
        if summary.child:
            parts.append(self._text("utter_handover_shown_child", state))
        if summary.shared_phone:
            parts.append(self._text("utter_handover_shown_phone", state))
        return "; ".join(parts)

    async def command(self, command: str, value: str, turn: Turn, state: State, pseudonym: str) -> Answer:
        """Do what one of the buttons of COMMANDS says."""
        case = self.case(state, pseudonym)
        if command == "!human":
            return Answer(await self.offer(state))
        if command == "!human_yes":
            return await self.request(turn, state, pseudonym)
        if command == "!leave_message":
            return self._ask_message(state)
        if command == "!reference":
            state.expecting = REFERENCE
            return Answer([self._say("utter_handover_question_reference", state)])
        if command == "!human_no":
            state.expecting = state.reference = None
            return Answer([self._say("utter_human_declined", state)])
        if command == "!answer":
            return await self._answered(value, turn, state, pseudonym)
        if command == "!deleted":
            return Answer([Message(self.deletes_text(state))])
        if case is None or case.record.state == CLOSED:
            return Answer([self._say("utter_button_expired", state), self._say("utter_menu", state)])
        return await self._of_case(command, value, case, state, pseudonym)

    async def _of_case(self, command: str, value: str, case: Case, state: State, pseudonym: str) -> Answer:
        if command == "!erase_chat":
            return Answer([], finish="erase_chat")
        if command == "!human_leave":
            return await self._step_back(case, state)
        if command in ("!tell_yes", "!tell_no"):
            state.tell = command == "!tell_yes"
            self.cases.change(case.id, lambda record: setattr(record, "tell", state.tell))
            return Answer([self._say(f"utter_handover_{command[1:]}", state)])
        if command == "!place":
            return Answer([self._say("utter_handover_place", state, place=str(self.place(case)))])
        if command == "!number":
            return Answer([await asyncio.to_thread(self._number, case, state)])
        if command == "!stay":
            return Answer([self._say("utter_handover_stay", state)])
        if command == "!look":
            return Answer([])
        if command == "!answer_here":
            state.answer_here = True
            return Answer([self._say("utter_handover_question_safe", state)])
        if command == "!safe":
            state.safe_time = value if value in HOURS else "any"
            await self._resummarise(case, state)
            return Answer([self._say("utter_handover_safe_noted", state), *await self._way_back(case, state)])
        state.answer_here = state.tell = False
        self.cases.change(case.id, lambda record: setattr(record, "tell", False))
        await self._resummarise(case, state)
        return Answer([self._say("utter_handover_no_answer", state), *await self._way_back(case, state)])

    async def request(self, turn: Turn, state: State, pseudonym: str) -> Answer:
        """She agrees: put her in the queue, or ask for a message where nobody is there."""
        if self.helpdesk is None and not (await asyncio.to_thread(self.desk.availability, self.team)).here:
            return self._ask_message(state)
        case = await self._begin(turn, state, pseudonym, left_message=False)
        if case is None:
            return Answer([self._say(self._why_not(), state)])
        self.settle(state, pseudonym)
        waiting = self._say("utter_handover_waiting", state, place=str(self.place(case)))
        following = self._say(
            "utter_handover_question_tell" if case.record.pushes else "utter_handover_tell_yes", state
        )
        if case.record.pushes:
            return Answer([waiting, following])
        return Answer([Message(waiting.text, following.buttons)])

    def _why_not(self) -> str:
        """Return what to say where her case could not be opened."""
        if self.helpdesk:
            return "utter_handover_unreachable"
        return "utter_handover_too_many" if self._holders() else "utter_handover_none"

    def _can_seal(self) -> bool:
        return self.helpdesk is not None or bool(self._holders())

    async def _begin(self, turn: Turn, state: State, pseudonym: str, left_message: bool) -> Case | None:
        """Open her case, anew or again; None where that is not possible."""
        pushes = turn.channel in self.post.outlets
        urgency = self._urgency(state)
        moment = int(time.time())
        came_back = False

        def how(record: Record) -> None:
            record.state, record.pseudonym, record.pushes, record.language = WAITING, pseudonym, pushes, state.language
            record.waiting_since = record.waiting_since or moment
            record.urgency = max(record.urgency, urgency)
            record.left_message, record.tell, record.owned = left_message, state.tell, False
            record.owner = record.reason = record.closed_at = None

        case = self.case(state, pseudonym)
        if case is None or case.record.state == CLOSED:
            case = await asyncio.to_thread(self._by_reference, state, pseudonym)
            came_back = case is not None
        if case is not None:
            if came_back:
                self._detach_messages(case)
            case = await asyncio.to_thread(self.cases.reopen, case.id, how)
        else:
            case = await asyncio.to_thread(self._new_case, how, moment)
        if case is None:
            return None
        state.case, state.reference = case.id, None
        state.address = f"{turn.channel}:{turn.address}" if pushes else None
        await self._summarise(case, state, turn.channel, came_back=came_back, left_message=left_message)
        if came_back:
            self.cases.append(case.id, {"kind": "event", "event": "came_back"})
        await asyncio.to_thread(self.desk.audit.note, "person", "case_opened", case.id)
        if self.helpdesk and not await self._open_elsewhere(self.helpdesk, case, state):
            self.desk.finish(case.id, "withdrawn")
            state.case = state.address = None
            return None
        self._tell_staff(case, "alert")
        return self.cases.get(case.id)

    def _new_case(self, how: Callable[[Record], None], moment: int) -> Case | None:
        everyone = self.cases.all()
        if sum(1 for each in everyone if each.record.state == WAITING) >= MOST_WAITING or not self._can_seal():
            return None
        alias = new_alias({each.record.alias for each in everyone})
        record = Record(alias, self.team, opened_at=moment, last_at=moment, ticket=time.time_ns())
        how(record)
        return self.cases.create(record, [] if self.helpdesk else self._holders(), None)

    def _by_reference(self, state: State, pseudonym: str) -> Case | None:
        """Return the case of the number that she gave. Nothing she sees tells whether there is one."""
        if state.reference is None or not self.turnstile.passes(pseudonym):
            return None
        return self.cases.by_reference(state.reference)

    def _detach_messages(self, case: Case) -> None:
        """Whoever comes with a number may not be her: what staff wrote meanwhile is sent when they say so."""
        self.post.drop(case.record.pseudonym)
        self.cases.hold_undelivered(case.id)

    async def _summarise(self, case: Case, state: State, channel: str, **more: Any) -> None:
        content = {"kind": "summary", **asdict(self.summary(state, channel)), **more}

        def how(record: Record) -> None:
            record.summary = record.last

        await asyncio.to_thread(self.cases.append, case.id, content, None, "", how)

    async def _resummarise(self, case: Case, state: State, **more: Any) -> None:
        """Seal her summary anew, with how she wants to be answered."""
        channel = (state.address or "web:").partition(":")[0]
        await self._summarise(case, state, channel, left_message=case.record.left_message, **more)
        self._tell_staff(case, "queue")

    # waiting

    def place(self, case: Case) -> int:
        """Return her place in the queue, from 1."""
        return 1 + sum(
            1
            for each in self.cases.all()
            if each.record.state == WAITING and each.record.team == case.record.team and order(each) < order(case)
        )

    async def _step_back(self, case: Case, state: State) -> Answer:
        """She leaves the line, or the person."""
        waited = state.owner == QUEUE
        if waited:
            self.desk.finish(case.id, "withdrawn")
        else:

            def how(record: Record) -> None:
                record.state, record.owner, record.owned, record.waiting_since = WITH_ASSISTANT, None, False, None

            self.cases.change(case.id, how)
            self.cases.append(case.id, {"kind": "event", "event": "stepped_back"})
        state.owner = ASSISTANT
        if case.record.external and self.helpdesk:
            await self._elsewhere(
                self.helpdesk.close(case.record.external, self._note("utter_console_event_stepped_back"))
            )
        self._tell_staff(case)
        return Answer([self._say("utter_handover_left_line" if waited else "utter_handover_person_left", state)])

    def _ask_message(self, state: State) -> Answer:
        state.expecting = MESSAGE
        return Answer([self._say("utter_handover_question_message", state)])

    def _number(self, case: Case, state: State) -> Message:
        """Give her a new number to come back with; an earlier one ends."""
        number = reference.new_reference()
        self.cases.set_reference(case.id, reference.digest(self.vault, number))
        return self._say("utter_handover_reference", state, reference=isolate(reference.shown(number)))

    async def _way_back(self, case: Case, state: State) -> list[Message]:
        number = await asyncio.to_thread(self._number, case, state)
        return [number, Message(self.deletes_text(state))]

    # what she writes

    async def take(self, expecting: str, turn: Turn, state: State, pseudonym: str) -> Answer:
        """Take the message, or the number, that was asked for."""
        if expecting == REFERENCE:
            return await self.came_back(turn.content, state)
        case = await self._begin(turn, state, pseudonym, left_message=True)
        if case is None:
            return Answer([self._say(self._why_not(), state)])
        await self.passed_on(turn, state, pseudonym)
        self.settle(state, pseudonym)
        kept = self._say("utter_handover_kept", state)
        if case.record.pushes:
            return Answer([kept, self._say("utter_handover_question_answer", state)])
        answer = await self._of_case(
            "!answer_none", "", case, state, pseudonym
        )  # a page that is closed can't be written to
        return Answer([kept, *answer.messages])

    async def came_back(self, text: str, state: State) -> Answer:
        """Take the 16 digits of an earlier case: whatever they are, the same is said."""
        number = reference.read(text)
        if number is None:
            state.expecting = REFERENCE
            return Answer([self._say("utter_handover_reference_bad", state)])
        state.reference = reference.digest(self.vault, number)
        taken = self._say("utter_handover_reference_taken", state)
        return Answer([taken, *await self.offer(state)], hide=True)

    async def passed_on(self, turn: Turn, state: State, pseudonym: str, danger: str | None = None) -> bool:
        """Seal what she wrote to her case, with what was understood of it. False where it could not be kept."""
        case = self.case(state, pseudonym)
        if case is None:
            return False
        try:
            return await self._pass_on(case, turn, state, pseudonym, danger)
        except SQLAlchemyError:
            log.exception("line_not_kept")
            return False

    async def _pass_on(self, case: Case, turn: Turn, state: State, pseudonym: str, danger: str | None) -> bool:
        once = f"{case.id} {turn.unique}" if turn.unique is not None else ""
        if self.helpdesk and not case.record.external and await self._open_elsewhere(self.helpdesk, case, state):
            case = self.case(state, pseudonym) or case
        if case.record.external and self.helpdesk:
            return await self._elsewhere(self.helpdesk.relay(case.record.external, turn.content[:LONGEST], once))
        content = {"kind": "person", "text": turn.content[:LONGEST]}
        seq = await self._append(case, content, once or None, danger, state)
        if seq is not None and turn.content:
            explaining = asyncio.create_task(self._explain(case, seq, turn.content))
            self._explaining.add(explaining)
            explaining.add_done_callback(self._explaining.discard)
            await asyncio.wait({explaining}, timeout=AT_ONCE_SECONDS)
        self._tell_staff(case, "alert" if danger in ALERTS else "case", listed=danger in ALERTS)
        return True

    async def _explain(self, case: Case, seq: int, text: str) -> None:
        """Seal what the engine understood of a line; staff who see the line already are told."""
        started = time.monotonic()
        try:
            understood = await self.understand(text)
            if understood:
                line = {"kind": "understood", "of": seq, **understood}
                await asyncio.to_thread(self.cases.append, case.id, line)
                if time.monotonic() - started >= AT_ONCE_SECONDS:
                    self._tell_staff(case, listed=False)
        except Exception:
            log.exception("line_not_understood")

    async def _append(
        self, case: Case, content: dict[str, Any], once: str | None, danger: str | None, state: State
    ) -> int | None:
        moment = int(time.time())

        def how(record: Record) -> None:
            record.last_in, record.last_in_at = record.last, moment
            record.language = state.language
            if record.state in (OPEN, WAITING):
                record.waiting_since = record.waiting_since or moment
            if danger in ALERTS:
                record.alert, record.urgency = ALERTS[danger], max(record.urgency, URGENT[danger])

        return await asyncio.to_thread(self.cases.append, case.id, content, once, "", how)

    async def received(self, turn: Turn, state: State, pseudonym: str, danger: str | None = None) -> Answer:
        """Take what she writes to an operator. Nothing is answered: the assistant is silent."""
        media = turn.kind if turn.kind not in (Kind.TEXT, Kind.FORWARDED, Kind.EDITED) else None
        try:
            if media:
                case = self.case(state, pseudonym)
                if case and not case.record.external:
                    await self._append(case, {"kind": "media", "media": media.value}, None, None, state)
                    self._tell_staff(case, listed=False)
            kept = not turn.content.strip() or await self.passed_on(turn, state, pseudonym, danger)
        except SQLAlchemyError:
            log.exception("line_not_kept")
            kept = False
        if not kept:
            return Answer([self._say("utter_handover_not_passed", state)])
        return Answer([self._say("utter_handover_media", state)] if media else [], silent=media is None)

    async def _answered(self, value: str, turn: Turn, state: State, pseudonym: str) -> Answer:
        """She has tapped an answer below a phrase: staff get it in their language."""
        case = self.case(state, pseudonym)
        if case is None or case.record.state == CLOSED:
            return Answer([self._say("utter_button_expired", state), self._say("utter_menu", state)])
        once = f"{pseudonym} {turn.unique}" if turn.unique is not None else None
        await self._append(case, {"kind": "answer", "answer": value}, once, None, state)
        self._tell_staff(case, listed=False)
        return Answer([], silent=True)

    async def alarm(self, intent: str, state: State, pseudonym: str) -> None:
        """Tell staff what the safety screen has seen, where they have her case or will."""
        case = self.case(state, pseudonym)
        if case is None or case.record.state == CLOSED:
            return
        alert = ALERTS.get(intent)
        if alert:

            def how(record: Record) -> None:
                record.alert, record.urgency = alert, max(record.urgency, URGENT[intent])

            try:
                self.cases.change(case.id, how)
            except SQLAlchemyError:
                log.exception("alarm_not_kept")
            self._tell_staff(case, "alert")

    # leaving

    async def left(self, state: State, pseudonym: str, how: str) -> None:
        """She has left ("exit"), or erased everything ("erase") or only the chat ("erase_chat")."""
        case = self.case(state, pseudonym)
        self.post.drop(pseudonym)
        if case is None:
            return
        try:
            await self._left(case, how)
        except SQLAlchemyError:
            log.exception("case_not_closed")  # leaving waits for nothing

    async def _left(self, case: Case, how: str) -> None:
        await asyncio.to_thread(self._close_for, case, how)
        await asyncio.to_thread(
            self.desk.audit.note, "person", "case_erased" if how == "erase" else "case_left", case.id
        )
        if case.record.external and self.helpdesk:
            await self._elsewhere(
                self.helpdesk.close(case.record.external, self._note("utter_console_event_left_hidden"))
            )
        self._tell_staff(case)

    async def gone(self, pseudonym: str) -> None:
        """Her page has left without a word, or she has blocked the bot: as `left`, where a case knows her."""
        for case in self.cases.all():
            if case.record.pseudonym == pseudonym:
                await self.left(State(case=case.id), pseudonym, "exit")

    def _close_for(self, case: Case, how: str) -> None:
        waits = case.record.left_message and not case.record.owned and case.record.state == WAITING
        if case.record.state != CLOSED:
            self.cases.append(case.id, {"kind": "event", "event": "left_hidden"})
            if how == "erase" or not waits:  # a message that she left for later is still answered
                self.desk.finish(case.id, "left_hidden")

        def forget(record: Record) -> None:
            record.pseudonym, record.erased = None, how == "erase"

        if how == "erase":
            self.cases.shred(case.id)
        self.cases.change(case.id, forget)

    def lost(self, alive: Callable[[str], bool]) -> tuple[int, list[str]]:
        """Close the cases whose conversations have been forgotten, and those untouched for long.

        Returns how many, and the conversations that are gone.
        """
        count, moment, gone = 0, time.time(), []
        for case in self.cases.all():
            record = case.record
            if record.state == CLOSED:
                continue
            orphan = record.pseudonym is not None and not alive(record.pseudonym)
            if orphan and record.pseudonym:
                gone.append(record.pseudonym)
                self.cases.change(case.id, lambda each: setattr(each, "pseudonym", None))
            if moment - record.last_at > self.desk.retention or (orphan and not record.left_message):
                self.desk.finish(case.id, "lost_contact")
                count += 1
        return count, gone

    # when it is deleted

    def deletes_at(self, state: State) -> tuple[int, bool] | None:
        """Return when what she wrote to staff is deleted, and whether that is sure; None where nothing is kept."""
        case = self.cases.get(state.case)
        if case is None:
            return None
        if case.deletes_at is not None:
            return case.deletes_at, True
        return case.record.last_at + 2 * self.desk.retention, False

    def deletes_text(self, state: State) -> str:
        """Return the countdown in words."""
        when = self.deletes_at(state)
        if when is None:
            return self._text("utter_handover_deletes_nothing", state)
        moment = datetime.fromtimestamp(when[0], timezone.utc)
        return self._text(
            "utter_handover_deletes" if when[1] else "utter_handover_deletes_latest",
            state,
            duration=time_left(when[0], state.language),
            date=format_date(moment, "long", locale=state.language),
            time=isolate(format_time(moment, "short", locale=state.language) + " UTC"),
        )

    def status(self, state: State, pseudonym: str) -> dict[str, Any]:
        """Return the line above the chat of her page."""
        case = self.case(state, pseudonym)
        live = state.owner != ASSISTANT
        when = self.deletes_at(state)
        text, typing = "", None
        if case and state.owner == QUEUE:
            text = self._text("utter_handover_status_queue", state, place=isolate(str(self.place(case))))
        elif case and state.owner == OPERATOR:
            owner = self.desk.staff().get(case.record.owner or "")
            text = (
                self._text("utter_handover_status_operator", state, name=isolate(owner.name))
                if owner
                else self._text("utter_handover_status_nobody", state)
            )
            who = self.post.who_types(pseudonym)
            typing = self._text("utter_handover_status_typing", state, name=isolate(who)) if who else None
        deletes = ""
        if when:
            name = "utter_handover_status_deletes" if when[1] else "utter_handover_status_deletes_latest"
            deletes = self._text(name, state, duration=time_left(when[0], state.language))
        return {"live": live or bool(when), "text": text, "typing": typing, "deletes": deletes}

    # another helpdesk

    async def _open_elsewhere(self, helpdesk: Helpdesk, case: Case, state: State) -> bool:
        """Begin, or go on with, the conversation there; False where it can't be reached."""
        summary = self._shown(self.summary(state, ""), State(language="en", engine=state.engine))
        try:
            external = await helpdesk.open(case.id, case.record.alias, summary, case.record.external_last)
        except HelpdeskUnreachable:
            log.warning("helpdesk_unreachable")
            return False
        self.cases.change(case.id, lambda record: setattr(record, "external", external))
        return True

    @staticmethod
    async def _elsewhere(call: Awaitable[None]) -> bool:
        try:
            await call
        except HelpdeskUnreachable:
            log.warning("helpdesk_unreachable")
            return False
        return True

    def _note(self, response: str) -> str:
        return self.catalogue.text(response, SOURCE_LANGUAGE)

    # small things

    def _tell_staff(self, case: Case, event: str = "case", listed: bool = True) -> None:
        self.desk.changed(self.cases.get(case.id) or case, event, listed)

    def _urgency(self, state: State) -> int:
        """Return how urgent her case is, by what she has said lately."""
        said = [self._topic(state)]
        if state.safety and state.turn - state.safety[1] <= RECENT_TURNS:
            said.append(state.safety[0])
        return max((URGENT.get(each or "", 0) for each in said), default=0)

    @staticmethod
    def _topic(state: State) -> str | None:
        topic: str | None = state.engine.get("slots", {}).get("topic")
        return topic

    def _text(self, response: str, state: State, **values: str) -> str:
        return self.catalogue.text(response, state.language, **values)

    def _say(self, response: str, state: State, **values: str) -> Message:
        said = self.catalogue.say(response, state.language, state.turn, **values)  # type: ignore[arg-type]
        return Message(said.text, said.buttons)
