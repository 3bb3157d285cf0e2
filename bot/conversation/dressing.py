"""From an answer to a reply: what is open is filled in, nothing is said twice in a row, every screen has its exit."""

from __future__ import annotations

from dataclasses import replace

from babel import Locale

from bot.conversation import cover
from bot.conversation.answer import Answer
from bot.conversation.effects import Effects
from bot.conversation.guides import Guides
from bot.conversation.inquiries import PURPOSES
from bot.conversation.state import OPERATOR, State
from bot.conversation.turn import Choice, Message, Reply
from bot.conversation.walks import payloads as walk_payloads
from bot.handoff.handover import COMMANDS as HANDOVER
from bot.handoff.safe_times import HOURS
from bot.text.catalogue import Button, Catalogue, fill
from bot.vault.vault import Vault


class Dressing:
    """Makes replies, and knows every button by its token."""

    def __init__(self, catalogue: Catalogue, vault: Vault, effects: Effects, guides: Guides) -> None:
        self.catalogue = catalogue
        self.vault = vault
        self.effects = effects
        self.guides = guides
        self.payloads = {vault.token(payload): payload for payload in self._all_payloads()}

    def _all_payloads(self) -> set[str]:
        territories = [str(code) for code in Locale.parse("en").territories if len(str(code)) == 2]
        return (
            self.catalogue.payloads()
            | {"!exit", "!erase", "!language", "!countries", "/menu"}
            | {f"!language:{code}" for code in self.catalogue.languages}
            | {f"!{purpose}:{code}" for purpose in PURPOSES for code in territories}
            | {f"!countries:{page}:{purpose}" for purpose in PURPOSES for page in range(30)}
            | {f"!cover:{dimension}" for dimension in cover.TABLES}
            | {"!lock", "!hide", "!word", "!word_none", "!word_skip", "!advert", "!trip"}
            | HANDOVER
            | {f"!safe:{part}" for part in HOURS}
            | walk_payloads()
        )

    def say(self, response: str, state: State) -> Message:
        said = self.catalogue.say(response, state.language, state.turn)
        return Message(said.text, said.buttons)

    def dress(self, answer: Answer, state: State) -> Reply:
        """Return the reply for an answer's messages."""
        messages = answer.messages
        if any("{" in message.text and not message.sender for message in messages):
            values = self.effects.values(state)
            messages = [
                message if message.sender else replace(message, text=fill(message.text, values)) for message in messages
            ]
        if messages and not answer.cover:
            self._vary(messages, state)
            last = messages[-1]
            messages = [*messages[:-1], replace(last, buttons=last.buttons + self._ways_out(answer, state))]
        return Reply(
            [self._tokened(message) for message in messages],
            state.language,
            self.catalogue.languages[state.language].direction,
            cover=answer.cover,
        )

    def from_staff(self, messages: list[Message], state: State) -> Reply:
        """Return the reply for what staff say: theirs alone, with the way out."""
        return self.dress(Answer(messages, asks=True), state)

    def _ways_out(self, answer: Answer, state: State) -> tuple[Button, ...]:
        buttons = [Button(self.catalogue.text("utter_exit", state.language), "!exit")]
        if state.return_word:
            buttons.insert(0, Button(self.catalogue.text("utter_lock_button", state.language), "!lock"))
        if state.owner != OPERATOR:
            buttons.insert(0, Button(self.catalogue.text("utter_menu_button", state.language), "/menu"))
            if state.walking and not answer.asks:
                buttons.insert(0, self.guides.go_on(state))
        return tuple(buttons)

    def _tokened(self, message: Message) -> Message:
        choices = tuple(Choice(button.title, self.vault.token(button.payload)) for button in message.buttons)
        return replace(message, buttons=(), choices=choices)

    def _vary(self, messages: list[Message], state: State) -> None:
        """Say so where a text of the machine comes twice in a row."""
        digests = [self.vault.token(message.text) for message in messages]
        for index, digest in enumerate(digests):
            if digest in state.last_texts and not messages[index].sender:
                again = self.catalogue.say("utter_again", state.language, state.turn).text
                messages[index] = replace(messages[index], text=f"{again}\n{messages[index].text}")
                digests[index] = self.vault.token(messages[index].text)
                break
        state.last_texts = digests
