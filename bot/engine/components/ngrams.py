"""Character n-grams, words and pairs of words of the normalised text, hashed: they know what the embedding blurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
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


def character_ngrams(words: list[str], shortest: int, longest: int) -> Iterator[str]:
    """Yield the n-grams within each word and its bounds."""
    for word in words:
        padded = f" {word} "
        for size in range(shortest, longest + 1):
            for start in range(max(1, len(padded) - size + 1)):
                yield padded[start : start + size]


def word_ngrams(words: list[str]) -> Iterator[str]:
    """Yield each word, and each pair of neighbours, the bounds of the text included."""
    yield from words
    for first, second in pairwise(["^", *words, "$"]):
        yield f"{first} {second}"


def hashed(ngrams: Iterable[str], buckets: int) -> dict[int, float]:
    """Return the weight of each hashed n-gram, of Euclidean length 1 together."""
    counts: dict[int, float] = {}
    for ngram in ngrams:
        bucket = crc32(ngram.encode("utf-8", "ignore")) % buckets
        counts[bucket] = counts.get(bucket, 0.0) + 1.0
    for bucket, count in counts.items():
        counts[bucket] = 1.0 + float(np.log(count))
    length = sum(weight * weight for weight in counts.values()) ** 0.5
    return {bucket: weight / length for bucket, weight in counts.items()}


def ngram_row(text: str, usual: str, options: dict[str, int]) -> Any:
    """Return the n-grams of `text`, and of its usual spelling where that differs.

    Sparse, shape (1, buckets + word_buckets): first the characters', then the words'.
    """
    forms = [text] if usual == text else [text, usual]
    words = [normalise(form[: options["limit"]]).split() for form in forms]
    buckets, word_buckets = options["buckets"], options["word_buckets"]
    counts = hashed(
        (gram for each in words for gram in character_ngrams(each, options["shortest"], options["longest"])), buckets
    )
    of_words = hashed((gram for each in words for gram in word_ngrams(each)), word_buckets)
    counts |= {buckets + bucket: weight for bucket, weight in of_words.items()}
    columns = sorted(counts)
    weights = np.array([counts[column] for column in columns], dtype=np.float32)
    shape = (1, buckets + word_buckets)
    return scipy.sparse.csr_matrix((weights, (np.zeros(len(columns), int), columns)), shape=shape)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Ngrams(GraphComponent):
    """Adds hashed n-grams of a message's text to its features (sparse, one row)."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"shortest": 2, "longest": 5, "buckets": 16384, "word_buckets": 32768, "limit": 600}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Ngrams:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        options = {name: int(self.config[name]) for name in self.get_default_config()}
        for message in messages:
            text = message.get(TEXT)
            if text:
                row = ngram_row(text, usual_text(message), options)
                message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, "Ngrams"))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process([example for example in training_data.training_examples if example.get("intent")])
        return training_data
