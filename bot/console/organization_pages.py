"""Organisations whose entries somebody keeps: their own fields and numbers, as a form whose changes are proposals."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import Page
from bot.console.entry_pages import LARGEST_FORM, differences, people, previews, seen_form, take_back
from bot.console.queue_pages import labels
from bot.console.upkeep_pages import KEEPERS
from bot.directory import form as forms
from bot.directory import organization_form
from bot.directory.changes import Conflicts
from bot.directory.editing import NotAllowed
from bot.directory.records import Bundle
from bot.directory.restricted import TIERS

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session


FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Spreadsheets that an organisation's entries can be had as, and their media types."""


async def organizations(console: Console, request: Request, session: Session) -> Response:
    """The organisations that somebody keeps."""
    found = await asyncio.to_thread(console.editing.organizations, session.operator)
    return console.render(request, session, "organizations.html", organizations=found)


async def organization(console: Console, request: Request, session: Session) -> Response:
    """An organisation's form."""
    key = str(request.path_params["id"])
    bundle = await _load(console, session, key)
    values = organization_form.to_form(bundle, key)
    return _form(console, request, session, key, bundle, values, values, {})


async def save(console: Console, request: Request, session: Session) -> Response:
    """Propose what a form changes."""
    key, fields = str(request.path_params["id"]), dict(await console.form(request))
    bundle = await _load(console, session, key)
    seen, note = seen_form(fields.pop("seen", "")), fields.pop("note", "")[:1000]
    fields.pop("csrf", None)
    now = organization_form.to_form(bundle, key)
    wanted, both = forms.merged(now, seen, fields)
    after, wrong = organization_form.from_form(bundle, key, wanted)
    wrong |= dict.fromkeys(both, "changed_meanwhile")
    if wrong:
        return _form(console, request, session, key, after, now, wanted, wrong, 409)
    try:
        proposed = await asyncio.to_thread(console.editing.propose, session.operator, None, bundle, after, note)
    except NotAllowed:
        raise HTTPException(404) from None
    except Conflicts:
        return console.refusal(request, session, "entry_conflict")
    said = ("proposed" if console.editing.four_eyes else "applied") if proposed else "unchanged"
    return RedirectResponse(f"/console/entries?done={said}", status_code=303)


async def download(console: Console, request: Request, session: Session) -> Response:
    """An organisation's public entries as a spreadsheet: to be edited, and imported again."""
    from bot.directory.exchange.exports import export

    key, form = str(request.path_params["id"]), str(request.path_params["form"])
    if form not in FORMS:
        raise HTTPException(404)
    await _load(console, session, key)

    def read() -> bytes:
        with console.editing.engine.connect() as connection:
            return export(connection, form, key)

    headers = {"Content-Disposition": f'attachment; filename="entries.{form}"'}
    return Response(await asyncio.to_thread(read), media_type=FORMS[form], headers=headers)


async def history(console: Console, request: Request, session: Session) -> Response:
    """What was changed of an organisation's own fields."""
    key = str(request.path_params["id"])
    bundle = await _load(console, session, key)
    changes = await asyncio.to_thread(console.editing.history_of_organization, session.operator, key)
    return console.render(
        request, session, "entry_history.html", name=bundle["organization"][key].get("name", ""),
        page=f"/console/organizations/{key}", changes=[(each, differences(each.edits)) for each in changes],
        people=await people(console),
    )  # fmt: skip


async def undo(console: Console, request: Request, session: Session) -> Response:
    """Propose to take a change back."""
    return await take_back(console, request, session, organization=True)


async def _load(console: Console, session: Session, key: str) -> Bundle:
    try:
        return await asyncio.to_thread(console.editing.load_organization, session.operator, key)
    except NotAllowed:
        raise HTTPException(404) from None


def _form(
    console: Console,
    request: Request,
    session: Session,
    key: str,
    bundle: Bundle,
    seen: dict[str, str],
    values: dict[str, str],
    wrong: dict[str, str],
    status: int = 200,
) -> Response:
    numbers = dict.fromkeys(name.split("_")[1] for name in values if name.startswith("phone_"))
    service = next((row["id"] for row in bundle["service"].values() if row.get("organization_id") == key), None)
    return console.render(
        request, session, "organization.html", status, key=key, values=values, wrong=wrong, seen=json.dumps(seen),
        texts=organization_form.TEXTS, numbers=[*numbers, *([] if "new" in numbers else ["new"])], tiers=TIERS,
        phone_types=forms.PHONE_TYPES, four_eyes=console.editing.four_eyes,
        previews=previews(console, bundle, service) if service else [], words=labels(console, request, session),
    )  # fmt: skip


PAGES = [
    Page("GET", "/console/organizations", organizations, KEEPERS),
    Page("GET", "/console/organizations/{id}", organization, KEEPERS),
    Page("POST", "/console/organizations/{id}", save, KEEPERS, largest=LARGEST_FORM),
    Page("GET", "/console/organizations/{id}/entries.{form}", download, KEEPERS),
    Page("GET", "/console/organizations/{id}/history", history, KEEPERS),
    Page("POST", "/console/organizations/{id}/undo", undo, KEEPERS),
]
