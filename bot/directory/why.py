"""Why services stand where they stand, in words: `helpline directory why`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.directory.ranking import Step, Wanted, kinds_for
from bot.directory.search import BEST, Explained

_UNSUITABLE = {
    "kind": "not this kind of service for this need",
    "status": "closed for now",
    "age": "for another age",
    "stale": "nobody has confirmed it for too long",
}
_SUITS = ("for this first of all", "covers the need", "of a kind for it", "helps with other things")
_LANGUAGE = ("speaks her language", "calls an interpreter", "says nothing of languages", "speaks only other languages")
_NEAR = ("near, or reached from anywhere", "a journey away", "far away")
_OPEN = ("open now", "hours not known", "closed now")


def explain(found: Sequence[Explained], wanted: Wanted, rest: bool = False) -> Iterator[str]:
    """Yield the lines to print: the best with every criterion, then where each next one falls behind the one before it.

    `rest`: those that are not for this person too, with the reason.
    """
    suitable = [each for each in found if each.unsuitable is None]
    for place, each in enumerate(suitable):
        shown = "shown" if place < BEST else "not shown"
        yield f"{place + 1}. {each.entry.name} ({each.entry.service_id}), {shown}"
        if place:
            yield f"     behind {place} by {_difference(suitable[place - 1].steps, each.steps)}"
        for step in each.steps:
            yield f"     {step.name:10} {_words(step, wanted)}"
    if not suitable:
        yield "No service fits. The person gets the emergency number and what helps everywhere."
    others = [each for each in found if each.unsuitable]
    for each in others if rest else ():
        yield f" - {each.entry.name} ({each.entry.service_id}): {_UNSUITABLE[str(each.unsuitable)]}"
    if others and not rest:
        yield f"{len(others)} more are not for this person (--all names them)."


def _difference(before: Sequence[Step], after: Sequence[Step]) -> str:
    return next((step.name for one, step in zip(before, after, strict=True) if one.value != step.value), "nothing")


def _words(step: Step, wanted: Wanted) -> str:
    value = step.value
    if step.name == "suits":
        return _SUITS[value]
    if step.name == "kind":
        return f"{kinds_for(wanted)[value]} (choice {value + 1} for this need)"
    if step.name == "need":
        if wanted.need is None:
            return "none was named"
        return f"does not list {wanted.need}" if value else f"covers {wanted.need}"
    if step.name == "language":
        return _LANGUAGE[value]
    if step.name == "near":
        return _NEAR[value]
    if step.name == "open":
        return _OPEN[value]
    if step.name == "distance":
        return f"{value} km"
    if step.name == "id":
        return str(value)
    return {
        "full": ("has places, as far as is known", "has no places for now"),
        "stale": ("confirmed lately", "shown with a warning: not confirmed for long"),
        "unverified": ("confirmed by somebody", "never confirmed by a call"),
    }[step.name][bool(value)]
