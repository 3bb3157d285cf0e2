"""The usual spelling of what was typed in bare Latin letters, for the featurizers after it.

Rasa's training data does not say which language an example is in, so this component reads the example files by
language itself (`nlu/<lang>/`), and keeps what it learnt in the model.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.conversation.language import LanguageGuesser
from bot.text.examples import texts_by_language
from bot.text.respell import KEYS, Respeller

RESPELLED = "respelled"


def usual_text(message: Message) -> str:
    """Return the message's text in its usual spelling, where this component has found one."""
    return message.get(RESPELLED) or message.get(TEXT) or ""


def usual_spelling(text: str, guesser: LanguageGuesser, respeller: Respeller, sure: float) -> str | None:
    """Return `text` in its usual spelling, or None where it is not likely to be typed in bare Latin letters."""
    if not text.isascii():
        return None
    language, certainty = guesser.guess(text)
    return respeller.respell(text, language) if language in KEYS and certainty >= sure else None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class Spelling(GraphComponent):
    """Sets `respelled` on messages that are likely to be in one of the languages of KEYS, but in bare Latin letters."""

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self.sure = float(config["sure"])
        self.model_storage = model_storage
        self.resource = resource
        self.guesser: LanguageGuesser | None = None
        self.respeller: Respeller | None = None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"sure": 0.5}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Spelling:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Spelling:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            component.guesser = LanguageGuesser.load(folder)
            component.respeller = Respeller.load(folder)
        return component

    def train(self, training_data: TrainingData) -> Resource:
        texts = texts_by_language()
        self.guesser, self.respeller = LanguageGuesser.train(texts), Respeller.learn(texts)
        with self.model_storage.write_to(self.resource) as folder:
            self.guesser.save(folder)
            self.respeller.save(folder)
        return self.resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT)
            usual = (
                usual_spelling(text, self.guesser, self.respeller, self.sure)
                if text and self.guesser and self.respeller
                else None
            )
            if usual:
                message.set(RESPELLED, usual)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process([example for example in training_data.training_examples if example.get("intent")])
        return training_data
