"""Entries of the directory: list, form with preview, proposals, history; and who keeps which organisation."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import ADMINISTRATORS, Page
from bot.console.queue_pages import labels
from bot.console.upkeep_pages import KEEPERS
from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.directory import form as forms
from bot.directory import vocabulary
from bot.directory.changes import TRANSLATION, Conflicts, Edit
from bot.directory.editing import NotAllowed, preview, public
from bot.directory.records import Bundle
from bot.directory.restricted import TIERS

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session

LARGEST_FORM = 262_144
MOST_FORM_FIELDS = 400
"""An entry with twenty telephone numbers and all its translations, and the form as it was sent out beside it."""
FULL_DAYS = 7
NEW = "new"
DONE = ("proposed", "applied", "approved", "rejected", "withdrawn", "unchanged", "assigned")
QUICK = ("full", "not_full", "closed", "open", "archive")


def _done(request: Request) -> str:
    said = request.query_params.get("done", "")
    return said if said in DONE else ""


async def entries(console: Console, request: Request, session: Session) -> Response:
    """The entries that somebody keeps."""
    words, asked = request.query_params.get("words", "")[:200], request.query_params.get("page", "")
    page = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 0

    def read() -> dict[str, Any]:
        editing = console.editing
        found, more = editing.entries(session.operator, words, page=page)
        return {
            "entries": found,
            "more": more,
            "page": page,
            "organizations": editing.organizations(session.operator),
            "waiting": len(editing.proposals(session.operator)),
        }

    values = await asyncio.to_thread(read)
    return console.render(
        request, session, "entries.html", searched=words, done=_done(request),
        words=labels(console, request, session), **values,
    )  # fmt: skip


async def begin(console: Console, request: Request, session: Session) -> Response:
    """The form of a new service."""
    fields = await console.form(request)

    def read() -> tuple[Bundle, str]:
        name = fields.get("name", "").strip()[:200]
        return console.editing.new_service(session.operator, fields.get("organization", ""), name)

    try:
        bundle, key = await asyncio.to_thread(read)
    except NotAllowed:
        raise HTTPException(404) from None
    values = forms.to_form(bundle, key, _languages(console))
    new = {"organization": fields.get("organization", ""), "key": key}
    return _form(console, request, session, key, bundle, bundle, {}, values, {}, (), new=new)


async def entry(console: Console, request: Request, session: Session) -> Response:
    """An entry's form, with what people see now."""
    key = str(request.path_params["id"])
    bundle = await _load(console, session, key)
    values = forms.to_form(bundle, key, _languages(console))
    return _form(console, request, session, key, bundle, bundle, values, values, {}, ())


async def save(console: Console, request: Request, session: Session) -> Response:
    """Show what a form would make, or propose it."""
    fields = dict(await console.form(request))
    key = str(request.path_params["id"])
    new: dict[str, str] | None = None
    languages = _languages(console)
    if key == NEW:
        new = {"organization": fields.get("organization", ""), "key": _uuid(fields.get("key", ""))}
        key = new["key"]
        try:
            bundle, made = await asyncio.to_thread(
                console.editing.new_service, session.operator, new["organization"], ""
            )
        except NotAllowed:
            raise HTTPException(404) from None
        bundle = _renamed(bundle, made, key)
        before = copy.deepcopy(bundle)
        before.remove("service", key)
    else:
        bundle = before = await _load(console, session, key)
    seen = seen_form(fields.pop("seen", ""))
    now = forms.to_form(bundle, key, languages) if new is None else {}
    own = ("csrf", "do", "note", "organization", "key")
    wanted, both = forms.merged(now, seen, {name: text for name, text in fields.items() if name not in own})
    others = await asyncio.to_thread(console.editing.others, session.operator, bundle)
    after, wrong = forms.from_form(bundle, key, wanted, languages, "console", others)
    wrong |= dict.fromkeys(both, "changed_meanwhile")
    if fields.get("do") != "propose" or wrong:
        status = 409 if wrong else 200
        return _form(
            console, request, session, key, bundle, after, now, wanted, wrong, both, status, fields.get("note", ""), new
        )
    try:
        proposed = await asyncio.to_thread(
            console.editing.propose, session.operator, key, before, after, fields.get("note", "")[:1000]
        )
    except NotAllowed:
        raise HTTPException(404) from None
    except Conflicts:
        return console.refusal(request, session, "entry_conflict")
    if proposed is None:
        return RedirectResponse(f"/console/entries/{key}?done=unchanged", status_code=303)
    said = "proposed" if console.editing.four_eyes else "applied"
    return RedirectResponse(f"/console/entries?done={said}", status_code=303)


