"""What the gateway itself asks and takes the next message for: an offer's text, the countries of a journey, a word."""

from __future__ import annotations

import asyncio

from bot.conversation.adverts import LIKE_AN_ADVERT
from bot.conversation.answer import Answer
from bot.conversation.guides import Guides
from bot.conversation.hiding import Hiding
from bot.conversation.places import Places
from bot.conversation.state import State
from bot.conversation.turn import Kind, Message

ADVERT, TRIP_TO, TRIP_FROM = "advert", "trip_to", "trip_from"
PURPOSES = ("country", TRIP_TO, TRIP_FROM)
"""What a country is asked for: where she is, where she thinks of going, where she comes from."""

LONGEST_ADVERT = 4000


class Inquiries:
    """Asks, and takes the answers. None of it needs the engine."""

    def __init__(self, guides: Guides, hiding: Hiding) -> None:
        self.guides = guides
        self.hiding = hiding
        self.effects = guides.effects

    def is_expected_advert(self, kind: Kind, text: str, state: State) -> bool:
        """Return whether this is the offer that was asked for: forwarded, under a picture, or of an offer's length."""
        if state.expecting != ADVERT or not text.strip():
            return False
        if kind in (Kind.FORWARDED, Kind.PICTURE):
            return True
        return len(text) >= LIKE_AN_ADVERT and bool(self.guides.adverts.signs(text))

    def ask_advert(self, state: State) -> Answer:
        state.expecting = ADVERT
        said = self.guides.catalogue.say("utter_question_advert", state.language, state.turn)
        return Answer([Message(said.text, said.buttons)])

    async def read_advert(self, text: str, state: State) -> list[Message]:
        return await asyncio.to_thread(self.guides.advert, state, text[:LONGEST_ADVERT])

    async def ask_country(self, state: State, page: int, purpose: str) -> Answer:
        """Show one page of the countries' buttons."""
        question = "utter_ask_country" if purpose == "country" else f"utter_{purpose}"
        state.expecting = purpose if purpose != "country" else None
        return Answer(await asyncio.to_thread(self.effects.countries, state, page, purpose, question))

    async def journey(self, command: str, country: str, state: State) -> Answer:
        """Ask where a journey goes, then whence ("!trip", "!trip_to", "!trip_from"); then give the numbers for it."""
        if command == f"!{TRIP_TO}":
            state.trip_to = country
            return await self.ask_country(state, 0, TRIP_FROM)
        destination, state.trip_to = state.trip_to, None
        if command == f"!{TRIP_FROM}" and destination:
            return Answer(await asyncio.to_thread(self.guides.journey, state, country, destination))
        return await self.ask_country(state, 0, TRIP_TO)

    async def take(self, text: str, state: State, pseudonym: str) -> Answer | None:
        """Take a message for what was asked for; None where it is something else."""
        expecting, state.expecting = state.expecting, None
        if expecting is None:
            return None
        if expecting == ADVERT:
            return Answer(await self.read_advert(text, state))
        if expecting in PURPOSES:
            country = await asyncio.to_thread(lambda: Places.load().find(text))
            return await self.journey(f"!{expecting}", country, state) if country else None
        return self.hiding.take_word(expecting, text, state, pseudonym)
