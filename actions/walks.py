"""Guided ways through questions, one step a turn (bot/conversation/walks.py)."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.conversation.walks import EXPLAIN, GO_ON, START, STOP, advance, load_walks


def entity(tracker: Tracker, name: str) -> str | None:
    """Return the value of an entity of the last message."""
    value: str | None = next(tracker.get_latest_entity_values(name), None)
    return value


class WalkOn(Action):
    """Start a walk, or take her answer and ask the next question; at the end, the result."""

    def name(self) -> str:
        return "action_walk"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        intent = tracker.get_intent_of_latest_message()
        position: list[str] | None = tracker.get_slot("walk")
        walks = load_walks()
        named = entity(tracker, "walk")
        if intent == "walk" and named in walks:
            position, answer = [named], START
            dispatcher.utter_message(response=f"utter_{named}_intro")
        elif not position or position[0] not in walks:
            dispatcher.utter_message(response="utter_menu")
            return [SlotSet("walk", None)]
        else:
            step = walks[position[0]].step(position)
            by_word = step.answer_for(intent or "") if step else None
            answer = entity(tracker, "answer") or by_word or START
            if entity(tracker, "at") not in (None, walks[position[0]].at(position)):
                answer = GO_ON  # a button of an earlier question, or tapped twice: ask the present one
        if answer == STOP:
            dispatcher.utter_message(response="utter_walk_stopped")
        position = advance(position, answer)
        if position is None:
            return [SlotSet("walk", None)]
        walk = walks[position[0]]
        if walk.step(position) is None:
            dispatcher.utter_message(json_message={"show": "walk_result", "position": position})
            return [SlotSet("walk", None)]
        dispatcher.utter_message(json_message={"show": "walk_step", "position": position, "explain": answer == EXPLAIN})
        return [SlotSet("walk", position), SlotSet("question", "walk")]
