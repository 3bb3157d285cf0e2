"""A row of a spreadsheet becomes the rows of the standard, and the standard's rows one of a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from bot.directory import vocabulary
from bot.directory.exchange import columns
from bot.directory.exchange.problems import WARNING, Problem
from bot.directory.exchange.sheets import Row, Sheet, as_date
from bot.directory.hours import DAYS
from bot.directory.hsds import Row as Record
from bot.directory.hsds import made_id
from bot.directory.read import COUNTRY, EVERYWHERE, referral
from bot.directory.records import Bundle, Returned
from bot.text.normalise import normalise

EVERY_COUNTRY = "*"
"""What stands in the column of the country for a service that helps everywhere."""

FACTS = (
    "chat_url", "timezone", "free", "anonymous", "police_contact_required", "accepts_undocumented", "interpreters",
    "safe_hours", "gender", "source",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_YES_NO = {code for code, term in vocabulary.facts().items() if term["value"] == "yes_no"}
_EXPORTED = (
    "id", "organization", "website", "service", "service_description", "kind", "needs", "phone", "phone_2", "sms",
    "whatsapp", "hours", "timezone", "languages", "country", "area", "city", "address", "postal_code", "url", "email",
    "chat_url", "free", "fees", "minimum_age", "maximum_age", "gender", "eligibility", "anonymous",
    "police_contact_required", "accepts_undocumented", "interpreters", "safe_hours", "documents", "source",
    "assured_date", "alert", "status",
)  # fmt: skip


def to_bundle(
    sheet: Sheet, matches: Sequence[columns.Match], dataset: str, country: str | None = None
) -> tuple[Bundle, list[Problem]]:
    """Turn a sheet into a bundle. Ids are made from the dataset and the names: the same file gives the same ids.

    `country`: for rows that name none. Rows with an error are told and make the whole file not to be imported.
    """
    reader = _Reader(dataset, country, {match.column: match.field for match in matches if match.field})
    for entity, row in vocabulary.rows():
        reader.bundle.add(entity, row)
    found: list[Problem] = []
    fields = set(reader.fields.values())
    for needed in ("organization", "service"):
        if needed not in fields:
            found.append(Problem("file", "required", {"field": needed}))
    if found:
        return reader.bundle, found
    for line in sheet.rows:
        reader.row(line)
    if not sheet.rows:
        found.append(Problem("file", "nothing_found"))
    return reader.bundle, [*found, *reader.problems]


class _Reader:
    def __init__(self, dataset: str, country: str | None, fields: dict[int, str]) -> None:
        self.dataset = dataset
        self.country = country
        self.fields = fields
        self.columns = {field: column for column, field in fields.items()}
        self.known = frozenset(fields.values())
        self.bundle = Bundle()
        self.problems: list[Problem] = []
        self.seen: dict[str, int] = {}

    def row(self, row: Row) -> None:
        """Read one row of the sheet."""
        self.at = row
        values = {self.fields[column]: text for column, text in row.cells.items() if column in self.fields}
        missing = [name for name in ("organization", "service") if name not in values]
        for name in missing:
            self.wrong(name, "required", {"field": name})
        if missing:
            return
        country = self.country
        if "country" in values:
            everywhere = values["country"].strip() == EVERY_COUNTRY
            country = "" if everywhere else columns.country(values["country"])
            if country is None:
                self.wrong("country", "unknown_country")
        elif country is None:
            self.wrong("service", "no_country")
        names = [normalise(values[name]) for name in ("organization", "service")]
        organization = made_id(self.dataset, "organization", names[0])
        key = made_id(self.dataset, "service", *names, values.get("id", ""), country)
        if _UUID.fullmatch(values.get("id", "")):
            key = values["id"].lower()
            self.bundle.returned[key] = Returned(row.place(self.columns["id"]), self.known, values.get("version", ""))
        if key in self.seen:
            self.wrong("service", "repeated_row", {"row": self.seen[key]})
            return
        self.seen[key] = row.number
        known = self.bundle["organization"].get(organization, {})
        self.bundle.add(
            "organization",
            {
                "id": organization,
                "name": values["organization"],
                "description": values.get("organization_description")
                or known.get("description")
                or values["organization"],
                "website": self.uri(values, "website") or known.get("website"),
            },
        )
        self.service(key, organization, values, country)

    def wrong(self, field: str, name: str, more: dict[str, Any] | None = None, level: str = "error") -> None:
        column = self.columns.get(field, self.columns.get("service", 0))
        values = {"field": field, "value": self.at.cells.get(column, "")} | (more or {})
        self.problems.append(Problem(self.at.place(column), name, values, level))

    def uri(self, values: dict[str, str], field: str) -> str | None:
        text = values.get(field)
        if text is None:
            return None
        text = text if ":" in text.split("/")[0] else f"https://{text}"
        if " " in text or "." not in text:
            self.wrong(field, "not_uri")
            return None
        return text

    def number(self, values: dict[str, str], field: str) -> float | None:
        if field not in values:
            return None
        try:
            return float(values[field].replace(",", "."))
        except ValueError:
            self.wrong(field, "not_number")
            return None

    def day(self, values: dict[str, str], field: str) -> str | None:
        if field not in values:
            return None
        found = as_date(values[field])
        if isinstance(found, str):
            self.wrong(field, found)
            return None
        return found.isoformat()

    def service(self, key: str, organization: str, values: dict[str, str], country: str | None) -> None:
        status = values.get("status", "active").casefold()
        if status not in ("active", "inactive", "defunct", "temporarily closed"):
            self.wrong("status", "not_listed")
        email = values.get("email")
        if email is not None and "@" not in email:
            self.wrong("email", "not_email")
        self.bundle.add(
            "service",
            {
                "id": key,
                "organization_id": organization,
                "name": values["service"],
                "description": values.get("service_description"),
                "url": self.uri(values, "url"),
                "email": email,
                "status": status,
                "fees_description": values.get("fees"),
                "eligibility_description": values.get("eligibility"),
                "minimum_age": self.number(values, "minimum_age"),
                "maximum_age": self.number(values, "maximum_age"),
                "assured_date": self.day(values, "assured_date"),
                "assurer_email": values.get("assurer_email"),
                "alert": values.get("alert"),
            },
        )
        self.terms(key, values)
        self.phones(key, values, country)
        self.hours(key, values)
        self.places(key, organization, values, country)
        self.closed(key, organization, values)
        for field, text in values.items():
            translated = columns.translation(field)
            if translated:
                name, language = translated
                self.bundle.translations[key, name, language] = text

    def add(self, entity: str, key: str, *names: str, **values: Any) -> str:
        row = {"id": made_id(self.dataset, key, entity, *names), **values}
        self.bundle.add(entity, row)
        return str(row["id"])

    def terms(self, key: str, values: dict[str, str]) -> None:
        kinds, unknown = columns.terms("kind", values.get("kind", ""))
        if unknown:
            self.wrong("kind", "unknown_kind", {"known": ", ".join(vocabulary.taxonomies()["kind"]["terms"])})
        needs, unknown = columns.terms("need", values.get("needs", ""))
        if unknown:
            known = ", ".join(vocabulary.taxonomies()["need"]["terms"])
            self.wrong("needs", "unknown_need", {"value": ", ".join(unknown), "known": known}, WARNING)
        for taxonomy, codes in (("kind", kinds[:1] or ["other"]), ("need", needs)):
            for code in codes:
                self.bundle.add("attribute", vocabulary.attribute("service", key, taxonomy, code))
        for fact in FACTS:
            if fact not in values:
                continue
            value: str | None = values[fact]
            if fact in _YES_NO:
                value = columns.yes_no(values[fact])
                if value is None:
                    self.wrong(fact, "unknown_yes_no")
                    continue
            elif fact == "gender":
                value = columns.gender(values[fact])
                if value is None:
                    self.wrong(fact, "unknown_gender", level=WARNING)
                if not value:
                    continue
            self.bundle.add("attribute", vocabulary.attribute("service", key, "fact", fact, value))
        codes, unknown = columns.languages(values.get("languages", ""))
        if unknown:
            self.wrong("languages", "unknown_language", {"value": ", ".join(unknown)}, WARNING)
        for code in codes:
            self.add("language", key, code, service_id=key, code=code)
        for document in filter(None, (each.strip() for each in values.get("documents", "").split(";"))):
            self.add("required_document", key, document, service_id=key, document=document)

    def phones(self, key: str, values: dict[str, str], country: str | None) -> None:
        from bot.directory.phones import read

        for field, kind in (("phone", "voice"), ("phone_2", "voice"), ("sms", "sms"), ("whatsapp", "whatsapp")):
            if field not in values:
                continue
            number = read(values[field], country)
            if not number.valid:
                digits = sum(map(str.isdigit, values[field]))
                self.wrong(field, "unknown_phone", {}, WARNING if 3 <= digits <= 15 else "error")
            phone = self.add("phone", key, field, service_id=key, number=values[field], type=kind)
            abroad = columns.yes_no(values.get("abroad", "")) if field == "phone" else None
            if "abroad" in values and abroad is None and field == "phone":
                self.wrong("abroad", "unknown_yes_no")
            if abroad:
                self.bundle.add("attribute", vocabulary.attribute("phone", phone, "fact", "abroad", abroad))

    def hours(self, key: str, values: dict[str, str]) -> None:
        if "hours" not in values:
            return
        found = columns.hours(values["hours"])
        if found is None:
            self.wrong("hours", "unknown_hours", {}, WARNING)
            self.add("schedule", key, "text", service_id=key, description=values["hours"])
        for byday, opens, closes in found or ():
            rule = {"freq": columns.frequency(byday), "byday": byday, "opens_at": opens, "closes_at": closes}
            self.add("schedule", key, byday, opens, service_id=key, **rule)

    def places(self, key: str, organization: str, values: dict[str, str], country: str | None) -> None:
        if country is not None:
            area = {"name": values.get("area"), "extent": country or None}
            kind = COUNTRY if country else EVERYWHERE
            self.add("service_area", key, country, service_id=key, extent_type=kind, **area)
        if not {"address", "city", "latitude"} & set(values):
            return
        location = self.add(
            "location",
            key,
            location_type="physical",
            organization_id=organization,
            latitude=self.number(values, "latitude"),
            longitude=self.number(values, "longitude"),
        )
        self.add("service_at_location", key, service_id=key, location_id=location)
        self.add("address", key, location_id=location, **_address(values, "address", country))
        if "accessibility" in values:
            self.add("accessibility", key, location_id=location, description=values["accessibility"])

    def closed(self, key: str, organization: str, values: dict[str, str]) -> None:
        """What is for staff, or for the organisation's own people: never into the public tables."""
        if "staff_phone" in values:
            phone = self.add("phone", key, "staff", service_id=key, number=values["staff_phone"], type="voice")
            self.bundle.tiers[phone] = columns.CLOSED["staff_phone"]
        if "staff_notes" in values:
            contact = self.add("contact", key, "staff", service_id=key, title=values["staff_notes"])
            self.bundle.tiers[contact] = columns.CLOSED["staff_notes"]
        if "shelter_address" in values:
            link = {"organization_id": organization, "location_type": "physical"}
            location = self.add("location", key, "shelter", **link)
            at = self.add("service_at_location", key, "shelter", service_id=key, location_id=location)
            address = self.add(
                "address", key, "shelter", location_id=location, **_address(values, "shelter_address", None)
            )
            for row in (location, at, address):
                self.bundle.tiers[row] = columns.CLOSED["shelter_address"]


