"""What the gateway itself shows: emergency numbers, services, countries, languages.

The engine (or the router, while the engine is away) asks for these by name: `{"show": "emergency"}` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

from babel import Locale
from babel.dates import format_date, format_time, get_day_names

from bot.conversation.state import State
from bot.conversation.turn import Message
from bot.directory.gazetteer import find
from bot.directory.hours import opening
from bot.directory.ranking import Wanted
from bot.directory.read import NO, YES, Referral, ReferralPhone, as_date
from bot.directory.search import Directory, Emergency
from bot.text.catalogue import Button, Catalogue, isolate
from bot.text.durations import duration

EUROPE = "112"
"""The emergency number of all of Europe: Directive (EU) 2018/1972, article 109; read 2026-11-23."""

COUNTRIES_A_PAGE = 10
STOPNCII = "https://stopncii.org"
TAKE_IT_DOWN = "https://takeitdown.ncmec.org"

SAID = (
    ("anonymous", YES, "anonymous"),
    ("anonymous", NO, "not_anonymous"),
    ("police_contact_required", YES, "police_required"),
    ("police_contact_required", NO, "police_not_required"),
    ("accepts_undocumented", YES, "undocumented"),
    ("interpreters", YES, "interpreters"),
    ("silent_contact", YES, "silent"),
    ("gender", "women", "women"),
    ("gender", "men", "men"),
)
"""Which facts of the directory are told, and how: (fact, value, the text's name)."""

LIKELY_COUNTRIES = {
    "en": "GB IE IT DE FR ES GR CY MT AE",
    "fr": "FR BE CH LU IT ES DE MA CA TN",
    "ro": "RO MD IT ES DE GB FR AT BE PT",
    "uk": "UA PL DE CZ IT SK RO MD IE ES",
    "ar": "TR DE GR IT FR SE LB AE CY AT",
    "vi": "VN GB FR DE PL CZ TW KH RU JP",
    "es": "ES CO VE MX AR PE IT FR US DE",
    "ru": "RU UA KZ MD PL DE TR CZ IT AE",
}
"""Where people who write in a language are likely to be: the first page of country buttons."""


class Effects:
    """Renders what needs the directory or the languages. Calls block for a few milliseconds."""

    def __init__(self, catalogue: Catalogue, directory: Directory, expiry_hours: float) -> None:
        self.catalogue = catalogue
        self.directory = directory
        self.expiry_hours = expiry_hours

    def values(self, state: State) -> dict[str, str]:
        """Return what texts of the engine may leave open: `{duration}` and the addresses of services."""
        return {
            "duration": self.duration(state),
            "numbers": self._numbers(self.directory.emergency(state.country), state),
            "stopncii": isolate(STOPNCII),
            "takeitdown": isolate(TAKE_IT_DOWN),
        }

    def duration(self, state: State) -> str:
        hours = lifetime_hours(state, self.expiry_hours)
        return duration(round(hours, 1) if hours % 1 else int(hours), "hour", state.language)

    def emergency(self, state: State) -> list[Message]:
        """What to dial, how to do it without speaking, and her choices. No question comes first."""
        emergency = self.directory.emergency(state.country)
        numbers = self._numbers(emergency, state)
        known = "utter_danger_country" if emergency else "utter_danger_no_country"
        lines = [self.catalogue.say(known, state.language, state.turn, numbers=numbers).text]
        if emergency and emergency.sms:
            registered = "_registered" if emergency.sms_registered else ""
            lines.append(self._text(f"utter_danger_text{registered}", state, numbers=isolate(emergency.sms)))
        if emergency and emergency.silent_number:
            silent = isolate(emergency.silent_number)
            code = isolate(emergency.silent_code or "")
            lines.append(self._text("utter_danger_silent", state, numbers=silent, code=code))
        if emergency and not emergency.sms and not emergency.silent_number:
            lines.append(self._text("utter_danger_quiet", state))
        choices = self.catalogue.say("utter_danger_choices", state.language)
        buttons = [button for button in choices.buttons if not (state.country and button.payload == "!countries")]
        return [Message("\n".join([*lines, choices.text]), tuple(buttons))]

    def crisis(self, state: State) -> list[Message]:
        """Words for somebody in despair, and whom to call: a crisis line of her country, where one is known."""
        emergency = self.directory.emergency(state.country)
        numbers = self._numbers(emergency, state)
        if emergency is None:
            numbers = self._text("utter_numbers_europe", state, numbers=numbers)
        said = self.catalogue.say("utter_self_harm", state.language, state.turn, numbers=numbers)
        choices = self.catalogue.say("utter_self_harm_choices", state.language)
        wanted = Wanted(state.country, "need_counselling", "self_harm", (state.language,))
        found = self.directory.services(wanted) if state.country else []
        lines = [self.entry(service, state) for service in found if service.kind == "crisis"][:1]
        buttons = [button for button in choices.buttons if not (state.country and button.payload == "!countries")]
        return [Message(said.text), Message("\n\n".join([choices.text, *lines]), tuple(buttons))]

    def countries(
        self, state: State, page: int = 0, purpose: str = "country", question: str = "utter_ask_country"
    ) -> list[Message]:
        """Ask for a country: likely ones first, the rest by name, ten at a time. Each button is `!<purpose>:<code>`."""
        codes = self._ordered_countries(state.language)
        start = page * COUNTRIES_A_PAGE % max(len(codes), 1)
        territories = Locale.parse(state.language).territories
        shown = codes[start : start + COUNTRIES_A_PAGE]
        buttons = [Button(territories.get(code, code), f"!{purpose}:{code}") for code in shown]
        more = self.catalogue.text("utter_more_countries", state.language)
        buttons.append(Button(more, f"!countries:{page + 1}:{purpose}"))
        return [Message(self.catalogue.say(question, state.language, state.turn).text, tuple(buttons))]

    def _ordered_countries(self, language: str) -> list[str]:
        known = self.directory.countries()
        likely = [code for code in LIKELY_COUNTRIES.get(language, LIKELY_COUNTRIES["en"]).split() if code in known]
        territories = Locale.parse(language).territories
        return likely + sorted((c for c in known if c not in likely), key=lambda code: territories.get(code, code))

    def languages(self, state: State) -> list[Message]:
        """The language menu, in the languages' own names."""
        buttons = tuple(Button(each.name, f"!language:{each.code}") for each in self.catalogue.languages.values())
        return [Message(self.catalogue.say("utter_choose_language", state.language).text, buttons)]

    def services(self, state: State, wanted: Wanted, city: str | None = None) -> list[Message]:
        """The best services for her, each as a card; where there are none, the emergency number and the wider ones."""
        place = find(city, wanted.country) if city and wanted.country else None
        if place:
            wanted = replace(wanted, place=(place.latitude, place.longitude))
        language = state.language
        country = Locale.parse(language).territories.get(wanted.country or "", wanted.country or "")
        found = self.directory.services(wanted)
        if found:
            first = self.catalogue.say("utter_referral_found", language, country=country)
        else:
            emergency = self.directory.emergency(wanted.country)
            name = "utter_referral_none" if emergency else "utter_referral_none_unknown"
            numbers = isolate(emergency.numbers[0]) if emergency else ""
            first = self.catalogue.say(name, language, country=country, numbers=numbers)
            found = self.directory.services(Wanted(None, wanted.need, wanted.topic, wanted.languages))
        messages = [Message("\n\n".join([first.text, *(self.entry(service, state) for service in found)]))]
        following = self.catalogue.say("utter_referral_next", language)
        return [*messages, Message(following.text, following.buttons)]

    def entry(self, service: Referral, state: State, now: datetime | None = None) -> str:
        """Return one service as lines of text: what, languages, cost, hours, how to reach it, how it was checked."""
        now = now or datetime.now(timezone.utc)
        language = state.language
        comma = "، " if Locale.parse(language).character_order == "right-to-left" else ", "
        kind = self._text(f"utter_kind_{service.kind}", state)
        helps = [
            self._text(name, state)
            for name in (f"utter_need_name_{need.removeprefix('need_')}" for need in service.needs)
            if name in self.catalogue
        ]
        names = Locale.parse(language).languages
        spoken = [names.get(code, code) for code in service.languages]
        area = service.area
        lines = [
            isolate(service.text("name", language) or "") + (f" ({area})" if area else ""),
            self._text("utter_entry_helps_with", state, list=comma.join([*helps, kind])),
            self._text("utter_entry_languages", state, list=comma.join(spoken))
            if spoken
            else self._text("utter_entry_languages_unknown", state),
            self._text(
                {True: "utter_entry_free", False: "utter_entry_not_free", None: "utter_entry_free_unknown"}[
                    service.free
                ],
                state,
            ),
            *self._costs(service, state),
            self._hours(service, state, now),
            *self._for_whom(service, state, comma),
            *self._facts(service, state, now),
        ]
        calls = [self._phone(phone, state) for phone in service.phones if phone.type in ("voice", "tty")]
        writes = [self._phone(phone, state) for phone in service.phones if phone.type in ("sms", "whatsapp")]
        for name, items in (
            ("utter_entry_call", calls),
            ("utter_entry_sms", writes),
            ("utter_entry_chat", [isolate(service.chat_url)] if service.chat_url else []),
            ("utter_entry_page", [isolate(service.url)] if service.url else []),
            ("utter_entry_bring", list(service.documents)),
        ):
            if items:
                lines.append(self._text(name, state, list=comma.join(items)))
        if service.address:
            lines.append(self._text("utter_entry_address", state, text=isolate(service.address)))
        if service.address and service.access:
            lines.append(self._text("utter_entry_access", state, text=isolate(service.access)))
        if service.stale:
            lines.append(self._text("utter_entry_stale", state))
        if service.assured_date:
            lines.append(
                self._text("utter_entry_verified", state, date=format_date(service.assured_date, locale=language))
            )
        elif service.checked:
            lines.append(
                self._text("utter_entry_unverified", state, date=format_date(service.checked, locale=language))
            )
        else:
            lines.append(self._text("utter_entry_unread", state))
        return "\n".join(lines)

    def _costs(self, service: Referral, state: State) -> Iterator[str]:
        if service.fees and service.free is not True:
            yield self._text("utter_entry_cost", state, text=isolate(service.fees))

    def _for_whom(self, service: Referral, state: State, comma: str) -> Iterator[str]:
        """Yield for whom it is, where it is not for everybody."""
        ages = {name: f"{age:g}" for name, age in (("from", service.minimum_age), ("to", service.maximum_age)) if age}
        if ages:
            name = "between" if len(ages) == 2 else next(iter(ages))
            yield self._text(f"utter_entry_age_{name}", state, **ages)
        nationality = service.facts.get("nationality")
        if nationality:
            names = Locale.parse(state.language).territories
            codes = (each.strip() for each in nationality.replace(";", ",").split(","))
            listed = comma.join(names.get(code.upper(), code) for code in codes if code)
            yield self._text("utter_entry_nationality", state, list=listed)
        if service.facts.get("residence_status"):
            text = isolate(service.facts["residence_status"])
            yield self._text("utter_entry_residence_status", state, text=text)
        if service.eligibility:
            yield self._text("utter_entry_eligibility", state, text=isolate(service.eligibility))

    def _facts(self, service: Referral, state: State, now: datetime) -> Iterator[str]:
        """Yield what she should know before she calls, as far as it is known."""
        facts = service.facts
        alert = service.text("alert", state.language)
        if alert:
            yield self._text("utter_entry_alert", state, text=isolate(alert))
        full = as_date(facts.get("full_until"))
        if full and full >= now.date():
            yield self._text("utter_entry_full", state, date=format_date(full, locale=state.language))
        for fact, value, name in SAID:
            if facts.get(fact) == value:
                yield self._text(f"utter_entry_{name}", state)
        if facts.get("safe_hours"):
            yield self._text("utter_entry_safe_hours", state, text=isolate(facts["safe_hours"]))

    def _hours(self, service: Referral, state: State, now: datetime) -> str:
        hours = opening(
            service.schedules,
            now,
            country=service.country,
            closed_on_holidays=service.facts.get("open_on_holidays") != YES,
        )
        if hours is None:
            return self._text("utter_entry_hours_unknown", state)
        if hours.always:
            return self._text("utter_entry_always_open", state)
        if hours.open and hours.until:
            return self._text(
                "utter_entry_open_now", state, time=isolate(format_time(hours.until, "short", locale=state.language))
            )
        if hours.opens:
            day = get_day_names("wide", locale=state.language)[hours.opens.weekday()]
            clock = isolate(format_time(hours.opens, "short", locale=state.language))
            return self._text("utter_entry_opens", state, day=day, time=clock)
        return self._text("utter_entry_hours_unknown", state)

    def _phone(self, phone: ReferralPhone, state: State) -> str:
        number = isolate(phone.read.display)
        if phone.domestic and not phone.read.display.startswith("+"):
            return self._text("utter_entry_domestic", state, number=number)
        return number

    def _numbers(self, emergency: Emergency | None, state: State) -> str:
        return " / ".join(isolate(number) for number in (emergency.numbers if emergency else (EUROPE,)))

    def _text(self, response: str, state: State, **values: str) -> str:
        return self.catalogue.text(response, state.language, **values)


def lifetime_hours(state: State, expiry_hours: float) -> float:
    """Return after how many idle hours a conversation is forgotten: within one where others may read the phone."""
    return min(1.0, expiry_hours) if state.shared_phone else expiry_hours
