"""bot/conversation/safety.py"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.safety import INTENTS, SafetyScreen, check
from bot.text.patterns import PatternError, compile_pattern

SCREEN = SafetyScreen()


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("(he|she) is beating me", "help she is beating me now", True),
        ("(he|she) is beating me", "they is beating me", False),
        ("breaking .. door", "he is breaking down my front door", True),
        ("breaking .. door", "breaking one two three four door", False),
        ("strang*", "il m a strangled", True),
        ("door", "outdoor", False),
        ("(please )?help me now", "help me now", True),
        ("(very|so)? scared of him", "scared of him", True),
    ],
)
def test_a_pattern_is_whole_words_with_gaps_and_choices(pattern: str, text: str, matches: bool) -> None:
    assert bool(re.search(compile_pattern(pattern), f" {text} ")) is matches


@pytest.mark.parametrize("pattern", ["..", "ab*", "", "(|)"])
def test_a_pattern_that_would_match_anything_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_every_shipped_pattern_is_well_written() -> None:
    check()


def test_a_bad_pattern_is_named_with_its_file(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "xx.yml").write_text("language: xx\nself_harm:\n  phrases: ['ab*']\n")
    with pytest.raises(PatternError, match=r"xx\.yml.*ab\*"):
        check(folder)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("au secours il me frappe", "immediate_danger"),
        ("AU SECOURS!!!! IL ME FRAPPE", "immediate_danger"),
        ("àu sécours il me frâppe", "immediate_danger"),
        ("help he is beating me", "immediate_danger"),
        ("допоможіть він мене б'є", "immediate_danger"),
        ("ساعدوني إنه يضربني", "immediate_danger"),
        ("cứu tôi nó đang đánh tôi", "immediate_danger"),
        ("cuu toi no dang danh toi", "immediate_danger"),
        ("ajutor ma bate", "immediate_danger"),
        ("I want to kill myself", "self_harm"),
        ("je veux mourir", "self_harm"),
        ("vreau sa mor", "self_harm"),
        ("хочу померти", "self_harm"),
        ("أريد أن أموت", "self_harm"),
        ("tôi muốn chết", "self_harm"),
        ("stop", "quick_exit"),
        ("стоп", "quick_exit"),
        ("توقف", "quick_exit"),
        ("I can't talk he is here", "not_safe_to_talk"),
        ("nu pot vorbi e langa mine", "not_safe_to_talk"),
    ],
)
def test_what_it_must_see(text: str, intent: str) -> None:
    assert SCREEN.look(text) == intent


@pytest.mark.parametrize(
    "text",
    [
        "my friend was killed in the war",
        "the rent is killing me",
        "stop calling me every day",
        "he stopped paying me",
        "what are my rights",
        "hello",
        "merci beaucoup",
        "je suis en Italie",
        "привіт",
        "مرحبا",
        "cảm ơn",
        "the exit of the station",
        "can you help me find a job",
    ],
)
def test_what_it_must_let_pass(text: str) -> None:
    assert SCREEN.look(text) is None


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert SCREEN.look(text) in {None, *INTENTS}


def test_danger_wins_over_exit() -> None:
    found = SCREEN.look("au secours il me frappe stop")
    assert found == "immediate_danger"


@pytest.mark.parametrize(
    "text",
    [
        "he is beating me now what is the emergency number",
        "he is at my door with a knife, he found me on facebook",
        "he is strangling me, it was on instagram that we met",
        "I answered an offer last year. he is going to kill me tonight",
    ],
)
def test_innocent_words_elsewhere_silence_no_danger(text: str) -> None:
    assert SafetyScreen().look(text) == "immediate_danger"
