"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.botapi import TOKEN, BotApi
from tests.support import Helpline, running

settings.register_profile("quick", max_examples=10)
"""For a second run of tests that have had their whole run: `--hypothesis-profile=quick`."""

LONGEST = ("test_newest_python.py", "test_engine.py", "test_crawler.py")
"""Files that take minutes: begun first, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def bot_api() -> Iterator[BotApi]:
    """A Bot API that one helpline of the session is connected to."""
    with BotApi() as api:
        yield api


@pytest.fixture(scope="session")
def helpline(tmp_path_factory: pytest.TempPathFactory, bot_api: BotApi) -> Iterator[Helpline]:
    """A helpline that many tests share: web chat and Telegram, at the most verbose log level."""
    with running(
        tmp_path_factory.mktemp("helpline"),
        HELPLINE_TELEGRAM_TOKEN=TOKEN,
        HELPLINE_TELEGRAM_BASE_URL=bot_api.base_url,
        HELPLINE_LOG_LEVEL="debug",
    ) as helpline:
        yield helpline


@pytest.fixture(scope="session")
def catalogue_texts() -> dict[str, list[str]]:
    """The English texts of every response."""
    from bot.text.catalogue import Catalogue

    responses = Catalogue().responses
    return {name: [variation.get("text", "") for variation in rows] for name, rows in responses.items()}
