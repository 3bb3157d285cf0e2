"""Promises 1 and 4 for conversations with staff: what is written, searched with the master key at hand.

A person in the web chat and one on Telegram talk with an operator at the most verbose log level; every secret that
staff have goes the same way. Then everything written is searched, and everything that the master key opens.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.botapi import TOKEN, BotApi
from tests.contracts.test_privacy import find
from tests.staffroom import PASSWORD, Console, Employee, employ, opened_by_master_key
from tests.support import Helpline, running, until

CANARIES = ["papagayocanary", "КанаркаСиня", "عصفور٩الكناري"]
CHAT = 777666555444


class Used:
    """A helpline after all that, and the secrets that went through it."""

    def __init__(self, helpline: Helpline, secrets: list[str]) -> None:
        self.helpline = helpline
        self.secrets = secrets


def case_ids(console: Console) -> list[str]:
    page = console.http.get("/console/queue").text
    return list(dict.fromkeys(part.partition('"')[0] for part in page.split('data-case="')[1:]))


def works(console: Console, case: str, canary: str) -> None:
    """Take a case and write into it in every way."""
    assert console.post(f"/console/case/{case}/take").status_code == 303
    assert console.post(f"/console/case/{case}/say", text=f"staff {canary}", key=canary).status_code == 303
    assert console.post(f"/console/case/{case}/phrase", phrase="safety_now", key="p").status_code == 303
    assert console.post(f"/console/case/{case}/note", note=f"note {canary}").status_code == 303
    console.http.get(f"/console/case/{case}")
    console.http.get(f"/console/case/{case}/phrases", params={"q": canary})
    console.http.get("/console/directory", params={"q": canary})


def closes(console: Console, case: str) -> bool:
    seen = console.http.get(f"/console/case/{case}").text.partition('data-last="')[2].partition('"')[0]
    return console.post(f"/console/case/{case}/close", why="helped", seen=seen).status_code == 303


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    with (
        BotApi() as api,
        running(
            tmp_path_factory.mktemp("staff-canaries"),
            HELPLINE_TELEGRAM_TOKEN=TOKEN,
            HELPLINE_TELEGRAM_BASE_URL=api.base_url,
            HELPLINE_LOG_LEVEL="debug",
        ) as helpline,
    ):
        employee: Employee = employ(helpline, "quetzalfeather")
        secrets = ["quetzalfeather", "Quetzalfeather", PASSWORD, employee.secret, *employee.codes]
        console = Console(helpline, employee).logs_in().on_duty()
        secrets += [console.csrf, *(part.partition("=")[2] for part in console.http.headers["Cookie"].split("; "))]
        for number, canary in enumerate(CANARIES):
            person = helpline.person()
            person.says("I want to talk to a real person")
            person.taps("Yes, ask for a person")
            person.says(f"waiting {canary}")
            api.write(CHAT + number, "I want to talk to a real person")
            until(lambda chat=CHAT + number: "Yes, ask for a person" in str(api.chats.get(chat)), 20, "Telegram asks")
            api.tap(CHAT + number, "Yes, ask for a person")
            until(lambda: len(case_ids(console)) == 2, 20, "both wait")
            for case in case_ids(console):
                works(console, case, canary)
            person.says(f"to staff {canary}")
            api.write(CHAT + number, f"to staff {canary}", username=canary)
            until(lambda chat=CHAT + number, word=canary: f"staff {word}" in str(api.chats[chat]), 20, "it arrives")
            for case in case_ids(console):
                until(lambda case=case: closes(console, case), 20, "closed, all that was written being seen")
                prolonged = console.post(f"/console/case/{case}/prolong", days="7", reason=f"reason {canary}")
                assert prolonged.status_code == 303, prolonged.text
        bad = {"login": CANARIES[0], "password": CANARIES[1], "code": CANARIES[2]}
        console.http.post("/console/login", data=bad)
        yield Used(helpline, secrets)


def test_no_word_to_or_from_staff_is_written_in_clear(used: Used) -> None:
    assert find(used.helpline, CANARIES) == []


def test_no_secret_of_staff_is_written_in_clear(used: Used) -> None:
    assert find(used.helpline, used.secrets) == []


def test_with_the_master_key_at_hand_there_is_still_no_word(used: Used) -> None:
    opened = opened_by_master_key(used.helpline.data)
    assert len(opened) > 6, "the master key does open what it is for"
    for canary in [*CANARIES, PASSWORD]:
        assert not [record for record in opened if canary.encode() in record], canary


def test_the_telegram_address_is_kept_only_while_the_case_is_open(used: Used) -> None:
    opened = opened_by_master_key(used.helpline.data)
    assert not [record for record in opened if str(CHAT)[:9].encode() in record]
