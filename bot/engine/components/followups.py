"""Questions in context: "and my papers?", "what if he finds out?" (`nlu/followups/<lang>.yml`).

By themselves such words mean little, so they are no intents: this component only says which aspect a message asks
about, and bot/engine/context.py decides whether the conversation gives it that meaning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.engine.components.classifier import LinearIntentClassifier, feature_rows, fit, scores, softmax
from bot.engine.components.embedding import SentenceEmbedding
from bot.engine.components.ngrams import Ngrams
from bot.text.examples import follow_ups

ASPECT = "aspect"
NONE = "none"
"""What the training examples of the intents ask about: no aspect."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class FollowUps(LinearIntentClassifier):
    """Sets `aspect` on messages that ask such a question with at least `threshold` probability."""

    FILE = "followups.npz"

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        # others: of so many examples of the intents one is taken, as what is no such question
        return {"C": 0.5, "ngram_weight": 2.0, "folds": 5, "threshold": 0.25, "others": 6}

    def train(self, training_data: TrainingData) -> Resource:
        asked = [(Message({TEXT: text}), aspect) for rows in follow_ups().values() for text, aspect in rows]
        messages = [message for message, _ in asked]
        SentenceEmbedding(SentenceEmbedding.get_default_config()).process(messages)
        Ngrams(Ngrams.get_default_config()).process(messages)
        others = [each for each in training_data.intent_examples if each.get(TEXT)][:: int(self.config["others"])]
        dense, sparse = feature_rows(messages + others)
        labels = np.array([aspect for _, aspect in asked] + [NONE] * len(others))
        options = {"c": float(self.config["C"]), "ngram_weight": float(self.config["ngram_weight"])}
        self.arrays = fit(dense, scipy.sparse.csr_matrix(sparse), labels, folds=int(self.config["folds"]), **options)
        self.keep()
        return self.resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if message.get(TEXT):
                dense, sparse = feature_rows([message])
                if dense.any():
                    aspect = choose_aspect(self.arrays, dense, sparse, float(self.config["threshold"]))
                    message.set(ASPECT, aspect, add_to_output=True)
        return messages


def choose_aspect(arrays: dict[str, Any], dense: Any, sparse: Any, threshold: float) -> str | None:
    """Return the likeliest aspect of one message's features; None where it does not reach `threshold`.

    It need not be likelier than "none": a question in the middle of a conversation is often short, and the
    conversation decides afterwards whether it was meant.
    """
    probabilities = softmax(scores(arrays, dense, sparse) / float(arrays["temperature"]))[0]
    probabilities[arrays["labels"] == NONE] = 0.0
    best = int(np.argmax(probabilities))
    return str(arrays["labels"][best]) if probabilities[best] >= threshold else None
