"""Measures understanding: `make evaluate`.

Cross-validation of the training examples (nothing a fold is tested on is seen in its training, by any component), then
texts that were written without sight of the training examples: `tests/nlu/independent/` by somebody who saw only the
list of intents, `tests/nlu/heldout/` by the examples' writers. All with what decides in service: classifier, safety
screen and fallback together. Then follow-up questions (with the trained model) and pasted adverts. The tables go to
`docs/understanding.md`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import asyncio
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

from bot import log
from bot.conversation.adverts import Adverts
from bot.conversation.language import LanguageGuesser
from bot.conversation.safety import SafetyScreen
from bot.engine import stand_in
from bot.engine.sentences import EXAMPLES, embed_many
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


def unseen_examples(folder: str, known: Sequence[Example]) -> tuple[list[Example], int]:
    """Return the texts of `tests/nlu/<folder>` that no training example equals, and how many do (short ones)."""
    trained = {normalise(example.text) for example in known}
    found = []
    for file in sorted((ROOT / "tests" / "nlu" / folder).glob("*.yml")):
        data = yaml.safe_load(file.read_bytes())
        if "texts" not in data:
            continue  # heldout/places.yml
        found += [Example(text, intent, data["language"]) for intent, texts in data["texts"].items() for text in texts]
    unseen = [example for example in found if normalise(example.text) not in trained]
    return unseen, len(found) - len(unseen)


def not_safety() -> list[Example]:
    """Return texts with frightening words that have none of the safety intents."""
    files = sorted((ROOT / "tests" / "nlu" / "independent").glob("??.yml"))
    read = [yaml.safe_load(file.read_bytes()) for file in files]
    return [Example(row["text"], row["intent"], data["language"]) for data in read for row in data["not_safety"]]


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
        self._vectors |= dict(zip(missing, embed_many(missing, longest, EXAMPLES), strict=True))
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


def aspects(model: Path) -> list[str]:
    """Return a table of the follow-up questions understood, and of other texts taken for one, by the trained model."""
    from bot.engine.host import Host

    host = Host(model)
    loop = asyncio.new_event_loop()
    lines = ["| language | questions | understood | other texts | taken for a question |", "|---|---|---|---|---|"]
    for file in sorted((ROOT / "tests" / "nlu" / "followups").glob("??.yml")):
        data = yaml.safe_load(file.read_bytes())
        got = [
            (aspect, loop.run_until_complete(host.parse(text))["aspect"])
            for aspect, texts in data["texts"].items()
            for text in texts
        ]
        asked = [right == found for right, found in got if right != "none"]
        other = [found is not None for right, found in got if right == "none"]
        lines.append(
            f"| {data['language']} | {len(asked)} | {np.mean(asked):.3f} | {len(other)} | {np.mean(other):.3f} |"
        )
    loop.close()
    return lines


def advert_signs() -> list[str]:
    """Return a table of the warning signs found in adverts, and of honest adverts in which one was seen."""
    adverts = Adverts()
    lines = [
        "| language | suspicious adverts | with a sign found | signs | found | not there, but found "
        "| honest adverts | with a sign |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for file in sorted((ROOT / "tests" / "nlu" / "adverts").glob("??.yml")):
        data = yaml.safe_load(file.read_bytes())
        rows = [(set(row["signs"]), {sign.name for sign in adverts.signs(row["text"])}) for row in data["adverts"]]
        bad = [(right, found) for right, found in rows if right]
        honest = [found for right, found in rows if not right]
        signs = sum(len(right) for right, _ in bad)
        found = sum(len(right & got) for right, got in bad)
        wrong = sum(len(got - right) for right, got in bad)
        lines.append(
            f"| {data['language']} | {len(bad)} | {sum(bool(got) for _, got in bad)} | {signs} | {found / signs:.3f} "
            f"| {wrong} | {len(honest)} | {sum(map(bool, honest))} |"
        )
    return lines


def report(known: list[Example], model_dir: Path, say: Callable[[str], None]) -> str:
    crossed = cross_validate(known, say)
    model = Understanding()
    model.fit(known)
    independent, same = unseen_examples("independent", known)
    unseen, seen = unseen_examples("heldout", known)
    trained = {row.language for row in known}
    strange = [row for row in unseen_examples("zero_shot", known)[0] if row.language not in trained]
    frightening = not_safety()
    understood = {
        name: model.predict([row.text for row in rows])
        for name, rows in (
            ("independent", independent),
            ("heldout", unseen),
            ("frightening", frightening),
            ("strange", strange),
        )
    }
    for row, got in zip(independent + unseen, understood["independent"] + understood["heldout"], strict=True):
        if row.intent in SAFETY and got != row.intent:
            say(f"missed: {row.language} {row.intent} as {got}: {row.text}")
    alarms = sum(got in SAFETY for got in understood["frightening"])
    sections = [
        f"{len(known)} training examples, {FOLDS} folds; {len(independent)} independent and {len(unseen)} held-out "
        f"texts, written without sight of the training examples ({same} and {seen} more happen to be the same as one, "
        "and are left out). *False alarms*: other texts that were taken for one of the four safety intents.",
        "#### Independent texts (by writers who saw only the list of intents)",
        *table(independent, understood["independent"]),
        f"Of {len(frightening)} texts with frightening words that are none of the four, {alarms} were taken for one.",
        "#### Independent texts: the commonest confusions",
        *confusions(independent, understood["independent"]),
        "#### Held-out texts",
        *table(unseen, understood["heldout"]),
        "#### Languages without a single training example (what the embedding alone gives)",
        *table(strange, understood["strange"]),
        "#### Follow-up questions (in the middle of a conversation; the trained model)",
        *aspects(model_dir),
        "#### Pasted adverts",
        *advert_signs(),
        "#### Cross-validation of the training examples (written to be hard: every line unlike the others)",
        *table(known, crossed),
        "#### Cross-validation: the commonest confusions",
        *confusions(known, crossed),
    ]
    return re.sub(r"\n(?=####)|(?<=[^|])\n(?=\|)|(?<=\|)\n(?=[^|])", "\n\n", "\n".join(sections))


def main() -> None:
    log.configure("error")
    stand_in.install()
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[evaluate] {line} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)

    text = report(training_examples(), Path(os.environ.get("HELPLINE_MODEL_DIR") or ROOT / "models"), say)
    print(text)
    _keep(text, PAGE)


def _keep(text: str, page: Path) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    if rest:
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
