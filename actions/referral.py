"""Finding an organisation: the country first, then the three best services."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.screens import show_card


def _show_services(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    wanted = {slot: tracker.get_slot(slot) for slot in ("country", "need", "topic")}
    dispatcher.utter_message(json_message={"show": "services", **wanted})


class FindHelp(Action):
    """Show the services when the country is known, ask for it otherwise."""

    def name(self) -> str:
        return "action_find_help"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        if not tracker.get_slot("country"):
            return [FollowupAction("referral_form")]
        if tracker.get_slot("card") and tracker.get_intent_of_latest_message() == "inform_place":
            return show_card(dispatcher, tracker)  # she named the country for a card
        _show_services(dispatcher, tracker)
        return []


WAITS_FOR_A_COUNTRY = frozenset(
    {
        "find_service", "find_child_helpline", "inform_place", "need_basics", "need_counselling", "need_legal",
        "need_medical", "need_shelter", "return_home", "affirm", "deny", "unsure", "nlu_fallback", "not_understood",
    }
)  # fmt: skip
"""What is followed by the question for the country. After anything else she has her answer, and the question waits."""


class AskCountry(Action):
    """Ask where she is; the gateway adds buttons for likely countries, in her language."""

    def name(self) -> str:
        return "action_ask_country"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        if tracker.get_intent_of_latest_message() in WAITS_FOR_A_COUNTRY:
            dispatcher.utter_message(json_message={"show": "countries"})
        return []


class ShowServices(Action):
    """Show who can help with her need, in her country."""

    def name(self) -> str:
        return "action_show_services"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        _show_services(dispatcher, tracker)
        return []


class ShowHuman(Action):
    """Whether somebody of the staff is there, what they would see, and the question whether she agrees."""

    def name(self) -> str:
        return "action_show_human"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"show": "human"})
        return [SlotSet("question", "human_consent")]


class RequestHuman(Action):
    """She agreed: the gateway hands the conversation to staff."""

    def name(self) -> str:
        return "action_request_human"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"do": "human"})
        return []
