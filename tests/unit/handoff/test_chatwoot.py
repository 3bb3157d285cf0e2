"""bot/handoff/chatwoot.py against a stand-in of Chatwoot, over HTTP both ways."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.handoff.chatwoot import (
    LARGEST_DELIVERY,
    PATH,
    PATIENCE,
    Chatwoot,
    HelpdeskRefused,
    plain,
)
from bot.handoff.helpdesk import HelpdeskUnreachable
from bot.settings import Secret
from tests.chatwoot_api import ACCOUNT, BOT, BOT_TOKEN, INBOX, OMAR, OTHER_INBOX, SECRET, TOKEN, ChatwootApi
from tests.support import own_loop

CASE, ALIAS, SUMMARY = "5f0c1d2e3a4b5c6d", "Maple 27", "Italy, Ukrainian. Needs: a place to sleep."
NOTE = "Files are not passed on."
CANARY = "4711081547110815"


@pytest.fixture
def api() -> Iterator[ChatwootApi]:
    with ChatwootApi() as api:
        yield api


class Gateway:
    """What stands around a Chatwoot in the gateway: a server for its route, and somebody who keeps what it hands over."""

    def __init__(self, api: ChatwootApi, **options: Any) -> None:
        self.api = api
        self.got: list[tuple[str, str, str, int]] = []
        self.statuses: list[tuple[str, str]] = []
        self.typing: list[str] = []
        self.failing = 0
        """So many of the next messages can't be kept."""
        named = {
            "url": api.url,
            "account": ACCOUNT,
            "inbox": INBOX,
            "token": Secret(TOKEN),
            "webhook_secret": Secret(SECRET),
        }
        named |= {"attachment_note": NOTE, "on_typing": self._on_typing, **options}
        self.chatwoot = Chatwoot(on_message=self._on_message, on_status=self._on_status, **named)

    async def _on_message(self, case: str, name: str, text: str, number: int) -> None:
        if self.failing:
            self.failing -= 1
            raise OSError("disk full")
        self.got.append((case, name, text, number))

    async def _on_status(self, case: str, status: str) -> None:
        self.statuses.append((case, status))

    async def _on_typing(self, case: str) -> None:
        self.typing.append(case)

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text, _ in self.got]

    async def __aenter__(self) -> Gateway:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.api.webhook_url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        config = uvicorn.Config(
            Starlette(routes=self.chatwoot.routes()), log_level="critical", ws="none", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        await self.until(lambda: self.server.started)
        await self.chatwoot.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.to_thread(self.api.settle)
        await self.chatwoot.stop()
        self.server.should_exit = True
        await self.serving

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once the condition holds; fail after ten seconds."""
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "not within 10 s"
            await asyncio.sleep(0.01)

    async def settle(self) -> None:
        """Return once everything that Chatwoot had to deliver was answered."""
        await asyncio.to_thread(self.api.settle)

    async def open(self, case: str = CASE) -> int:
        return int(await self.chatwoot.open(case, ALIAS, SUMMARY))


# opening a case


@own_loop
async def test_opening_tells_chatwoot_alias_case_and_summary_and_nothing_else(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
    assert api.called("contact_create") == [
        {"inbox_id": INBOX, "name": ALIAS, "identifier": CASE, "source_id": CASE},
    ]
    assert api.conversations[conversation]["status"] == "open"
    assert api.notes(conversation) == [SUMMARY]
    assert api.texts(conversation) == []


@own_loop
async def test_an_inbox_with_a_bot_of_its_own_shows_the_case_to_agents_all_the_same(api: ChatwootApi) -> None:
    api.with_bot = True
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
    assert api.conversations[conversation]["status"] == "open"
    assert gateway.statuses == []


@pytest.mark.parametrize("operation", ["contact_create", "conversation_create", "message_create"])
def test_an_answer_that_was_lost_makes_nothing_twice(api: ChatwootApi, operation: str) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api) as gateway:
            api.lose(operation)
            await gateway.open()

    run()
    assert len(api.contacts) == len(api.conversations) == 1
    assert [api.notes(each) for each in api.conversations] == [[SUMMARY]]


@pytest.mark.parametrize("operation", ["contact_create", "conversation_create", "message_create"])
def test_opening_goes_on_where_it_failed(api: ChatwootApi, operation: str) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api, patience=0.3) as gateway:
            api.lose(operation)
            api.fail("message_list", 500, times=10)
            api.fail("contact_conversations", 500, times=10)
            with pytest.raises(HelpdeskUnreachable):
                await gateway.open()
            api._faults.clear()
            await gateway.open()

    run()
    assert len(api.contacts) == len(api.conversations) == 1
    assert [api.notes(each) for each in api.conversations] == [[SUMMARY]]


@own_loop
async def test_a_case_that_is_opened_once_more_goes_on_after_what_was_handed_over(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        number = api.say(conversation, "before")
        await gateway.settle()
        await gateway.chatwoot.close(str(conversation), "")
        again = await gateway.chatwoot.open(CASE, ALIAS, SUMMARY, after=number)
        assert again == str(conversation)
        api.say(conversation, "after")
        await gateway.settle()
    assert gateway.texts == ["before", "after"]
    assert api.notes(conversation) == [SUMMARY]


# the person's messages


@own_loop
async def test_what_the_person_writes_arrives_in_order_however_it_fails_on_the_way(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        api.fail("message_create", 500)
        api.lose("message_create")
        api.fail("message_create", 503, times=2)
        written = [f"Я тут {number}" for number in range(12)]
        await asyncio.gather(*(gateway.chatwoot.relay(str(conversation), text) for text in written))
    assert api.texts(conversation) == written
    sent = [call for call in api.called("message_create") if not call["private"]]
    assert all(call["message_type"] == "incoming" for call in sent)


@own_loop
async def test_a_message_that_nobody_knows_about_is_not_posted_twice(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = str(await gateway.open())
        await gateway.chatwoot.relay(conversation, "hello", key=f"{CASE} 710000{CANARY}")
        await gateway.chatwoot.relay(conversation, "hello", key=f"{CASE} 710000{CANARY}")
        await gateway.chatwoot.relay(conversation, "hello", key=f"{CASE} 42")
        await gateway.chatwoot.relay(conversation, "hello")
        await gateway.chatwoot.relay(conversation, "hello")
    assert api.texts(int(conversation)) == ["hello"] * 4
    # A key may hold a number of the messenger's: Chatwoot learns none.
    assert CANARY not in str(api.calls)
    ids = [call["source_id"] for call in api.called("message_create")]
    assert len(set(ids)) == len(ids) == 5  # the summary is one of them
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in ids)


@own_loop
async def test_the_same_key_in_two_conversations_is_two_messages(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        for conversation in (await gateway.open("1" * 16), await gateway.open("2" * 16)):
            await gateway.chatwoot.relay(str(conversation), "hello", key="41")
            assert api.texts(conversation) == ["hello"]
    first, second = (call["source_id"] for call in api.called("message_create") if not call["private"])
    assert first != second


@own_loop
async def test_looking_and_posting_share_one_limit(api: ChatwootApi) -> None:
    async with Gateway(api, patience=0.6) as gateway:
        conversation = str(await gateway.open())
        await gateway.until(lambda: api.called("conversation_show"))
        api.slow("message_list", 0.5)
        api.slow("message_create", 3.0)
        started = time.monotonic()
        with pytest.raises(HelpdeskUnreachable):
            await gateway.chatwoot.relay(conversation, "hello", key="41")
        assert time.monotonic() - started < 1.0


@own_loop
async def test_half_characters_and_zeros_do_no_harm(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.chatwoot.relay(str(conversation), "a\ud800b\0c \ud83d\ude00 😀")
    assert api.texts(conversation) == ["a\ufffdbc 😀 😀"]


@own_loop
async def test_while_chatwoot_is_down_it_says_so_in_time_and_goes_on_afterwards(api: ChatwootApi) -> None:
    async with Gateway(api, patience=0.5) as gateway:
        conversation = str(await gateway.open())
        await gateway.settle()
        await asyncio.to_thread(api.stop)
        started = time.monotonic()
        with pytest.raises(HelpdeskUnreachable) as error:
            await gateway.chatwoot.relay(conversation, "hello")
        assert time.monotonic() - started < 1.5
        assert error.value.__cause__ is None
        assert str(api.port) not in str(error.value)
        api.start()
        await gateway.chatwoot.relay(conversation, "hello again")
        api.say(int(conversation), "I am here")
        await gateway.settle()
    assert api.texts(int(conversation)) == ["hello again"]
    assert gateway.texts == ["I am here"]


def test_five_seconds_are_the_most_that_anybody_waits() -> None:
    assert PATIENCE <= 5


@own_loop
async def test_a_slow_answer_is_not_waited_for_for_ever_and_nothing_is_posted_twice(api: ChatwootApi) -> None:
    async with Gateway(api, patience=0.5) as gateway:
        conversation = str(await gateway.open())
        api.slow("message_create", 3.0)
        started = time.monotonic()
        with pytest.raises(HelpdeskUnreachable):
            await gateway.chatwoot.relay(conversation, "hello", key="41")
        assert time.monotonic() - started < 1.5
        await gateway.chatwoot.relay(conversation, "hello", key="41")
    assert api.texts(int(conversation)) == ["hello"]


@own_loop
async def test_a_limit_is_kept_as_chatwoot_asks(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = str(await gateway.open())
        api.fail("message_create", 429, Retry_After="1")
        started = time.monotonic()
        await gateway.chatwoot.relay(conversation, "hello")
        assert time.monotonic() - started >= 1
        api.fail("message_create", 429, Retry_After="60")
        started = time.monotonic()
        with pytest.raises(HelpdeskUnreachable):
            await gateway.chatwoot.relay(conversation, "not now")
        assert time.monotonic() - started < 1
    assert api.texts(int(conversation)) == ["hello"]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 422])
def test_a_refusal_is_not_asked_again(api: ChatwootApi, status: int) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api) as gateway:
            conversation = str(await gateway.open())
            before = len(api.called("message_create"))
            api.fail("message_create", status, Location="http://127.0.0.1:9/")
            with pytest.raises(HelpdeskRefused) as refusal:
                await gateway.chatwoot.relay(conversation, "hello")
            assert refusal.value.status == status
            assert len(api.called("message_create")) == before + 1

    run()


@own_loop
async def test_a_proxys_page_is_no_answer(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = str(await gateway.open())
        api.page("message_create")
        with pytest.raises(HelpdeskRefused):
            await gateway.chatwoot.relay(conversation, "hello")


def test_a_proxy_of_the_environment_is_not_used(api: ChatwootApi, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    @own_loop
    async def run() -> None:
        async with Gateway(api) as gateway:
            assert await gateway.chatwoot.check() == ""

    run()


# the agents' messages


@own_loop
async def test_what_agents_write_arrives_under_the_name_that_they_show(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        first = api.say(conversation, "Hello, I am here.")
        second = api.say(conversation, "So am I.", sender=OMAR)
        await gateway.settle()
    assert gateway.got == [(CASE, "Ana", "Hello, I am here.", first), (CASE, "Omar", "So am I.", second)]
    assert api.message(first)["status"] == "sent"


@own_loop
async def test_notes_bots_automations_and_deleted_messages_do_not_reach_the_person(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        api.say(conversation, "Careful: her employer may read this.", private=True)
        api.say(conversation, "I am Captain.", sender=BOT)
        api.say(conversation, "We are closed.", sender=None, content_attributes={"automation_rule_id": 4})
        api.say(conversation, "This message was deleted", content_attributes={"deleted": True})
        api.say(conversation, "Rate us!", message_type=3, content_type="input_csat")
        api.say(conversation, "Who knows", private=None)  # type: ignore[arg-type]
        await gateway.chatwoot.relay(str(conversation), "What the person wrote")
        await gateway.chatwoot.note(str(conversation), "What the helpline notes")
        await gateway.settle()
        await gateway.chatwoot.catch_up(str(conversation))
        assert await gateway.chatwoot.missed(str(conversation), 0) == []
    assert gateway.got == []


@own_loop
async def test_deliveries_that_come_twice_and_backwards_hand_over_once_and_in_order(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.holding = True
        written = [f"line {number}" for number in range(30)]
        for text in written:
            api.say(conversation, text)
        for payload in [*reversed(api.held), *api.held]:
            assert await asyncio.to_thread(api.deliver, payload) == 204
        # Many at once, as Chatwoot's workers deliver them:
        api.say(conversation, "one more")
        answers = await asyncio.gather(*(asyncio.to_thread(api.deliver, payload) for payload in api.held[-5:] * 3))
    assert set(answers) == {204}
    assert gateway.texts == [*written, "one more"]


@own_loop
async def test_what_was_not_delivered_comes_with_the_next_delivery(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.holding = True
        api.say(conversation, "lost")
        api.holding = False
        api.say(conversation, "found")
        await gateway.settle()
    assert gateway.texts == ["lost", "found"]


@own_loop
async def test_what_was_never_delivered_is_found_by_itself(api: ChatwootApi) -> None:
    async with Gateway(api, sweep_seconds=0.1) as gateway:
        conversation = await gateway.open()
        await gateway.until(lambda: api.called("conversation_show"))  # the first look is over
        api.holding = True
        api.say(conversation, "lost")
        api.set_status(conversation, "resolved")
        await gateway.until(lambda: gateway.statuses)
    assert gateway.texts == ["lost"]
    assert gateway.statuses == [(CASE, "resolved")]


@own_loop
async def test_a_message_that_becomes_visible_late_is_not_passed_over(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.holding = True
        api.say(conversation, "slow to store")
        late = api.messages[conversation].pop()
        api.say(conversation, "quick to store")
        assert await asyncio.to_thread(api.deliver, api.held[1]) == 204
        assert gateway.texts == ["quick to store"]
        api.messages[conversation].insert(-1, late)
        assert await asyncio.to_thread(api.deliver, api.held[0]) == 204
        assert await asyncio.to_thread(api.deliver, api.held[1]) == 204
        assert gateway.texts == ["quick to store", "slow to store"]
        api.say(conversation, "slow and not delivered")
        late = api.messages[conversation].pop()
        api.say(conversation, "quick again")
        assert await asyncio.to_thread(api.deliver, api.held[-1]) == 204
        api.messages[conversation].insert(-1, late)
        assert await gateway.chatwoot.catch_up(str(conversation)) == 1
    assert gateway.texts == ["quick to store", "slow to store", "quick again", "slow and not delivered"]


@own_loop
async def test_what_could_not_be_kept_is_handed_over_again_and_in_order(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        gateway.failing = 2
        first = api.say(conversation, "first")
        await gateway.settle()
        api.say(conversation, "second")
        await gateway.settle()
        await gateway.until(lambda: len(gateway.got) >= 2)
        await gateway.chatwoot.catch_up(str(conversation))
    assert gateway.texts == ["first", "second"]
    assert api.answers.count(("message_created", 503)) >= 1
    assert api.message(first)["status"] == "failed"  # the agent sees that it did not arrive at once


@own_loop
async def test_one_conversation_that_fails_does_not_hold_up_the_others(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        first, second = await gateway.open("1" * 16), await gateway.open("2" * 16)
        await gateway.settle()
        await gateway.until(lambda: not gateway.chatwoot._behind)
        api.holding = True
        api.say(second, "for the second")
        del api.conversations[first]
        for external in (first, second):
            gateway.chatwoot._look_again(str(external))
        await gateway.until(lambda: gateway.got)
    assert gateway.got[0][0] == "2" * 16


@own_loop
async def test_files_are_not_passed_on_and_the_agent_is_told(api: ChatwootApi) -> None:
    file = {"id": 1, "file_type": "image", "data_url": "http://127.0.0.1/rails/active_storage/canary.jpg"}
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        api.say(conversation, "Look at this", attachments=[file])
        api.say(conversation, "", attachments=[file])
        await gateway.settle()
        await gateway.chatwoot.catch_up(str(conversation))
    assert gateway.texts == ["Look at this"]
    assert api.notes(conversation) == [SUMMARY, NOTE, NOTE]


@own_loop
async def test_the_person_learns_that_an_agent_writes_but_not_that_one_writes_a_note(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        api.type_on(conversation, private=True)
        await gateway.settle()
        assert gateway.typing == []
        api.type_on(conversation)
        await gateway.settle()
    assert gateway.typing == [CASE]


# after a restart


@own_loop
async def test_after_a_restart_exactly_what_was_missed_is_handed_over(api: ChatwootApi) -> None:
    async with Gateway(api) as before:
        conversation = await before.open()
        known = api.say(conversation, "known")
        await before.settle()
    assert before.texts == ["known"]
    api.webhook_url = ""  # nobody is there
    missed = [f"missed {number}" for number in range(250)]
    for text in missed:
        api.say(conversation, text)
        api.say(conversation, "a note", private=True)
    async with Gateway(api) as after:
        listed = await after.chatwoot.missed(str(conversation), known)
        assert [message.text for message in listed] == missed
        assert after.got == []
        after.chatwoot.follow(CASE, str(conversation), known)
        api.say(conversation, "new")
        await after.settle()
        await after.chatwoot.catch_up(str(conversation))
    assert after.texts == [*missed, "new"]


@own_loop
async def test_following_while_chatwoot_is_down_catches_up_when_it_is_back(api: ChatwootApi) -> None:
    async with Gateway(api) as before:
        conversation = await before.open()
        await before.settle()
        last = api.messages[conversation][-1]["id"]
    api.webhook_url = ""
    api.say(conversation, "are you there?")
    api.set_status(conversation, "pending")
    await asyncio.to_thread(api.stop)
    async with Gateway(api, patience=0.2) as after:
        after.chatwoot.follow(CASE, str(conversation), last, status="open")
        with pytest.raises(HelpdeskUnreachable):
            await after.chatwoot.missed(str(conversation), last)
        api.start()
        await after.until(lambda: after.statuses)
    assert after.texts == ["are you there?"]
    assert after.statuses == [(CASE, "pending")]


# status


@own_loop
async def test_agents_changes_of_status_are_told_once_and_ours_are_not(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        api.set_status(conversation, "snoozed")
        await gateway.settle()
        await gateway.chatwoot.status(str(conversation), "open")
        await gateway.settle()
        api.set_status(conversation, "resolved")
        await gateway.settle()
        await gateway.chatwoot.relay(str(conversation), "wait")  # opens it again, as Chatwoot does by itself
        await gateway.settle()
        with pytest.raises(ValueError, match="STATES"):
            await gateway.chatwoot.status(str(conversation), "asleep")
    assert gateway.statuses == [(CASE, "snoozed"), (CASE, "resolved"), (CASE, "open")]
    assert api.conversations[conversation]["status"] == "open"


@own_loop
async def test_changes_that_are_delivered_backwards_end_with_what_is_so(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.holding = True
        api.set_status(conversation, "resolved")
        api.set_status(conversation, "pending")
        for payload in reversed(api.held):
            assert await asyncio.to_thread(api.deliver, payload) == 204
    assert gateway.statuses == [(CASE, "pending")]


# closing


@own_loop
async def test_closing_leaves_a_note_once_and_then_agents_see_that_nothing_goes_out(api: ChatwootApi) -> None:
    async with Gateway(api, patience=0.3) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.fail("toggle_status", 500, times=9)
        with pytest.raises(HelpdeskUnreachable):
            await gateway.chatwoot.close(str(conversation), "The person left safely hidden.")
        api._faults.clear()
        await gateway.chatwoot.close(str(conversation), "The person left safely hidden.")
        number = api.say(conversation, "One more thing")
        api.say(conversation, "A note", private=True)
        await gateway.settle()
    assert api.notes(conversation) == [SUMMARY, "The person left safely hidden.", "A note"]
    assert api.conversations[conversation]["status"] == "resolved"
    assert gateway.got == gateway.statuses == []
    assert api.message(number)["status"] == "failed"
    assert [status for _, status in api.answers if status != 204] == [410]


@own_loop
async def test_a_conversation_that_is_gone_from_chatwoot_is_closed_enough(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        del api.conversations[conversation]
        await gateway.chatwoot.close(str(conversation), "Gone.")
        assert await gateway.chatwoot.catch_up(str(conversation)) == 0


# who may deliver


@own_loop
async def test_deliveries_need_chatwoots_signature(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.until(lambda: api.called("conversation_show"))  # the first look is over
        api.holding = True
        api.say(conversation, "hello")
        reads = len(api.called("message_list"))
        payload = api.held[0]

        def post(*arguments: Any, **named: Any) -> Coroutine[Any, Any, int]:
            return asyncio.to_thread(api.deliver, *arguments, **named)

        assert await post(payload, secret=None) == 401
        assert await post(payload, secret=None, headers={"X-Chatwoot-Signature": "sha256=" + "0" * 64}) == 401
        assert await post(payload, secret="another") == 403
        assert await post(payload, secret="") == 403
        assert await post(payload, age=400) == 403
        assert await post(payload, age=-400) == 403
        for timestamp in ("now", "²", "9" * 40, "-1", ""):
            assert await post(payload, headers={"X-Chatwoot-Timestamp": timestamp}) in (401, 403)
        assert await post(payload, headers={"X-Chatwoot-Signature": "sha256=ä"}) == 403
        assert len(api.called("message_list")) == reads
        assert gateway.got == []
        assert await post(payload) == 204
    assert gateway.texts == ["hello"]


def test_without_a_secret_nothing_is_taken(api: ChatwootApi) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api, webhook_secret=Secret("")):
            assert await asyncio.to_thread(api.deliver, {"event": "message_created"}, secret="") == 403

    run()


@own_loop
async def test_a_delivery_that_claims_what_no_agent_wrote_hands_over_nothing(api: ChatwootApi) -> None:
    """Even who has the secret can only make us look."""
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.settle()
        api.holding = True
        number = api.say(conversation, "She is in danger", private=True)
        forged = api.held[0] | {"private": False, "content": "Come to the station"}
        assert await asyncio.to_thread(api.deliver, forged) == 204
        assert await asyncio.to_thread(api.deliver, forged | {"id": number + 100}) == 204
    assert gateway.got == []


@own_loop
async def test_deliveries_that_can_not_be_read_are_refused(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        message = {"event": "message_created", "message_type": "outgoing", "private": False}
        for broken in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"message_created"',
            b"\xff\xfe",
            b"[" * 30_000,
            {},
            message,
            message | {"id": 1},
            message | {"id": True, "conversation": {"id": conversation}},
            message | {"id": "one", "conversation": {"id": conversation}},
            message | {"id": 1, "conversation": {"id": "../7"}},
            message | {"id": 1, "conversation": [1]},
            message | {"id": 1, "conversation": {"id": conversation}, "account": "x"},
            {"event": "conversation_status_changed", "id": None},
            {"event": "conversation_typing_on"},
        ):
            assert await asyncio.to_thread(api.deliver, broken) == 400, broken
        assert await asyncio.to_thread(api.deliver, b" " * (LARGEST_DELIVERY + 1)) == 413
        for unknown in ("webwidget_triggered", "contact_updated", ["message_created"], None, 7):
            assert await asyncio.to_thread(api.deliver, {"event": unknown}) == 204
    assert gateway.got == []


@own_loop
async def test_deliveries_about_others_are_left_alone(api: ChatwootApi) -> None:
    async with Gateway(api) as gateway:
        conversation = await gateway.open()
        await gateway.until(lambda: api.called("conversation_show"))  # the first look is over
        api.holding = True
        api.say(conversation, "hello")
        reads = len(api.called("message_list"))
        payload = api.held[0]
        elsewhere = payload | {"conversation": payload["conversation"] | {"inbox_id": OTHER_INBOX}}
        assert await asyncio.to_thread(api.deliver, elsewhere) == 204
        assert await asyncio.to_thread(api.deliver, payload | {"account": {"id": ACCOUNT + 1}}) == 204
        assert len(api.called("message_list")) == reads
    assert gateway.got == []


# set up


@pytest.mark.parametrize(
    ("options", "trouble"),
    [
        ({}, ""),
        ({"token": Secret("wrong")}, "token"),
        ({"token": Secret(BOT_TOKEN)}, "token"),
        ({"inbox": 99}, "inbox"),
        ({"account": 99}, "inbox"),
        ({"inbox": OTHER_INBOX}, "kind"),
        ({"url": "http://127.0.0.1:9", "patience": 0.1}, "unreachable"),
    ],
)
def test_a_check_names_what_is_wrong(api: ChatwootApi, options: dict[str, Any], trouble: str) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api, **options) as gateway:
            assert await gateway.chatwoot.check() == trouble

    run()


def test_neither_logs_nor_errors_nor_repr_tell_anything(api: ChatwootApi, capfd: pytest.CaptureFixture[str]) -> None:
    @own_loop
    async def run() -> None:
        async with Gateway(api, patience=0.2) as gateway:
            conversation = await gateway.open()
            api.say(conversation, "agentcanary")
            await gateway.settle()
            gateway.failing = 1
            api.say(conversation, "agentcanary")
            await gateway.settle()
            await asyncio.to_thread(api.deliver, {"event": "personcanary"}, secret="wrong")
            api.fail("message_create", 422)
            with pytest.raises(HelpdeskRefused) as refused:
                await gateway.chatwoot.relay(str(conversation), "personcanary")
            api.fail("message_create", 500, times=9)
            with pytest.raises(HelpdeskUnreachable) as unreachable:
                await gateway.chatwoot.relay(str(conversation), "personcanary")
            messages = await gateway.chatwoot.missed(str(conversation), 0)
            print(repr(gateway.chatwoot), repr(messages), repr(refused.value), repr(unreachable.value))
            print(repr(list(gateway.chatwoot._followed.values())))

    run()
    printed = "".join(capfd.readouterr())
    assert "chatwoot_unreachable" in printed
    for secret in (TOKEN, SECRET, "agentcanary", "personcanary", ALIAS, CASE, "Canarova", "http://"):
        assert secret not in printed


# plain text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Hello.\r\nHow are you?", "Hello.\nHow are you?"),
        ("**Please** call _now_ or ~~later~~ `today`", "Please call now or later today"),
        ("***all*** of __it__ and **some *of* it**", "all of it and some of it"),
        ("# Title\n\n> quoted\n\n* one\n+ two\n- three\n1. four", "Title\n\nquoted\n\n- one\n- two\n- three\n1. four"),
        ("[La Strada](https://lastrada.example/a_b_c)", "La Strada (https://lastrada.example/a_b_c)"),
        ("[https://a.example/](https://a.example/)", "https://a.example/"),
        ("[a.example](https://a.example)", "https://a.example"),
        ("<https://a.example/_x_/*> yes", "https://a.example/_x_/*> yes"),
        ("[+39 800](tel:+39800) [us](mailto:us@a.example)", "+39 800 (+39800) us (us@a.example)"),
        ("[@Ana](mention://user/11/Ana) [x](javascript:alert(1))", "@Ana [x](javascript:alert(1))"),
        ("![a map](https://a.example/map.png)see", "a mapsee"),
        ("<p>One</p><p>Two<br/>three</p><script>alert(1)</script>", "One\nTwo\nthree"),
        ('<a href="https://a.example/x">here</a>', "here (https://a.example/x)"),
        ("&lt;b&gt; AT&amp;T &nbsp;R&D &copy", "<b> AT&T \xa0R&D &copy"),
        ("```\ncode\n```", "code"),
        (r"1\. no list, \*no\* star", "1. no list, *no* star"),
        ("line one\\\nline two", "line one\nline two"),
        (
            "2 * 3 * 4, a_b_c, 5*6*7, <3, a < b > c, #1, [sic], ~5",
            "2 * 3 * 4, a_b_c, 5*6*7, <3, a < b > c, #1, [sic], ~5",
        ),
        ("a\0b\x07c\ue100d", "abcd"),
        ("one\n\n\n\n\ntwo   \n", "one\n\ntwo"),
        ("*اتصل* بي **الآن**", "اتصل بي الآن"),
        ("   ", ""),
    ],
)
def test_what_agents_write_is_plain_text(written: str, read: str) -> None:
    assert plain(written) == read


@given(st.text(st.sampled_from("ab *_~`#>[]()!<>/\\&;\"'=\n\ue100\ue1010p") | st.characters(), max_size=200))
def test_any_text_is_read(text: str) -> None:
    plain(text)


@given(st.text(st.characters(categories=["L", "Nd"]), max_size=100))
def test_words_stay(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<a",
        "[",
        "![",
        "**a",
        "_a ",
        "<a href='",
        "> ",
        "` ",
        "\\",
        "&",
        " ",
        "* ",
        "<!--",
        "<script>",
        "[a](",
        "https://",
        "\n",
        "~~a",
    ],
)
def test_long_nonsense_is_read_at_once(piece: str) -> None:
    started = time.monotonic()
    plain(piece * (60_000 // len(piece)))
    assert time.monotonic() - started < 2
