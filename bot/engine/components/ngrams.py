"""Character n-grams of the normalised text, hashed: they know spellings that the embedding blurs."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.engine.components.spelling import usual_text
from bot.text.normalise import normalise


def ngram_counts(text: str, shortest: int, longest: int, buckets: int, limit: int) -> dict[int, float]:
    """Return the weight of each hashed n-gram of `text` (within word bounds), of Euclidean length 1."""
    counts: dict[int, float] = {}
    for word in normalise(text[:limit]).split():
        padded = f" {word} "
        for size in range(shortest, longest + 1):
            for start in range(max(1, len(padded) - size + 1)):
                bucket = crc32(padded[start : start + size].encode("utf-8", "ignore")) % buckets
                counts[bucket] = counts.get(bucket, 0.0) + 1.0
    for bucket, count in counts.items():
        counts[bucket] = 1.0 + float(np.log(count))
    length = sum(weight * weight for weight in counts.values()) ** 0.5
    return {bucket: weight / length for bucket, weight in counts.items()}


def ngram_row(text: str, usual: str, options: dict[str, int]) -> Any:
    """Return the n-grams of `text`, and of its usual spelling where that differs: sparse, shape (1, buckets)."""
    counts = ngram_counts(text if usual == text else f"{text} {usual}", **options)
    columns = sorted(counts)
    weights = np.array([counts[column] for column in columns], dtype=np.float32)
    return scipy.sparse.csr_matrix((weights, (np.zeros(len(columns), int), columns)), shape=(1, options["buckets"]))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class CharacterNgrams(GraphComponent):
    """Adds hashed character n-grams of a message's text to its features (sparse, one row of `buckets`)."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"shortest": 2, "longest": 5, "buckets": 16384, "limit": 600}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CharacterNgrams:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        options = {name: int(self.config[name]) for name in self.get_default_config()}
        for message in messages:
            text = message.get(TEXT)
            if text:
                row = ngram_row(text, usual_text(message), options)
                message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, "CharacterNgrams"))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process([example for example in training_data.training_examples if example.get("intent")])
        return training_data
