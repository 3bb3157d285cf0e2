"""What the desk's templates call things: languages, countries, topics, times, in the operator's own language."""

from __future__ import annotations

import time
from typing import Any

from babel import Locale, UnknownLocaleError

from bot.channels.web import Part, parts
from bot.handoff.words import PHRASE
from bot.text.catalogue import Catalogue, fill

ALERTS = ("danger", "self_harm", "not_safe", "child")
CHANNELS = ("web", "telegram")
PARTS = ("any", "morning", "afternoon", "evening", "night")
DELIVERIES = ("pending", "sending", "held", "sent", "unknown")


class Labels:
    """Words for one operator's language. A code that nobody knows is shown as it is."""

    def __init__(self, catalogue: Catalogue, language: str) -> None:
        self.catalogue = catalogue
        self.code = language
        self.locale = Locale.parse(language)

    def text(self, name: str, **values: Any) -> str:
        words = self.catalogue.text(f"utter_console_{name}", self.code)
        return fill(words, {key: str(value) for key, value in values.items()})

    def language(self, code: str | None) -> str:
        return str(self.locale.languages.get(code or "", code or "")) or self.text("not_known")

    def country(self, code: str | None) -> str:
        return str(self.locale.territories.get(code or "", code or "")) or self.text("not_known")

    def topic(self, code: str | None) -> str:
        """Return a topic or need (the name of an intent) in words."""
        if not code:
            return self.text("not_known")
        name = f"utter_intent_{code}"
        return self.catalogue.text(name, self.code) if name in self.catalogue else code.replace("_", " ")

    def safe_time(self, code: str) -> str:
        """Return the part of the day at which she may be written to."""
        return self.text(f"part_{code}") if code in PARTS else code

    def channel(self, code: str) -> str:
        return self.text(f"channel_{code if code in CHANNELS else 'other'}")

    def untranslated(self, phrase: str, language: str) -> bool:
        """Return whether a phrase of the phrasebook is still missing in a language."""
        source = self.catalogue.responses[f"{PHRASE}{phrase}"][0]["text"]
        return not self.catalogue.translate(source, language)[1]

    def alert(self, code: str) -> str:
        return self.text(f"alert_{code if code in ALERTS else 'other'}")

    def delivery(self, code: str) -> str:
        return self.text(f"delivery_{code}") if code in DELIVERIES else ""

    def reason(self, code: str | None) -> str:
        name = f"reason_{code}"
        return self.text(name if f"utter_console_{name}" in self.catalogue else "reason_other")

    @staticmethod
    def direction(code: str | None) -> str:
        """Return how a language is written, for a `dir` attribute."""
        try:
            return "rtl" if Locale.parse(code or "").character_order == "right-to-left" else "ltr"
        except (ValueError, UnknownLocaleError):
            return "auto"

    def waits(self, since: int) -> str:
        """Return how long somebody has waited since a Unix time. The page's script counts on from there."""
        minutes = max(0, int(time.time()) - since) // 60
        if minutes < 1:
            return self.text("waits_now")
        if minutes < 60:
            return self.text("waits_minutes", minutes=minutes)
        return self.text("waits_hours", hours=minutes // 60, minutes=minutes % 60)

    def left(self, until: int) -> str:
        """Return how long there is until a Unix time."""
        minutes = max(0, until - int(time.time())) // 60
        if minutes < 60:
            return self.text("minutes", minutes=minutes)
        if minutes < 48 * 60:
            return self.text("hours", hours=minutes // 60, minutes=minutes % 60)
        return self.text("days", days=minutes // 1440, hours=minutes % 1440 // 60)

    @staticmethod
    def runs(text: str) -> list[Part]:
        """Return our own texts (never a person's) as runs, telephone numbers and addresses as links."""
        return parts(text)
