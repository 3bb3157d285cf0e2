"""The chat out of sight: the unit converter in its place, and the words that bring it back (see lock.py)."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation import cover, lock
from bot.conversation.answer import Answer
from bot.conversation.state import State
from bot.conversation.turn import Kind, Message
from bot.text.catalogue import Button, Catalogue, isolate
from bot.vault.vault import Vault

RETURN, DURESS = "return_word", "duress_word"
"""What may be asked for; names of State's fields, too."""


class Hiding:
    """Hides conversations and brings them back. Keeps nothing itself."""

    def __init__(self, catalogue: Catalogue, vault: Vault) -> None:
        self.catalogue = catalogue
        self.vault = vault
        self.languages = tuple(catalogue.languages)

    def is_conversion(self, text: str) -> bool:
        """Return whether `text` asks the converter."""
        return cover.read(text, self.languages) is not None

    def cover(self, state: State, text: str = "", dimension: str = "") -> Answer:
        """Return the converter's answer: the same whether or not anything is hidden behind it."""
        conversion = cover.read(text, self.languages)
        if dimension in cover.TABLES:
            shown = cover.table(dimension, state.language)
        elif conversion:
            shown = conversion.text(state.language)
        else:
            shown = self.catalogue.say("utter_cover", state.language, state.turn, notice=False).text
        example = isolate(cover.example(state.language))
        ask = self.catalogue.text("utter_cover_ask", state.language, example=example)
        buttons = tuple(Button(cover.title(each, state.language), f"!cover:{each}") for each in cover.TABLES)
        return Answer([Message(f"{shown}\n{ask}", buttons)], cover=True)

    def behind_the_cover(self, kind: Kind, content: str, state: State, pseudonym: str) -> Answer:
        """Answer as the converter until her word comes. `content`: a text, or a button's payload."""
        state.locked = True
        state.expecting = state.trip_to = None
        if kind is Kind.BUTTON and content in ("!hide", "!lock"):
            return self.lock(state)
        if kind is Kind.BUTTON:
            return self.cover(state, dimension=content.removeprefix("!cover:"))
        if kind is not Kind.TEXT:
            return self.cover(state)
        if lock.opens(state, self.vault, pseudonym, content):
            state.locked = False
            return Answer([self._say("utter_return_welcome", state)], hide=True)
        return self.cover(state, content)

    def lock(self, state: State) -> Answer:
        """Hide the chat now; where no word is set, it is only cleared."""
        state.locked = state.return_word is not None
        state.expecting = state.trip_to = None
        answer = self.cover(state)
        answer.clear = True
        return answer

    def command(self, command: str, state: State) -> Answer:
        """Begin, skip or give up setting the words: "!word", "!word_skip", "!word_none"."""
        if command == "!word":
            state.expecting = RETURN
            return Answer([self._say("utter_question_return_word", state)])
        # A word that is set stays: giving up on the second one must not open the chat to everybody.
        return self._set(state) if state.return_word else Answer([self._say("utter_return_none", state)])

    def take_word(self, expecting: str, text: str, state: State, pseudonym: str) -> Answer:
        """Take the word that was asked for, or say what is wrong with it and go on asking."""
        word = lock.word_of(text)
        digest = lock.digest(self.vault, pseudonym, word) if word else ""
        if not word:
            state.expecting = expecting
            bad = self._say("utter_return_bad", state)
            skip = self._say("utter_return_same", state)
            return Answer([bad if expecting == RETURN else replace(bad, buttons=skip.buttons)], hide=True)
        if expecting == RETURN:
            state.return_word, state.expecting = digest, DURESS
            return Answer([self._say("utter_question_duress_word", state)], hide=True)
        if digest == state.return_word:
            state.expecting = expecting
            return Answer([self._say("utter_return_same", state)], hide=True)
        state.duress_word = digest
        answer = self._set(state)
        answer.hide = True
        return answer

    def _set(self, state: State) -> Answer:
        return Answer([self._say("utter_return_set", state)])

    def _say(self, response: str, state: State) -> Message:
        said = self.catalogue.say(response, state.language, state.turn)
        return Message(said.text, said.buttons)
