"""A walk of every button from every screen: no dead end, the exit on each, every fact within five taps."""

from __future__ import annotations

import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from babel import Locale

from bot.text.catalogue import Language
from tests.contracts.test_facts import SOURCED
from tests.contracts.test_texts import BUTTON_LABEL, NEUTRAL, TELLING
from tests.conversations.conftest import CATALOGUE, Talker
from tests.support import Helpline

MOST_TAPS = 5
LONGEST = 4096
"""Characters of a Telegram message (Bot API, sendMessage; read 2026-11-23)."""

WIDEST_KEYBOARD = 100
"""Buttons of a Telegram message."""

LEAVING = ("Exit", "Exit now", "Erase everything now")
BY_WORDS = re.compile(
    r".*_simple|follow_.*|danger_(country|silent|quiet)|numbers_europe|signs_.*|offer_.*_explain|pro_call"
    r"|.*_(how_leave|found_out|tell_police)|phrase_.*"
)
"""Said to words only, where a country is known, step by step in a walk, or by staff."""


@dataclass(frozen=True)
class Screen:
    """An answer: how many taps lead to it, what it says, and its messages' beginnings."""

    title: str
    taps: int
    text: str


class Crawler:
    """Taps every button once, each on the shortest way from the opening."""

    def __init__(self, url: str, language: str) -> None:
        self.url = url
        self.language = language
        self.screens: dict[str, Screen] = {}
        names = {str(name) for name in Locale.parse(language).territories.values()}
        names |= {each.name for each in CATALOGUE.languages.values()}
        self.leaving = {CATALOGUE.translate(title, language)[0] for title in LEAVING}
        self.skipped = names | self.leaving | {CATALOGUE.text("utter_more_countries", language)}

    def crawl(self) -> None:
        start = Talker(self.url, self.language)
        start.opens()
        waiting = deque([([], choice) for choice in start.choices])
        while waiting:
            path, choice = waiting.popleft()
            if choice["token"] in self.screens or choice["title"] in self.skipped:
                continue
            person = Talker(self.url, self.language)
            for token in path:
                person.post(choice=token)
            person.post(choice=choice["token"])
            self.screens[choice["token"]] = Screen(choice["title"], len(path) + 1, person.text)
            check(person, choice["title"], self.leaving)
            waiting.extend(([*path, choice["token"]], each) for each in person.choices)


def check(person: Talker, title: str, leaving: set[str]) -> None:
    """Fail where a screen is a dead end, too long, or gives itself away in a notification."""
    assert person.texts, title
    assert person.titles, f"{title}: no way on"
    assert "{" not in person.text, f"{title}: {person.text}"
    assert not person.answer["ended"], title
    if not person.answer["cover"]:
        assert leaving & set(person.titles), f"{title}: no exit"
    for text in person.texts:
        assert len(text) <= LONGEST, title
        assert not TELLING[person.language].search(text[:NEUTRAL]), f"{title}: {text[:NEUTRAL]}"
    assert len(person.titles) <= WIDEST_KEYBOARD, title


@pytest.fixture(scope="module")
def english(helpline: Helpline) -> Crawler:
    crawler = Crawler(helpline.url, "en")
    crawler.crawl()
    return crawler


def test_every_button_of_every_screen_leads_on(english: Crawler) -> None:
    assert len(english.screens) > 150


def test_every_fact_is_within_five_taps(english: Crawler) -> None:
    from tests.conversations.conftest import said

    near = "\n".join(screen.text for screen in english.screens.values() if screen.taps <= MOST_TAPS)
    facts = {name for name in SOURCED if not BY_WORDS.fullmatch(name)}
    assert len(facts) > 35
    assert {name for name in facts if not said(near, f"utter_{name}", "en")} == set()


def test_nothing_is_far_away(english: Crawler) -> None:
    answers = {CATALOGUE.text(name, "en") for name in CATALOGUE.responses if BUTTON_LABEL.fullmatch(name)}
    far = {screen.title for screen in english.screens.values() if screen.taps > MOST_TAPS}
    assert far - answers == set()


def test_the_same_screens_hold_in_each_language(helpline: Helpline, english: Crawler, language: Language) -> None:
    """The buttons' tokens are the same in every language: each is tapped once."""
    leaving = {CATALOGUE.translate(title, language.code)[0] for title in LEAVING}

    def tap(token: str, screen: Screen) -> None:
        person = Talker(helpline.url, language.code)
        person.post(choice=token)
        check(person, screen.title, leaving)
        assert person.answer["language"] == language.code

    with ThreadPoolExecutor(4) as people:
        list(people.map(tap, english.screens, english.screens.values()))
