"""Nothing that arrives breaks a turn: any text, any button's data, any update."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.botapi import TOKEN, BotApi
from tests.support import Helpline, Person, running, until

PATIENT = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=400),  # lone surrogates, too
    st.text(alphabet="﷽ﷺﷻ㍿ﬃ😀\u202e\u2066\u0301", max_size=60),
    st.text(max_size=5).map(lambda text: text * 400),
    st.text(max_size=40).map(lambda text: "/" + text),
    st.text(max_size=40).map(lambda text: "//delete_data" + text),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Helpline, BotApi]]:
    with (
        BotApi() as api,
        running(
            tmp_path_factory.mktemp("robust"),
            HELPLINE_TELEGRAM_TOKEN=TOKEN,
            HELPLINE_TELEGRAM_BASE_URL=api.base_url,
            HELPLINE_TELEGRAM_WEBHOOK_URL="https://helpline.example/hook",
        ) as helpline,
    ):
        until(lambda: api.webhook, 20, "the webhook is set")
        yield helpline, api
        errors = helpline.stderr.read_text()
        assert "turn_failed" not in errors
        assert "engine_ended" not in errors.replace('engine_ended", "code": 0', "")


@given(text=TEXTS)
@PATIENT
def test_any_text_gets_an_answer(served: tuple[Helpline, BotApi], text: str) -> None:
    person = Person(served[0].url)
    assert person.says(text).strip()


@given(token=st.text(min_size=1, max_size=80))
@PATIENT
def test_any_button_data_gets_an_answer(served: tuple[Helpline, BotApi], token: str) -> None:
    person = Person(served[0].url)
    assert person.post(choice=token).strip()
    assert person.titles


NAMES = st.sampled_from(
    [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
        "chat",
        "from",
        "text",
        "caption",
        "data",
        "entities",
        "photo",
        "voice",
        "sticker",
        "location",
        "contact",
        "forward_origin",
        "id",
        "type",
        "date",
        "message_id",
        "first_name",
        "is_bot",
        "reply_markup",
        "new_chat_member",
        "status",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["private", "group", "/start", "text"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=5),
    max_leaves=25,
)
_numbers = itertools.count(5_000_000)


def deliver(served: tuple[Helpline, BotApi], update: Any) -> int:
    helpline, api = served
    return api.deliver(f"{helpline.url}/hook", update)


@given(update=JSON)
@PATIENT
def test_any_json_is_taken(served: tuple[Helpline, BotApi], update: Any) -> None:
    assert deliver(served, update) == 200


@given(fields=st.dictionaries(NAMES, JSON, max_size=6), text=TEXTS)
@PATIENT
def test_any_update_is_taken_and_the_next_is_answered(
    served: tuple[Helpline, BotApi], fields: dict[str, Any], text: str
) -> None:
    chat = next(_numbers)
    message = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "is_bot": False, "first_name": "X"},
        "text": text,
        **fields,
    }
    assert deliver(served, {"update_id": chat, "message": message}) == 200


@given(fields=st.dictionaries(st.sampled_from(["conversation", "shown", "status", "x"]), JSON, max_size=4))
@PATIENT
def test_any_question_for_news_is_taken(served: tuple[Helpline, BotApi], fields: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(served[0].url + "/news", content=json.dumps(fields), headers=headers, timeout=30)
    assert answer.status_code in (204, 400)
    assert "Traceback" not in answer.text


def test_after_all_that_it_still_answers(served: tuple[Helpline, BotApi]) -> None:
    assert "112" in Person(served[0].url, "fr").says("au secours il me frappe")
    assert served[0].get("/readyz") == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"x" * 40_000, "application/json", 413),
        (b"conversation=short&text=x", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe=%ff", "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_bad_request_is_refused_with_what_to_do(
    served: tuple[Helpline, BotApi], body: bytes, kind: str, status: int
) -> None:
    answer = httpx.post(served[0].url + "/", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.text
    assert "Traceback" not in answer.text
