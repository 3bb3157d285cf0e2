"""Sentence embeddings (bot/engine/sentences.py) as a Rasa featurizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.engine.components.spelling import usual_text
from bot.engine.sentences import EXAMPLES, embed_many


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEmbedding(GraphComponent):
    """Adds the sentence embedding of a message's text to its features."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.longest = int(config["longest"])

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"longest": 300}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEmbedding:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        return self._featurized(messages, None)

    def _featurized(self, messages: list[Message], kept: Path | None) -> list[Message]:
        messages_with_text = [message for message in messages if message.get(TEXT)]
        vectors = embed_many([usual_text(message) for message in messages_with_text], self.longest, kept)
        for message, vector in zip(messages_with_text, vectors, strict=True):
            message.add_features(Features(vector[np.newaxis, :], FEATURE_TYPE_SENTENCE, TEXT, "SentenceEmbedding"))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self._featurized([each for each in training_data.training_examples if each.get("intent")], EXAMPLES)
        return training_data
