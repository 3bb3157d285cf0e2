"""Following the language that somebody writes in, and offering the way back."""

from __future__ import annotations

from collections.abc import Callable

from bot.conversation.language import LanguageGuesser
from bot.conversation.others import Other, others, recognise
from bot.conversation.places import Places
from bot.conversation.state import State
from bot.conversation.turn import Message
from bot.text.catalogue import Button, Catalogue
from bot.text.normalise import normalise

SURE = 0.8
"""From this on, the language guess is acted on."""

LEAST_LETTERS = 5


def says_its_language(text: str) -> bool:
    """Return whether `text` is enough to tell a language by: "ok" and "Italia" are written in many."""
    if not text.isascii():
        return True
    return sum(map(str.isalpha, text)) >= LEAST_LETTERS and normalise(text) not in Places.load().names


class Following:
    """Answers in the language she writes, unless she chose another: then that is offered."""

    def __init__(self, catalogue: Catalogue, guesser: Callable[[], LanguageGuesser | None]) -> None:
        self.catalogue = catalogue
        self.guesser = guesser
        self.warmed = False

    def supported(self, code: str | None) -> str | None:
        """Return the supported language for a BCP 47 code such as "pt-BR", or None."""
        base = (code or "").replace("_", "-").split("-")[0].lower()
        return base if base in self.catalogue.languages else None

    def guess(self, text: str) -> str | None:
        """Return the supported language that `text` is written in, where that is sure."""
        guesser = self.guesser() if says_its_language(text) else None
        language, sure = guesser.guess(text) if guesser else (None, 0.0)
        return language if language in self.catalogue.languages and sure >= SURE else None

    def follow(self, text: str, state: State, fallback: str | None = None) -> list[Message]:
        """Change to the language of `text`, or offer it. Return the offer, if any.

        Until she chooses, the conversation's language is only the device's, and what she writes says more; the way
        back is offered with it. In danger `fallback`, the language of the pattern that matched, is enough.
        """
        other = recognise(text)
        if other is not None and other.code not in self.catalogue.languages:
            return self._told(other, state)
        language = self.guess(text) if self.warmed or fallback is None else fallback
        if (
            language is None
            or language == state.language
            or self._unlikely(language, state)
            or language not in self.catalogue.languages
        ):
            return []
        offered = state.language if not state.language_chosen else language
        if not state.language_chosen:
            state.language = language
        if offered in state.offered:
            return []
        state.offered.append(offered)
        said = self.catalogue.say("utter_language_offer", offered)
        yes = self.catalogue.text("utter_language_yes", offered)
        return [Message(said.text, (Button(yes, f"!language:{offered}"),), language=offered)]

    @staticmethod
    def _unlikely(language: str, state: State) -> bool:
        """Return whether a guess is none of the languages of somebody who wrote one that cannot be written here."""
        return any(other.code in state.offered and language not in other.second for other in others())

    def _told(self, other: Other, state: State) -> list[Message]:
        if other.code in state.offered:
            return []
        state.offered.append(other.code)
        choices = [code for code in other.second if code in self.catalogue.languages and code != state.language]
        yes = [Button(self.catalogue.text("utter_language_yes", code), f"!language:{code}") for code in choices]
        return [Message(other.told(state.language), tuple(yes), language=other.code)]
