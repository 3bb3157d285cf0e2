"""What the web chat is sent as JSON: halves of characters never get as far as a case, where no page could show them."""

from __future__ import annotations

from bot.channels.web import _json


def test_half_a_character_becomes_a_mark_and_whole_ones_stay() -> None:
    fields = _json(b'{"text": "help \\ud83d now \\ud83d\\ude00", "choice": 3}')
    assert fields == {"text": "help \ufffd now \U0001f600", "choice": 3}
    fields["text"].encode()
