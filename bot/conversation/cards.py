"""Cards to show: what she wants to say, in the language of the country she is in, with her own language beneath."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import yaml
from babel import Locale
from babel.languages import get_official_languages

from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.conversation.turn import Card, CardText, Message
from bot.directory.ranking import Wanted
from bot.text.catalogue import ROOT, isolate

DRAFTS = "no native speaker has reviewed"
"""Said in the first line of a file of drafts."""

CARDS = ROOT / "locales" / "cards.yml"
KINDS = ("police", "border", "hospital", "passerby")
HOST_LANGUAGES_SHOWN = 2
NO_BREAK = "\xa0"
"""Within a number, so that it stands on one line."""

SPOKEN = {"no": "nb", "zh": "zh-Hans", "iw": "he", "in": "id", "cnr": "sr-Latn", "tl": "fil"}
"""What CLDR calls a country's language → what the card texts call it."""

WRITTEN = {
    "AD": ("es", "fr"),
    "BA": ("bs", "sr"),
    "HK": ("zh-Hant", "en"),
    "IE": ("en",),
    "KZ": ("kk", "ru"),
    "ME": ("sr-Latn",),
    "RS": ("sr",),
    "TW": ("zh-Hant",),
    "UA": ("uk",),
}
"""What officials of a country read, where CLDR's order of its languages does not tell."""


class Cards:
    """Makes cards. The words of languages that the helpline does not speak are in `locales/cards.yml`."""

    def __init__(self, effects: Effects, file: Path = CARDS) -> None:
        self.effects = effects
        self.catalogue = effects.catalogue
        self.directory = effects.directory
        self.file = file

    @cached_property
    def texts(self) -> dict[str, dict[str, str]]:
        """The card texts by language code; read when the first card is wanted."""
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        texts: dict[str, dict[str, str]] = yaml.load(self.file.read_bytes(), Loader=loader)  # noqa: S506
        return texts

    def host_languages(self, country: str) -> list[str]:
        """Return the languages in which a card is understood in `country`, at most HOST_LANGUAGES_SHOWN."""
        official = WRITTEN.get(country) or get_official_languages(country, de_facto=True)
        codes = [SPOKEN.get(code, code.replace("_", "-")) for code in official]
        known = [code for code in dict.fromkeys(codes) if code in self.texts or code in self.catalogue.languages]
        return (known or ["en"])[:HOST_LANGUAGES_SHOWN]

    def card(self, state: State, kind: str, country: str) -> list[Message]:
        """Return the card, and what to do with it."""
        kind = kind if kind in KINDS else "passerby"
        number = self._number(kind, country, state)
        hosts = [code for code in self.host_languages(country) if code != state.language]
        texts = tuple(self._words(code, kind, state.language, number) for code in [*hosts, state.language])
        card = Card(texts, self._text("card_open", state), self._text("card_close", state))
        shown = "\n\n".join([self._text("card_show", state), *(each.text for each in texts)])
        following = self.catalogue.say("utter_card_next", state.language, state.turn)
        return [replace(Message(shown), card=card), Message(following.text, following.buttons)]

    def _number(self, kind: str, country: str, state: State) -> str | None:
        """Return whom to call: in the street the emergency number, otherwise a line for people who are trafficked."""
        emergency = self.directory.emergency(country)
        if kind == "passerby":
            return emergency.numbers[0] if emergency else None
        services = self.directory.services(Wanted(country, "find_service", None, (state.language,)))
        return next(
            (phone.read.display for service in services for phone in service.phones if phone.type == "voice"), None
        )

    def _words(self, language: str, kind: str, spoken: str, number: str | None) -> CardText:
        locale = Locale.parse(language, sep="-")
        # An officer reads: "I speak Ukrainian", in the officer's language.
        name = locale.languages.get(spoken, spoken)
        parts = [self._say(language, kind), self._say(language, "language").replace("{language}", name)]
        if number:
            parts.append(self._say(language, "call").replace("{number}", isolate(number.replace(" ", NO_BREAK))))
        direction = "rtl" if locale.character_order == "right-to-left" else "ltr"
        return CardText(" ".join(parts), language, direction)

    def _say(self, language: str, name: str) -> str:
        if language in self.catalogue.languages:
            return self.catalogue.text(f"utter_card_text_{name}", language)
        return self.texts[language][name]

    def _text(self, response: str, state: State) -> str:
        return self.catalogue.text(f"utter_{response}", state.language)
