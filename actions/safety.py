"""What is shown in danger and in despair."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class ShowEmergency(Action):
    """The emergency number of her country, how to reach it in silence, and her choices."""

    def name(self) -> str:
        return "action_show_emergency"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"show": "emergency"})
        return []


class ShowCrisisLines(Action):
    """Words for somebody who wants to die, and the people to call."""

    def name(self) -> str:
        return "action_show_crisis_lines"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"show": "crisis"})
        return []
