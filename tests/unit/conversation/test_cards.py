"""bot/conversation/cards.py"""

from collections.abc import Iterator

import pytest
from babel import Locale
from sqlalchemy import Engine

from bot.conversation.cards import CARDS, DRAFTS, KINDS, Cards
from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.directory.search import Directory
from bot.directory.starter import load_starter
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue

CATALOGUE = Catalogue()


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cards]:
    engine: Engine = connect(f"sqlite:///{tmp_path_factory.mktemp('cards') / 'a.db'}")
    migrate(engine)
    load_starter(engine)
    yield Cards(Effects(CATALOGUE, Directory(engine), 24))
    engine.dispose()


def test_every_country_of_the_directory_has_a_language_that_is_read_there(cards: Cards) -> None:
    without = {code for code in cards.directory.countries() if cards.host_languages(code) == ["en"]}
    official = set("GB US IE AU NZ NG GH PH SG ZA IN MY CA MT GM KE LR RW SL SS TZ UG ZW".split())  # noqa: SIM905
    # Countries of origin, where fewer people are than come from there.
    no_card_yet = set("AF AO ET IR KG LK MG MN NP TJ TM UZ".split())  # noqa: SIM905
    assert without <= official | no_card_yet, without - official - no_card_yet


@pytest.mark.parametrize(
    ("country", "languages"),
    [("IT", ["it"]), ("BE", ["nl", "fr"]), ("TW", ["zh-Hant"]), ("UA", ["uk"]), ("NO", ["nb"]), ("RS", ["sr"])],
)
def test_the_languages_of_a_country(cards: Cards, country: str, languages: list[str]) -> None:
    assert cards.host_languages(country) == languages


def test_every_language_has_every_text(cards: Cards) -> None:
    for code, texts in cards.texts.items():
        Locale.parse(code, sep="-")
        assert set(texts) == {*KINDS, "language", "call"}, code
        assert "{language}" in texts["language"], code
        assert "{number}" in texts["call"], code


def test_a_card_names_her_language_in_the_hosts(cards: Cards) -> None:
    shown, following = cards.card(State(language="uk"), "police", "IT")
    assert shown.card is not None
    host, own = shown.card.texts
    assert "ucraino" in host.text
    assert "800\xa0290\xa0290" in host.text, "on one line"
    assert own.language == "uk"
    assert own.text in shown.text
    assert following.buttons


def test_her_own_country_shows_her_language_once(cards: Cards) -> None:
    shown, _ = cards.card(State(language="uk"), "hospital", "UA")
    assert shown.card is not None
    assert [each.language for each in shown.card.texts] == ["uk"]


def test_the_first_words_are_neutral(cards: Cards) -> None:
    for language in CATALOGUE.languages:
        shown, _ = cards.card(State(language=language), "police", "IT")
        assert "vittima" not in shown.text[:40]


def test_reviewed_is_claimed_for_no_draft() -> None:
    assert DRAFTS in CARDS.read_text(encoding="utf-8").splitlines()[0]
