"""Misunderstandings, and what she asks of the chat itself."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

LADDER = ("utter_fallback", "utter_fallback_buttons", "utter_fallback_person")
"""Other words, then buttons, then a person: never the same answer to misunderstanding twice in a row."""

EXPLAINING = ("utter_not_understood", "utter_not_understood_person")


class ShowWelcome(Action):
    """The first words, with the menu of languages."""

    def name(self) -> str:
        return "action_show_welcome"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"show": "welcome"})
        return []


class Misunderstood(Action):
    """The assistant did not understand her."""

    def name(self) -> str:
        return "action_misunderstood"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        times = int(tracker.get_slot("misunderstood") or 0)
        dispatcher.utter_message(response=LADDER[min(times, len(LADDER) - 1)])
        # Where no rule goes on, Rasa would choose this action again and again: wait for her instead.
        return [SlotSet("misunderstood", times + 1), FollowupAction("action_listen")]


class Rephrase(Action):
    """She did not understand the assistant: say it more simply once, then offer buttons, then a person."""

    def name(self) -> str:
        return "action_rephrase"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        times = int(tracker.get_slot("misunderstood") or 0)
        simpler = tracker.get_slot("last_answer")
        if times == 0 and simpler:
            dispatcher.utter_message(response="utter_rephrase")
            dispatcher.utter_message(response=f"{simpler}_simple")
        else:
            dispatcher.utter_message(response=EXPLAINING[min(max(times - 1, 0), len(EXPLAINING) - 1)])
        return [SlotSet("misunderstood", times + 1)]


class ChangeLanguage(Action):
    """The gateway reads which language she named, or shows the menu."""

    def name(self) -> str:
        return "action_change_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"show": "languages"})
        return []


class PhoneOwn(Action):
    """Only she uses the phone."""

    def name(self) -> str:
        return "action_phone_own"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"do": "phone_own"})
        dispatcher.utter_message(response="utter_phone_own")
        return []


class PhoneShared(Action):
    """Others may read the phone: the gateway forgets sooner."""

    def name(self) -> str:
        return "action_phone_shared"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"do": "phone_shared"})
        dispatcher.utter_message(response="utter_phone_shared")
        return []


class Exit(Action):
    """Hide the chat at once."""

    def name(self) -> str:
        return "action_exit"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"do": "exit"})
        return []


class Erase(Action):
    """Forget everything."""

    def name(self) -> str:
        return "action_erase"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"do": "erase"})
        return []
