"""The router: takes a turn from a channel, decides who answers it, and remembers what the next one needs.

Order of decisions: delivered before? hidden behind the cover? exit or erase? safety screen? an operator's conversation?
an answer that the gateway waits for? something unreadable? else the engine. Whatever happens to the engine, a turn gets
an answer; only to an operator's conversation the assistant says nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.conversation import lock
from bot.conversation.adverts import LIKE_AN_ADVERT, SIGNS_OF_AN_ADVERT, Adverts
from bot.conversation.answer import Answer
from bot.conversation.cards import Cards
from bot.conversation.dressing import Dressing
from bot.conversation.effects import EUROPE, Effects, lifetime_hours
from bot.conversation.following import Following
from bot.conversation.guides import Guides
from bot.conversation.hiding import Hiding
from bot.conversation.inquiries import Inquiries
from bot.conversation.language import LanguageGuesser, named_language
from bot.conversation.memory import Memory
from bot.conversation.places import Places
from bot.conversation.safety import SafetyScreen
from bot.conversation.state import OPERATOR, QUEUE, State
from bot.conversation.turn import Kind, Message, Reply, Turn
from bot.directory.ranking import Wanted
from bot.engine.client import EngineClient, EngineUnavailable
from bot.handoff.handover import COMMANDS as HANDOVER
from bot.handoff.handover import MESSAGE, REFERENCE, Handover
from bot.handoff.post import NotSent
from bot.handoff.reference import read as read_reference
from bot.log import get_logger
from bot.text.catalogue import Button, Catalogue, isolate
from bot.vault.vault import Vault

log = get_logger(__name__)

LONGEST_TEXT = 1000
WAITING_TURNS = 8
"""Turns of one conversation that may wait for their answer at once."""

ENGINE_SECONDS = 10.0
SAFETY_ENGINE_SECONDS = 1.0
STARTING_ENGINE_SECONDS = 0.1
"""How long an answer waits for the engine before the gateway answers by itself; the last one, in danger, for an engine
that has not answered since it was started."""

PARSE_SECONDS = 2.0
"""How long the engine may take to understand a line for staff."""

PARSES_AT_ONCE, MOST_PARSES = 2, 20

PULL_SECONDS = 25.0
"""How long a page's question for news is kept open."""

COMMANDS = {
    "start": "/start",
    "menu": "/menu",
    "help": "/menu",
    "language": "!language",
    "exit": "!exit",
    "stop": "!exit",
    "quit": "!exit",
    "erase": "/delete_data",
    "delete": "/delete_data",
    "privacy": "/ask_privacy",
}

REPEATED_AFTER_LANGUAGE = ("ask_", "need_", "door_", "topic_")
"""What is said again in the new language after a change: the last answer, where it was one of these or a situation."""

NEARLY = 0.9
"""Of an idle time, for clocks that differ by a little."""

CLEAR_AT = 0.8
"""After this part of its life without a message, the chat on a shared phone is cleared, just before it is forgotten."""

CHECK_BACK_TURNS = 3
"""After so many turns, somebody who spoke of despair is asked how it is."""

SAFETY = ("immediate_danger", "not_safe_to_talk", "self_harm", "user_is_child")
MAY_BE_ADVERTS = ("suspicious_job_offer", "nlu_fallback")

WITH_STAFF = frozenset({"!language", "!lock", "!hide", "!word", "!word_none", "!word_skip"})
"""What her buttons still do in an operator's conversation, beside those of the handover and of danger."""


@dataclass(frozen=True)
class News:
    """What her page has to show since it last asked: (token of the line, reply), and the line above the chat."""

    lines: list[tuple[str, Reply]]
    status: dict[str, Any]


