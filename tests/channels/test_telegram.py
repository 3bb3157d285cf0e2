"""Telegram, end to end: the real python-telegram-bot against a Bot API over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.botapi import BOT, TOKEN, BotApi
from tests.support import Helpline, running, until

_chats = itertools.count(71_000_000)
MENU, EXIT = "Menu", "Exit"


@pytest.fixture
def chat(helpline: Helpline) -> int:
    """A new person's chat with the bot."""
    return next(_chats)


def answered(api: BotApi, chat: int, more_than: int = 0) -> list[str]:
    """Return the bot's texts in a chat once there are more than so many and nothing is left to answer."""
    until(lambda: len(api.sent(chat)) > more_than and not api.pending, 30, "the bot has answered")
    return api.texts(chat)


def titles(message: dict[str, Any]) -> list[str]:
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def test_start_opens_neutrally_in_the_devices_language(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start", language="fr-BE")
    answered(bot_api, chat)
    welcome, question = bot_api.sent(chat)
    assert "machine" in welcome["text"]
    for word in ("trafic", "traite", "victime", "exploit"):
        assert word not in welcome["text"][:60].lower()
    assert {"English", "Français", "Română", "Українська", "العربية", "Tiếng Việt"} <= set(titles(welcome))
    assert titles(question)[0].startswith("Oui") or len(titles(question)) >= 4


def test_every_message_is_silent_and_ends_with_ways_out(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    answered(bot_api, chat)
    sent = [call for call in bot_api.called("sendMessage") if int(call["chat_id"]) == chat]
    assert sent
    assert all(call["disable_notification"] is True for call in sent)
    assert all(call["link_preview_options"]["is_disabled"] is True for call in sent)
    last = titles(bot_api.sent(chat)[-1])
    assert last[-2:] == [MENU, EXIT]


def test_button_data_is_short_and_says_nothing(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    bot_api.write(chat, "/menu")
    answered(bot_api, chat, 2)
    data = [
        button["callback_data"]
        for message in bot_api.sent(chat)
        for row in (message.get("reply_markup") or {}).get("inline_keyboard", [])
        for button in row
    ]
    assert data
    assert all(len(each.encode()) <= 64 for each in data)
    assert all(set(each) <= set("0123456789abcdef") for each in data)


def test_a_tap_is_acknowledged_and_answered(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/menu")
    answered(bot_api, chat)
    before = len(bot_api.called("answerCallbackQuery"))
    bot_api.tap(chat, "I need help now")
    answered(bot_api, chat, 1)
    assert len(bot_api.called("answerCallbackQuery")) == before + 1


def test_exit_shows_a_cover_and_deletes_both_sides(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    answered(bot_api, chat)
    bot_api.write(chat, "my boss keeps my passport")
    answered(bot_api, chat, 2)
    bot_api.write(chat, "/exit")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 30, "only the cover line is left")
    (cover,) = bot_api.sent(chat)
    for word in ("help", "passport", "erase", "delete", "machine", "safe"):
        assert word not in cover["text"].lower()
    assert titles(cover) == ["kg – lb", "km – mi", "°C – °F"], "the converter's own buttons, and nothing else"
    bot_api.write(chat, "/start")
    texts = answered(bot_api, chat, 1)
    assert "machine" in texts[1]  # as to somebody new


def test_the_word_stop_leaves_too(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    answered(bot_api, chat)
    bot_api.write(chat, "stop")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 30, "only the cover line is left")


def test_erase_asks_then_deletes_everything(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    answered(bot_api, chat)
    bot_api.write(chat, "/erase")
    answered(bot_api, chat, 2)
    bot_api.tap(chat, "Erase everything now")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 30, "all is deleted")


def test_more_than_a_hundred_messages_are_deleted_in_parts(bot_api: BotApi, chat: int) -> None:
    for number in range(52):
        bot_api.write(chat, "/menu")
        answered(bot_api, chat, number)
    bot_api.write(chat, "/exit")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 60, "all is deleted")
    parts = [call["message_ids"] for call in bot_api.called("deleteMessages") if int(call["chat_id"]) == chat]
    assert len(parts) > 1
    assert all(len(part) <= 100 for part in parts)


def test_a_flood_is_answered_once_and_deleted_whole(bot_api: BotApi, chat: int) -> None:
    for _ in range(40):
        bot_api.write(chat, "/menu")
    texts = answered(bot_api, chat, 5)
    assert len(texts) < 20
    bot_api.write(chat, "/exit")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 60, "all is deleted")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 9, "height": 9}]}, "picture"),
        ({"voice": {"file_id": "a", "file_unique_id": "b", "duration": 3}}, "voice"),
        (
            {
                "sticker": {
                    "file_id": "a",
                    "file_unique_id": "b",
                    "type": "regular",
                    "width": 9,
                    "height": 9,
                    "is_animated": False,
                    "is_video": False,
                }
            },
            "sticker",
        ),
        ({"location": {"latitude": 50.1, "longitude": 8.6}}, "location"),
        ({"contact": {"phone_number": "+49111", "first_name": "X"}}, "contact"),
        ({"text": "work", "forward_origin": {"type": "hidden_user", "sender_user_name": "X", "date": 1}}, "forwarded"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "sticker"),
        ({"a_kind_from_the_future": {"x": 1}}, "sticker"),
    ],
)
def test_what_it_cannot_read_gets_a_kind_answer(
    bot_api: BotApi, chat: int, catalogue_texts: dict[str, list[str]], fields: dict[str, Any], expected: str
) -> None:
    bot_api.write(chat, **fields)
    texts = answered(bot_api, chat, 1)
    assert texts[0] in catalogue_texts[f"utter_{expected}"]
    assert MENU in titles(bot_api.sent(chat)[-1])