def _address(values: dict[str, str], field: str, country: str | None) -> Record:
    public = field == "address"
    return {
        "address_1": values.get(field, ""),
        "city": values.get("city", "") if public else "",
        "state_province": values.get("state_province", "") if public else "",
        "postal_code": values.get("postal_code", "") if public else "",
        "country": country or "",
        "address_type": "physical",
    }


def from_bundle(bundle: Bundle) -> Iterator[list[str]]:
    """Yield the header and a row a service, as `to_bundle` reads them again."""
    spoken = sorted({language for _, name, language in bundle.translations if name in _TRANSLATIONS})
    texts = [f"{_TRANSLATIONS[name]}.{language}" for language in spoken for name in _TRANSLATIONS]
    header = [*_EXPORTED, *texts]
    yield [*header, "version"]
    for key in bundle["service"]:
        cells = cells_of(bundle, key)
        yield [*(cells.get(field, "") for field in header), version_of(cells)]


def version_of(cells: dict[str, str]) -> str:
    """Return what tells an entry's cells from any other content of them: a file that comes back names it."""
    return sha256(repr(sorted(cells.items())).encode()).hexdigest()[:16]


def cells_of(bundle: Bundle, key: str) -> dict[str, str]:
    """Return a service as the cells of a row, by field; empty ones are left out."""
    service = referral(bundle, key)
    organization = bundle["organization"].get(service.organization_id or "", {})
    voices = [phone.number for phone in service.phones if phone.type in ("voice", "tty")]
    by_type = {phone.type: phone.number for phone in service.phones}
    address = next(iter(addresses_of(bundle, key)), {})
    values: dict[str, Any] = {
        "id": key,
        "organization": service.organization,
        "website": organization.get("website"),
        "service": service.name,
        "service_description": service.description,
        "kind": service.kind,
        "needs": ", ".join(service.needs),
        "phone": voices[0] if voices else None,
        "phone_2": voices[1] if len(voices) > 1 else None,
        "sms": by_type.get("sms"),
        "whatsapp": by_type.get("whatsapp"),
        "hours": hours_of(bundle, key),
        "languages": ", ".join(service.languages),
        "country": service.country or (EVERY_COUNTRY if "" in service.countries else None),
        "area": service.area,
        "city": address.get("city"),
        "address": address.get("address_1"),
        "postal_code": address.get("postal_code"),
        "url": service.url,
        "email": service.email,
        "fees": service.fees,
        "minimum_age": service.minimum_age,
        "maximum_age": service.maximum_age,
        "eligibility": service.eligibility,
        "documents": "; ".join(service.documents),
        "assured_date": service.assured_date,
        "alert": service.alert,
        "status": service.status,
    } | {fact: service.facts.get(fact) for fact in FACTS}
    values |= {
        f"{_TRANSLATIONS[name]}.{language}": text
        for (name, language), text in service.translations.items()
        if name in _TRANSLATIONS
    }
    return {field: f"{value}".removesuffix(".0") for field, value in values.items() if value not in (None, "")}


