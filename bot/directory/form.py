"""An entry as a form of plain fields, and back. What the form does not show survives a save as it was."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.directory import vocabulary
from bot.directory.entries import GENDERS
from bot.directory.exchange import columns
from bot.directory.exchange.flat import hours_of, plain_hours
from bot.directory.hours import problems as hour_problems
from bot.directory.hsds import ENTITIES, Row, made_id, problems
from bot.directory.read import COUNTRY, EVERYWHERE, referral
from bot.directory.records import PUBLIC, Bundle
from bot.directory.restricted import TIERS, strictest

TEXTS = ("name", "description", "url", "email", "status", "minimum_age", "maximum_age", "eligibility_description",
         "fees_description", "alert", "assured_date", "assurer_email")  # fmt: skip
"""Fields of the service itself, under their own names."""
TRANSLATED = ("name", "description", "alert")
HIDDEN_FACTS = ("source", "checked")
PHONE_TYPES = ("voice", "sms", "whatsapp", "tty", "fax")
ADDRESS = ("address_1", "city", "state_province", "postal_code", "country")
COST = ("option", "amount", "currency")
SPARE = 2
"""Empty rows for new telephone numbers, addresses, prices and contacts: phone_new0_number and so on."""
LONGEST = 4000
STATUSES = ("active", "temporarily closed", "inactive", "defunct")


def to_form(bundle: Bundle, key: str, languages: Sequence[str]) -> dict[str, str]:
    """Return the fields of a service's form. `languages`: into which texts can be translated."""
    row = bundle["service"][key]
    shown = referral(bundle, key)
    form = {name: _text(row.get(name)) for name in TEXTS}
    form["kind"] = shown.kind
    form |= {f"need_{code}": "yes" for code in shown.needs}
    form |= {f"group_{code}": "yes" for code in shown.groups}
    form |= {f"fact_{code}": shown.facts.get(code, "") for code in facts()}
    form["languages"] = ", ".join(shown.languages)
    form["countries"] = ", ".join(code or "*" for code in _countries(bundle, key))
    form["area"] = shown.area or ""
    form["hours"] = hours_of(bundle, key)
    form["documents"] = "; ".join(shown.documents)
    for phone in _phones(bundle, key):
        number = phone["id"]
        form |= {
            f"phone_{number}_number": phone["number"],
            f"phone_{number}_type": phone.get("type", "voice"),
            f"phone_{number}_extension": _text(phone.get("extension")),
            f"phone_{number}_abroad": _abroad(bundle, phone["id"]),
            f"phone_{number}_tier": bundle.tier(phone["id"]),
        }
    for address in _addresses(bundle, key):
        form |= {f"address_{address['id']}_{name}": _text(address.get(name)) for name in ADDRESS}
        form[f"address_{address['id']}_tier"] = bundle.tier(address["location_id"])
        form[f"address_{address['id']}_access"] = _access(bundle, address["location_id"])
    for cost in _costs(bundle, key):
        form |= {f"cost_{cost['id']}_{name}": _text(cost.get(name)) for name in COST}
    for contact in _contacts(bundle, key):
        form |= {f"contact_{contact['id']}_{name}": _text(contact.get(name)) for name in ("name", "title", "email")}
        form[f"contact_{contact['id']}_tier"] = bundle.tier(contact["id"])
    for language in languages:
        for name in TRANSLATED:
            form[f"{name}.{language}"] = bundle.translations.get((key, name, language), "")
    return form