def test_an_edited_message_is_answered_as_such(
    bot_api: BotApi, chat: int, catalogue_texts: dict[str, list[str]]
) -> None:
    bot_api.write(chat, "/menu")
    answered(bot_api, chat)
    message = next(each for each in bot_api.chats[chat].values() if each["from"]["id"] != BOT["id"])
    bot_api.push({"edited_message": {**message, "text": "thank you", "edit_date": message["date"] + 5}})
    assert answered(bot_api, chat, 1)[1] in catalogue_texts["utter_edited"]


def test_danger_in_a_caption_or_an_edit_is_not_missed(bot_api: BotApi, chat: int) -> None:
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 9, "height": 9}]
    bot_api.write(chat, photo=photo, caption="au secours il me frappe")
    assert "112" in "\n".join(answered(bot_api, chat))


def test_an_unknown_command_is_answered(bot_api: BotApi, chat: int, catalogue_texts: dict[str, list[str]]) -> None:
    bot_api.write(chat, "/frobnicate")
    assert answered(bot_api, chat)[0] in catalogue_texts["utter_unknown_command"]


def test_it_leaves_groups_and_says_nothing_there(bot_api: BotApi, helpline: Helpline) -> None:
    group = -100_123
    message = bot_api._message(group, "en") | {"chat": {"id": group, "type": "supergroup", "title": "Work"}}
    bot_api.push({"message": message | {"text": "hello"}})
    until(lambda: group in bot_api.left, 20, "the bot has left the group")
    assert not [call for call in bot_api.called("sendMessage") if int(call["chat_id"]) == group]


def test_a_duplicate_delivery_is_answered_once(bot_api: BotApi, chat: int) -> None:
    number = bot_api.write(chat, "/menu")
    answered(bot_api, chat)
    message = next(each for each in bot_api.chats[chat].values() if each["from"]["id"] != BOT["id"])
    bot_api.push({"message": message}, number)
    until(lambda: not bot_api.pending, 20, "confirmed")
    bot_api.write(chat, "/frobnicate")
    assert len(answered(bot_api, chat, 1)) == 2


def test_updates_out_of_order_are_all_answered(bot_api: BotApi, helpline: Helpline) -> None:
    first, second = next(_chats), next(_chats)
    high = bot_api.write(first, "/menu")
    until(lambda: len(bot_api.sent(first)) >= 1 and not bot_api.pending, 20, "the first is answered")
    bot_api.write(second, "/menu", update_id=high + 2)
    bot_api.write(first, "/frobnicate", update_id=high + 1)
    until(lambda: len(bot_api.sent(second)) >= 1 and len(bot_api.sent(first)) >= 2, 20, "both are answered")
    bot_api._update_id += 5  # what comes later has higher numbers


