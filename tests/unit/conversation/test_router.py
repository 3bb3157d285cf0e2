"""bot/conversation/router.py: what holds whatever the engine does. No engine runs here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot import settings
from bot.app import Gateway
from bot.conversation import lock
from bot.conversation.router import WAITING_TURNS
from bot.conversation.state import State
from bot.conversation.turn import Kind, Reply, Turn
from tests.support import own_loop

CHANNEL = "telegram"
_addresses = itertools.count(4711)


class Talk:
    """Somebody who writes to a router, message after message, as a channel would hand it over."""

    def __init__(self, gateway: Gateway) -> None:
        self.router = gateway.router
        self.address = str(next(_addresses))
        self.pseudonym = gateway.vault.pseudonym(CHANNEL, self.address)
        self.number = 0

    def turn(self, kind: Kind, content: str) -> Turn:
        self.number += 1
        return Turn(CHANNEL, self.address, kind, content, "en", message_id=self.number)

    async def sends(self, kind: Kind, content: str) -> Reply | None:
        async with self.router.answer(self.turn(kind, content)) as reply:
            return reply

    async def says(self, text: str) -> Reply:
        reply = await self.sends(Kind.TEXT, text)
        assert reply is not None
        return reply

    async def taps(self, payload: str) -> Reply:
        reply = await self.sends(Kind.BUTTON, self.router.vault.token(payload))
        assert reply is not None
        return reply

    @property
    def state(self) -> State:
        stored = self.router.memory.conversations.load(self.pseudonym)
        assert stored is not None
        return State.from_bytes(stored)

    def is_away(self, seconds: int) -> None:
        """Let so much time pass since her last message."""
        state = self.state
        state.last_seen -= seconds
        self.router.memory.keep(self.pseudonym, state)

    async def sets_word(self) -> None:
        await self.taps("/phone_shared")
        await self.taps("!word")
        await self.says("mimosa")
        await self.taps("!word_skip")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELPLINE_DATA_DIR", str(tmp_path_factory.mktemp("router") / "data"))
        patch.setattr("bot.conversation.router.ENGINE_SECONDS", 0.05)  # nobody waits for an engine that never comes
        made = Gateway(settings.load())
        yield made
        made.database.dispose()


@pytest.fixture
def talk(gateway: Gateway) -> Talk:
    return Talk(gateway)


def text(reply: Reply) -> str:
    return "\n".join(message.text for message in reply.messages)


@own_loop
async def test_an_idle_chat_with_a_word_is_cleared(talk: Talk) -> None:
    await talk.sets_word()
    talk.is_away(lock.LOCK_SECONDS + 1)
    reply = await talk.taps("!hide")
    assert reply.cleared
    assert reply.covered
    assert set(range(1, talk.number)) <= set(reply.delete), "all that stands in the chat"


@own_loop
async def test_hiding_works_after_five_minutes_too(talk: Talk) -> None:
    await talk.sets_word()
    talk.is_away(lock.LOCK_SECONDS + 60)
    assert (await talk.taps("!lock")).cleared


@own_loop
async def test_a_timer_that_is_late_erases_nothing(talk: Talk) -> None:
    await talk.taps("/phone_shared")
    reply = await talk.taps("!hide")
    assert not reply.ended
    talk.is_away(3600)
    assert (await talk.taps("!hide")).ended


@pytest.mark.parametrize("leave", ["exit", "stop", "/exit"])
@own_loop
async def test_leaving_from_behind_the_cover_forgets_all_but_the_words(talk: Talk, leave: str) -> None:
    await talk.sets_word()
    await talk.taps("!country:IT")
    await talk.taps("!lock")
    kind = Kind.COMMAND if leave.startswith("/") else Kind.TEXT
    reply = await talk.sends(kind, leave.removeprefix("/"))
    assert reply is not None
    assert not reply.ended, "a stranger finds the converter still"
    assert reply.cover
    assert talk.state.engine == {}
    assert talk.state.country is None
    assert (await talk.sends(Kind.COMMAND, "start")) is not None
    assert "You are back" in text(await talk.says("mimosa"))


@own_loop
async def test_a_flood_behind_the_cover_shows_nothing(talk: Talk) -> None:
    await talk.sets_word()
    await talk.taps("!lock")
    talk.router.memory._users[talk.pseudonym] = WAITING_TURNS
    async with talk.router.answer(talk.turn(Kind.TEXT, "who is this")) as reply:
        assert reply is None
    talk.router.memory._users.pop(talk.pseudonym, None)


@own_loop
async def test_what_is_forgotten_during_a_turn_stays_forgotten(talk: Talk) -> None:
    await talk.says("5 kg")
    async with talk.router.answer(talk.turn(Kind.TEXT, "10 kg")):
        await talk.router.forget(CHANNEL, talk.address)
    assert talk.router.memory.conversations.load(talk.pseudonym) is None


@own_loop
async def test_danger_comes_before_an_advert_that_was_asked_for(talk: Talk) -> None:
    await talk.taps("!advert")
    reply = await talk.says(
        "please help me he will kill me tonight, i am locked in a room, he said no passport no money and you must not "
        "tell your family, we leave tomorrow to dubai"
    )
    assert "112" in reply.messages[0].text
    await talk.taps("!advert")
    reply = await talk.says("Girls wanted for a hotel in Dubai. Send your passport and full body photos. " * 3)
    assert "112" not in text(reply)


@own_loop
async def test_a_forwarded_offer_is_read_where_it_was_asked_for(talk: Talk) -> None:
    await talk.taps("!advert")
    reply = await talk.sends(Kind.FORWARDED, "Girls wanted, hotel in Dubai, 3000 euro a week, flight paid")
    assert reply is not None
    assert "Warning signs" in text(reply)


@own_loop
async def test_a_bad_second_word_keeps_the_first(talk: Talk) -> None:
    await talk.taps("!word")
    await talk.says("mimosa")
    reply = await talk.says("no thank you")
    assert next(choice.title for choice in reply.messages[-1].choices) == "Skip"
    await talk.taps("!word_none")
    assert talk.state.return_word


@own_loop
async def test_a_question_does_not_survive_the_lock(talk: Talk) -> None:
    await talk.taps("!word")
    await talk.says("mimosa")
    talk.is_away(lock.LOCK_SECONDS + 1)
    await talk.says("mimosa")
    assert talk.state.expecting is None


@own_loop
async def test_erasing_can_be_asked_for_without_an_engine(talk: Talk) -> None:
    await talk.taps("/phone_shared")
    await talk.taps("/phone_own")
    assert not talk.state.shared_phone
    reply = await talk.sends(Kind.COMMAND, "erase")
    assert reply is not None
    assert "Erase everything now" in [choice.title for message in reply.messages for choice in message.choices]


@own_loop
async def test_danger_is_answered_without_a_database(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("disk"))

    monkeypatch.setattr(talk.router.memory.conversations, "load", broken)
    monkeypatch.setattr(talk.router.memory.conversations, "keep", broken)
    monkeypatch.setattr(talk.router.effects.directory, "emergency", broken)
    assert "112" in text(await talk.says("he is beating me right now"))
    assert text(await talk.taps("!countries"))


@own_loop
async def test_an_old_button_of_a_walk_is_no_answer(talk: Talk) -> None:
    """Its payload names the step; what the engine does with it: tests/conversations/corrections."""
    tokens = {talk.router.vault.token(payload) for payload in talk.router.dressing.payloads.values()}
    assert talk.router.vault.token('/walk_answer{"answer": "yes", "at": "signs_documents"}') in tokens


@own_loop
async def test_surrogates_in_an_offer_break_nothing(talk: Talk) -> None:
    await talk.taps("!advert")
    assert text(await talk.says("send me your pass\ud800port please, and your pass\ud800port photos now"))