def merged(
    now: Mapping[str, str], seen: Mapping[str, str], posted: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the form as it is to be: what its sender changed, over what it is by now.

    `seen` is the form as it was sent out. The second value names the fields that somebody else has changed as well.
    """
    wanted = dict(now)
    both = []
    for name, text in posted.items():
        text = text.replace("\r\n", "\n")  # as browsers send line breaks, and leave them out of one-line fields
        if text.strip() in (seen.get(name, "").strip(), re.sub(r"[\r\n]", "", seen.get(name, "")).strip()):
            continue
        wanted[name] = text
        if now.get(name, "") not in (seen.get(name, ""), text.strip()):
            both.append(name)
    for name in set(seen) - set(posted):  # a box that is not ticked is not sent
        if name.startswith(("need_", "group_")):
            wanted.pop(name, None)
    return wanted, both


def facts() -> dict[str, str]:
    """Return the facts of a service that the form asks for, and their kind of value."""
    return {
        code: term["value"]
        for code, term in vocabulary.facts().items()
        if term.get("entity") != "phone" and code not in HIDDEN_FACTS
    }


def from_form(
    bundle: Bundle,
    key: str,
    form: Mapping[str, str],
    languages: Sequence[str],
    new_id: str,
    others: frozenset[str] = frozenset(),
) -> tuple[Bundle, dict[str, str]]:
    """Return the bundle as the form wants it, and what is wrong by field (names of problems).

    What the form has no field for stays as it is, so that a form of one field changes one thing.
    `new_id`: from which the ids of new rows are made. `others`: places that other organisations use as well; they
    are not changed, the service gets a place of its own instead.
    """
    after = copy.deepcopy(bundle)
    form = {name: text.replace("\0", "")[:LONGEST].strip() for name, text in form.items()}
    reader = _Reader(after, key, form, new_id, others)
    reader.texts()
    reader.terms()
    reader.facts()
    reader.spoken()
    reader.areas()
    reader.hours()
    reader.documents()
    reader.costs()
    reader.phones()
    reader.addresses()
    reader.contacts()
    reader.translations(languages)
    return after, reader.wrong


class _Reader:
    def __init__(
        self, bundle: Bundle, key: str, form: Mapping[str, str], new_id: str, others: frozenset[str] = frozenset()
    ) -> None:
        self.bundle = bundle
        self.others = others
        self.key = key
        self.form = form
        self.new_id = new_id
        self.wrong: dict[str, str] = {}

    def given(self, name: str) -> str | None:
        """Return a field's text, None where the form has no such field."""
        return self.form.get(name)

    def put(self, entity: str, row: Row, tier: str = PUBLIC) -> None:
        self.bundle.add(entity, row)
        if tier == self.bundle.tier(row["id"]):
            return
        hanging = [*self.bundle.children("attribute", "link_id", row["id"])]
        if entity in ("phone", "contact"):
            hanging += self.bundle.children("language" if entity == "phone" else "phone", f"{entity}_id", row["id"])
        for each in (row, *hanging):  # what hangs on it opens and closes with it
            self.bundle.tiers[each["id"]] = tier

    def texts(self) -> None:
        row = dict(self.bundle["service"][self.key])
        for name in TEXTS:
            text = self.given(name)
            if text is None or text == _text(row.get(name)):
                continue
            row[name] = _number(text) if name in ("minimum_age", "maximum_age") else text or None
        if row.get("url") and "://" not in str(row["url"]):
            row["url"] = f"https://{row['url']}"
        row = {name: value for name, value in row.items() if value is not None}
        for name, what in problems(ENTITIES["service"], row):
            self.wrong.setdefault(name, what)
        if not row.get("name"):
            self.wrong["name"] = "required"
        if row.get("assured_date", "")[:10] > date.today().isoformat():
            self.wrong["assured_date"] = "not_date"
        self.bundle.add("service", row)

    def terms(self) -> None:
        if self.given("kind") is None:
            return
        for taxonomy, prefix in (("kind", ""), ("need", "need_"), ("victim_group", "group_")):
            for code in vocabulary.taxonomies()[taxonomy]["terms"]:
                wanted = self.form["kind"] == code if taxonomy == "kind" else self.given(prefix + code) == "yes"
                self.term(taxonomy, code, None, wanted)
        if self.form["kind"] not in vocabulary.taxonomies()["kind"]["terms"]:
            self.wrong["kind"] = "not_listed"

    def facts(self) -> None:
        for code, kind in facts().items():
            text = self.given(f"fact_{code}")
            if text is None:
                continue
            if kind == "yes_no" and text not in ("", "yes", "no"):
                self.wrong[f"fact_{code}"] = "unknown_yes_no"
            elif kind == "date" and text and not _is_date(text):
                self.wrong[f"fact_{code}"] = "not_date"
            elif (kind == "gender" and text not in ("", *GENDERS)) or (
                kind == "zone" and text and "timezone" in hour_problems(_rule("MO", "09:00", "10:00", text))
            ):
                self.wrong[f"fact_{code}"] = "not_listed"
            elif kind == "uri" and text and "://" not in text:
                self.wrong[f"fact_{code}"] = "not_uri"
            self.term("fact", code, text, bool(text))

    def term(
        self, taxonomy: str, code: str, value: str | None, wanted: bool, on: tuple[str, str] | None = None
    ) -> None:
        entity, link = on or ("service", self.key)
        known = [
            row
            for row in self.bundle["attribute"].values()
            if row.get("link_id") == link and row.get("taxonomy_term_id") == vocabulary.term_id(taxonomy, code)
        ]
        if wanted and known:
            if value is not None and known[0].get("value") != value:
                self.bundle.add("attribute", known[0] | {"value": value})
        elif wanted:
            row = vocabulary.attribute(entity, link, taxonomy, code, value)
            self.put("attribute", row, self.bundle.tier(link))
        for row in known if not wanted else ():
            self.bundle.remove("attribute", row["id"])

    def spoken(self) -> None:
        text = self.given("languages")
        if text is None:
            return
        codes, unknown = columns.languages(text)
        if unknown:
            self.wrong["languages"] = "unknown_language"
        rows = self.bundle.nested("service", self.key, "language")
        for row in [each for each in rows if each.get("code") and each["code"] not in codes]:
            self.bundle.remove("language", row["id"])
        known = {row.get("code") for row in rows}
        for code in codes:
            if code not in known:
                self.put("language", {"id": self.made("language", code), "service_id": self.key, "code": code})

    def areas(self) -> None:
        text = self.given("countries")
        if text is None:
            return
        wanted = []
        for part in filter(None, (each.strip() for each in text.split(","))):
            code = "" if part == "*" else columns.country(part)
            if code is None:
                self.wrong["countries"] = "unknown_country"
            else:
                wanted.append(code)
        if not wanted:
            self.wrong.setdefault("countries", "no_country")
            return
        rows = self.bundle.nested("service", self.key, "service_area")
        known = {_area_code(row): row for row in rows if _area_code(row) is not None}
        for code, row in known.items():
            if code not in wanted:
                self.bundle.remove("service_area", row["id"])
        for code in wanted:
            if code not in known:
                kind = {"extent": code or None, "extent_type": COUNTRY if code else EVERYWHERE}
                self.put("service_area", {"id": self.made("area", code), "service_id": self.key, **kind})
        area = self.given("area")
        if area is not None and area != (referral(self.bundle, self.key).area or ""):
            named = self.bundle.nested("service", self.key, "service_area")
            for number, row in enumerate(list(named)):
                self.bundle.add("service_area", row | {"name": area or None if number == 0 else None})

    def hours(self) -> None:
        text = self.given("hours")
        if text is None or text == hours_of(self.bundle, self.key):
            return
        found = columns.hours(text) if text else ()
        if found is None:
            self.wrong["hours"] = "unknown_hours"
            return
        for row in list(self.bundle.nested("service", self.key, "schedule")):
            if plain_hours(row):
                self.bundle.remove("schedule", row["id"])
        for byday, opens, closes in found:
            rule = {"freq": columns.frequency(byday), "byday": byday, "opens_at": opens, "closes_at": closes}
            self.put("schedule", {"id": self.made("schedule", byday, opens), "service_id": self.key, **rule})

    def documents(self) -> None:
        text = self.given("documents")
        if text is None or text == "; ".join(referral(self.bundle, self.key).documents):
            return
        wanted = [each.strip() for each in text.split(";") if each.strip()]
        rows = list(self.bundle.nested("service", self.key, "required_document"))
        for row in rows:
            if row.get("document") not in wanted:
                self.bundle.remove("required_document", row["id"])
        for document in wanted:
            if document not in {row.get("document") for row in rows}:
                row = {"id": self.made("document", document), "service_id": self.key, "document": document}
                self.put("required_document", row)

    def costs(self) -> None:
        known = {row["id"]: row for row in _costs(self.bundle, self.key)}
        for number in self.numbers("cost"):
            row = known.get(number)
            values: dict[str, Any] = {name: self.form.get(f"cost_{number}_{name}", "") for name in COST}
            if not any(values.values()):
                if row:
                    self.bundle.remove("cost_option", row["id"])
                continue
            amount = _number(values["amount"])
            if isinstance(amount, str):
                self.wrong[f"cost_{number}_amount"] = "not_number"
            key = row["id"] if row else self.made("cost", str(number), *values.values())
            fresh = (row or {"id": key, "service_id": self.key}) | {n: v or None for n, v in values.items()}
            self.put("cost_option", fresh | {"amount": amount})

    def access(self, location: str, text: str, tier: str) -> None:
        """Say how people with disabilities get into a place."""
        rows = list(self.bundle.children("accessibility", "location_id", location))
        if text == _access(self.bundle, location):
            return
        for row in rows:
            self.bundle.remove("accessibility", row["id"])
        if text:
            row = {"id": self.made("access", location, text), "location_id": location, "description": text}
            self.put("accessibility", row, tier)

    def phones(self) -> None:
        known = {row["id"]: row for row in _phones(self.bundle, self.key)}
        for number in self.numbers("phone"):
            row = known.get(number)
            text, tier = self.form.get(f"phone_{number}_number", ""), self.tier(f"phone_{number}_tier")
            if not text:
                if row:
                    self.bundle.remove("phone", row["id"])
                continue
            if sum(map(str.isdigit, text)) < 3:
                self.wrong[f"phone_{number}_number"] = "unknown_phone"
            kind = self.form.get(f"phone_{number}_type", "voice")
            key = row["id"] if row else self.made("phone", str(number), text)
            fresh = (row or {"id": key, "service_id": self.key}) | {"number": text}
            if kind != (row or {}).get("type", "voice") or row is None:
                fresh["type"] = kind if kind in PHONE_TYPES else "voice"
            extension = self.form.get(f"phone_{number}_extension")
            if extension is not None and extension != _text(fresh.get("extension")):
                fresh["extension"] = _number(extension)
                if isinstance(fresh["extension"], str):
                    self.wrong[f"phone_{number}_extension"] = "not_number"
            self.put("phone", fresh, tier)
            self.abroad(key, self.form.get(f"phone_{number}_abroad", ""))

    def abroad(self, phone: str, says: str) -> None:
        if says == _abroad(self.bundle, phone):
            return
        self.term("fact", "domestic_only", "yes", says == "no", ("phone", phone))
        self.term("fact", "abroad", "yes", says == "yes", ("phone", phone))

    def addresses(self) -> None:
        known = {row["id"]: row for row in _addresses(self.bundle, self.key)}
        tiers: dict[str, list[str]] = {}
        for number in self.numbers("address"):
            row = known.get(number)
            values = {name: self.form.get(f"address_{number}_{name}", "") for name in ADDRESS}
            tier = self.tier(f"address_{number}_tier")
            if not any(values[name] for name in ("address_1", "city")):
                if row and row["location_id"] in self.others:
                    self.unlink(row["location_id"])
                elif row:
                    self.bundle.remove("address", row["id"])
                    self.leave(row["location_id"])
                continue
            if values["country"]:
                code = columns.country(values["country"])
                if code is None:
                    self.wrong[f"address_{number}_country"] = "unknown_country"
                values["country"] = code or values["country"]
            if row:
                location = row["location_id"]
                same = all(_text(row.get(name)) == text for name, text in values.items())
                same = same and self.form.get(f"address_{number}_access", "") == _access(self.bundle, location)
                if location in self.others and (not same or tier != self.bundle.tier(location)):
                    row = self.own(row, tier)
                    location = row["location_id"]
                if not same:
                    self.bundle.add("address", row | values)
            else:
                location = self.made("location", str(number), values["address_1"])
                organization = self.bundle["service"][self.key].get("organization_id")
                kind = {"location_type": "physical", "organization_id": organization}
                self.put("location", {"id": location, **kind}, tier)
                at = {"id": self.made("at", location), "service_id": self.key, "location_id": location}
                self.put("service_at_location", at, tier)
                address = {"id": self.made("address", location), "location_id": location, "address_type": "physical"}
                self.put("address", address | values, tier)
            if f"address_{number}_access" in self.form:
                self.access(location, self.form[f"address_{number}_access"], tier)
            tiers.setdefault(location, []).append(tier)
        for location, asked in tiers.items():
            self.close(location, strictest(*asked))

    def leave(self, location: str) -> None:
        """Take the service from a place without an address: its coordinates would still tell where it is."""
        if not self.bundle.children("address", "location_id", location):
            self.unlink(location)

    def unlink(self, location: str) -> None:
        for row in list(self.bundle.children("service_at_location", "location_id", location)):
            if row.get("service_id") == self.key:
                self.bundle.remove("service_at_location", row["id"])

    def own(self, address: Row, tier: str) -> Row:
        """Give the service a place of its own in the stead of one that others use too; return its address."""
        old = address["location_id"]
        location = self.made("location", old)
        organization = self.bundle["service"][self.key].get("organization_id")
        self.put("location", self.bundle["location"][old] | {"id": location, "organization_id": organization}, tier)
        for row in list(self.bundle.children("service_at_location", "location_id", old)):
            if row.get("service_id") == self.key:
                self.put("service_at_location", row | {"location_id": location}, tier)
        fresh = address | {"id": self.made("address", address["id"]), "location_id": location}
        self.put("address", fresh, tier)
        return fresh

    def close(self, location: str, tier: str) -> None:
        """Give a location, and all that hangs on it, a tier."""
        hanging = [self.bundle["location"][location]] if location in self.bundle["location"] else []
        for entity in ("address", "service_at_location", "phone", "schedule", "accessibility", "language", "contact"):
            hanging += self.bundle.children(entity, "location_id", location)
        for row in list(hanging):
            hanging += self.bundle.children("attribute", "link_id", row["id"])
        for row in hanging:
            if tier != self.bundle.tier(row["id"]):
                self.bundle.tiers[row["id"]] = tier

    def contacts(self) -> None:
        known = {row["id"]: row for row in _contacts(self.bundle, self.key)}
        for number in self.numbers("contact"):
            row = known.get(number)
            values = {name: self.form.get(f"contact_{number}_{name}", "") for name in ("name", "title", "email")}
            tier = self.tier(f"contact_{number}_tier")
            if not any(values.values()):
                if row:
                    self.bundle.remove("contact", row["id"])
                continue
            if values["email"] and "@" not in values["email"]:
                self.wrong[f"contact_{number}_email"] = "not_email"
            fresh = row or {
                "id": self.made("contact", str(number), values["name"], values["email"]),
                "service_id": self.key,
            }
            changed = {name: text or None for name, text in values.items() if text != _text(fresh.get(name))}
            self.put("contact", fresh | changed, tier)

    def translations(self, languages: Sequence[str]) -> None:
        for language in languages:
            for name in TRANSLATED:
                text = self.given(f"{name}.{language}")
                if text is None:
                    continue
                if text:
                    self.bundle.translations[self.key, name, language] = text
                else:
                    self.bundle.translations.pop((self.key, name, language), None)

    def numbers(self, prefix: str) -> list[str]:
        """Return the numbers of the rows of a repeated part that the form has."""
        found = {name.split("_")[1] for name in self.form if name.startswith(f"{prefix}_") and name.count("_") >= 2}
        return sorted(found, key=lambda number: (len(number), number))

    def tier(self, name: str) -> str:
        tier = self.form.get(name) or PUBLIC
        return tier if tier in TIERS else PUBLIC

    def made(self, *names: str) -> str:
        return made_id(self.new_id, self.key, *names)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(text: str) -> Any:
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _rule(byday: str, opens: str, closes: str, zone: str) -> Any:
    from bot.directory.hours import Hours

    return Hours(byday=byday, opens_at=opens, closes_at=closes, timezone=zone)


def _phones(bundle: Bundle, key: str) -> list[Row]:
    return sorted(bundle.nested("service", key, "phone"), key=lambda row: row["id"])


def _addresses(bundle: Bundle, key: str) -> list[Row]:
    locations = [at.get("location_id", "") for at in bundle.nested("service", key, "service_at_location")]
    rows = [row for location in dict.fromkeys(locations) for row in bundle.nested("location", location, "address")]
    return sorted(rows, key=lambda row: row["id"])


def _costs(bundle: Bundle, key: str) -> list[Row]:
    return sorted(bundle.nested("service", key, "cost_option"), key=lambda row: row["id"])


def _access(bundle: Bundle, location: str) -> str:
    texts = (row.get("description") for row in bundle.children("accessibility", "location_id", location))
    return "; ".join(text for text in texts if text)


def _contacts(bundle: Bundle, key: str) -> list[Row]:
    return sorted(bundle.nested("service", key, "contact"), key=lambda row: row["id"])


def _area_code(row: Row) -> str | None:
    extent = str(row.get("extent", "")).upper()
    if len(extent) == 2 and extent.isalpha():
        return extent
    return "" if row.get("extent_type") == EVERYWHERE else None


def _countries(bundle: Bundle, key: str) -> list[str]:
    codes = (_area_code(row) for row in bundle.nested("service", key, "service_area"))
    return list(dict.fromkeys(code for code in codes if code is not None))


def _abroad(bundle: Bundle, phone: str) -> str:
    known = {
        vocabulary.codes().get(row.get("taxonomy_term_id", "")): row.get("value")
        for row in bundle.children("attribute", "link_id", phone)
    }
    if known.get(("fact", "abroad")) == "yes" or known.get(("fact", "domestic_only")) == "no":
        return "yes"
    return "no" if known.get(("fact", "domestic_only")) == "yes" else ""
