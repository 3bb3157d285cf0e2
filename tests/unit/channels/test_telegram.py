"""bot/channels/telegram.py: updates to turns, replies to messages."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from telegram import Update
from telegram.constants import MessageLimit

from bot.channels.telegram import keyboard, split, to_turn
from bot.conversation.turn import Choice, Kind


def update(**message: Any) -> Update:
    whole = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}, **message}
    read = Update.de_json({"update_id": 3, "message": whole}, None)
    assert read is not None
    return read


def test_a_text() -> None:
    turn = to_turn(
        update(text="hello", **{"from": {"id": 5, "is_bot": False, "first_name": "X", "language_code": "ro"}})
    )
    assert turn is not None
    assert (turn.kind, turn.content, turn.device_language) == (Kind.TEXT, "hello", "ro")
    assert (turn.unique, turn.message_id) == (3, 7)


def test_its_repr_shows_nothing() -> None:
    turn = to_turn(update(text="hello secret"))
    assert "secret" not in repr(turn)
    assert "5" not in repr(turn)


def test_a_command_loses_the_bots_name() -> None:
    turn = to_turn(update(text="/Start@mila_bot deep"))
    assert turn is not None
    assert (turn.kind, turn.content) == (Kind.COMMAND, "start")


def test_a_lone_slash_is_text() -> None:
    turn = to_turn(update(text="/ 5"))
    assert turn is not None
    assert turn.kind is Kind.TEXT


def test_buttons_stand_side_by_side_only_where_they_fit() -> None:
    board = keyboard([Choice("Yes", "a"), Choice("No", "b"), Choice("A rather long button title", "c")])
    assert board is not None
    assert [[button.text for button in row] for row in board.inline_keyboard] == [
        ["Yes", "No"],
        ["A rather long button title"],
    ]
    assert keyboard([]) is None


@given(st.text(max_size=12_000))
def test_a_long_text_is_split_and_nothing_of_it_is_lost(text: str) -> None:
    parts = split(text)
    assert all(0 < len(part) <= MessageLimit.MAX_TEXT_LENGTH for part in parts)
    if text.strip():
        assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_card_is_not_cut_where_a_line_ends_before() -> None:
    lines = [f"line {number} " + "x" * 60 for number in range(100)]
    assert all(part.startswith("line") for part in split("\n".join(lines)))
