"""bot/conversation/state.py"""

from __future__ import annotations

from bot.conversation.state import DELETABLE_SECONDS, MOST_SEEN, State


def test_it_comes_back_as_it_was() -> None:
    state = State(language="uk", engine={"slots": {"country": "PL"}}, shared_phone=True)
    state.add_messages([1, 2], now=1000)
    assert State.from_bytes(state.to_bytes()) == state
    assert state.country == "PL"


def test_fields_of_another_version_are_left_out() -> None:
    assert State.from_bytes(b'{"language": "ro", "of_the_future": 1}') == State(language="ro")


def test_a_delivery_is_known_the_second_time() -> None:
    state = State()
    assert not state.saw(5)
    assert state.saw(5)
    assert not state.saw(None)
    for number in range(100, 100 + MOST_SEEN):
        state.saw(number)
    assert len(state.seen) == MOST_SEEN


def test_messages_too_old_to_delete_are_said_to_be_left() -> None:
    state = State()
    state.add_messages([1], now=0)
    state.add_messages([2], now=DELETABLE_SECONDS + 1)
    assert state.deletable(now=DELETABLE_SECONDS + 2) == [2]
    assert state.undeletable
