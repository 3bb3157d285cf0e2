"""Measures understanding: `make evaluate`.

Cross-validation of the training examples (nothing a fold is tested on is seen in its training, by any component), then
the held-out texts of `tests/nlu/heldout/`, which were written without sight of the training examples. Both with what
decides in service: classifier, safety screen and fallback together. The tables go to `docs/understanding.md`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from bot.conversation.language import LanguageGuesser
from bot.conversation.safety import SafetyScreen
from bot.engine import stand_in
from bot.engine.sentences import embed_many
from bot.text.catalogue import ROOT, load_languages
from bot.text.examples import examples
from bot.text.normalise import normalise
from bot.text.respell import Respeller

FOLDS = 5
SAFETY = ("immediate_danger", "not_safe_to_talk", "self_harm", "user_is_child")
FALLBACK = "nlu_fallback"
PAGE = ROOT / "docs" / "understanding.md"
BEGIN, END = "<!-- make evaluate: begin -->", "<!-- make evaluate: end -->"


@dataclass(frozen=True)
class Example:
    text: str
    intent: str
    language: str


def training_examples() -> list[Example]:
    return [Example(text, intent, code) for code in load_languages(ROOT / "locales") for text, intent in examples(code)]


def held_out_examples(known: Sequence[Example]) -> tuple[list[Example], int]:
    """Return the held-out texts that no training example equals, and how many do (short ones: "thank you")."""
    trained = {normalise(example.text) for example in known}
    found = []
    for file in sorted((ROOT / "tests" / "nlu" / "heldout").glob("*.yml")):
        data = yaml.safe_load(file.read_bytes())
        if isinstance(data, dict):
            rows = data["texts"].items()
            found += [Example(text, intent, data["language"]) for intent, texts in rows for text in texts]
    unseen = [example for example in found if normalise(example.text) not in trained]
    return unseen, len(found) - len(unseen)


class Understanding:
    """The pipeline of nlu/config.yml without Rasa around it, so that many trainings share one embedding of a text."""

    def __init__(self) -> None:
        pipeline = yaml.safe_load((ROOT / "nlu" / "config.yml").read_bytes())["pipeline"]
        self.options = {row["name"].rpartition(".")[2]: row for row in pipeline}
        self.screen = SafetyScreen()
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def _features(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], Any]:
        import scipy.sparse

        from bot.engine.components.embedding import SentenceEmbedding
        from bot.engine.components.ngrams import Ngrams, ngram_row
        from bot.engine.components.spelling import Spelling, usual_spelling

        sure = float((Spelling.get_default_config() | self.options["Spelling"])["sure"])
        longest = int((SentenceEmbedding.get_default_config() | self.options["SentenceEmbedding"])["longest"])
        defaults = Ngrams.get_default_config()
        ngrams = {name: int((defaults | self.options["Ngrams"])[name]) for name in defaults}
        usual = [usual_spelling(text, self.guesser, self.respeller, sure) or text for text in texts]
        missing = sorted(set(usual) - self._vectors.keys())
        self._vectors |= dict(zip(missing, embed_many(missing, longest), strict=True))
        sparse = [ngram_row(text, spelt, ngrams) for text, spelt in zip(texts, usual, strict=True)]
        return np.vstack([self._vectors[spelt] for spelt in usual]), scipy.sparse.vstack(sparse).tocsr()

    def fit(self, known: Sequence[Example]) -> None:
        from bot.engine.components.classifier import LinearIntentClassifier, fit

        by_language: dict[str, list[str]] = {}
        for example in known:
            by_language.setdefault(example.language, []).append(example.text)
        self.guesser, self.respeller = LanguageGuesser.train(by_language), Respeller.learn(by_language)
        self.classifier = LinearIntentClassifier.get_default_config() | self.options["LinearIntentClassifier"]
        c = self.classifier
        dense, sparse = self._features([example.text for example in known])
        labels = np.array([example.intent for example in known])
        self.arrays = fit(dense, sparse, labels, float(c["C"]), float(c["ngram_weight"]), int(c["folds"]))

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the intent that decides, for each text."""
        from bot.engine.components.classifier import choose, scores, softmax

        dense, sparse = self._features(texts)
        probabilities = softmax(scores(self.arrays, dense, sparse) / float(self.arrays["temperature"]))
        threshold = float(self.options["FallbackClassifier"]["threshold"])
        found = []
        for text, row in zip(texts, probabilities, strict=True):
            best = choose(row, self.arrays["labels"], self.classifier["safety_intents"])[0]
            found.append(self.screen.look(text) or (best["name"] if best["confidence"] >= threshold else FALLBACK))
        return found