async def quick(console: Console, request: Request, session: Session) -> Response:
    """One click: no places for a week, places again, closed for now, open again, archived."""
    key, what = str(request.path_params["id"]), (await console.form(request)).get("do", "")
    if what not in QUICK:
        raise HTTPException(400)
    bundle = await _load(console, session, key)
    after = copy.deepcopy(bundle)
    if what == "archive":
        after.remove("service", key)
    else:
        changes = {
            "full": {"fact_full_until": (date.today() + timedelta(days=FULL_DAYS)).isoformat()},
            "not_full": {"fact_full_until": ""},
            "closed": {"status": "temporarily closed"},
            "open": {"status": "active"},
        }[what]
        after, wrong = forms.from_form(bundle, key, changes, (), "console")
        if wrong:  # the entry as it stands is faulty: its form says where
            return RedirectResponse(f"/console/entries/{key}", status_code=303)
    try:
        proposed = await asyncio.to_thread(console.editing.propose, session.operator, key, bundle, after, "")
    except NotAllowed:
        raise HTTPException(404) from None
    except Conflicts:
        return console.refusal(request, session, "entry_conflict")
    said = ("proposed" if console.editing.four_eyes else "applied") if proposed else "unchanged"
    return RedirectResponse(f"/console/entries?done={said}", status_code=303)


async def history(console: Console, request: Request, session: Session) -> Response:
    """What was changed of an entry, by whom, and who agreed."""
    key = str(request.path_params["id"])
    bundle = await _load(console, session, key)
    changes = await asyncio.to_thread(console.editing.history, session.operator, key)
    return console.render(
        request, session, "entry_history.html", name=bundle["service"][key].get("name", ""),
        page=f"/console/entries/{key}", people=await people(console),
        changes=[(each, differences(each.edits)) for each in changes],
    )  # fmt: skip


async def undo(console: Console, request: Request, session: Session) -> Response:
    """Propose to take a change back."""
    return await take_back(console, request, session)


async def take_back(console: Console, request: Request, session: Session, organization: bool = False) -> Response:
    """Propose to take a change of an entry, or of an organisation's own fields, back."""
    key = str(request.path_params["id"])
    number = (await console.form(request)).get("n", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 12):
        raise HTTPException(400)
    try:
        await asyncio.to_thread(console.editing.undo, session.operator, key, int(number), organization)
    except NotAllowed:
        raise HTTPException(404) from None
    except Conflicts:
        return console.refusal(request, session, "entry_conflict")
    said = "proposed" if console.editing.four_eyes else "applied"
    return RedirectResponse(f"/console/entries?done={said}", status_code=303)


async def proposals(console: Console, request: Request, session: Session) -> Response:
    """What waits for a second person."""
    found = await asyncio.to_thread(console.editing.proposals, session.operator)
    return console.render(
        request, session, "proposals.html", proposals=found, people=await people(console), done=_done(request)
    )


async def proposal(console: Console, request: Request, session: Session) -> Response:
    """A proposal, field by field, with what people would see."""
    try:
        found = await asyncio.to_thread(console.editing.proposal, session.operator, str(request.path_params["id"]))
    except NotAllowed:
        raise HTTPException(404) from None
    own = found.by == session.operator.id
    return console.render(
        request, session, "proposal.html", proposal=found, differences=differences(found.edits),
        people=await people(console), own=own, may_approve=not own or not console.editing.four_eyes,
        conflicts=[(each.edit.entity, each.field, _shown(each.current)) for each in found.conflicts],
    )  # fmt: skip


