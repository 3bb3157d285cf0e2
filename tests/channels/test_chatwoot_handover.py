"""A whole helpline that hands over to a Chatwoot (its stand-in), over HTTP both ways."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.chatwoot_api import ACCOUNT, INBOX, SECRET, TOKEN, ChatwootApi
from tests.support import Helpline, Person, running, until


@pytest.fixture(scope="module")
def api() -> Iterator[ChatwootApi]:
    with ChatwootApi() as api:
        yield api


@pytest.fixture(scope="module")
def helpline(api: ChatwootApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with running(
        tmp_path_factory.mktemp("chatwoot"),
        HELPLINE_CHATWOOT_URL=api.url,
        HELPLINE_CHATWOOT_ACCOUNT=str(ACCOUNT),
        HELPLINE_CHATWOOT_INBOX=str(INBOX),
        HELPLINE_CHATWOOT_TOKEN=TOKEN,
        HELPLINE_CHATWOOT_WEBHOOK_SECRET=SECRET,
    ) as helpline:
        api.webhook_url = f"{helpline.url}/chatwoot"
        yield helpline


def news(person: Person, shown: list[str]) -> str:
    """Return what the page gets and has not shown, as it asks for it; what it gets is shown from then on."""
    fields = {"conversation": person.conversation, "shown": shown, "status": ""}
    answer = httpx.post(f"{person.url}/news", json=fields, timeout=40)
    if answer.status_code != 200:
        return ""
    lines = [line for line in answer.json()["lines"] if line["token"] not in shown]
    shown += [line["token"] for line in lines]
    return "\n".join(
        (message["sender"] or "") + ": " + "".join(part.get("text", "\n") for part in message["parts"])
        for line in lines
        for message in line["messages"]
    )


def hears(person: Person, shown: list[str], text: str) -> str:
    return str(until(lambda: (said := news(person, shown)) and text in said and said, 20, text))


def asks(person: Person) -> None:
    assert "system of their own" in person.says("I want to talk to a real person"), "she knows before she agrees"
    person.taps("Yes, ask for a person")


def test_a_talk_in_both_directions_until_it_is_resolved(api: ChatwootApi, helpline: Helpline) -> None:
    person, shown = helpline.person(), list[str]()
    person.says("I am in Italy")
    asks(person)
    number = max(api.conversations)
    assert any("Italy" in note for note in api.notes(number)), "the summary that she saw"
    person.says("my boss has my passport")
    assert api.texts(number) == ["my boss has my passport"]
    assert person.texts, "until somebody answers there, the machine does"
    api.say(number, "between us", private=True)
    api.say(number, "Hello, we can help")
    heard = hears(person, shown, "Hello, we can help")
    assert "Ana is here now" in heard.replace("\u2066", "").replace("\u2069", "")
    assert "between us" not in heard
    assert person.says("thank you") == "", "the machine is silent"
    assert api.texts(number)[-1] == "thank you"
    api.set_status(number, "resolved")
    hears(person, shown, "You are with me again")
    assert person.says("what are my rights") != ""
    assert api.texts(number)[-1] == "thank you"


def test_what_agents_write_survives_a_death_of_the_gateway(api: ChatwootApi, helpline: Helpline) -> None:
    person, shown = helpline.person(), list[str]()
    asks(person)
    number = max(api.conversations)
    api.say(number, "one")
    hears(person, shown, "one")
    news(person, shown)
    helpline.kill()
    api.say(number, "two")
    helpline.start()
    said = hears(person, shown, "two")
    assert "one" not in said
    assert person.says("still here") == ""
    assert api.texts(number) == ["still here"]


def test_where_chatwoot_is_down_she_is_told_so(api: ChatwootApi, helpline: Helpline) -> None:
    api.stop()
    person = helpline.person()
    asks(person)
    assert "nobody has been asked" in person.text
    assert "A hotline now" in person.titles
    api.start()
    asks(person)
    assert "You are number" in person.text


def test_leaving_resolves_it_there(api: ChatwootApi, helpline: Helpline) -> None:
    person = helpline.person()
    asks(person)
    number = max(api.conversations)
    person.taps("Exit")
    until(lambda: api.conversations[number]["status"] == "resolved", 10, "it is resolved")
    assert any("left safely hidden" in note for note in api.notes(number))


def test_nothing_of_her_channel_goes_there(api: ChatwootApi, helpline: Helpline) -> None:
    person = helpline.person()
    asks(person)
    person.says("hello")
    sent = repr(api.calls)
    assert person.conversation not in sent
    contact = api.contacts[max(api.contacts)]
    assert contact["name"].split()[0] in "Alfa Bravo Delta Echo Foxtrot Golf Kilo Sierra Tango Uniform Zulu"