def cross_validate(known: list[Example], say: Callable[[str], None]) -> list[str]:
    """Return the intent understood of each example by a training that had not seen it."""
    from sklearn.model_selection import StratifiedKFold

    model = Understanding()
    strata = [f"{example.language} {example.intent}" for example in known]
    found = [""] * len(known)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(known, strata)
    for number, (training, testing) in enumerate(folds, 1):
        model.fit([known[i] for i in training])
        for i, intent in zip(testing, model.predict([known[i].text for i in testing]), strict=True):
            found[i] = intent
        say(f"fold {number} of {FOLDS}")
    return found


def macro_f1(right: Sequence[str], found: Sequence[str]) -> float:
    """Return the mean of F1 over the intents in `right`."""
    pairs, expected, got = Counter(zip(right, found, strict=True)), Counter(right), Counter(found)
    return float(np.mean([2 * pairs[name, name] / (expected[name] + got[name]) for name in expected]))


def table(rows: list[Example], found: list[str]) -> list[str]:
    """Return a Markdown table: a row for each language and one for all."""

    def line(name: str, chosen: list[int]) -> str:
        right, got = [rows[i].intent for i in chosen], [found[i] for i in chosen]
        hits = [a == b for a, b in zip(right, got, strict=True)]
        cells = [name, str(len(chosen)), f"{np.mean(hits):.3f}", f"{macro_f1(right, got):.3f}"]
        for intent in SAFETY:
            among = [hit for hit, expected in zip(hits, right, strict=True) if expected == intent]
            cells.append(f"{np.mean(among):.3f}" if among else "–")
        safety = [hit for hit, expected in zip(hits, right, strict=True) if expected in SAFETY]
        others = [intent for intent, expected in zip(got, right, strict=True) if expected not in SAFETY]
        cells += [f"{np.mean(safety):.3f}", f"{np.mean([intent in SAFETY for intent in others]):.3f}"]
        return "| " + " | ".join(cells) + " |"

    head = ["language", "texts", "accuracy", "macro-F1", *(f"recall `{intent}`" for intent in SAFETY)]
    head += ["recall, all four", "false alarms"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    languages = list(dict.fromkeys(row.language for row in rows))
    lines += [line(code, [i for i, row in enumerate(rows) if row.language == code]) for code in languages]
    return [*lines, line("all", list(range(len(rows))))]


def confusions(rows: list[Example], found: list[str], most: int = 20) -> list[str]:
    wrong = Counter((row.intent, got) for row, got in zip(rows, found, strict=True) if row.intent != got)
    totals = Counter(row.intent for row in rows)
    lines = ["| meant | understood | times | of |", "|---|---|---|---|"]
    return lines + [f"| `{a}` | `{b}` | {n} | {totals[a]} |" for (a, b), n in wrong.most_common(most)]


def report(known: list[Example], say: Callable[[str], None]) -> str:
    crossed = cross_validate(known, say)
    model = Understanding()
    model.fit(known)
    unseen, seen = held_out_examples(known)
    understood = model.predict([row.text for row in unseen])
    for row, got in zip(unseen, understood, strict=True):
        if row.intent in SAFETY and got != row.intent:
            say(f"missed: {row.language} {row.intent} as {got}: {row.text}")
    sections = [
        f"{len(known)} training examples, {FOLDS} folds; {len(unseen)} held-out texts, written without sight of the "
        f"training examples ({seen} more happen to be the same as one, and are left out). "
        "*False alarms*: other texts that were taken for one of the four safety intents.",
        "#### Held-out texts",
        *table(unseen, understood),
        "#### Held-out texts: the commonest confusions",
        *confusions(unseen, understood),
        "#### Cross-validation of the training examples (written to be hard: every line unlike the others)",
        *table(known, crossed),
        "#### Cross-validation: the commonest confusions",
        *confusions(known, crossed),
    ]
    return re.sub(r"\n(?=####)|(?<=[^|])\n(?=\|)|(?<=\|)\n(?=[^|])", "\n\n", "\n".join(sections))


def main() -> None:
    stand_in.install()
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[evaluate] {line} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)

    text = report(training_examples(), say)
    print(text)
    _keep(text, PAGE)


def _keep(text: str, page: Path) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    if rest:
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
