"""An organisation as a form of plain fields, and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from bot.directory.form import LONGEST, PHONE_TYPES
from bot.directory.hsds import ENTITIES, Row, made_id, problems
from bot.directory.records import PUBLIC, Bundle
from bot.directory.restricted import TIERS

TEXTS = ("name", "alternate_name", "description", "website", "email", "legal_status")
PHONE = ("number", "type", "tier")
NEW = "new"
"""The empty row for one more telephone number."""


def to_form(bundle: Bundle, key: str) -> dict[str, str]:
    """Return the fields of an organisation's form."""
    row = bundle["organization"][key]
    form = {name: str(row.get(name) or "") for name in TEXTS}
    for phone in phones(bundle, key):
        form |= {
            f"phone_{phone['id']}_number": phone["number"],
            f"phone_{phone['id']}_type": phone.get("type", "voice"),
            f"phone_{phone['id']}_tier": bundle.tier(phone["id"]),
        }
    return form


def from_form(bundle: Bundle, key: str, form: Mapping[str, str]) -> tuple[Bundle, dict[str, str]]:
    """Return the bundle as the form wants it, and what is wrong by field (names of problems)."""
    after, wrong = copy.deepcopy(bundle), {}
    given = {name: text.replace("\0", "")[:LONGEST].strip() for name, text in form.items()}
    row = dict(after["organization"][key])
    row |= {name: given[name] or None for name in TEXTS if name in given and given[name] != (row.get(name) or "")}
    if row.get("website") and "://" not in row["website"]:
        row["website"] = f"https://{row['website']}"
    row["description"] = row.get("description") or row.get("name")
    after.add("organization", row)
    for name, what in problems(ENTITIES["organization"], after["organization"][key]):
        wrong[name] = what
    known = {each["id"]: each for each in phones(after, key)}
    for number in sorted({name.split("_")[1] for name in given if name.startswith("phone_")}):
        text, kind, tier = (given.get(f"phone_{number}_{name}", "") for name in PHONE)
        there = known.get(number)
        if not text:
            if there:
                after.remove("phone", there["id"])
            continue
        if sum(map(str.isdigit, text)) < 3:
            wrong[f"phone_{number}_number"] = "unknown_phone"
        fresh: Row = dict(there or {"id": made_id("console", key, text), "organization_id": key}) | {"number": text}
        if there is None or kind != there.get("type", "voice"):
            fresh["type"] = kind if kind in PHONE_TYPES else "voice"
        after.add("phone", fresh)
        if (tier if tier in TIERS else PUBLIC) != after.tier(fresh["id"]):
            after.tiers[fresh["id"]] = tier if tier in TIERS else PUBLIC
    return after, wrong


def phones(bundle: Bundle, key: str) -> list[Row]:
    """Return the organisation's own numbers: told to people where a service has none."""
    return sorted(bundle.children("phone", "organization_id", key), key=lambda row: str(row["id"]))