def hours_of(bundle: Bundle, key: str) -> str:
    """Return a service's hours in one line, whether or not their time zone is known; without rules that need more."""
    spans = []
    for row in sorted(bundle.nested("service", key, "schedule"), key=lambda row: str(row["id"])):
        byday, opens, closes = (str(row.get(name) or "") for name in ("byday", "opens_at", "closes_at"))
        if not plain_hours(row):
            continue
        if set(byday.split(",")) == set(DAYS) and (opens[:5], closes[:5]) == ("00:00", "24:00"):
            spans.append("24/7")
        else:
            text = f"{columns.days_in_words(byday)} {opens[:5]}-{closes[:5]}" if opens else row.get("description")
            spans.append(str(text or ""))
    return "; ".join(filter(None, spans))


def plain_hours(row: Record) -> bool:
    """Return whether one line can say a schedule: the same every week, or a weekday of every month."""
    rare = ("bymonthday", "byweekno", "byyearday", "until", "count", "valid_from", "valid_to")
    return row.get("interval") in (None, 1) and not any(row.get(name) for name in rare)


def addresses_of(bundle: Bundle, key: str) -> list[Record]:
    """Return the addresses of a service's places."""
    return [
        address
        for at in bundle.nested("service", key, "service_at_location")
        for address in bundle.nested("location", at.get("location_id", ""), "address")
    ]


_TRANSLATIONS = {name: field for field, name in columns.TRANSLATED.items()}