def test_too_many_requests_waits_and_sends_again(bot_api: BotApi, chat: int) -> None:
    bot_api.fail("sendMessage", 429, retry_after=1)
    bot_api.write(chat, "/menu")
    assert len(answered(bot_api, chat)) == 1


def test_a_server_error_is_tried_again(bot_api: BotApi, chat: int) -> None:
    bot_api.fail("sendMessage", 502, times=2)
    bot_api.write(chat, "/menu")
    assert len(answered(bot_api, chat)) == 1


def test_failing_polls_are_survived(bot_api: BotApi, chat: int) -> None:
    bot_api.fail("getUpdates", 500)
    bot_api.fail("getUpdates", 429, retry_after=1)
    bot_api.fail("getUpdates", 409)
    bot_api.write(chat, "/menu")
    assert len(answered(bot_api, chat)) == 1


def test_an_unreadable_update_holds_back_nothing(bot_api: BotApi, chat: int) -> None:
    bot_api.push({"message": {"message_id": "no number", "date": [], "chat": 5}})
    bot_api.write(chat, "/menu")
    assert len(answered(bot_api, chat)) == 1


def test_somebody_who_has_blocked_the_bot_is_forgotten(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/menu")
    answered(bot_api, chat)
    bot_api.fail("sendMessage", 403)
    bot_api.write(chat, "/menu")
    until(lambda: not bot_api.pending, 20, "given up")
    bot_api.write(chat, "/menu")
    assert len(answered(bot_api, chat, 1)) == 2


def test_commands_are_introduced_neutrally_in_every_language(bot_api: BotApi, helpline: Helpline) -> None:
    until(lambda: len(bot_api.called("setMyCommands")) >= 7, 20, "commands are set")
    languages = {call.get("language_code") for call in bot_api.called("setMyCommands")}
    assert {"en", "fr", "ro", "uk", "ar", "vi"} <= languages
    for call in bot_api.called("setMyShortDescription") + bot_api.called("setMyDescription"):
        assert "traffick" not in str(call).lower()


class TestWebhook:
    @pytest.fixture(scope="class")
    def served(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Helpline, BotApi]]:
        folder: Path = tmp_path_factory.mktemp("webhook")
        with (
            BotApi() as api,
            running(
                folder,
                HELPLINE_TELEGRAM_TOKEN=TOKEN,
                HELPLINE_TELEGRAM_BASE_URL=api.base_url,
                HELPLINE_TELEGRAM_WEBHOOK_URL="https://helpline.example/telegram",
            ) as served,
        ):
            until(lambda: api.webhook, 20, "the webhook is set")
            yield served, api

    def update(self, api: BotApi, chat: int, text: str) -> dict[str, Any]:
        number = api.write(chat, text)
        return next(each for each in api._updates if each["update_id"] == number)

    def test_with_the_secret_it_is_answered(self, served: tuple[Helpline, BotApi]) -> None:
        helpline, api = served
        chat = next(_chats)
        assert (
            api.deliver(f"{helpline.url}/telegram", self.update(api, chat, "/start"), api.webhook["secret_token"])
            == 200
        )
        assert "machine" in api.texts(chat)[0]

    def test_without_the_secret_it_is_refused(self, served: tuple[Helpline, BotApi]) -> None:
        helpline, api = served
        chat = next(_chats)
        for secret in ("", "wrong", TOKEN):
            assert api.deliver(f"{helpline.url}/telegram", self.update(api, chat, "/start"), secret) == 403
        assert not api.sent(chat)

    def test_delivered_twice_it_is_answered_once(self, served: tuple[Helpline, BotApi]) -> None:
        helpline, api = served
        chat = next(_chats)
        update = self.update(api, chat, "/menu")
        for _ in range(2):
            assert api.deliver(f"{helpline.url}/telegram", update, api.webhook["secret_token"]) == 200
        assert len(api.sent(chat)) == 1

    @pytest.mark.parametrize("update", [{}, [], 5, None, "x", {"update_id": "x"}, {"update_id": 1, "message": []}])
    def test_nonsense_is_taken_without_harm(self, served: tuple[Helpline, BotApi], update: object) -> None:
        helpline, api = served
        assert api.deliver(f"{helpline.url}/telegram", update, api.webhook["secret_token"]) == 200

    def test_it_does_not_poll(self, served: tuple[Helpline, BotApi]) -> None:
        _, api = served
        assert not api.called("getUpdates")