async def decide(console: Console, request: Request, session: Session) -> Response:
    """Approve a proposal, turn it down, or withdraw one's own."""
    key, fields = str(request.path_params["id"]), await console.form(request)
    decision = fields.get("do", "")
    if decision not in ("approve", "reject"):
        raise HTTPException(400)
    try:
        if decision == "approve":
            await asyncio.to_thread(console.editing.approve, session.operator, key)
            return RedirectResponse("/console/proposals?done=approved", status_code=303)
        await asyncio.to_thread(console.editing.reject, session.operator, key, fields.get("reason", "")[:1000])
    except NotAllowed:
        raise HTTPException(404) from None
    except Conflicts:
        return console.refusal(request, session, "entry_conflict")
    return RedirectResponse("/console/proposals?done=rejected", status_code=303)


async def assignment(console: Console, request: Request, session: Session) -> Response:
    """Which organisations an editor keeps."""
    account = await asyncio.to_thread(console.accounts.get, str(request.path_params["id"]))
    if account is None:
        raise HTTPException(404)
    words = request.query_params.get("words", "")[:200]

    def read() -> tuple[set[str], list[tuple[str, str]]]:
        mine = console.editing.kept_by(account.id)
        return set(mine), console.editing.all_organizations(words, mine)

    kept, found = await asyncio.to_thread(read)
    return console.render(
        request, session, "entry_assignment.html", account=account, kept=kept, organizations=found, searched=words,
        done=_done(request),
    )  # fmt: skip


async def assign(console: Console, request: Request, session: Session) -> Response:
    """Give an editor an organisation, or take it away."""
    key, fields = str(request.path_params["id"]), await console.form(request)
    account = await asyncio.to_thread(console.accounts.get, key)
    if account is None:
        raise HTTPException(404)
    kept = set(await asyncio.to_thread(console.editing.kept_by, key))
    organization = fields.get("organization", "")
    wanted = kept | {organization} if fields.get("do") == "give" else kept - {organization}
    await asyncio.to_thread(console.editing.assign, key, sorted(wanted), session.operator.id)
    return RedirectResponse(f"/console/accounts/{key}/organizations?done=assigned", status_code=303)


# inside


async def _load(console: Console, session: Session, key: str) -> Bundle:
    try:
        return await asyncio.to_thread(console.editing.load, session.operator, key)
    except NotAllowed:
        raise HTTPException(404) from None


async def people(console: Console) -> dict[str, str]:
    return {each.id: each.name for each in await asyncio.to_thread(console.accounts.all)}


@lru_cache(maxsize=8)
def _codes(catalogue: Any) -> tuple[str, ...]:
    return tuple(code for code in catalogue.languages if code != "en")


def _languages(console: Console) -> tuple[str, ...]:
    return _codes(console.catalogue)


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise HTTPException(400) from None


def _renamed(bundle: Bundle, old: str, new: str) -> Bundle:
    """Give a new service the id that its form was sent out with."""
    renamed = Bundle()
    for entity, row in bundle:
        renamed.add(entity, {name: new if value == old else value for name, value in row.items()})
    return renamed


