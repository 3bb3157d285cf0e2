"""Staff and somebody on Telegram: the real python-telegram-bot against a Bot API over HTTP, the real console."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from tests.botapi import TOKEN, BotApi
from tests.staffroom import Console, employ
from tests.support import Helpline, running, until

_chats = itertools.count(31_000)


class Scene:
    """A bot, its staff, and who writes to it."""

    def __init__(self, helpline: Helpline, api: BotApi, console: Console) -> None:
        self.helpline = helpline
        self.api = api
        self.console = console

    def cases(self) -> list[str]:
        page = self.console.http.get("/console/queue").text
        return list(dict.fromkeys(part.partition('"')[0] for part in page.split('data-case="')[1:]))

    def hears(self, chat: int, text: str) -> bool:
        until(lambda: text in self.text(chat), 20, text)
        return True

    def text(self, chat: int) -> str:
        return re.sub("[\u2066\u2069]", "", "\n".join(self.api.texts(chat)))

    def asks(self) -> tuple[int, str]:
        """Let somebody ask for a person; return the chat and the case."""
        chat, before = next(_chats), set(self.cases())
        self.api.write(chat, "I want to talk to a real person")
        self.hears(chat, "Is that all right?")
        self.api.tap(chat, "Yes, ask for a person")
        self.hears(chat, "You are number")
        return chat, (set(self.cases()) - before).pop()

    def takes(self, case: str) -> None:
        assert self.console.post(f"/console/case/{case}/take").status_code == 303

    def writes(self, case: str, text: str) -> None:
        assert self.console.post(f"/console/case/{case}/say", text=text, key=text).status_code == 303

    def closes(self, case: str) -> None:
        seen = self.console.http.get(f"/console/case/{case}").text.partition('data-last="')[2].partition('"')[0]
        assert self.console.post(f"/console/case/{case}/close", why="helped", seen=seen).status_code == 303


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with (
        BotApi() as api,
        running(
            tmp_path_factory.mktemp("telegram-staff"),
            HELPLINE_TELEGRAM_TOKEN=TOKEN,
            HELPLINE_TELEGRAM_BASE_URL=api.base_url,
        ) as helpline,
    ):
        employee = employ(helpline, "ana", cap=50)
        yield Scene(helpline, api, Console(helpline, employee).logs_in().on_duty())


def test_a_talk_from_the_line_to_the_end(scene: Scene) -> None:
    chat, case = scene.asks()
    scene.api.tap(chat, "Yes, write to me")
    scene.hears(chat, "They will write here")
    scene.takes(case)
    scene.hears(chat, "Ana is here now")
    scene.writes(case, "Good evening")
    assert scene.hears(chat, "Ana (a person):\nGood evening")
    assert scene.console.post(f"/console/case/{case}/typing").status_code == 204
    until(lambda: scene.api.called("sendChatAction"), 10, "she sees that somebody writes")
    before = len(scene.api.sent(chat))
    scene.api.write(chat, "hello, are you a machine?")
    page = f"/console/case/{case}"
    until(lambda: "are you a machine?" in scene.console.http.get(page).text, 10, "staff read it")
    assert len(scene.api.sent(chat)) == before, "the machine is silent"
    assert all(call["disable_notification"] for call in scene.api.called("sendMessage")), "no sound, ever"
    scene.closes(case)
    scene.hears(chat, "has ended the talk")
    assert scene.hears(chat, "deleted in 7 days")


def test_exit_takes_the_words_of_staff_away_too(scene: Scene) -> None:
    chat, case = scene.asks()
    scene.takes(case)
    scene.writes(case, "We can help you")
    scene.hears(chat, "We can help you")
    scene.api.write(chat, "/exit")
    until(lambda: "We can help you" not in scene.text(chat), 10, "both sides are deleted")
    assert "(a person)" not in scene.text(chat)
    assert scene.console.post(f"/console/case/{case}/say", text="hello", key="late").status_code == 409


def test_pictures_are_refused_plainly_and_staff_are_told(scene: Scene) -> None:
    chat, case = scene.asks()
    scene.takes(case)
    scene.hears(chat, "Ana is here now")
    scene.api.write(chat, photo=[{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}])
    scene.hears(chat, "can't pass that on")
    assert scene.api.called("getFile") == []
    scene.closes(case)


def test_what_telegram_did_not_confirm_is_not_sent_again_by_itself(scene: Scene) -> None:
    chat, case = scene.asks()
    scene.takes(case)
    scene.hears(chat, "Ana is here now")
    scene.api.fail("sendMessage", 400)
    scene.writes(case, "perhaps")
    page = f"/console/case/{case}"
    until(lambda: "/again" in scene.console.http.get(page).text, 10, "staff are asked")
    assert "perhaps" not in scene.text(chat)
    seq = scene.console.http.get(page).text.partition('name="seq" value="')[2].partition('"')[0]
    assert scene.console.post(f"{page}/again", seq=seq).status_code == 303
    scene.hears(chat, "perhaps")
    scene.api.fail("sendMessage", 500, times=2)
    scene.writes(case, "later")
    assert scene.hears(chat, "later"), "Telegram's server failed before it took it: tried again"
    assert scene.text(chat).count("later") == 1
    scene.closes(case)
