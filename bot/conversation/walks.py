"""Guided ways through questions (`stories/walks/*.yml`): the signs, the check of an offer, the safety plan.

Where somebody stands in one is a list: its name, then her answers. The engine's actions move on; the gateway shows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from bot.text.catalogue import ROOT

START, EXPLAIN, BACK, STOP, GO_ON, SKIP = "start", "explain", "back", "stop", "go_on", "skip"
YES = "yes"
BY_WORD = {"affirm": YES, "deny": "no", "unsure": "unsure", "not_understood": EXPLAIN}
"""What is answered by words, by intent, in every step that has such an answer."""


def answer_payload(answer: str, at: str = "") -> str:
    """Return the payload of the button that gives `answer` at a step ("signs_papers"): an older button does nothing."""
    return f"/walk_answer{json.dumps({'answer': answer} | ({'at': at} if at else {}))}"


@dataclass(frozen=True)
class Step:
    """One question: its name, the answers it takes, and what else means one of them (answer → intents).

    `grave`: a yes is acknowledged before the next question, with a way to help in danger.
    """

    name: str
    answers: tuple[str, ...]
    also: dict[str, list[str]] = field(default_factory=dict)
    grave: bool = False

    def answer_for(self, intent: str) -> str | None:
        """Return the answer that `intent` means here, or None."""
        for answer, intents in self.also.items():
            if intent in intents:
                return answer
        answer = BY_WORD.get(intent, "")
        return answer if answer in self.answers or answer == EXPLAIN else None


@dataclass(frozen=True)
class Walk:
    """One way: its steps, and from how many ticks on (or from which ones) its result is serious."""

    name: str
    steps: tuple[Step, ...]
    many: int = 0
    strong: frozenset[str] = frozenset()

    def step(self, position: list[str]) -> Step | None:
        """Return the step that is asked at `position`; None at the end."""
        number = len(position) - 1
        return self.steps[number] if number < len(self.steps) else None

    def at(self, position: list[str]) -> str:
        """Return the name of the step that is asked, with its walk's: "signs_papers"."""
        step = self.step(position)
        return f"{self.name}_{step.name}" if step else self.name

    def ticked(self, answers: list[str]) -> list[str]:
        """Return the names of the steps that were answered with yes."""
        return [step.name for step, answer in zip(self.steps, answers, strict=False) if answer == YES]

    def weight(self, ticked: list[str]) -> str:
        """Return "none", "some" or "many": how serious the ticked steps are together."""
        if not ticked:
            return "none"
        return "many" if len(ticked) >= self.many or self.strong & set(ticked) else "some"


def payloads() -> set[str]:
    """Return the payloads of all answers to all steps."""
    found = {answer_payload(GO_ON)}
    for walk in load_walks().values():
        for step in walk.steps:
            answers = {*step.answers, EXPLAIN, BACK, STOP, SKIP}
            found |= {answer_payload(answer, f"{walk.name}_{step.name}") for answer in answers}
    return found


@lru_cache(maxsize=1)
def load_walks(folder: Path = ROOT / "stories" / "walks") -> dict[str, Walk]:
    """Return all walks by name."""
    walks = {}
    for file in sorted(folder.glob("*.yml")):
        # Everything in these files is a word, also "yes" and "no".
        data = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506
        default = data.get("answers") or []
        steps = tuple(
            Step(row["name"], tuple(row.get("answers") or default), row.get("also") or {}, "grave" in row)
            for row in data["steps"]
        )
        walk = Walk(data["walk"], steps, int(data.get("many") or 0), frozenset(data.get("strong") or ()))
        walks[walk.name] = walk
    return walks


def advance(position: list[str] | None, answer: str) -> list[str] | None:
    """Return where `answer` leads from `position`: the same place where it does not fit, None where it stops."""
    if not position or answer == STOP:
        return None
    step = load_walks()[position[0]].step(position)
    if answer == BACK:
        return position[:-1] if len(position) > 1 else position
    if step is not None and (answer in step.answers or answer == SKIP):
        return [*position, answer]
    return position
