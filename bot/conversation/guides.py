"""Renders what leads somebody on: walks and their results, an offer's signs, a journey's numbers, a country's law."""

from __future__ import annotations

from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list

from bot.conversation.adverts import LONG_ENOUGH, Adverts
from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.conversation.turn import Message
from bot.conversation.walks import BACK, EXPLAIN, GO_ON, SKIP, STOP, YES, answer_payload, load_walks
from bot.directory.ranking import Wanted
from bot.directory.read import Referral
from bot.directory.rights import Fact, fact
from bot.text.catalogue import Button, isolate
from bot.text.durations import duration

DANGER_BUTTON = Button("I am in danger now", "/immediate_danger")


class Guides:
    """Renders guides with what `effects` knows of directory and texts. Calls block for a few milliseconds."""

    def __init__(self, effects: Effects, adverts: Adverts) -> None:
        self.effects = effects
        self.adverts = adverts
        self.catalogue = effects.catalogue
        self.directory = effects.directory

    # Walks

    def walk_step(self, state: State, position: list[str], explain: bool = False) -> list[Message]:
        """Ask the question at `position`, after its explanation where she asked for that."""
        walk = load_walks()[position[0]]
        step = walk.steps[len(position) - 1]
        lines = [self._text("walk_step", state, step=str(len(position)), steps=str(len(walk.steps)))]
        before = walk.steps[len(position) - 2] if len(position) > 1 else None
        grave = before is not None and before.grave and position[-1] == YES
        if grave:
            lines.insert(0, self._text("walk_grave", state))
        explanation = f"utter_{walk.name}_{step.name}_explain"
        if explain and explanation in self.catalogue:
            lines.append(self._text(explanation.removeprefix("utter_"), state))
        lines.append(self._text(f"{walk.name}_{step.name}", state))
        own = [f"{walk.name}_{step.name}_{answer}" for answer in step.answers]
        titles = [name if f"utter_{name}" in self.catalogue else f"walk_{name.rpartition('_')[2]}" for name in own]
        choices = list(zip(titles, step.answers, strict=True))
        if explanation in self.catalogue and not explain:
            choices.append(("walk_explain", EXPLAIN))
        elif explanation not in self.catalogue:
            choices.append(("plan_skip", SKIP))
        if len(position) > 1:
            choices.append(("walk_back", BACK))
        choices.append(("walk_stop", STOP))
        at = walk.at(position)
        buttons = tuple(Button(self._text(title, state), answer_payload(answer, at)) for title, answer in choices)
        if grave:
            buttons += (
                Button(self.catalogue.translate(DANGER_BUTTON.title, state.language)[0], DANGER_BUTTON.payload),
            )
        return [Message("\n".join(lines), buttons)]

    def walk_result(self, state: State, position: list[str]) -> list[Message]:
        """Say what the answers come to: a plan's lines, or the ticked signs and who can look at them."""
        walk = load_walks()[position[0]]
        answers = position[1:]
        if walk.many:
            ticked = walk.ticked(answers)
            names = [self._text(f"{walk.name}_name_{each}", state) for each in ticked]
            response = f"utter_{walk.name}_result_{walk.weight(ticked)}"
            listed = self._list(names, state)
        else:
            response = f"utter_{walk.name}_result"
            chosen = [
                f"{walk.name}_line_{step.name}_{answer}" for step, answer in zip(walk.steps, answers, strict=True)
            ]
            lines = [self._text(name, state) for name in chosen if f"utter_{name}" in self.catalogue]
            listed = "\n".join(f"– {line}" for line in lines) or "–"
        said = self.catalogue.say(response, state.language, state.turn, list=listed)
        return [Message(said.text, said.buttons)]

    def go_on(self, state: State) -> Button:
        """Return the button that takes a waiting walk up again."""
        return Button(self._text("walk_go_on", state), answer_payload(GO_ON))

    # Offers

    def advert(self, state: State, text: str) -> list[Message]:
        """Name the warning signs in the text of an offer, with her own words in which they were found."""
        signs = self.adverts.signs(text)
        if not signs and len(text) < LONG_ENOUGH:
            said = self.catalogue.say("utter_advert_short", state.language)
        elif not signs:
            said = self.catalogue.say("utter_advert_none", state.language)
        else:
            names = [f"{self._text(f'offer_name_{sign.name}', state)} ({isolate(sign.words)})" for sign in signs]
            said = self.catalogue.say("utter_advert_found", state.language, list=self._list(names, state))
        return [Message(said.text, said.buttons)]

    def journey(self, state: State, origin: str, destination: str) -> list[Message]:
        """Return the numbers for a journey: emergency and help where she goes, her own country's line and help."""
        lines = []
        for country in dict.fromkeys((destination, origin)):
            name = self._country(country, state)
            emergency = self.directory.emergency(country)
            if emergency:
                numbers = " / ".join(isolate(number) for number in emergency.numbers)
                lines.append(self._text("trip_emergency", state, country=name, numbers=numbers))
            service = self._helper(country, state)
            if service:
                lines.append(self._text("trip_hotline", state, country=name, service=self._contact(service)))
        consular = self.directory.consular(origin)
        if consular:
            lines.append(self._text("trip_consular", state, service=self._contact(consular)))
        else:
            lines.append(self._text("trip_no_consular", state, country=self._country(origin, state)))
        said = self.catalogue.say("utter_trip_numbers", state.language)
        return [Message("\n".join([said.text, *lines]), said.buttons)]

    # Law

    def country_fact(self, state: State, name: str, country: str | None) -> str:
        """Return what `country` gives of one right, with source and date; who can tell, where that is not known."""
        if country is None:
            return self._text("fact_no_country", state)
        found = fact(country, name)
        named = self._country(country, state)
        said = self._fact(state, name, found, named) if found else None
        if found is None or said is None:
            service = self._helper(country, state)
            if service is None:
                return self._text("fact_missing_none", state, country=named)
            return self._text("fact_missing", state, country=named, service=self._contact(service))
        how = "fact_reviewed" if found.reviewer else "fact_unreviewed"
        date = format_date(found.checked, locale=state.language)
        source = self._text(how, state, date=date, page=isolate(found.source), reviewer=isolate(found.reviewer or ""))
        return f"{said}\n{source}"

    def _fact(self, state: State, name: str, found: Fact, country: str) -> str | None:
        values = found.values
        if name == "reflection_period":
            unit, amount = next(iter(values["duration"].items()))
            period = duration(amount, unit.removesuffix("s"), state.language)
            return self._text("fact_reflection_period", state, country=country, duration=period)
        if name == "residence":
            helping, personal = bool(values.get("cooperation")), bool(values.get("personal"))
            if not (helping or personal):
                return None
            kind = "both" if helping and personal else "personal" if personal else "cooperation"
            return self._text(f"fact_residence_{kind}", state, country=country)
        if name == "compensation_fund":
            return self._text("fact_compensation_fund", state, country=country, name=isolate(values["name"]))
        if name == "legal_aid":
            return self._text(f"fact_legal_aid_{values['free']}", state, country=country)
        bodies = [isolate(body) for body in values["bodies"]]
        return self._text("fact_identification", state, country=country, list=self._list(bodies, state))

    def _helper(self, country: str, state: State) -> Referral | None:
        found = self.directory.services(Wanted(country, "find_service", None, (state.language,)))
        return found[0] if found else None

    @staticmethod
    def _contact(service: Referral) -> str:
        number = next((phone.read.display for phone in service.phones), None)
        reach = number or service.url or service.chat_url
        return isolate(service.name) + (f", {isolate(reach)}" if reach else "")

    @staticmethod
    def _country(country: str, state: State) -> str:
        return str(Locale.parse(state.language).territories.get(country, country))

    @staticmethod
    def _list(items: list[str], state: State) -> str:
        return format_list(items, locale=state.language) if items else ""

    def _text(self, response: str, state: State, **values: Any) -> str:
        return self.catalogue.text(f"utter_{response}", state.language, **values)
