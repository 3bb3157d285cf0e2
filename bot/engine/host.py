"""Rasa's agent, hosted in this process: one turn in, one answer out."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import rasa_sdk.executor
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.utils.endpoints import EndpointConfig

from bot.engine import model_domain
from bot.engine.context import in_context
from bot.engine.memory import TurnTrackerStore, recall, remember
from bot.engine.nlg import CatalogueGenerator
from bot.text.catalogue import Catalogue

LANGUAGE, TURN, QUESTION, LAST_ANSWER, MISUNDERSTOOD = "language", "turn", "question", "last_answer", "misunderstood"
GIVEN_EACH_TURN = frozenset({LANGUAGE, TURN})
ASPECT = "aspect"
CARD = "card"
_LEADING = re.compile(r"^[\s/]+")


class InProcessActions(EndpointConfig):
    """Runs the actions of the package `actions` in this process, where Rasa would post to an action server."""

    def __init__(self) -> None:
        # What comes back is made by rasa_sdk in this process: no need to check it (and the schema) as if it had come
        # from a network, at 9 ms an action.
        RemoteAction._validate_action_result = lambda self, result: True
        super().__init__(url="in-process:", enable_selective_domain=True)
        self.executor = rasa_sdk.executor.ActionExecutor()
        self.executor.register_package("actions")

    async def request(self, *args: Any, json: Any = None, **kwargs: Any) -> Any:
        return await self.executor.run(json)


class Host:
    """The trained assistant. `turn` and `parse` never raise on any text."""

    def __init__(self, model: Path) -> None:
        """Load the model `model` (a .tar.gz, or a folder whose newest one is taken)."""
        model_domain.install()
        self.catalogue = Catalogue()
        self.store = TurnTrackerStore()
        self.agent = Agent.load(
            model_path=str(model),
            generator=CatalogueGenerator(self.catalogue),
            tracker_store=self.store,
            action_endpoint=InProcessActions(),
        )
        if self.agent.processor is None:
            raise FileNotFoundError(f"{model} holds no trained model: run `make train`")
        self.processor = self.agent.processor
        self._numbers = itertools.count()

    @property
    def domain(self) -> Domain:
        domain: Domain = self.processor.domain
        return domain

    async def parse(self, text: str) -> dict[str, Any]:
        """Return `{"intent", "confidence", "place", "aspect"}` for a text typed by a person.

        `aspect` is the question in context that the text asks, where it is one (nlu/followups/), else None.
        """
        data = await self.processor.parse_message(UserMessage(_as_text(text)))
        return _understood(data) | {"aspect": data.get(ASPECT)}

    async def turn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one turn.

        `request`: `text` or `payload` (`/intent{"entity": "value"}`), `language`, `turn` (how many came before) and
        `memory` (from the last answer, `{}` at first). Returns `messages` (each with `text` and `buttons`, or with
        `show` or `do` for the gateway), `memory` and `understood`.
        """
        turn_id = str(next(self._numbers))
        tracker = recall(request.get("memory") or {}, turn_id, self.domain)
        tracker.update(SlotSet(LANGUAGE, request["language"]))
        tracker.update(SlotSet(TURN, float(request["turn"])))
        self.store.turns[turn_id] = tracker
        channel = CollectingOutputChannel()
        message = await self._message(request, tracker, channel)
        before = len(tracker.events)
        try:
            await self.processor.handle_message(message)
            tracker = self.store.turns[turn_id]
        finally:
            del self.store.turns[turn_id]
        _note_answer(tracker, before, self.catalogue)
        latest = tracker.latest_message or UserUttered.empty()
        return {
            "messages": [_message(message) for message in channel.messages],
            "memory": remember(tracker, GIVEN_EACH_TURN),
            "understood": _understood(latest.parse_data or {}),
        }

    async def _message(
        self, request: dict[str, Any], tracker: DialogueStateTracker, channel: CollectingOutputChannel
    ) -> UserMessage:
        """Return what she sent, as it is meant at this point of the conversation."""
        address = {"output_channel": channel, "sender_id": tracker.sender_id}
        if request.get("payload"):
            return UserMessage(request["payload"], parse_data=self._named(request["payload"]), **address)
        text = _as_text(request.get("text") or "")
        parsed = await self.processor.parse_message(UserMessage(text, sender_id=tracker.sender_id))
        understood = _understood(parsed)
        payload = in_context(understood, parsed.get(ASPECT), tracker.current_slot_values())
        if payload:
            return UserMessage(payload, parse_data=self._named(payload), **address)
        return UserMessage(text, parse_data=parsed, **address)

    def _named(self, payload: str) -> dict[str, Any] | None:
        """Return what a payload says by name: nothing in it has to be understood, and its embedding is never made."""
        message = YAMLStoryReader.unpack_regex_message(Message({TEXT: payload}), self.domain)
        return message.as_dict(only_output_properties=True) if message.get(INTENT) else None


def _as_text(text: str) -> str:
    """Keep typed text from being read as a payload: only buttons may name intents."""
    return _LEADING.sub("", text).strip() or " "


def _understood(data: dict[str, Any]) -> dict[str, Any]:
    intent = data.get("intent") or {}
    places = [entity["value"] for entity in data.get("entities") or [] if entity.get("entity") in ("place", "country")]
    return {
        "intent": intent.get("name") or "nlu_fallback",
        "confidence": round(float(intent.get("confidence") or 0.0), 4),
        "place": places[0] if places else None,
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    if "custom" in message:
        custom: dict[str, Any] = message["custom"]
        return custom
    return {"text": message.get("text", ""), "buttons": message.get("buttons", [])}


def _note_answer(tracker: DialogueStateTracker, before: int, catalogue: Catalogue) -> None:
    """Keep what was asked and said, so that "yes" and "I don't understand" have a meaning in the next turn."""
    events = list(tracker.events)[before:]
    said = [event.metadata.get("utter_action") for event in events if isinstance(event, BotUttered)]
    questions = [name.removeprefix("utter_question_") for name in said if name and name.startswith("utter_question_")]
    known = tracker.slots[QUESTION].values
    asked = [event.value for event in events if isinstance(event, SlotSet) and event.key == QUESTION]
    question = next((each for each in (*reversed(questions), *reversed(asked)) if each in known), None)
    if tracker.get_slot(QUESTION) != question:
        tracker.update(SlotSet(QUESTION, question))
    simpler = [name for name in said if name and f"{name}_simple" in catalogue]
    if simpler:
        tracker.update(SlotSet(LAST_ANSWER, simpler[-1]))
    elif said:
        tracker.update(SlotSet(LAST_ANSWER, None))
    intent = tracker.latest_message.intent_name if tracker.latest_message else None
    if tracker.get_slot(CARD) and intent not in (CARD, "inform_place"):
        tracker.update(SlotSet(CARD, None))  # she has gone on to something else
    misunderstood = any(isinstance(event, SlotSet) and event.key == MISUNDERSTOOD for event in events)
    if not misunderstood and tracker.get_slot(MISUNDERSTOOD):
        tracker.update(SlotSet(MISUNDERSTOOD, None))