def seen_form(text: str) -> dict[str, str]:
    """Return the form as it was sent out."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        raise HTTPException(400) from None
    except RecursionError:
        raise HTTPException(400) from None
    if not isinstance(found, dict):
        raise HTTPException(400)
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


def _form(
    console: Console,
    request: Request,
    session: Session,
    key: str,
    bundle: Bundle,
    after: Bundle,
    seen: Mapping[str, str],
    values: Mapping[str, str],
    wrong: Mapping[str, str],
    both: Any,
    status: int = 200,
    note: str = "",
    new: dict[str, str] | None = None,
) -> Response:
    """Render the form of an entry. `seen`: as it is now, sent along to tell later what was changed in it."""
    rows = {
        part: [
            *dict.fromkeys(name.split("_")[1] for name in values if name.startswith(f"{part}_")),
            *(f"new{number}" for number in range(forms.SPARE) if f"{part}_new{number}_{first}" not in values),
        ]
        for part, first in (("phone", "number"), ("address", "address_1"), ("cost", "option"), ("contact", "name"))
    }
    words = labels(console, request, session)
    return console.render(
        request, session, "entry.html", status,
        key=key, new=new, values=values, wrong=wrong, rows=rows, seen=json.dumps(dict(seen)), note=note, words=words,
        entry=after["service"].get(key, {}), organization=_organization(bundle),
        kinds=list(vocabulary.taxonomies()["kind"]["terms"]), needs=list(vocabulary.taxonomies()["need"]["terms"]),
        groups=list(vocabulary.taxonomies()["victim_group"]["terms"]), facts=forms.facts(),
        statuses=forms.STATUSES, tiers=TIERS, phone_types=forms.PHONE_TYPES, address_fields=forms.ADDRESS,
        translated=forms.TRANSLATED, into=[each for each in console.catalogue.languages.values() if each.code != "en"],
        previews=previews(console, after, key), four_eyes=console.editing.four_eyes, done=_done(request),
        full=bool(values.get("fact_full_until")),
    )  # fmt: skip


def _organization(bundle: Bundle) -> str:
    return next((str(row.get("name", "")) for row in bundle["organization"].values()), "")


def previews(console: Console, bundle: Bundle, key: str) -> list[tuple[Any, str]]:
    """Return what people would be told, by language: the same text in every channel, telephone numbers as links."""
    if key not in public(bundle)["service"]:
        return []
    try:
        service = preview(bundle, key)
    except (KeyError, ValueError):
        return []
    effects = Effects(console.catalogue, console.directory, 1)
    return [(each, effects.entry(service, State(language=each.code))) for each in console.catalogue.languages.values()]


def differences(edits: tuple[Edit, ...]) -> list[tuple[str, str, str, str, str]]:
    """Return (what, field, before, after, tier) of every field that edits change."""
    found = []
    for edit in edits:
        name = str((edit.after or edit.before or {}).get("field", "")) if edit.entity == TRANSLATION else edit.entity
        if edit.entity == "attribute":
            term = vocabulary.codes().get(str((edit.after or edit.before or {}).get("taxonomy_term_id")), ("", ""))
            before, after = (("" if row is None else str(row.get("value", "yes"))) for row in (edit.before, edit.after))
            found.append((term[0], term[1], before, after, edit.tier))
            continue
        if edit.tier != edit.tier_before and edit.before is not None:
            found.append((name, "tier", edit.tier_before, edit.tier, edit.tier))
        for field in edit.fields:
            if field == "id" or field.endswith("_id"):
                continue
            before, after = (_shown((row or {}).get(field)) for row in (edit.before, edit.after))
            found.append((name, field, before, after, edit.tier))
    return found


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


PAGES = [
    Page("GET", "/console/entries", entries, KEEPERS),
    Page("POST", "/console/entries", begin, KEEPERS),
    Page("GET", "/console/entries/{id}", entry, KEEPERS),
    Page("POST", "/console/entries/{id}", save, KEEPERS, largest=LARGEST_FORM, most_fields=MOST_FORM_FIELDS),
    Page("POST", "/console/entries/{id}/quick", quick, KEEPERS),
    Page("GET", "/console/entries/{id}/history", history, KEEPERS),
    Page("POST", "/console/entries/{id}/undo", undo, KEEPERS),
    Page("GET", "/console/proposals", proposals, KEEPERS),
    Page("GET", "/console/proposals/{id}", proposal, KEEPERS),
    Page("POST", "/console/proposals/{id}", decide, KEEPERS),
    Page("GET", "/console/accounts/{id}/organizations", assignment, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}/organizations", assign, ADMINISTRATORS),
]
