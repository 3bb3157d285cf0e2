"""People who write in each language, and what they must be told, by the name of the response."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from babel import Locale

from bot.text.catalogue import Catalogue, Language
from bot.vault.keys import load
from bot.vault.vault import Vault
from tests.support import ROOT, Helpline, Person

CATALOGUE = Catalogue()
LANGUAGES = list(CATALOGUE.languages)
# Everything in this file is a word, also "yes" and "no".
PHRASES: dict[str, dict[str, Any]] = yaml.load(
    (ROOT / "tests" / "conversations" / "phrases.yml").read_bytes(), Loader=yaml.BaseLoader
)
FALLBACKS = ("utter_fallback", "utter_fallback_buttons", "utter_fallback_person")
_ISOLATES = re.compile("[\u2066\u2069]")


def said(answer: str, response: str, language: str) -> bool:
    """Return whether `answer` holds one of the variations of `response` in `language`, whatever fills its gaps."""
    variations = CATALOGUE.responses[response]
    for variation in variations:
        text = CATALOGUE.translate(variation["text"], language)[0]
        pattern = r"[\s\S]+?".join(re.escape(_plain(piece)) for piece in re.split(r"\{\w+\}", text))
        if re.search(pattern, _plain(answer)):
            return True
    return False


def _plain(text: str) -> str:
    return " ".join(_ISOLATES.sub("", text).split())


class Talker(Person):
    """A person whose device is set to one language."""

    def hears(self, *responses: str, language: str | None = None) -> bool:
        """Return whether one of `responses` is in the last answer."""
        return any(said(self.text, response, language or self.language) for response in responses)

    vault: Vault

    def post(self, **fields: str) -> str:
        answer = super().post(**fields)
        misunderstood = [text for text in self.texts if any(said(text, name, self.language) for name in FALLBACKS)]
        assert len(misunderstood) <= 1, f"misunderstood again and again: {self.texts}"
        return answer

    def taps_on(self, title: str) -> str:
        """Tap the button with this English title, in the person's language."""
        return self.taps(CATALOGUE.translate(title, self.language)[0])

    def has_button(self, title: str) -> bool:
        """Return whether there is a button with this English title."""
        return CATALOGUE.translate(title, self.language)[0] in self.titles

    def token(self, payload: str) -> str:
        return self.vault.token(payload)

    def shows(self, screen: str) -> str:
        """Tap a button that names this screen, as on an older message; return the answer's text."""
        return self.post(choice=self.token(f'/show{{"screen":"{screen}"}}'))

    def starts_walk(self, walk: str) -> str:
        return self.post(choice=self.token(f'/walk{{"walk":"{walk}"}}'))

    def is_asked(self, walk: str, step: str, language: str | None = None) -> bool:
        """Return whether the last answer asks this question of a walk."""
        return self.hears(f"utter_{walk}_{step}", language=language)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return CATALOGUE.languages[request.param]


@pytest.fixture
def person(helpline: Helpline, language: Language) -> Talker:
    """Somebody new, whose device is set to the language."""
    Talker.vault = Vault(load(helpline.data / "master.key"))
    return Talker(helpline.url, language.code)


def country_name(code: str, language: str) -> str:
    return str(Locale.parse(language).territories[code])
