"""bot/channels/web.py: how texts become runs."""

from __future__ import annotations

from bot.channels.web import Part, parts
from bot.text.catalogue import isolate


def test_isolated_numbers_become_telephone_links() -> None:
    assert parts(f"Call {isolate('+44 8000 121-700')} now") == [
        Part("text", "Call "),
        Part("link", "+44 8000 121-700", "tel:+448000121700"),
        Part("text", " now"),
    ]


def test_addresses_become_links_without_their_scheme() -> None:
    assert parts(isolate("https://stopncii.org/")) == [Part("link", "stopncii.org", "https://stopncii.org/")]


def test_foreign_letters_are_kept_apart_and_lines_broken() -> None:
    assert parts(f"a\n{isolate('La Strada')}") == [Part("text", "a"), Part("break"), Part("isolate", "La Strada")]


def test_nothing_else_becomes_a_link() -> None:
    assert parts("javascript:alert(1) https://evil.example <b>") == [
        Part("text", "javascript:alert(1) https://evil.example <b>")
    ]
    assert parts(isolate("javascript:alert(1)")) == [Part("isolate", "javascript:alert(1)")]