def test_a_card_comes_as_a_veiled_picture_and_as_text(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "I am in Italy")
    answered(bot_api, chat)
    bot_api.write(chat, "what are my rights")
    answered(bot_api, chat, 2)
    bot_api.tap(chat, "Menu")
    for title in ("I want information", "A card to show", "An officer"):
        answered(bot_api, chat, len(bot_api.sent(chat)))
        bot_api.tap(chat, title)
    until(lambda: any("photo" in message for message in bot_api.sent(chat)), 20, "the picture has come")
    answered(bot_api, chat)
    (picture,) = [call for call in bot_api.called("sendPhoto") if int(call["chat_id"]) == chat]
    assert picture["photo"].startswith(b"\x89PNG")
    assert picture["has_spoiler"] is True
    assert picture["disable_notification"] is True
    assert "caption" not in picture, "nothing to read in a notification"
    text = next(text for text in bot_api.texts(chat) if "vittima" in text)
    assert "I may be a victim of human trafficking" in text
    assert "vittima" not in text[:40]
    bot_api.write(chat, "/exit")
    until(lambda: not bot_api.pending and len(bot_api.sent(chat)) == 1, 20, "all is taken away")
    assert not any("photo" in message for message in bot_api.chats[chat].values())


def test_a_word_to_return_does_not_stay_in_the_chat(bot_api: BotApi, chat: int) -> None:
    bot_api.write(chat, "/start")
    answered(bot_api, chat, 1)
    bot_api.tap(chat, "Others may read it")
    answered(bot_api, chat, 2)
    bot_api.tap(chat, "Set a word to return")
    answered(bot_api, chat, 3)
    bot_api.write(chat, "mimosa")
    answered(bot_api, chat, 4)
    bot_api.tap(chat, "Skip")
    answered(bot_api, chat, 5)
    assert "mimosa" not in [message.get("text") for message in bot_api.chats[chat].values()]
    bot_api.tap(chat, "Hide it now")
    until(lambda: not bot_api.pending and len(bot_api.chats[chat]) == 1, 20, "only the converter is left")
    (left,) = bot_api.sent(chat)
    assert "kilo" in left["text"] or "metre" in left["text"]
    bot_api.write(chat, "/start")
    answered(bot_api, chat, 1)
    assert "Mila" not in bot_api.texts(chat)[-1]
    bot_api.write(chat, "10 kg")
    answered(bot_api, chat, 2)
    assert "22.05" in bot_api.texts(chat)[-1]
    bot_api.write(chat, "Mimosa")
    answered(bot_api, chat, 3)
    assert "You are back" in bot_api.texts(chat)[-1]
    assert "Mimosa" not in [message.get("text") for message in bot_api.chats[chat].values()]


def test_an_idle_chat_on_a_shared_phone_is_taken_away_without_a_word(tmp_path: Path) -> None:
    """Before it is forgotten, and with it the numbers of its messages."""
    with (
        BotApi() as api,
        running(
            tmp_path,
            ready=False,
            HELPLINE_TELEGRAM_TOKEN=TOKEN,
            HELPLINE_TELEGRAM_BASE_URL=api.base_url,
            HELPLINE_EXPIRY_HOURS="0.004",
        ) as helpline,
    ):
        helpline.wait_ready()
        chat = next(_chats)
        api.write(chat, "/start")
        answered(api, chat, 1)
        api.tap(chat, "Others may read it")
        answered(api, chat, 2)
        sent = len(api.called("sendMessage"))
        until(lambda: not api.chats[chat], 30, "nothing is left in the chat")
        assert len(api.called("sendMessage")) == sent, "and nothing was written"
