"""A spreadsheet that was exported here and comes back edited: what its cells change of the entries they name by id.

Only what differs from the entry as it stands is taken, cell by cell, so that nothing the sheet has no column for is
lost. A row whose entry was changed here since the export is left alone, unless the file is to win.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, select

from bot.directory import vocabulary
from bot.directory.changes import TRANSLATION, edits_between
from bot.directory.exchange import columns, flat
from bot.directory.exchange.imports import Edited
from bot.directory.exchange.problems import ERROR, WARNING, Problem
from bot.directory.form import ADDRESS, from_form, to_form
from bot.directory.hsds import Row
from bot.directory.models import Organization, Service
from bot.directory.owners import places_of_others
from bot.directory.read import phone_rows, told_as
from bot.directory.records import CHUNK, Bundle, Returned, load
from bot.directory.restricted import known
from bot.text.normalise import normalise

_SAME = {
    "service": "name",
    "service_description": "description",
    "eligibility": "eligibility_description",
    "fees": "fees_description",
    "country": "countries",
    **{name: name for name in ("url", "email", "status", "minimum_age", "maximum_age", "alert", "assured_date",
                               "hours", "area", "documents", "languages")},
    **{fact: f"fact_{fact}" for fact in flat.FACTS},
}  # fmt: skip
"""Columns that are one field of the form (form.py)."""
_ADDRESS = {"address": "address_1", "city": "city", "postal_code": "postal_code"}
_PHONES = ("phone", "phone_2", "sms", "whatsapp")
_FIXED = ("organization", "website")


def settle(
    connection: Connection, bundle: Bundle, dataset: str, theirs: bool = False, own: set[str] | None = None
) -> tuple[Edited, list[Problem]]:
    """Put into a bundle, in the stead of a sheet's entries that live here already, what the sheet changes of them.

    `theirs`: also where an entry was changed here since. `own`: the organisations of the editor whose sheet it is;
    None: of somebody who may change all. Returns what imports.plan and apply must know.
    """
    found: list[Problem] = []
    keys: set[str] = set()
    gone: list[tuple[str, Row]] = []
    ours = _ours(connection, list(bundle.returned), dataset)
    waiting = list(ours)
    sheet = {key: (str(bundle["service"][key]["name"]), flat.cells_of(bundle, key)) for key in waiting}
    _take_out(bundle, set(waiting))
    named = dict(_organizations(connection, own or ()))
    for start in range(0, len(waiting), CHUNK):
        here = load(connection, services=[key for key in waiting[start : start + CHUNK] if not ours[key]])
        named |= {normalise(row["name"]): row["id"] for row in here["organization"].values()}
        others: frozenset[str] = frozenset() if own is None else places_of_others(connection, here["location"], own)
        for key in waiting[start : start + CHUNK]:
            asked = bundle.returned[key]
            name, wanted = sheet[key]
            if key not in here["service"]:
                found.append(Problem(asked.place, "was_archived", {"name": name}, WARNING))
                continue
            cells = flat.cells_of(here, key)
            differing = sorted(
                field for field in asked.fields - {"id", "version"} if cells.get(field) != wanted.get(field)
            )
            if differing and not theirs and asked.version != flat.version_of(cells):
                found.append(Problem(asked.place, "stays_here", {"name": name}, WARNING))
                continue
            cells = {field: wanted.get(field, "") for field in differing}
            _change(bundle, here, key, asked, cells, keys, gone, found, others)
    if waiting:  # a sheet of entries that live here: what is new in it lives here too
        keys |= {row["id"] for _, row in bundle if row.get("service_id", row["id"]) not in bundle.returned}
    _name_organizations(bundle, named)
    _drop_unused(bundle)
    return Edited(frozenset(keys), tuple(gone)), found


def _ours(connection: Connection, keys: list[str], dataset: str) -> dict[str, bool]:
    """Return which services live here, and not in this very file; the value: it was archived."""
    there: dict[str, bool] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(Service.id, Service.dataset, Service.archived_at).where(
            Service.id.in_(keys[start : start + CHUNK])
        )
        there |= {row.id: row.archived_at is not None for row in connection.execute(query) if row.dataset != dataset}
    return there | dict.fromkeys(known(connection, [key for key in keys if key not in there]), True)


def _change(
    bundle: Bundle,
    here: Bundle,
    key: str,
    asked: Returned,
    differing: dict[str, str],
    keys: set[str],
    gone: list[tuple[str, Row]],
    found: list[Problem],
    others: frozenset[str],
) -> None:
    for field in _FIXED:
        if field in differing:
            found.append(Problem(asked.place, "not_here", {"field": field, "value": differing[field]}, WARNING))
    form = _form(here, key, differing)
    after, wrong = from_form(here, key, form, [language for _, language in _translated(differing)], "sheet", others)
    found += [
        Problem(asked.place, what, {"field": field, "value": form.get(field, "")}, ERROR)
        for field, what in wrong.items()
    ]
    for edit in edits_between(here, after):
        if edit.entity == TRANSLATION:
            row = edit.after or edit.before or {}
            bundle.translations[row["record_id"], row["field"], row["language"]] = (
                edit.after["text"] if edit.after else ""
            )
        elif edit.after is None:
            gone.append((edit.entity, edit.before or {}))
        else:
            bundle.add(edit.entity, edit.after)
            keys.add(edit.id)


def _translated(differing: dict[str, str]) -> list[tuple[str, str]]:
    return [found for found in map(columns.translation, differing) if found]


def _form(here: Bundle, key: str, differing: dict[str, str]) -> dict[str, str]:
    """Return the fields of the form that the differing cells fill."""
    whole = to_form(here, key, ())
    form = {_SAME[field]: text for field, text in differing.items() if field in _SAME}
    for field, text in differing.items():
        translated = columns.translation(field)
        if translated:
            form[".".join(translated)] = text
    if {"kind", "needs"} & set(differing):
        terms = ("kind", "need_", "group_")
        form |= {name: text for name, text in whole.items() if name.startswith(terms)}
        form["kind"] = differing.get("kind") or form["kind"]
        if "needs" in differing:
            chosen, _ = columns.terms("need", differing["needs"])
            form |= {
                f"need_{code}": "yes" if code in chosen else "" for code in vocabulary.taxonomies()["need"]["terms"]
            }
    form |= _phones(here, key, whole, differing)
    return form | _address(here, key, whole, differing)


def _phones(here: Bundle, key: str, whole: dict[str, str], differing: dict[str, str]) -> dict[str, str]:
    """Return the form's fields of the telephones whose cells differ: the n-th of a kind is the n-th that is told."""
    form: dict[str, str] = {}
    rows: dict[str, list[Row]] = {}
    for row in phone_rows(here, key):
        kind = told_as(row)
        rows.setdefault("voice" if kind == "tty" else kind, []).append(row)
    for field in _PHONES:
        if field not in differing:
            continue
        kind, place = ("voice", _PHONES.index(field)) if field.startswith("phone") else (field, 0)
        told = rows.get(kind, [])
        # cells_of names the last number of a kind that has one cell, as people seldom have two
        here_is: Row = (told[place] if kind == "voice" else told[-1]) if len(told) > place else {}
        number = here_is["id"] if here_is.get("service_id") == key else f"new-{field.replace('_', '-')}"
        form |= {name: text for name, text in whole.items() if name.startswith(f"phone_{number}_")}
        form |= {f"phone_{number}_number": differing[field], f"phone_{number}_extension": ""}
        form.setdefault(f"phone_{number}_type", kind)
    return form


