"""The intent classifier: multinomial logistic regression, kept as plain arrays.

Rasa's own LogisticRegressionClassifier stores a scikit-learn object and imports skops to read it (3.2 s of an
8 s start). This one trains with scikit-learn and answers with a product of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

Array = npt.NDArray[Any]


def feature_rows(messages: list[Message], ngram_weight: float) -> tuple[Array, Any]:
    """Return the messages' features: dense, shape (n, d) and sparse, shape (n, s), the latter scaled."""
    dense, sparse = [], []
    for message in messages:
        _, dense_features = message.get_dense_features(TEXT, [])
        _, sparse_features = message.get_sparse_features(TEXT, [])
        if dense_features is not None:
            dense.append(dense_features.features)
        if sparse_features is not None:
            sparse.append(sparse_features.features)
    return np.vstack(dense), scipy.sparse.vstack(sparse).tocsr() * ngram_weight if sparse else None


def softmax(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent):
    """Calibrated by one temperature, found on folds held out in training; deterministic.

    `safety_intents` are chosen already from the probability given there, even where another intent is likelier:
    a miss costs more than a false alarm.
    """

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self.config = config
        self.model_storage = model_storage
        self.resource = resource
        self.arrays: dict[str, Array] = {}

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"C": 20.0, "ngram_weight": 0.7, "folds": 3, "ranking": 5, "safety_intents": {}}

    @staticmethod
    def required_packages() -> list[str]:
        return []

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder, np.load(folder / "classifier.npz") as arrays:
            component.arrays = {name: arrays[name] for name in arrays.files}
        return component

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(TEXT)]
        dense, sparse = feature_rows(examples, float(self.config["ngram_weight"]))
        labels = np.array([e.get(INTENT) for e in examples])
        self.arrays = fit(dense, sparse, labels, c=float(self.config["C"]), folds=int(self.config["folds"]))
        with self.model_storage.write_to(self.resource) as folder:
            np.savez(folder / "classifier.npz", **self.arrays)
        return self.resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if not message.get(TEXT):
                continue
            dense, sparse = feature_rows([message], float(self.config["ngram_weight"]))
            if not dense.any():
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                continue
            probabilities = softmax(scores(self.arrays, dense, sparse) / float(self.arrays["temperature"]))[0]
            ranking = choose(probabilities, self.arrays["labels"], self.config["safety_intents"])
            ranking = ranking[: int(self.config["ranking"])]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages


def scores(arrays: dict[str, Array], dense: Array, sparse: Any) -> Array:
    """Return the scores before softmax, shape (n, labels)."""
    result: Array = dense @ arrays["dense"] + arrays["bias"]
    if sparse is not None:
        for row in range(sparse.shape[0]):
            start, end = sparse.indptr[row], sparse.indptr[row + 1]
            result[row] += sparse.data[start:end] @ arrays["sparse"][sparse.indices[start:end]]
    return result


def choose(probabilities: Array, labels: Array, safety_intents: dict[str, float]) -> list[dict[str, Any]]:
    """Return the intents, best first, a safety intent before all others once it reaches its own threshold."""
    order = sorted(range(len(labels)), key=lambda i: -float(probabilities[i]))
    safe_side = [i for i in order if float(probabilities[i]) >= safety_intents.get(str(labels[i]), 2.0)]
    order = safe_side[:1] + [i for i in order if i not in safe_side[:1]]
    return [{"name": str(labels[i]), "confidence": float(probabilities[i])} for i in order]


def fit(dense: Array, sparse: Any, labels: Array, c: float, folds: int) -> dict[str, Array]:
    """Return labels, weights (float32) and the temperature that makes held-out confidences honest."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    names, numbers = np.unique(labels, return_inverse=True)

    def weights(rows: Array) -> dict[str, Array]:
        features = dense[rows] if sparse is None else scipy.sparse.hstack([dense[rows], sparse[rows]]).tocsr()
        model = LogisticRegression(C=c, max_iter=400, tol=1e-3, class_weight="balanced").fit(features, numbers[rows])
        coefficients = model.coef_.T.astype(np.float32)
        parts = {"dense": coefficients[: dense.shape[1]], "bias": model.intercept_.astype(np.float32)}
        return parts | ({} if sparse is None else {"sparse": coefficients[dense.shape[1] :]})

    held_out = np.zeros((len(numbers), len(names)), dtype=np.float32)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=0)
    for train_rows, test_rows in splitter.split(dense, numbers):
        held_out[test_rows] = scores(
            weights(train_rows), dense[test_rows], None if sparse is None else sparse[test_rows]
        )
    temperatures = np.geomspace(0.2, 3.0, 40)
    losses = [-np.log(softmax(held_out / t)[np.arange(len(numbers)), numbers] + 1e-9).mean() for t in temperatures]
    return {
        "labels": names,
        "temperature": np.array(temperatures[int(np.argmin(losses))]),
        **weights(np.arange(len(numbers))),
    }
