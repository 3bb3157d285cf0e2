"""No text for people stands in code or templates: in the pseudo-locale every letter that is ours has an accent."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from babel import Locale
from sqlalchemy import select

from bot.app import Gateway
from bot.directory.models import Organization, Phone, Service
from bot.settings import Settings
from bot.staff.accounts import Role
from tests.contracts.test_console_security import World

PLAIN = re.compile(r"[A-Za-z]{3,}")
UNSEEN = re.compile(r"<(script|style|template)\b.*?</\1>|<!--.*?-->", re.DOTALL)
OTHER_LANGUAGE = re.compile(r'<(\w+)\b[^>]*\blang="(?!en")[^"]*"[^>]*>.*?</\1>', re.DOTALL)
SPOKEN_ATTRIBUTES = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"')
DATA = re.compile(
    r"<(bdi|time|code|option|kbd|textarea|summary|legend)\b[^>]*>[^<]*</\1>|<td[^>]*>[a-z_:. ]+</td>", re.DOTALL
)
"""What is data, not text: names, times, values to choose from, languages' own names."""
ALLOWED = {"XLSX", "CSV", "HSDS", "XML", "JSON", "TOTP"}
LOCALE = Locale.parse("en")
CLDR = {
    word
    for names in (
        LOCALE.territories,
        LOCALE.languages,
        LOCALE.months["format"]["abbreviated"],
        LOCALE.days["format"]["wide"],
    )
    for name in names.values()
    for word in PLAIN.findall(name)
}
"""Names of countries, languages, months and days, which are Babel's."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(Gateway(Settings(data_dir=tmp_path_factory.mktemp("pseudo"), pseudo_locale=True)))
    world.real()
    yield world
    world.close()


def data_words(world: World) -> set[str]:
    """Return the words of the directory, of the accounts and of the cases that the pages show."""
    with world.gateway.database.connect() as connection:
        rows = [row for table in (Service, Organization) for row in connection.execute(select(table.name, table.id))]
        texts = [str(value) for row in rows for value in row]
        texts += [str(value) for row in connection.execute(select(Phone.number)) for value in row]
    texts += ["Maple Birch she wrote this to the northern team", *(each.name for each in world.gateway.accounts.all())]
    return {word for text in texts for word in PLAIN.findall(text)}


def plain(body: str, data: set[str]) -> list[str]:
    """Return the words of a page that no catalogue has accented."""
    body = OTHER_LANGUAGE.sub(" ", UNSEEN.sub(" ", body))
    spoken = " ".join(SPOKEN_ATTRIBUTES.findall(body))
    shown = re.sub(r"<[^>]+>", " ", DATA.sub(" ", body))
    return sorted(
        {word for word in PLAIN.findall(html.unescape(f"{shown} {spoken}")) if word not in ALLOWED | CLDR | data}
    )


@pytest.mark.parametrize("role", list(Role))
def test_no_page_of_the_console_has_text_of_its_own(world: World, role: Role) -> None:
    found = {}
    browser, _ = world.visit(role)
    data = data_words(world)
    for page in world.console.pages:
        if page.method != "GET" or page.roles is None or role not in page.roles:
            continue
        answer = world.ask(browser, page)
        if answer.headers.get("content-type", "").startswith("text/html"):
            found[page.path] = plain(answer.body, data)
    assert len(found) > 5
    assert {path: words for path, words in found.items() if words} == {}