def _address(here: Bundle, key: str, whole: dict[str, str], differing: dict[str, str]) -> dict[str, str]:
    changed = {name: differing[field] for field, name in _ADDRESS.items() if field in differing}
    if not changed:
        return {}
    rows = flat.addresses_of(here, key)
    number = rows[0]["id"] if rows else "new-address"
    form = {f"address_{number}_{name}": whole.get(f"address_{number}_{name}", "") for name in (*ADDRESS, "tier")}
    form |= {f"address_{number}_{name}": text for name, text in changed.items()}
    if not rows:
        form[f"address_{number}_country"] = whole["countries"].split(",")[0].strip(" *")
    return form


def _organizations(connection: Connection, keys: Collection[str]) -> Iterator[tuple[str, str]]:
    query = select(Organization.id, Organization.name).where(Organization.id.in_(list(keys)))
    for row in connection.execute(query.where(Organization.archived_at.is_(None))):
        yield normalise(row.name or ""), row.id


def _name_organizations(bundle: Bundle, named: dict[str, str]) -> None:
    """Put new entries under the organisations that live here, where the sheet names one of them."""
    ours = {key: named.get(normalise(row["name"])) for key, row in bundle["organization"].items()}
    for entity in ("service", "location"):
        for row in bundle[entity].values():
            if ours.get(row.get("organization_id", "")):
                row["organization_id"] = ours[row["organization_id"]]


def _take_out(bundle: Bundle, keys: set[str]) -> None:
    """Take services with their rows out of a bundle; what only staff may see stays: it is no part of an export."""
    at = bundle["service_at_location"].values()
    places = {row["location_id"] for row in at if row.get("service_id") in keys}
    out = {
        row["id"]
        for entity, row in bundle
        if entity != "organization" and row["id"] not in bundle.tiers
        if row["id"] in keys or row.get("service_id") in keys
        or row["id"] in places or row.get("location_id") in places
    }  # fmt: skip
    out |= {row["id"] for row in bundle["attribute"].values() if row.get("link_id") in out}
    for rows in bundle.rows.values():
        for key in [key for key in rows if key in out]:
            rows.pop(key)
    bundle.update(Bundle())  # forgets what was nested in what
    bundle.translations = {name: text for name, text in bundle.translations.items() if name[0] not in keys}


def _drop_unused(bundle: Bundle) -> None:
    """Take out the organisations that only the entries named which live here already; they have their own here."""
    for key in [row["id"] for row in bundle["location"].values() if row["id"] in bundle.tiers]:
        bundle["location"][key].pop("organization_id", None)
    used = {row.get("organization_id") for entity in ("service", "location") for row in bundle[entity].values()}
    for key in [key for key in bundle["organization"] if key not in used]:
        bundle.remove("organization", key)
