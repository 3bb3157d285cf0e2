"""What staff and the desk say, in the language of whoever reads it.

A line's `content` is one of these, with `at` (Unix time) added:

    {"kind": "person", "text"}                                   what she wrote
    {"kind": "answer", "answer": "<phrase>:<number>"}            the button that she chose
    {"kind": "media", "media": "picture"}                        something that is not passed on
    {"kind": "staff", "text", "name", "by"}                      what an operator wrote
    {"kind": "phrase", "phrase", "name", "by"}                   a sentence of the phrasebook
    {"kind": "service", "service", "name", "by"}                 an entry of the directory
    {"kind": "note", "text", "by"}                               between staff
    {"kind": "notice", "notice": "utter_…", "values": {…}, "until"?}  the desk to her; `until`: when all is deleted
    {"kind": "event", "event", "name"}                           what happened, for staff
    {"kind": "summary", …}                                       what she agreed to show (`bot.handoff.desk.Summary`)
    {"kind": "understood", "of": <line>, "intent", "confidence", "place", "language"}
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from babel import Locale

from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.conversation.turn import Message
from bot.text.catalogue import Catalogue, isolate
from bot.text.durations import time_left

PHRASE = "utter_phrase_"


@lru_cache(maxsize=64)
def _names(language: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of countries and of languages in `language`."""
    locale = Locale.parse(language)
    return dict(locale.territories), dict(locale.languages)


class Words:
    """Renders contents. Calls block for a few milliseconds where the directory is asked."""

    def __init__(self, catalogue: Catalogue, effects: Effects) -> None:
        self.catalogue = catalogue
        self.effects = effects

    def for_her(self, content: dict[str, Any], state: State) -> list[Message]:
        """Return what a line is in her chat; human words are marked as such."""
        language = state.language
        name = content.get("name")
        sender = self.catalogue.text("utter_handover_sender", language, name=isolate(name)) if name else None
        kind = content["kind"]
        if kind == "staff":
            return [Message(content["text"], sender=sender)]
        if kind == "phrase":
            said = self.catalogue.say(PHRASE + content["phrase"], language)
            return [Message(said.text, said.buttons, sender=sender)]
        if kind == "service":
            service = self.effects.directory.get(content["service"])
            return [Message(self.effects.entry(service, state), sender=sender)] if service else []
        if kind == "notice":
            values: dict[str, str] = {name: isolate(value) for name, value in content.get("values", {}).items()}
            said = self.catalogue.say(content["notice"], language, 0, notice=True, **values)
            lines = [said.text]
            if content.get("until"):
                left = time_left(content["until"], language)
                lines.append(self.catalogue.text("utter_handover_status_deletes", language, duration=left))
            return [Message("\n".join(lines), said.buttons)]
        return []

    def phrase(self, name: str, language: str) -> str:
        return self.catalogue.say(PHRASE + name, language, notice=False).text

    def answer(self, answer: str, language: str) -> str:
        """Return the title of an answer's button, "<phrase>:<number>"; "" where the phrase is not there any more."""
        phrase, _, number = answer.rpartition(":")
        if PHRASE + phrase not in self.catalogue:
            return ""
        buttons = self.catalogue.say(PHRASE + phrase, language, notice=False).buttons
        return buttons[int(number)].title if int(number) < len(buttons) else ""

    def service(self, service_id: str, language: str) -> str:
        service = self.effects.directory.get(service_id)
        return self.effects.entry(service, State(language=language)) if service else ""

    def country(self, code: str | None, language: str) -> str:
        return _names(language)[0].get(code or "", code or "")

    def language(self, code: str, language: str) -> str:
        return _names(language)[1].get(code, code)

    def topic(self, intent: str, language: str) -> str:
        """Return an intent's short name for staff and for her summary; the intent itself where it has none."""
        name = f"utter_intent_{intent}"
        return self.catalogue.text(name, language) if name in self.catalogue else intent.replace("_", " ")