class Router:
    """Answers turns. One turn of a conversation at a time, many conversations at once."""

    def __init__(
        self,
        catalogue: Catalogue,
        memory: Memory,
        vault: Vault,
        effects: Effects,
        screen: SafetyScreen,
        engine: EngineClient,
        guesser: Callable[[], LanguageGuesser | None],
    ) -> None:
        self.catalogue = catalogue
        self.memory = memory
        self.vault = vault
        self.effects = effects
        self.screen = screen
        self.engine = engine
        self.following = Following(catalogue, guesser)
        self.adverts = Adverts()
        self.guides = Guides(effects, self.adverts)
        self.cards = Cards(effects)
        self.hiding = Hiding(catalogue, vault)
        self.inquiries = Inquiries(self.guides, self.hiding)
        self.dressing = Dressing(catalogue, vault, effects, self.guides)
        self._parsing = asyncio.Semaphore(PARSES_AT_ONCE)
        self._parses = 0
        self.handover: Handover

    def connect(self, handover: Handover) -> None:
        """Work with staff. Before the first turn."""
        self.handover = handover
        handover.post.dress = self.dressing.from_staff

    def warm(self) -> None:
        """Read ahead what the first message in Latin letters would have to wait for. Blocks for a part of a second."""
        self.following.guesser()
        Places.load()
        self.catalogue.warm()
        self.hiding.is_conversion("5 kg")
        self.following.warmed = True

    @asynccontextmanager
    async def answer(self, turn: Turn) -> AsyncIterator[Reply | None]:
        """Yield the reply to `turn` for the channel to show; None for a delivery that was answered already.

        Memory is written after the channel has shown the reply: a turn that was cut off is answered again.
        """
        pseudonym = self.vault.pseudonym(turn.channel, turn.address)
        async with self.memory.using(pseudonym) as waiting:
            if waiting > WAITING_TURNS and not self._is_exit(turn):
                reply = await asyncio.to_thread(self._busy, pseudonym, turn) if waiting == WAITING_TURNS + 1 else None
                yield reply
                async with self.memory.lock(pseudonym):
                    await asyncio.to_thread(self._note_messages, pseudonym, turn, reply)
                return
            async with self.memory.lock(pseudonym):
                state = await asyncio.to_thread(self._load, pseudonym, turn)
                if state.saw(turn.unique):
                    yield None
                    return
                state.greeted = state.greeted or turn.opened
                if turn.message_id is not None:
                    state.add_messages([turn.message_id])
                self.handover.settle(state, pseudonym)
                reply = await self._reply(turn, state, pseudonym)
                try:
                    yield reply
                finally:
                    state.add_messages(reply.sent_ids)
                    await self._finish_turn(reply, state, pseudonym)

    async def _finish_turn(self, reply: Reply, state: State, pseudonym: str) -> None:
        if reply.ended or self.memory.was_forgotten(pseudonym):
            await self.memory.forget(pseudonym)
            return
        if state.case:
            try:  # she is here: what staff wrote may be shown
                await self.handover.post.deliver(pseudonym, state, here=True)
            except NotSent:
                self.handover.post.deliver_soon(pseudonym)
            except Exception:
                log.exception("delivery_failed")
        self.memory.touch(state)
        await self.memory.keep_or_say(pseudonym, state)

    async def forget(self, channel: str, address: str) -> None:
        """Forget a conversation without an answer (the web chat's exit, which waits for nothing)."""
        pseudonym = self.vault.pseudonym(channel, address)
        await self.memory.forget(pseudonym)
        await self.handover.gone(pseudonym)

    async def news(self, channel: str, address: str, shown: list[str], status: str, seconds: float) -> News | None:
        """Return what has come for a page that asks, after up to `seconds`; None where there is nothing to wait for.

        `shown`: tokens of the lines that the page has shown. `status`: the digest of the status that it shows.
        """
        pseudonym = self.vault.pseudonym(channel, address)
        deadline = time.monotonic() + seconds
        post = self.handover.post
        with post.bell(pseudonym) as bell:
            while True:
                bell.clear()
                state = await asyncio.to_thread(self.memory.load, pseudonym)
                if state is None or state.case is None or lock.is_due(state):
                    return None
                self.handover.settle(state, pseudonym)
                parcels = await post.pull(pseudonym, shown)
                now = self.handover.status(state, pseudonym)
                digest = self.vault.token(json.dumps(now))
                remaining = deadline - time.monotonic()
                if parcels or digest != status or remaining <= 0:
                    lines = []
                    for parcel in parcels:
                        messages = await asyncio.to_thread(post.words, parcel.content, state)
                        lines.append((post.token(parcel), self.dressing.from_staff(messages, state)))
                    return News(lines, {**now, "digest": digest})
                try:  # somebody who stops writing rings no bell
                    await asyncio.wait_for(bell.wait(), min(remaining, 6.0 if now["typing"] else remaining))
                except asyncio.TimeoutError:
                    continue

    async def understand(self, text: str) -> dict[str, Any] | None:
        """Return what the engine reads in a message for staff: intent, confidence, place, language; None without it."""
        if self._parses >= MOST_PARSES:
            return None  # so many write to staff that the engine does not keep up: they are read all the same
        self._parses += 1
        try:
            async with self._parsing:
                parsed = await self.engine.parse(text[:LONGEST_TEXT], PARSE_SECONDS)
        except EngineUnavailable:
            return None
        finally:
            self._parses -= 1
        language = await asyncio.to_thread(self.following.guess, text)
        return {name: parsed[name] for name in ("intent", "confidence", "place")} | {"language": language}

    def _load(self, pseudonym: str, turn: Turn) -> State:
        return self.memory.load_or(pseudonym, self.following.supported(turn.device_language) or "en")

    def supported(self, code: str | None) -> str | None:
        """Return the supported language for a BCP 47 code such as "pt-BR", or None."""
        return self.following.supported(code)

    def _is_exit(self, turn: Turn) -> bool:
        if turn.kind is Kind.BUTTON:
            return self.dressing.payloads.get(turn.content) in ("!exit", "!erase")
        if turn.kind is Kind.COMMAND:
            return COMMANDS.get(turn.content) == "!exit"
        return turn.kind is Kind.TEXT and self.screen.look(turn.content) == "quick_exit"

    def _note_messages(self, pseudonym: str, turn: Turn, reply: Reply | None) -> None:
        """Remember what has to be deleted, where there was too much at once to be answered."""
        state = self.memory.load(pseudonym)
        if state is None:
            return  # forgotten meanwhile
        state.add_messages([each for each in (turn.message_id,) if each is not None])
        state.add_messages(reply.sent_ids if reply else [])
        self.memory.keep(pseudonym, state)

    def _busy(self, pseudonym: str, turn: Turn) -> Reply | None:
        """Return a word to somebody who writes faster than is answered; nothing where the chat is hidden."""
        state = self._load(pseudonym, turn)
        if lock.is_due(state):
            return None
        said = self.catalogue.say("utter_busy", state.language)
        return Reply([Message(said.text)], state.language, self.catalogue.languages[state.language].direction)

    async def _reply(self, turn: Turn, state: State, pseudonym: str) -> Reply:
        try:
            if lock.is_due(state):
                answer = await self._behind_the_cover(turn, state, pseudonym)
            else:
                answer = await self._decide(turn, state, pseudonym)
            return await self._dressed(answer, turn, state, pseudonym)
        except Exception:
            log.exception("turn_failed")
            answer = self.hiding.cover(state) if state.locked else self._last_resort(turn, state)
            return await self._dressed(answer, turn, state, pseudonym)

    def _last_resort(self, turn: Turn, state: State) -> Answer:
        """Answer without engine, directory and database: a number in danger, an apology otherwise."""
        if turn.kind is Kind.TEXT and self.screen.look(turn.content) == "immediate_danger":
            number = self.catalogue.say("utter_danger_no_country", state.language, numbers=isolate(EUROPE))
            return Answer([Message(number.text), self._say("utter_danger_choices", state)])
        return Answer([self._say("utter_trouble", state)])

    async def _dressed(self, answer: Answer, turn: Turn, state: State, pseudonym: str) -> Reply:
        """Return the reply for an answer, and note in `state` what follows from it."""
        if answer.finish:
            await self.handover.left(state, pseudonym, answer.finish)
            return self._finish(answer.finish, state)
        if answer.understood in ("danger_over", "not_a_child"):
            state.safety = None
        if answer.understood and answer.understood not in ("nlu_fallback", "not_understood", "change_language"):
            state.last_intent = answer.understood
        if answer.understood in SAFETY:
            state.safety = (answer.understood, state.turn)
            await self.handover.alarm(answer.understood, state, pseudonym)
        if state.owner != OPERATOR:
            self._check_back(answer, state)
        reply = await asyncio.to_thread(self.dressing.dress, answer, state)
        if answer.clear:
            reply.delete, state.messages = state.deletable(), []
            reply.cleared = True
        elif answer.hide and turn.message_id is not None:
            reply.delete = [turn.message_id]
        reply.hide = answer.hide
        reply.hide_after = self._hide_after(state)
        reply.covered = state.locked
        reply.with_staff = state.case is not None
        reply.silent = answer.silent
        state.turn += 1
        return reply

    def _hide_after(self, state: State) -> int:
        """Return after how many idle seconds the chat is taken out of sight by itself; 0: not at all."""
        if state.locked:
            return 0
        if state.return_word:
            return lock.LOCK_SECONDS
        if state.shared_phone:  # while the numbers of its messages are still known
            return int(3600 * lifetime_hours(state, self.memory.expiry_hours) * CLEAR_AT)
        return 0

    def _check_back(self, answer: Answer, state: State) -> None:
        """Ask somebody who spoke of despair how it is, some turns later."""
        if answer.understood == "self_harm":
            state.check_back = state.turn + CHECK_BACK_TURNS
        due = state.check_back is not None and state.turn >= state.check_back
        if due and answer.understood not in SAFETY and not (answer.cover or answer.asks):
            state.check_back = None
            answer.messages.append(self._say("utter_check_back", state))

    async def _behind_the_cover(self, turn: Turn, state: State, pseudonym: str) -> Answer:
        if self._is_exit(turn):
            # All is forgotten but the words: a stranger who writes "stop" still finds the converter.
            await self.handover.left(state, pseudonym, "exit")
            state.forget_all_but_words()
            return replace(self.hiding.cover(state), clear=True)
        content = self.dressing.payloads.get(turn.content, "") if turn.kind is Kind.BUTTON else turn.content
        return self.hiding.behind_the_cover(turn.kind, content, state, pseudonym)

    def _finish(self, how: str, state: State) -> Reply:
        if how == "exit":
            answer = self.hiding.cover(state)
        else:
            name = "utter_erased_partly" if state.undeletable else "utter_erased"
            answer = Answer([Message(self.catalogue.say(name, state.language, state.turn).text)], cover=True)
        reply = self.dressing.dress(answer, state)
        reply.delete, reply.ended, reply.cover = state.deletable(), True, how == "exit"
        return reply

    async def _decide(self, turn: Turn, state: State, pseudonym: str) -> Answer:
        if turn.kind is Kind.BUTTON:
            payload = self.dressing.payloads.get(turn.content)
            if payload is None:
                return Answer([self._say("utter_button_expired", state), *self._start(state)])
            return await self._tapped(payload, turn, state, pseudonym)
        if turn.kind is Kind.COMMAND:
            payload = COMMANDS.get(turn.content.lower())
            if payload is None:
                return Answer([self._say("utter_unknown_command", state)])
            return await self._tapped(payload, turn, state, pseudonym)
        danger = self.screen.match(turn.content) if turn.content else None
        if danger and danger[0] == "quick_exit":
            return Answer([], finish="exit")
        if state.owner == OPERATOR:
            return await self._to_staff(turn, state, pseudonym, danger[0] if danger else None)
        if state.owner == QUEUE and turn.content:
            await self.handover.passed_on(turn, state, pseudonym)
        advert = self.inquiries.is_expected_advert(turn.kind, turn.content, state)
        if danger and state.expecting == MESSAGE:  # what she leaves for staff, and the numbers all the same
            state.expecting = None
            taken = await self.handover.take(MESSAGE, turn, state, pseudonym)
            shown = await asyncio.to_thread(self._without_engine, f"/{danger[0]}", state)
            return replace(shown, messages=[*shown.messages, *taken.messages])
        if danger:
            signs = await self.inquiries.read_advert(turn.content, state) if advert else []
            state.expecting = None
            offer = self.following.follow(turn.content, state, fallback=danger[1])
            answer = await self._ask_engine(
                state,
                payload=f"/{danger[0]}",
                seconds=self._patience(),
                text=turn.content,
            )
            return replace(answer, messages=answer.messages + signs + offer)
        if advert:
            state.expecting = None
            return Answer(await self.inquiries.read_advert(turn.content, state))
        if turn.kind is not Kind.TEXT:
            return Answer([self._say(f"utter_{turn.kind.value}", state), self._say("utter_menu", state)])
        if not turn.content.strip():
            return Answer([self._say("utter_sticker", state)])
        expected = await self._expected(turn, state, pseudonym)
        if expected:
            return expected
        if self.hiding.is_conversion(turn.content):
            return self.hiding.cover(state, turn.content)
        return await self._typed(turn.content, turn, state, pseudonym)

    async def _expected(self, turn: Turn, state: State, pseudonym: str) -> Answer | None:
        """Take a message for what was asked for, or for a case number; None where it is for the engine."""
        if state.expecting in (MESSAGE, REFERENCE):
            expecting, state.expecting = state.expecting, None
            return await self.handover.take(expecting, turn, state, pseudonym)
        if read_reference(turn.content):
            state.expecting = None
            return await self.handover.came_back(turn.content, state)
        return await self.inquiries.take(turn.content, state, pseudonym)

    async def _to_staff(self, turn: Turn, state: State, pseudonym: str, danger: str | None) -> Answer:
        """Hand what she writes to the operator. The assistant is silent; in danger the numbers are shown."""
        self.following.follow(turn.content, state)  # phrases come in the language that she writes; nothing is offered
        answer = await self.handover.received(turn, state, pseudonym, danger)
        if danger in ("immediate_danger", "self_harm"):
            shown = await asyncio.to_thread(self._without_engine, f"/{danger}", state)
            return replace(shown, messages=[*shown.messages, *answer.messages])
        return answer

    def _patience(self) -> float:
        """Return how many seconds somebody in danger may wait for the engine."""
        if self.engine.answering:
            return SAFETY_ENGINE_SECONDS
        return STARTING_ENGINE_SECONDS if self.engine.listening else 0.0

    async def _typed(self, text: str, turn: Turn, state: State, pseudonym: str) -> Answer:
        offer = self.following.follow(text, state)
        country, city = await asyncio.to_thread(lambda: Places.load().place(text))
        if country:
            state.city = city
        answer = await self._ask_engine(state, text=text)
        if answer.asks_human:
            return await self.handover.request(turn, state, pseudonym)
        if answer.finish:
            return answer
        if len(text) >= LIKE_AN_ADVERT and answer.understood in MAY_BE_ADVERTS:
            signs = await asyncio.to_thread(self.adverts.signs, text)
            if len(signs) >= SIGNS_OF_AN_ADVERT:
                return replace(answer, messages=await self.inquiries.read_advert(text, state) + offer)
        if len(text) > LONGEST_TEXT:
            answer.messages.insert(0, self._say("utter_too_long", state))
        if not state.greeted and answer.understood not in ("immediate_danger", "not_safe_to_talk", "self_harm"):
            state.greeted = True
            answer.messages.insert(0, self._welcome(state))
        return replace(answer, messages=answer.messages + offer)

    async def _tapped(self, payload: str, turn: Turn, state: State, pseudonym: str) -> Answer:
        command, _, value = payload.partition(":")
        if command in ("!exit", "!erase"):
            return Answer([], finish=command[1:])
        if command in HANDOVER:
            state.expecting = None
            return await self.handover.command(command, value, turn, state, pseudonym)
        if state.owner == OPERATOR and command not in WITH_STAFF:
            return await self._tapped_with_staff(payload, state)
        if payload == "/delete_data" and self.handover.case(state, pseudonym):
            return Answer([self._say("utter_question_erase_case", state)])
        if command == "!language" and not value:
            return Answer(self.effects.languages(state))
        if command == "!language":
            return await self._change_language(value, state)
        state.expecting = None
        if command == "!countries":
            page, _, purpose = value.partition(":")
            return await self.inquiries.ask_country(state, int(page or 0), purpose or "country")
        if command in ("!trip", "!trip_to", "!trip_from"):
            return await self.inquiries.journey(command, value, state)
        if command == "!advert":
            return self.inquiries.ask_advert(state)
        if command == "!cover":
            return self.hiding.cover(state, dimension=value)
        if command == "!lock":
            return self.hiding.lock(state)
        if command == "!hide":  # by itself: where no word is set, nothing has to be kept
            if time.time() - state.last_seen < self._hide_after(state) * NEARLY:
                return Answer([self._say("utter_menu", state)])  # she has just written: the timer was late
            return self.hiding.lock(state) if state.return_word else Answer([], finish="exit")
        if command.startswith("!word"):
            return self.hiding.command(command, state)
        if command == "!country":
            if state.last_intent in ("immediate_danger", "self_harm"):  # she was asked for it there
                state.set_slot("country", value)
                return await self._ask_engine(state, payload=f"/{state.last_intent}")
            return await self._ask_engine(state, payload=f"/inform_place{json.dumps({'place': value})}")
        if payload == "/start":
            state.greeted = True
            state.last_intent = None
        answer = await self._ask_engine(state, payload=payload)
        return await self.handover.request(turn, state, pseudonym) if answer.asks_human else answer

    async def _tapped_with_staff(self, payload: str, state: State) -> Answer:
        """Answer a button of the assistant's in an operator's conversation: danger at once, else what she can do."""
        if payload in ("/immediate_danger", "/self_harm"):
            return await asyncio.to_thread(self._without_engine, payload, state)
        if payload == "/delete_data":
            return Answer([self._say("utter_question_erase_case", state)])
        return Answer([self._say("utter_handover_with_person", state)])

    async def _change_language(self, language: str, state: State) -> Answer:
        state.language = language
        state.language_chosen = True
        changed = self._say("utter_language_changed", state)
        if state.owner == OPERATOR:
            return Answer([changed])
        last = state.last_intent
        if last and (last.startswith(REPEATED_AFTER_LANGUAGE) or f"utter_{last}_simple" in self.catalogue):
            again = await self._ask_engine(state, payload=f"/{last}")
            return replace(again, messages=[changed, *again.messages])
        return Answer([changed, *self._start(state)])

    async def _ask_engine(
        self, state: State, text: str = "", payload: str | None = None, seconds: float | None = None
    ) -> Answer:
        request: dict[str, Any] = {"payload": payload} if payload else {"text": text[:LONGEST_TEXT]}
        request |= {"language": state.language, "turn": state.turn, "memory": state.engine}
        try:
            result = await self.engine.turn(request, ENGINE_SECONDS if seconds is None else seconds)
        except EngineUnavailable:
            if payload == "/talk_to_human":
                return Answer(await self.handover.offer(state), "talk_to_human")
            return await asyncio.to_thread(self._without_engine, payload, state)
        state.engine = result["memory"]
        answer = Answer([], result["understood"]["intent"])
        joined = False
        for message in result["messages"]:
            if "do" in message:
                self._do(message["do"], state, answer)
            elif message.get("show") == "country_fact":
                fact, country = message["fact"], message["country"]
                law = await asyncio.to_thread(self.guides.country_fact, state, fact, country)
                answer.messages[-1] = replace(answer.messages[-1], text=f"{answer.messages[-1].text}\n{law}")
            elif "show" in message:
                answer.asks = answer.asks or message["show"] == "walk_step"
                answer.messages += await self._show(message, state, text)
            else:
                said = Message(
                    message["text"], tuple(Button(each["title"], each["payload"]) for each in message["buttons"])
                )
                if joined:  # a preview shows the first words of each message: the neutral ones go before the others
                    said = replace(said, text=f"{answer.messages.pop().text}\n{said.text}")
                answer.messages.append(said)
            joined = "text" in message and not message["buttons"]
        if not (answer.messages or answer.finish or answer.asks_human):
            answer.messages.append(self._say("utter_default", state))
        return answer

    @staticmethod
    def _do(what: str, state: State, answer: Answer) -> None:
        if what in ("exit", "erase"):
            answer.finish = what
        elif what == "human":
            answer.asks_human = True
        elif what in ("phone_own", "phone_shared"):
            state.shared_phone = what == "phone_shared"

    async def _show(self, message: dict[str, Any], state: State, text: str) -> list[Message]:
        what = message["show"]
        if what == "languages":
            return await self._named_language(text, state)
        if what == "human":
            return await self.handover.offer(state)
        if what == "services":
            wanted = Wanted(message["country"], message["need"], message["topic"], (state.language,))
            return await asyncio.to_thread(self.effects.services, state, wanted, state.city)
        shows: dict[str, Callable[[State], list[Message]]] = {
            "walk_step": lambda state: self.guides.walk_step(state, message["position"], message["explain"]),
            "walk_result": lambda state: self.guides.walk_result(state, message["position"]),
            "card": lambda state: self.cards.card(state, message["card"], message["country"]),
            "card_countries": lambda state: self.effects.countries(state, question="utter_card_country"),
            "emergency": self.effects.emergency,
            "crisis": self.effects.crisis,
            "countries": self.effects.countries,
            "welcome": lambda state: [self._welcome(state)],
        }
        return await asyncio.to_thread(shows[what], state)

    async def _named_language(self, text: str, state: State) -> list[Message]:
        language, supported = await asyncio.to_thread(named_language, text, self.catalogue.languages)
        if language and supported:
            return (await self._change_language(language, state)).messages
        menu = self.effects.languages(state)
        return [self._say("utter_language_unknown", state), *menu] if language else menu

    def _without_engine(self, payload: str | None, state: State) -> Answer:
        """Answer what can be answered while the engine is away."""
        intent = (payload or "").removeprefix("/").partition("{")[0]
        if intent == "immediate_danger":
            return Answer(self.effects.emergency(state), intent)
        if intent == "self_harm":
            return Answer(self.effects.crisis(state), intent)
        if intent == "start":
            return Answer(self._start(state), intent)
        if intent == "inform_place":
            state.set_slot("country", json.loads((payload or "")[len("/inform_place") :])["place"])
            slots = state.engine.get("slots", {})
            wanted = Wanted(state.country, slots.get("need"), slots.get("topic"), (state.language,))
            return Answer(self.effects.services(state, wanted), intent)
        if intent in ("phone_shared", "phone_own"):
            state.shared_phone = intent == "phone_shared"
        if intent == "delete_data":
            return Answer([self._say("utter_question_erase", state)], intent)
        if intent == "show":
            intent = json.loads((payload or "")[len("/show") :])["screen"]
        if intent and f"utter_{intent}" in self.catalogue:
            return Answer([self._say(f"utter_{intent}", state)], intent)
        if intent == "find_service":
            return Answer(self.effects.countries(state), intent)
        return Answer([self._say("utter_wait", state)])

    def opening(self, language: str) -> list[Message]:
        """Return the first screen, for a channel that shows it before anybody has written. Stores nothing."""
        state = State(language=language)
        return self.dressing.dress(Answer(self._start(state)), state).messages

    def _welcome(self, state: State) -> Message:
        said = self.catalogue.say("utter_welcome", state.language)
        languages = tuple(Button(each.name, f"!language:{each.code}") for each in self.catalogue.languages.values())
        return Message(said.text, languages + said.buttons)

    def _start(self, state: State) -> list[Message]:
        state.greeted = True
        return [self._welcome(state), self._say("utter_question_own_phone", state)]

    def _say(self, response: str, state: State) -> Message:
        said = self.catalogue.say(response, state.language, state.turn)
        return Message(said.text, said.buttons)

    @property
    def hide_token(self) -> str:
        """The token of the button that hides an idle chat, for a channel that taps it by itself (Reply.hide_after)."""
        return self.vault.token("!hide")
