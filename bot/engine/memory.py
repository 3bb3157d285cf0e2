"""What the engine remembers between turns: a small JSON value that the gateway keeps, encrypted.

The engine itself stores nothing. Each turn brings the conversation's memory along and returns the new one: slots,
the active form, and the names of the last turns' intents and actions. What the person wrote is not in it.
"""

from __future__ import annotations

from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    LoopInterrupted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

REMEMBERED_TURNS = 3
"""As many as MemoizationPolicy looks back (`max_history` in nlu/config.yml)."""


def recall(memory: dict[str, Any], turn_id: str, domain: Domain) -> DialogueStateTracker:
    """Return a tracker as it stood at the end of the turn that `memory` was made from; an empty one for `{}`."""
    events: list[Event] = [SlotSet(name, value) for name, value in memory.get("slots", {}).items()]
    for kind, *values in memory.get("events", []):
        if kind == "intent":
            intent = {"name": values[0], "confidence": 1.0}
            events.append(
                UserUttered(text=None, intent=intent, entities=[], parse_data={"intent": intent, "entities": []})
            )
        elif kind == "action":
            events.append(ActionExecuted(values[0]))
        elif kind == "loop":
            events.append(ActiveLoop(values[0]))
        elif kind == "interrupted":
            events.append(LoopInterrupted(values[0]))
        elif kind == "rejected":
            events.append(ActionExecutionRejected(values[0]))
        elif kind == "slot":
            events.append(SlotSet(*values))
    if not any(isinstance(event, ActionExecuted) for event in events):
        events.append(ActionExecuted("action_listen"))
    # The loop opens before what is remembered where its opening was too long ago to be remembered itself.
    if memory.get("loop") and not any(isinstance(event, ActiveLoop) for event in events):
        events.insert(0, ActiveLoop(memory["loop"]))
    tracker = DialogueStateTracker(turn_id, domain.slots)
    tracker.update_with_events(events, domain)
    return tracker


def remember(tracker: DialogueStateTracker, forget_slots: frozenset[str]) -> dict[str, Any]:
    """Return what the next turn needs of `tracker`."""
    events = list(tracker.events)
    turns = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
    start = turns[-REMEMBERED_TURNS] if len(turns) >= REMEMBERED_TURNS else 0
    kept: list[list[Any]] = [["action", "action_listen"]]
    for event in events[start:]:
        if isinstance(event, UserUttered):
            kept.append(["intent", event.intent_name])
        elif isinstance(event, ActionExecuted):
            if kept[-1] != ["action", event.action_name]:
                kept.append(["action", event.action_name])
        elif isinstance(event, ActiveLoop):
            kept.append(["loop", event.name])
        elif isinstance(event, LoopInterrupted):
            kept.append(["interrupted", event.is_interrupted])
        elif isinstance(event, ActionExecutionRejected):
            kept.append(["rejected", event.action_name])
        elif isinstance(event, SlotSet) and event.key not in forget_slots and _matters(tracker, event.key):
            kept.append(["slot", event.key, event.value])
    slots = {name: slot.value for name, slot in tracker.slots.items() if slot.value is not None}
    return {
        "slots": {name: value for name, value in slots.items() if name not in forget_slots},
        "loop": tracker.active_loop_name,
        "events": kept,
    }


def _matters(tracker: DialogueStateTracker, slot: str) -> bool:
    """Return whether policies look at a slot's earlier values; of the others only the last one is kept."""
    return slot == REQUESTED_SLOT or bool(tracker.slots[slot].influence_conversation)


class TurnTrackerStore(TrackerStore):
    """Holds the trackers of the turns that are being answered at this moment, and nothing else."""

    def __init__(self, domain: Domain | None = None) -> None:
        super().__init__(domain)
        self.turns: dict[str, DialogueStateTracker] = {}

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        return self.turns.get(sender_id)

    async def save(self, tracker: DialogueStateTracker) -> None:
        self.turns[tracker.sender_id] = tracker

    async def keys(self) -> list[str]:
        return list(self.turns)
