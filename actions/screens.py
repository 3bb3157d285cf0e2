"""Screens that are reached by a button, and what is asked about them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.walks import entity
from bot.text.catalogue import ROOT, load_responses

COUNTRY_FACTS = {
    "rights_time": "reflection_period",
    "ask_residence": "residence",
    "ask_compensation": "compensation_fund",
    "rights_lawyer": "legal_aid",
    "rights_who": "identification",
}
"""What of a country's law belongs to which screen (bot/directory/rights.py)."""


@lru_cache(maxsize=1)
def _responses() -> frozenset[str]:
    return frozenset(load_responses(ROOT / "stories" / "domain"))


def show_country_fact(dispatcher: CollectingDispatcher, tracker: Tracker, screen: str) -> None:
    if screen in COUNTRY_FACTS:
        dispatcher.utter_message(
            json_message={
                "show": "country_fact",
                "fact": COUNTRY_FACTS[screen],
                "country": tracker.get_slot("country"),
            }
        )


class ShowScreen(Action):
    """Show the screen that a button names."""

    def name(self) -> str:
        return "action_show_screen"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        screen = entity(tracker, "screen") or "menu"
        dispatcher.utter_message(response=f"utter_{screen}" if f"utter_{screen}" in _responses() else "utter_menu")
        show_country_fact(dispatcher, tracker, screen)
        return []


class ShowCountryFact(Action):
    """Add what her country's law says to the answer just given."""

    def name(self) -> str:
        return "action_show_country_fact"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        show_country_fact(dispatcher, tracker, tracker.get_intent_of_latest_message() or "")
        return []


class FollowUp(Action):
    """Answer a question that has its meaning from what was spoken about before."""

    def name(self) -> str:
        return "action_follow_up"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        aspect = entity(tracker, "aspect")
        special = f"utter_{tracker.get_slot('topic')}_{aspect}"
        dispatcher.utter_message(response=special if special in _responses() else f"utter_follow_{aspect}")
        return []


def show_card(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    """Show the card that was chosen; ask for the country where it is not known, and remember the card until then."""
    card = entity(tracker, "card") or tracker.get_slot("card")
    country = tracker.get_slot("country")
    if country is None:
        dispatcher.utter_message(json_message={"show": "card_countries"})
        return [SlotSet("card", card)]
    dispatcher.utter_message(json_message={"show": "card", "card": card, "country": country})
    return [SlotSet("card", None)]


class ShowCard(Action):
    """Show a card in the language of her country."""

    def name(self) -> str:
        return "action_show_card"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return show_card(dispatcher, tracker)
